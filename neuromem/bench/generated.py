"""Facts of our own making, so that every bench runs with no data beside the repository.

Names are made up of syllables, so no model has seen them. Everything follows from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["GeneratedFact", "hard_texts", "nasty_strings", "near_identical", "personal_facts", "update_cases"]

CONSONANTS = "b bl br c ch d dr f g gr h j k kl l m n p pr q r s sh st t tr v w x y z zh".split()
VOWELS = "a a a a e e e e i i i o o o u u ae ai ou ia é ö".split()
JOBS = "roofer nurse welder baker pilot surveyor cellist plumber archivist vet".split()
FOODS = "walnuts celery shrimp mango oysters rye lentils gluten kiwi sesame".split()
THINGS = "passport, spare key, blue umbrella, guitar, tax folder, sewing machine, ladder, tent".split(", ")
PLACES = "attic, hall cupboard, car boot, garden shed, office drawer, cellar, garage".split(", ")
MONTHS = "January February March April May June July August September October November December".split()
SCRIPTS = (  # Greek, Cyrillic, Hebrew, Arabic, Devanagari, Han
    (0x3B1, 0x3CA), (0x410, 0x450), (0x5D0, 0x5EB), (0x627, 0x63B), (0x905, 0x93A), (0x4E00, 0x9FA0),
)  # fmt: skip
KIN = "sister brother mother father uncle aunt cousin neighbour".split()

# text | gist (subject|relation|object) | question
FRAMES = """
{person}'s dog is called {name}; {person}|dog name|{name}; what is {person}'s dog called?
My cat's name is {name}; 1|cat name|{name}; what is my cat's name?
I live in {name} now; 1|home|{name}; where do I live?
My {kin} {person} works as a {job}; {person}|job|{job}; what does {person} do for a living?
I am allergic to {food}; 1|allergy|{food}; what am I allergic to?
{person} can't eat {food}; {person}|cannot eat|{food}; what can {person} not eat?
{person} was born on {day} {month} {year}; {person}|birthday|{day} {month} {year}; when is {person}'s birthday?
The {thing} is in the {place}; {thing}|place|{place}; where is the {thing}?
{person}'s phone number is {phone}; {person}|phone|{phone}; what is {person}'s phone number?
The door code at {name} is {code}; {name}|door code|{code}; what is the door code at {name}?
I moved from {name} to {person} in {month} {year}; 1|moved to|{person}; where did I move to?
My {kin} married {person} in {name}; {kin}|married|{person}; whom did my {kin} marry?
The wifi password at {name} is {password}; {name}|wifi|{password}; what is the wifi password at {name}?
{person} drives a green van with the plate {plate}; {person}|plate|{plate}; what is {person}'s number plate?
""".strip().splitlines()  # noqa: E501


@dataclass(frozen=True, slots=True)
class GeneratedFact:
    """A fact, its gist as `subject|relation|object`, and a question that it answers."""

    text: str
    gist: str
    question: str


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def name(self) -> str:
        parts = [self.pick(CONSONANTS) + self.pick(VOWELS) for _ in range(self.random.choice((2, 2, 3)))]
        return ("".join(parts) + self.pick(["", "", "n", "r", "s", "l"])).capitalize()

    def pick(self, options: list[str]) -> str:
        return self.random.choice(options)

    def letters(self, alphabet: str, count: int) -> str:
        return "".join(self.random.choices(alphabet, k=count))

    def blanks(self) -> dict[str, object]:
        digits, capitals = "0123456789", "ABCDEFGHJKLMNPRSTUVWXYZ"
        return {
            "name": self.name(), "person": self.name(), "kin": self.pick(KIN), "job": self.pick(JOBS),
            "food": self.pick(FOODS), "thing": self.pick(THINGS), "place": self.pick(PLACES),
            "day": self.random.randint(1, 28), "month": self.pick(MONTHS),
            "year": self.random.randint(1930, 2026),
            "phone": f"0{self.letters(digits, 3)} {self.letters(digits, 6)}", "code": self.letters(digits, 6),
            "password": self.letters("abcdefghkmnpqrstuvwxyz23456789-!", 11),
            "plate": f"{self.letters(capitals, 2)} {self.letters(digits, 3)} {self.letters(capitals, 2)}",
        }  # fmt: skip


def personal_facts(count: int, seed: int = 0) -> list[GeneratedFact]:
    """Distinct facts of one person's life, `count` of them."""
    maker = _Maker(seed)
    found: dict[str, GeneratedFact] = {}
    while len(found) < count:
        frame, blanks = maker.pick(FRAMES), maker.blanks()
        text, gist, question = (part.strip().format(**blanks) for part in frame.split(";"))
        found.setdefault(text, GeneratedFact(text, gist, question))
    return list(found.values())


def near_identical(count: int, seed: int = 0) -> list[GeneratedFact]:
    """`count` facts that differ in two made-up names only: "X's dog is called Y"; every X is another."""
    maker = _Maker(seed)
    frame = FRAMES[0].split(";")
    found: dict[str, GeneratedFact] = {}
    while len(found) < count:
        person, name = maker.name(), maker.name()
        text, gist, question = (part.strip().format(person=person, name=name) for part in frame)
        found.setdefault(person, GeneratedFact(text, gist, question))
    return list(found.values())


def hard_texts(count: int, seed: int = 0) -> list[str]:
    """Short texts that are hard to spell: codes, passwords, addresses of the net, other scripts."""
    maker = _Maker(seed)
    return [text for text, _ in zip(_hard(maker), range(count), strict=False)]


def _hard(maker: _Maker) -> Iterator[str]:
    printable = "".join(map(chr, range(33, 127)))
    hexadecimal, digits, capitals = "0123456789abcdef", "0123456789", "ABCDEFGHJKLMNPQRSTUVWXYZ"
    while True:
        yield f"{maker.name()}: {maker.letters(printable, 16)}"
        yield f"https://{maker.name().lower()}.example/{maker.letters(hexadecimal, 12)}?q={maker.name()}"
        yield f"{maker.letters(capitals + digits, 24)} {maker.name()} {maker.letters(digits, 9)}"
        script = "".join(map(chr, range(*maker.random.choice(SCRIPTS))))
        yield " ".join(maker.letters(script, maker.random.randint(2, 6)) for _ in range(4))
        yield f"{maker.name()}.{maker.name()}{maker.letters('0123456789', 3)}@{maker.name().lower()}.example"
        yield "".join(chr(maker.random.randint(0xA1, 0x2FFF)) for _ in range(24))
        yield "".join(chr(maker.random.randint(0x1F300, 0x1F5FF)) for _ in range(6)) + maker.name()


def nasty_strings(seed: int = 0) -> dict[str, str]:
    """Texts that break careless programs, by name; none is blank."""
    rng = random.Random(seed)
    latin = [chr(rng.randint(1, 255)) for _ in range(160)]
    while len("".join(latin).encode()) > 160:
        latin.pop()
    return {
        "one byte": "x",
        "all 256 code points": "".join(map(chr, range(256))),
        "emoji": "👨‍👩‍👧‍👦🏳️‍🌈🎂👋🏽🇫🇷 birthday 🥳🥳",
        "right to left": "שלום, השם של הכלב הוא פוטולה \u202e123\u202c مرحبا",
        "combining marks": "Z̸͑a̶͐l̵͝g̷̀o̴͂ é è ñ",
        "random characters": "".join(latin),
        "a surrogate's neighbours": "\ud7ff\ue000\ufffd\uffff\U0010ffff",
        "line breaks and tabs": "a\tb\nc\r\nd\u2028e",
        "160 bytes": "".join(rng.choices("abcdefghijklmnopqrstuvwxyz,.0123456789", k=160)),
        "5 kB": " ".join(f"{rng.choice(THINGS)} {rng.randint(0, 9999)}." for _ in range(310))[:5_000],
    }


# type | what was said first; then; … | question | expected | stale
UPDATES = """
supersede | I live in {name}.; I moved to {other} last week. | Where do I live? | {other} | in {name}
supersede | My doctor is Dr. {name}.; My doctor is Dr. {other} now. | Who is my doctor? | {other} | {name}
supersede | The alarm code is {code}.; They changed the alarm code to {late}. | What is the alarm code? | {late} | {code}
supersede | i drive a van; swapped the van for a scooter | what do i drive | scooter | i drive a van
contradiction | The party is on {day} {month}.; Sorry, I meant the party is on {then} {month}. | When is the party? | {then} {month} | on {day} {month}
contradiction | my locker is number {day}; no wait my locker is number {then} | what is my locker number | {then} | is number {day}
distractor_entity | I work for the {thing} museum.; My {kin} {person} got a job at the {food} factory. | Who do I work for? | {thing} | {food}
distractor_entity | my phone number is {phone}; my {kin}'s phone number changed to {late} | what is my phone number | {phone} | {late}
reinforce | I have {food} for breakfast.; Had toast this morning because we ran out. | What do I have for breakfast? | {food} | toast
temporal | My weight was {day} stone.; My weight is {then} stone now. | What was my weight before? | {day} stone | {then} stone
name_clash | My {kin} {person} is a {job}.; {person} from the choir moved to {name}. | What does my {kin} {person} do? | {job} | {name}
pronoun | I have a parrot named {name}.; She eats {food}. | What does {name} eat? | {food} | nothing
""".strip().splitlines()  # noqa: E501


def update_cases(count: int, seed: int = 0) -> list[dict[str, object]]:
    """Cases for the bench of updates, see there: facts that change, and some that only seem to."""
    maker = _Maker(seed)
    cases: list[dict[str, object]] = []
    for number in range(count):
        row = UPDATES[number % len(UPDATES)].split("|")
        kind, said, question, expected, stale = (part.strip() for part in row)
        blanks = maker.blanks()
        then = int(str(blanks["day"])) + 1
        blanks |= {"other": maker.name(), "late": maker.letters("0123456789", 6), "then": then}
        turns = [
            {"ts": f"2025-03-{day:02d}T10:00", "user": "one", "text": text.strip().format(**blanks)}
            for day, text in enumerate(said.split(";"), 1)
        ]
        asked = {"ts": "2025-04-01T10:00", "user": "one", "text": question.format(**blanks)}
        cases.append(
            {
                "id": f"made-{number + 1:03d}", "type": kind, "turns": turns, "query": asked,
                "style": "written" if said[0].isupper() else "asr",
                "expected": [expected.format(**blanks)], "stale": [stale.format(**blanks)],
            }
        )  # fmt: skip
    return cases
