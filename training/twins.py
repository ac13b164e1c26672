"""Made statements of one form about two people or things: how they are made tells which is news of which.

People write few pairs such as "Xubipre's phone number is …" beside "Todaezer's phone number is …"; a memory
full of them meets nothing else. The judge of news has to know that a name it has never seen names somebody,
and that two of them are two.
"""

from __future__ import annotations

import random

from neuromem.reading import Passage

from .changes import DAY_S, Change

__all__ = ["twins"]

# whose | what is said of it; later, with another value | whether a new value replaces the old one
FRAMES = """
{who}'s phone number is {number} | call {who} on {number} from now on | yes
{who}'s number is {number} | {who} can be reached at {number} | yes
the wifi password at {where} is {code} | the wifi at {where} takes {code} | yes
The door code at {where} is {number} | The code for {where} is {number} | yes
{who} drives a {colour} {car} | {who} came in a {colour} {car}, brand new | yes
{who} lives in {town} | {who} has settled in {town} | yes
{who} works as a {job} | {who} got a post as a {job} | yes
{who}'s dog is called {name} | {who} has a dog called {name} | no
{who} is allergic to {food} | {who} can't eat {food} either | no
{who} was born on {day} {month} | {who}'s birthday is {day} {month}, I had it wrong | yes
The rent at {where} is {money} | They want {money} a month at {where} | yes
{who} charges {money} an hour | {who} takes {money} an hour | yes
Table {small} is {who}'s | {who} sits at table {small} | yes
{who}'s shoe size is {small} | {who} takes a {small} in shoes | yes
bus {small} goes to {where} | the bus to {where} is the {small} | yes
{who}'s train leaves at {hour} | {who}'s train goes at {hour} | yes
The meeting with {who} is on {weekday} | {who} can only do {weekday} | yes
{who} plays the {instrument} | {who} plays the {instrument}, too | no
{who} keeps the spare key in the {place} | {who}'s spare key hangs in the {place} | yes
The shop in {where} closes at {hour} | {where}: they close at {hour} | yes
""".strip().splitlines()
ONSETS = "b br c ch d dr f g gr h j k kl l m n p r s sh st t tr v w x y z".split()
RIMES = "a e i o u an el ir os un ai ou ea".split()
REAL = (
    "Dalia Tom Oskar Ines Yusuf Meera Bruno Kofi Lena Ravi Noor Petra Joan Luis Aoife Tariq Mina Olga".split()
)
WORDS = {
    "town": "Leeds Reno Accra Turin Pune Lyon Cork Oslo Porto Tacoma Cebu Graz".split(),
    "job": "roofer nurse baker pilot vet plumber cook tailor teacher guard".split(),
    "food": "walnuts celery shrimp oysters rye gluten kiwi sesame".split(),
    "car": "van Golf estate pickup scooter Corsa taxi".split(),
    "colour": "green red white blue silver black".split(),
    "instrument": "cello oud trumpet banjo piano drums".split(),
    "place": "shed, hall drawer, biscuit tin, garage, flower pot".split(", "),
    "weekday": "Monday Tuesday Wednesday Thursday Friday".split(),
    "month": "January March May June August October December".split(),
    "hour": "6 a.m., half past seven, 9:15, noon, quarter to five, 18:40".split(", "),
}
OTHERS = 3  # statements about others beside


def twins(count: int, seed: int) -> list[Change]:
    """Statements about somebody, each beside some about others; about a third of them replace one."""
    rng = random.Random(seed)
    return [_twin(rng) for _ in range(count)]


def _twin(rng: random.Random) -> Change:
    first, second, single = (part.strip() for part in rng.choice(FRAMES).split("|"))
    own = {"who": _name(rng), "where": _name(rng)}
    new = (second if rng.random() < 0.5 else first).format(**_values(rng) | own)
    held = []
    for _ in range(rng.randint(1, OTHERS)):
        values = _values(rng)
        held.append((first.format(**values | {name: _name(rng, but) for name, but in own.items()}), False))
    if rng.random() < 0.5:
        told = first.format(**_values(rng) | own)
        held.insert(rng.randint(0, len(held)), (told, single == "yes" and told != new))
    passages = tuple(Passage(text, "", place * DAY_S) for place, (text, _) in enumerate(held))
    gone = frozenset(place for place, (_, goes) in enumerate(held) if goes)
    return Change(new, passages, gone, "value" if gone else "other", "twins")


def _name(rng: random.Random, but: str = "") -> str:
    if rng.random() < 0.4:
        return rng.choice([name for name in REAL if name != but])
    made = "".join(rng.choice(ONSETS) + rng.choice(RIMES) for _ in range(rng.choice((2, 2, 3))))
    return made.capitalize()


def _values(rng: random.Random) -> dict[str, str]:
    digits = "".join(rng.choices("0123456789", k=rng.choice((4, 6))))
    return {name: rng.choice(options) for name, options in WORDS.items()} | {
        "name": _name(rng),
        "number": f"0{rng.randint(100, 999)} {digits}" if rng.random() < 0.7 else digits,
        "code": "".join(rng.choices("abcdefghkmnpqrstuvwxyz23456789", k=9)),
        "money": f"{rng.randint(2, 99) * 10}",
        "small": str(rng.randint(2, 60)),
        "day": str(rng.randint(1, 28)),
    }
