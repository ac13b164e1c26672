"""Question ↔ fact pairs: hand-written blocks with slots, filled from wide vocabularies.

A block of `training/pairs/*.txt` is one thing that somebody may tell: a few ways of saying it (F), a
few questions that each of them answers (Q), and near misses that answer none of them (N)::

    F My dog's name is {petname}.
    F we called the puppy {petname} in the end
    Q What did I name my four-legged friend?
    N My sister's dog is called {petname2}.

The blocks were written for this purpose, without a look at any benchmark.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .data import is_clean, source_text
from .generate import LISTS, Generator, recognizer_style, word_lists
from .noise import Confusions, misheard

FOLDER = Path(__file__).with_name("pairs")
MISHEARD = 0.18  # chance of a word of a question to be misheard, in those that are
POOL = 4_000  # values of each slot
WORDS = re.compile(r"(?!A list)[^\W\d][^\d]{2,28}")
LATIN_NAME = re.compile(r"[A-ZÀ-Þ][a-zß-ž]{1,11}")
SLOT = re.compile(r"\{([a-z]+)(2?)\}")
MORE_LISTS = {
    "drink": ("foods_tea", "beer_styles", "iba_cocktails", "scotch"),
    "sport": ("sports_sports",),
    "city": ("english_towns", "norwegian_cities", "us_cities", "canadian_municipalities"),
    "flower": ("plants_flowers",),
    "team": ("epl_teams", "laliga", "serieA", "nba_teams", "nfl_teams", "nhl_teams", "mlb_teams"),
    "genre": ("music_genres",),
}
LANGUAGES = """English Spanish French German Italian Portuguese Dutch Swedish Norwegian Danish Finnish Polish Czech Slovak
Hungarian Romanian Bulgarian Greek Turkish Russian Ukrainian Arabic Hebrew Persian Hindi Urdu Bengali Tamil Telugu Punjabi
Mandarin Cantonese Japanese Korean Vietnamese Thai Malay Tagalog Swahili Yoruba Amharic Zulu Welsh Irish Basque Catalan
Croatian Serbian Slovene Lithuanian Latvian Estonian Icelandic Albanian Georgian Armenian Nepali Mongolian Maltese"""
COLOURS = "red blue green yellow orange purple black white brown grey pink turquoise teal beige navy maroon lilac gold"


@dataclass(frozen=True)
class Block:
    """One thing to tell."""

    facts: list[str]
    questions: list[str]
    misses: list[str]


class Example(NamedTuple):
    """What one step of contrastive training compares."""

    anchor: str  # a question, or the fact in other words
    fact: str  # what it should find
    miss: str  # what it should not


def read_blocks(folder: Path = FOLDER) -> list[Block]:
    """All blocks, in the order of file names and lines."""
    out = []
    for file in sorted(folder.glob("*.txt")):
        for part in re.split(r"\n\s*\n", file.read_text(encoding="utf-8").strip()):
            lines = [line.strip() for line in part.split("\n") if line.strip()]
            kinds = {
                kind: [line[2:].strip() for line in lines if line.startswith(f"{kind} ")] for kind in "FQN"
            }
            if kinds["F"] and kinds["Q"] and kinds["N"]:
                out.append(Block(kinds["F"], kinds["Q"], kinds["N"]))
    return out


VERBS = {"am": "is", "was": "was", "do": "does", "have": "has"}
PERSONS = (
    (r"\bI'm\b|\bI am\b", "{name} is"),
    (r"\bI've\b|\bI have\b", "{name} has"),
    (r"\bI(?:'(?:ll|d))?\b", "{name}"),
    (r"\b(my|our|mine|ours)\b", "{name}'s"),
    (r"\b(me|us|myself|we)\b", "{name}"),
)


def in_third_person(text: str, name: str) -> str:
    """A question about oneself, asked about somebody: "my dog" → "Ana's dog". Grammar is approximate."""
    pattern = r"\b(am|was|do|have) I\b"
    text = re.sub(pattern, lambda found: f"{VERBS[found[1].lower()]} {name}", text, flags=re.IGNORECASE)
    for pattern, form in PERSONS:
        text = re.sub(pattern, form.format(name=name).replace("\\", ""), text, flags=re.IGNORECASE)
    return text


def told_back(text: str) -> str:
    """What the speaker said, as the assistant would say it: "my dog" → "your dog"."""
    swaps = {"i": "you", "my": "your", "mine": "yours", "me": "you", "our": "your", "we": "you", "us": "you",
             "i'm": "you're", "i've": "you've", "i'll": "you'll", "am": "are", "myself": "yourself"}  # fmt: skip
    return re.sub(r"[A-Za-z']+", lambda m: swaps.get(m[0].lower(), m[0]), text)


def _chatter(data: Path) -> list[str]:
    """Sentences of small talk."""
    names = ("self_dialogue", "topical_chat_valid_test", "convai2_utts_valid")
    lines = [line for name in names for line in source_text(data, name).split("\n")]
    return [line for line in lines if 8 <= len(line) <= 70 and is_clean(line)]


class Pairs:
    """Endless seeded batches of examples; batch n is a pure function of the seed and n."""

    def __init__(self, blocks: list[Block], data: Path, seed: int, noise: bool = True) -> None:
        """
        Args:
            noise: some anchors come as a recognizer hears them; False: all as they are written.
        """
        self.blocks, self.seed, self.noise = blocks, seed, noise
        self.chatter = _chatter(data)
        self.confusions = Confusions(text for block in blocks for text in (*block.facts, *block.questions))
        rng = random.Random(seed)
        from babel import Locale

        source = Generator(data, seed)
        lists = word_lists(data, MORE_LISTS)
        lists["language"] = LANGUAGES.split()
        lists["country"] = [name for code, name in Locale.parse("en").territories.items() if code.isalpha()]
        lists["colour"] = COLOURS.split()
        self.pools = {
            kind: [self._short(value) for value in values if WORDS.fullmatch(value)]
            for kind, values in lists.items()
        }
        names = [name for name in lists["first"] if LATIN_NAME.fullmatch(name)]
        self.pools["first"] = [rng.choice(names) for _ in range(POOL)]
        self.pools["city"] += self.pools["place"]
        for kind in (
            *(kind for kind in LISTS if kind not in MORE_LISTS),
            "company",
            "street",
            "phone",
            "date",
            "time",
            "code",
            "price",
            "weekday",
            "month",
        ):
            self.pools[kind] = [self._short(source.pick(kind)) for _ in range(POOL)]
        self.pools["petname"] = [
            rng.choice([*rng.sample(names, 3), source.invented_name()]) for _ in range(POOL)
        ]
        self.pools["n"] = [str(number) for number in range(2, 100)]
        self.pools["year"] = [str(number) for number in range(1940, 2027)]

    @staticmethod
    def _short(value: str) -> str:
        return value.split(" (")[0].split(", ")[0].strip()

    def filled(self, text: str, values: dict[str, str], rng: random.Random) -> str:
        """The text with its slots filled; new values are added to `values`."""

        def value(slot: re.Match[str]) -> str:
            if slot[0] not in values:
                values[slot[0]] = rng.choice(self.pools[slot[1]])
            return values[slot[0]]

        return SLOT.sub(value, text)

    def batch(self, number: int, size: int) -> list[Example]:
        """Batch `number`: `size` examples, each of another block."""
        rng = random.Random(self.seed * 1_000_003 + number)
        return [self.example(block, rng) for block in rng.sample(self.blocks, min(size, len(self.blocks)))]

    def example(self, block: Block, rng: random.Random) -> Example:
        """One example of a block, in one of several styles and persons."""
        values: dict[str, str] = {}
        fact, other = (rng.sample(block.facts, 2) * 2)[:2] if len(block.facts) > 1 else block.facts * 2
        asks = rng.random() < 0.85
        anchor = rng.choice(block.questions) if asks else other
        filled_fact, filled_anchor = self.filled(fact, values, rng), self.filled(anchor, values, rng)
        miss = self.filled(rng.choice(block.misses), values, rng)
        shared = set(SLOT.findall(anchor)) & set(SLOT.findall(fact))
        if shared and rng.random() < 0.4:  # the same words about another entity
            kind, mark = rng.choice(sorted(shared))
            changed = values | {f"{{{kind}{mark}}}": rng.choice(self.pools[kind])}
            miss = self.filled(fact, changed, rng)
        return self._styled(filled_anchor, filled_fact, miss, rng)

    def amid_chatter(self, fact: str, rng: random.Random) -> str:
        """The fact with a sentence or two of somebody's small talk before or after it."""
        end = "" if fact.rstrip()[-1:] in ".!?" else "."
        parts = [f"{fact}{end}"]
        for _ in range(rng.choice((1, 1, 2))):
            parts.insert(rng.choice((0, len(parts))), rng.choice(self.chatter))
        return " ".join(parts)

    def _styled(self, anchor: str, fact: str, miss: str, rng: random.Random) -> Example:
        chance = rng.random()
        if rng.random() < 0.35:  # in the midst of talk, as one says it to a friend
            fact, miss = self.amid_chatter(fact, rng), self.amid_chatter(miss, rng)
        if chance < 0.2 and ":" not in fact[:20]:  # a named speaker, asked about by somebody else
            name, other = rng.choice(self.pools["first"]), rng.choice(self.pools["first"])
            anchor, fact_said = in_third_person(anchor, name), f"{name}: {fact}"
            if rng.random() < 0.5:  # a search takes the name of who is asked about out of the question
                anchor = " ".join(re.sub(rf"\b{re.escape(name)}(?:'s)?", "", anchor).split()) or anchor
            miss = f"{other}: {fact}" if rng.random() < 0.5 and name != other else f"{name}: {miss}"
            fact = fact_said
        elif chance < 0.3:
            fact = told_back(fact)
        noise = rng.random() if self.noise else 1.0
        if noise < 0.45:
            anchor = misheard(anchor, rng, MISHEARD, self.confusions)
        elif noise < 0.55:
            anchor = recognizer_style(anchor)
        if rng.random() < 0.15:
            fact, miss = recognizer_style(fact), recognizer_style(miss)
        return Example(anchor, fact, miss)
