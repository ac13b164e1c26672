"""Generated text: what text corpora lack and a memory is told every day.

Names from many countries, numbers, dates, telephone numbers, addresses, e-mail, URLs, passwords,
codes, other scripts, emoji, notes in telegram style, recognizer-style lower case. Words and names
come from Faker (MIT) and Babel's CLDR data (Unicode licence) and from the CC0 / MIT lists of the
data folder when they are there; sentence frames are our own. Everything is seeded.
"""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

TEXT_BYTES = 160

LOREM_LOCALES = (
    "ar_AA az_AZ bn_BD cs_CZ da_DK de_DE el_GR es_ES fa_IR fr_FR he_IL hy_AM it_IT ja_JP ka_GE ko_KR "
    "nl_NL pl_PL pt_BR ru_RU th_TH tr_TR uk_UA vi_VN zh_CN zh_TW sv_SE fi_FI hu_HU ro_RO"
).split()
NAME_LOCALES = (
    LOREM_LOCALES
    + (
        "hi_IN en_GB en_US en_IN en_NZ en_IE fr_CA es_MX pt_PT de_AT hr_HR sk_SK sl_SI bg_BG lt_LT lv_LV et_EE "
        "no_NO id_ID ne_NP ta_IN or_IN ga_IE yo_NG zu_ZA tw_GH ha_NG ig_NG fil_PH"
    ).split()
)
CLDR_LOCALES = (
    "hi mr ne ta te kn ml gu pa si my km lo am ti ka hy he ar fa ur ps bn th ko ja zh zh_Hant ru uk bg sr mk "
    "be kk mn ky el de fr es pt it nl sv da nb fi et lv lt pl cs sk sl hr hu ro tr az vi id ms sw zu yo ga cy "
    "is mt sq eu ca gl af fil ha ig so uz"
).split()

# (first, last, size) of scripts whose words are made of random letters: spelling without a corpus
SCRIPTS = (
    (0x0061, 0x007A), (0x00C0, 0x017F), (0x0391, 0x03C9), (0x0410, 0x044F), (0x0531, 0x0586), (0x05D0, 0x05EA),
    (0x0621, 0x064A), (0x0905, 0x094D), (0x0985, 0x09CD), (0x0A05, 0x0A4D), (0x0A85, 0x0ACD), (0x0B85, 0x0BCD),
    (0x0C05, 0x0C4D), (0x0D05, 0x0D4D), (0x0E01, 0x0E4C), (0x10D0, 0x10F0), (0x1200, 0x1248), (0x3041, 0x3096),
    (0x30A1, 0x30FA), (0x4E00, 0x5E00), (0x4E00, 0x9FA0), (0xAC00, 0xD7A0),
)  # fmt: skip
EMOJI_RANGES = (
    (0x1F300, 0x1F64F),
    (0x1F680, 0x1F6D7),
    (0x1F90C, 0x1F9FF),
    (0x1FA70, 0x1FAC5),
    (0x2600, 0x27BF),
)
EMOJI_FAVOURITES = "🎂🎉💍🐶🐱🐴🐝🌱☀️❄️🔥⭐🍋🍞🧀🍕🍰☕🍷🚗🚲✈️🏠🏥📍📞📅💊🔑💡🎸🎹⚽🏊👶👍🏽👋🙏💪😀😂😊😍😢😴🥳❤️💔✅❌⚠️➡️👩‍👧🇫🇷🇩🇪"
SIGNS = " – | — | / |, |; |: | → | + | & | = | (|) | · | … |! |!! |? |. | - |…| €| £|% |° | × |½ |№ |# |“|” |’|‘|«|» "

FRAMES = """My {pet} name is {first}|My {pet}'s name is {first}|we called the {pet} {first}|{first} is my {kin}'s {pet}
My {kin} {first} lives in {city}|{first} {last} is my {job}|I work as a {job} at {company}|my {kin} is called {first}
I moved from {city} to {city} in {month}|I was born on {date} in {city}|{first}'s birthday is on {date}
I'm allergic to {food}|{first} is allergic to {food} and {food}|I can't stand {thing}|I love {food} with {food}
my favourite {thing} is {thing}|My phone number is {phone}|call {first} on {phone}|the door code is {digits}
Wi-Fi: {word}{word} / {password}|password for {site} is {password}|gate {digits} then {digits}|{plate} is our car
{first} & {first}, {weekday} {time}|{weekday} {time} {job} {last}, bring {thing}|dentist {time} on {date}|{thing} {price}
rent {price} from {month}|Policy {code}, {company}, renews {date}|serial {code}|order {code} arrives {weekday}
{street}, {city}|{email}|{url}|{first}: {email}|photos: {url}|{city} → {city}, {time}, seat {digits}
My {kin} has {n} {animal}s and a {pet} called {first}|{first} plays the {instrument} in {city}|{n} g {food}, {n} {food}, {n} ml {food}
I have a meeting with {first} {last} at {time} on {weekday}|remember that {first} doesn't eat {food}|{first} drives a {car}
{first} studied {thing} in {city}|The {thing} is in the {adjective} {thing} under the {thing}|{first} moved to {city}
I've been {adjective} since {month}|I take {n} mg of {word} at {time}|my {kin} works at {company}|{first} is {n} years old
I used to be a {job}, now I'm a {job}|{kin}: {phone}|{word} {word} {word} {word}|{first} {last} ({city}) {phone}
next {weekday}: {first}'s {thing}|we meet at {street} at {time}|{first} got {n} points|{word}-{word} {digits}{word}
My {thing} is {adjective}|{first} hates {thing} and {thing}|a {adjective} {animal} called {first}|{n} {thing}s for {first}
account {iban}|card ends in {digits}|flight {code} {date}|size {n}, {adjective}|my {kin}'s {thing} is {adjective}
{first} said {word} {word}|I like {thing}, {thing} and {thing}|no {food} for {first}!!|{first} is {first}'s {kin}"""
PETS = "dog cat horse parrot rabbit tortoise hamster goldfish snake pony ferret budgie goat".split()
KIN = "mother father sister brother aunt uncle cousin wife husband son daughter grandmother boss neighbour friend".split()
WEEKDAYS = (
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday Mon Tue Wed Thu Fri Sat Sun tomorrow".split()
)
MONTHS = (
    "January February March April May June July August September October November December Jan Sept".split()
)
LISTS = {
    "food": ("foods", "fruits", "vegetables", "menuItems", "herbs", "spices", "breads", "pizzaToppings"),
    "animal": ("animals_common", "birds", "dogs", "cats", "horses", "fish"),
    "job": ("occupations",),
    "city": ("cities", "us_cities", "towns", "venues", "countries"),
    "instrument": ("instruments",),
    "thing": ("objects", "nouns", "clothing", "furniture", "materials", "crayola", "sports", "knots", "hats"),
    "adjective": ("adjs", "moods", "adjectives", "personality"),
    "car": ("cars",),
    "word": ("nouns", "verbs", "common", "infinitive", "interjections", "medicine", "drugs", "scientists"),
}


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if 2 <= len(value) <= 40:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def word_lists(data: Path, lists: Mapping[str, tuple[str, ...]] = LISTS) -> dict[str, list[str]]:
    """Reads the CC0 / MIT word lists below `data`; small built-in lists stand in when absent.

    `lists` names, for each kind of word, parts of the names of files that hold some.
    """
    out: dict[str, list[str]] = {}
    folder = data / "lists" / "corpora"
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    for slot, parts in lists.items():
        found: list[str] = []
        for file in files:
            if any(part.lower() in file.stem.lower() for part in parts):
                found += _strings(json.loads(file.read_text(encoding="utf-8")))
        out[slot] = sorted(set(found)) or ["lamp", "plum", "harbour", "green", "oboe", "baker", "Riga"]
    for slot, name in (("first", "first-names.txt"), ("last", "names.txt"), ("place", "places.txt")):
        file = data / "lists" / "random-name" / name
        out[slot] = file.read_text(encoding="utf-8").split("\n") if file.is_file() else ["Potola"]
    for slot, name in (
        ("first", "common-forenames-by-country.csv"),
        ("last", "common-surnames-by-country.csv"),
    ):
        file = data / "lists" / "names-by-country" / name
        if file.is_file():
            rows = file.read_text(encoding="utf-8").split("\n")[1:]
            out[slot] += [c for row in rows for c in row.split(",") if 2 < len(c) < 24 and not c.isdigit()]
    return out


class Generator:
    """Seeded source of short personal texts. `sample()` gives one string of at most 160 bytes."""

    def __init__(self, data: Path, seed: int) -> None:
        from babel import Locale
        from faker import Faker

        self.random = random.Random(seed)
        self.lists = word_lists(data)
        self.frames = [frame for line in FRAMES.split("\n") for frame in line.split("|")]
        self.signs = SIGNS.split("|")
        self.fakers = {name: Faker(name) for name in NAME_LOCALES}
        for index, faker in enumerate(self.fakers.values()):
            faker.seed_instance(seed * 1_000 + index)
        self.cldr = [self._cldr_words(Locale.parse(name)) for name in CLDR_LOCALES]
        self.kinds: list[tuple[float, Callable[[], str]]] = [
            (30, self.frame), (14, self.lorem), (10, self.cldr_text), (10, self.record), (8, self.script_text),
            (8, self.note), (6, self.code), (4, self.words),
        ]  # fmt: skip

    @staticmethod
    def _cldr_words(locale: object) -> list[str]:
        words: list[str] = []
        for table in ("territories", "languages"):
            words += list(getattr(locale, table).values())
        for wide in (locale.months, locale.days):  # type: ignore[attr-defined]
            words += list(wide["format"]["wide"].values())
        return words

    def pick(self, slot: str) -> str:
        """A value for one `{slot}` of a frame."""
        rng = self.random
        if slot == "first" or slot == "last":
            if rng.random() < 0.15:  # made-up names: the rarest of the rare
                return self.invented_name()
            return rng.choice(self.lists[slot])
        if slot == "city" and rng.random() < 0.5:
            return rng.choice(self.lists["place"])
        simple: dict[str, Callable[[], str]] = {
            "pet": lambda: rng.choice(PETS),
            "kin": lambda: rng.choice(KIN),
            "weekday": lambda: rng.choice(WEEKDAYS),
            "month": lambda: rng.choice(MONTHS),
            "n": lambda: str(rng.randint(1, 999)),
            "digits": lambda: "".join(rng.choices(string.digits, k=rng.randint(2, 8))),
            "time": lambda: f"{rng.randint(0, 23)}{rng.choice(':.h')}{rng.randint(0, 59):02d}",
            "date": self.date,
            "price": lambda: f"{rng.choice('£$€')}{rng.randint(1, 2000):,}{rng.choice(['', '.50', '.99'])}",
            "phone": lambda: self.fake("phone_number"),
            "email": lambda: self.fake("email"),
            "url": lambda: self.fake("uri"),
            "site": lambda: self.fake("domain_name"),
            "street": lambda: self.fake("street_address"),
            "company": lambda: self.fake("company"),
            "plate": lambda: self.fake("license_plate"),
            "iban": lambda: self.fake("iban"),
            "password": self.password,
            "code": self.code,
        }
        return simple[slot]() if slot in simple else rng.choice(self.lists[slot])

    def fake(self, method: str, locale: str | None = None) -> str:
        """One value of a Faker provider, from a random locale that has it."""
        name = locale or self.random.choice(NAME_LOCALES)
        try:
            return str(getattr(self.fakers[name], method)()).replace("\n", ", ")
        except AttributeError:  # this locale lacks the provider
            return str(getattr(self.fakers["en_US"], method)()).replace("\n", ", ")

    def invented_name(self) -> str:
        """Pronounceable, in no list: Potola, Vermindra."""
        parts = self.random.choices(
            "ba be bo da di dra el fa fi ga gri ha i ja ka ki la lo lu ma mi na no o pa po qua ra ri sa sha "
            "ta ti to tri u va vi wa xi ya za zo th n r s l".split(),
            k=self.random.randint(2, 4),
        )
        return "".join(parts).capitalize()

    def emoji(self, most: int) -> str:
        """One to `most` emoji, half of them among those that people use most."""
        rng = self.random
        picked = []
        for _ in range(rng.randint(1, most)):
            low, high = rng.choice(EMOJI_RANGES)
            picked.append(rng.choice(EMOJI_FAVOURITES) if rng.random() < 0.5 else chr(rng.randint(low, high)))
        return "".join(picked)

    def date(self) -> str:
        """A date in one of many written forms."""
        rng = self.random
        d, m, y = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(1920, 2039)
        number = rng.randint(1, 12)
        forms = (
            f"{d} {m}", f"{d} {m} {y}", f"{m} {d}", f"{m} {d}, {y}", f"{y}-{number:02d}-{d:02d}", f"{d}/{number}",
            f"{d:02d}.{number:02d}.{y}", f"{number}/{d}/{y % 100:02d}", f"the {d}th of {m}", f"{y}",
        )  # fmt: skip
        return rng.choice(forms)

    def password(self) -> str:
        """A password or key, from readable to random."""
        rng = self.random
        if rng.random() < 0.4:
            words = [rng.choice(self.lists["word"]).split()[0] for _ in range(rng.randint(1, 3))]
            return rng.choice("-_.").join(words) + "".join(rng.choices(string.digits, k=rng.randint(0, 4)))
        pool = string.ascii_letters + string.digits + rng.choice(["", "!#$%&*+-?@_", string.punctuation])
        return "".join(rng.choices(pool, k=rng.randint(4, 24)))

    def code(self) -> str:
        """Product codes, plates, account and booking numbers."""
        rng = self.random
        pattern = rng.choice(["AA 999 AA", "A99-99999-A", "AAAA99", "9999 9999 9999", "AA-99-99999", "a9a9-a9a9",
                              "99-99-99 99999999", "9999", "AAA 9999", "#999999", "999.999.9.99", "AA9999999", "99:99"])  # fmt: skip
        table = {"A": string.ascii_uppercase, "a": string.ascii_lowercase, "9": string.digits}
        return "".join(rng.choice(table[c]) if c in table else c for c in pattern)

    def frame(self) -> str:
        """A sentence of our own with its slots filled."""
        text = self.random.choice(self.frames)
        return re.sub(r"\{(\w+)\}", lambda slot: self.pick(slot[1]), text)

    def lorem(self) -> str:
        """Words of another language in sentence form."""
        return self.fake("sentence", self.random.choice(LOREM_LOCALES))

    def cldr_text(self) -> str:
        """Countries, languages, months and days in some seventy languages."""
        words = self.random.choice(self.cldr)
        return self.random.choice([" ", ", ", " "]).join(
            self.random.choices(words, k=self.random.randint(1, 8))
        )

    def record(self) -> str:
        """Name, address, job, company as Faker's locales write them."""
        methods = ["name", "address", "job", "company", "city", "phone_number", "email", "uri", "ipv4", "uuid4",
                   "credit_card_number", "iban", "mac_address", "file_path", "iso8601", "user_name", "color_name"]  # fmt: skip
        locale = self.random.choice(NAME_LOCALES)
        parts = [self.fake(self.random.choice(methods), locale) for _ in range(self.random.randint(1, 3))]
        return self.random.choice([", ", " ", " / ", ": "]).join(parts)

    def script_text(self) -> str:
        """Random letters of one script, in words; sometimes with emoji between."""
        rng = self.random
        low, high = rng.choice(SCRIPTS)
        words = [
            "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 9)))
            for _ in range(rng.randint(1, 8))
        ]
        if rng.random() < 0.3:
            words.insert(rng.randint(0, len(words)), self.emoji(4))
        return rng.choice([" ", " ", ""]).join(words)

    def note(self) -> str:
        """Telegram style: fragments with signs between."""
        rng = self.random
        slots = "first last city food thing time date weekday digits price word adjective code n animal kin".split()
        text = self.pick(rng.choice(slots)) if rng.random() < 0.85 else self.emoji(2)
        for _ in range(rng.randint(1, 6)):
            piece = self.pick(rng.choice(slots)) if rng.random() < 0.9 else self.emoji(2)
            text += rng.choice([rng.choice(self.signs), " ", " ", ", "]) + piece
        return text

    def words(self) -> str:
        """Words that do not belong together."""
        rng = self.random
        pool = rng.choice([self.lists[k] for k in ("word", "thing", "food", "place", "first", "animal")])
        return " ".join(rng.choices(pool, k=rng.randint(2, 12)))

    def sample(self) -> str:
        """One text of at most 160 bytes, in one of several writing habits."""
        weights = [weight for weight, _ in self.kinds]
        text = self.random.choices(self.kinds, weights)[0][1]()
        return clip(habit(text, self))


def habit(text: str, source: Generator) -> str:
    """Writes a text as people and recognizers do: capitals, no capitals, emoji, curly quotes."""
    rng, chance = source.random, source.random.random()
    if chance < 0.12:
        text = recognizer_style(text)
    elif chance < 0.15:
        text = text.upper()
    elif chance < 0.22:
        text = text.rstrip(".") + rng.choice([".", "!", "!!", "?", "…", " :)", " xx"])
    elif chance < 0.27:
        text += " " + source.emoji(3)
    elif chance < 0.32:
        text = text.replace("'", "’").replace(" - ", " – ")
    return text


def recognizer_style(text: str) -> str:
    """Lower case, no punctuation: what a small speech recognizer writes."""
    return " ".join("".join(c if c.isalnum() or c in " '" else " " for c in text.lower()).split())


def clip(text: str, limit: int = TEXT_BYTES) -> str:
    """The longest prefix of at most `limit` UTF-8 bytes."""
    return text.encode()[:limit].decode(errors="ignore")


def generate(data: Path, count: int, seed: int, progress: Callable[[int], None] | None = None) -> list[str]:
    """`count` distinct non-empty texts, the same for the same seed and library versions."""
    source = Generator(data, seed)
    out: dict[str, None] = {}
    while len(out) < count:
        text = source.sample().strip()
        if text:
            out[text] = None
            if progress is not None and len(out) % 1_000 == 0:
                progress(len(out))
    return list(out)
