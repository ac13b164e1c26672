"""What the reader learns from: questions with passages of which one, or none, answers.

From the hand-written blocks of `pairs/` (told amid other things, by and about others, with near misses) come
samples for volume; from dialogues written for it (`talks.py`) come those that count.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
from tokenizers import Tokenizer

from neuromem.reading import QUESTION, Packed, Passage, pack

from .blocks import SLOT, Block, Pairs, in_third_person
from .generate import recognizer_style
from .noise import misheard
from .reader_net import Wanted

Region = tuple[int, int]  # characters
KIN = [
    f"my {kin}"
    for kin in (
        "sister brother mum dad mother father aunt uncle cousin grandmother boss neighbour flatmate husband "
        "wife girlfriend boyfriend son daughter colleague niece nephew landlord doctor"
    ).split()
]
UPDATED = 0.3  # share of the answered questions of which something else was told before
CHANGES = """
Actually,|No wait,|Correction:|Change of plan:|It's different now.|Scrap what I said:|Not any more.|
So that has changed,|Update:|I've switched.|Forget what I told you before.|Things moved on:|
They changed it again.|I was wrong,|New:|Instead,|In the end|It turned out otherwise:|Finally settled:|
as of this week|from now on|||
""".replace("\n", "").split("|")


@dataclass(frozen=True)
class Sample:
    """A question, what was said, and what is right."""

    question: str
    passages: list[Passage]
    right: frozenset[int]  # places of the passages that answer; none: nothing does
    starts: dict[int, list[Region]] = field(default_factory=dict)  # of a passage: where the answer may begin
    ends: dict[int, list[Region]] = field(default_factory=dict)


def packed(tokenizer: Tokenizer, samples: Sequence[Sample], most: int = QUESTION) -> tuple[Packed, Wanted]:
    """A batch, and what it should come to.

    Args:
        most: tokens of a question.
    """
    batch = pack(tokenizer, [(sample.question, sample.passages) for sample in samples], most)
    right = torch.zeros_like(batch.real)
    starts, ends = (torch.zeros(len(batch.ids), dtype=torch.bool) for _ in range(2))
    parts, first = batch.parts.tolist(), 0
    for number, (sample, sizes) in enumerate(zip(samples, batch.sizes, strict=True)):
        right[number, len(sample.passages)] = not sample.right
        for place, size in enumerate(sizes):
            right[number, place] |= place in sample.right
            own = slice(first, first + size)
            for regions, marks, side in ((sample.starts, starts, 0), (sample.ends, ends, 1)):
                for token in range(first, first + size):
                    begin, end = batch.offsets[token]
                    spot = begin if side == 0 else end - 1
                    if parts[token] == 2 and end > begin:
                        marks[token] = any(low <= spot < high for low, high in regions.get(place, ()))
            if not (starts[own].any() and ends[own].any()):  # cut off: nothing is known of the other end
                starts[own] = ends[own] = False
            first += size
    return batch, Wanted(right, starts, ends)


class FromBlocks:
    """Endless samples from the blocks."""

    def __init__(self, pairs: Pairs, near: list[list[int]], seed: int) -> None:
        """
        Args:
            near: of each block the numbers of blocks that are like it but say something else.
        """
        self.pairs, self.near, self.seed = pairs, near, seed
        self.blocks = pairs.blocks

    def sample(self, number: int) -> Sample:
        """Sample `number`, a pure function of the seed and the number."""
        rng = random.Random(self.seed * 1_000_033 + number)
        place = rng.randrange(len(self.blocks))
        block = self.blocks[place]
        values: dict[str, str] = {}
        told = rng.choice(block.facts)
        asked = rng.choice(block.questions)
        who = rng.choice(KIN) if rng.random() < 0.25 else ""
        fact, question = self._filled(told, values, rng, who), self._filled(asked, values, rng, who)
        answer = self._answer(told, asked, values)
        others = self._others(place, block, told, asked, values, rng, who)
        rng.shuffle(others)
        others = others[: rng.randint(3, 6)]
        answerable = rng.random() < 0.75
        passages = others
        if answerable:
            at = rng.randint(0, len(passages))
            older = self._older(block, told, asked, values, rng, who) if rng.random() < UPDATED else ""
            if older:
                fact = f"{rng.choice(CHANGES)} {fact}".strip()
            passages = [*passages[:at], fact, *passages[at:]]
            if older:
                passages.insert(rng.randint(0, at), older)
        return self._told(question, passages, fact if answerable else "", answer, rng)

    def _filled(self, text: str, values: dict[str, str], rng: random.Random, who: str) -> str:
        filled = self.pairs.filled(text, values, rng)
        return in_third_person(filled, who) if who else filled

    def _answer(self, told: str, asked: str, values: dict[str, str]) -> str:
        """The value that the fact has and the question lacks, if there is one alone."""
        slot = _only_told(told, asked)
        return values[slot] if slot else ""

    def _older(
        self, block: Block, told: str, asked: str, values: dict[str, str], rng: random.Random, who: str
    ) -> str:
        """What was so before: the same with another value; "" where no value alone is asked for."""
        slot = _only_told(told, asked)
        if not slot:
            return ""
        kind = SLOT.fullmatch(slot)
        assert kind is not None
        wordings = [fact for fact in block.facts if slot in fact]
        changed = values | {slot: rng.choice(self.pairs.pools[kind[1]])}
        return self._filled(rng.choice(wordings), changed, rng, who) if wordings else ""

    def _others(
        self,
        place: int,
        block: Block,
        told: str,
        asked: str,
        values: dict[str, str],
        rng: random.Random,
        who: str,
    ) -> list[str]:
        """What does not answer."""
        out = [
            self._filled(miss, values, rng, who)
            for miss in rng.sample(block.misses, min(2, len(block.misses)))
        ]
        shared = sorted({s[0] for s in SLOT.finditer(told)} & {s[0] for s in SLOT.finditer(asked)})
        if shared:  # the same words about another entity
            slot = rng.choice(shared)
            kind = SLOT.fullmatch(slot)
            assert kind is not None
            changed = values | {slot: rng.choice(self.pairs.pools[kind[1]])}
            out.append(self._filled(told, changed, rng, who))
        if who:  # the same, but of somebody else
            another = rng.choice([kin for kin in KIN if kin != who])
            fresh: dict[str, str] = {}
            out.append(self._filled(told, fresh, rng, rng.choice(("", another))))
        for number in (
            *rng.sample(self.near[place], 3),
            *(rng.randrange(len(self.blocks)) for _ in range(3)),
        ):
            if number != place:
                other = self.blocks[number]
                own = rng.choice(("", "", who, rng.choice(KIN)))
                out.append(self._filled(rng.choice(other.facts), {}, rng, own))
        return out

    def _told(self, question: str, said: list[str], fact: str, answer: str, rng: random.Random) -> Sample:
        """The sentences as passages of talk; some of them in one breath, some before others."""
        passages: list[Passage] = []
        right: set[int] = set()
        regions: dict[int, list[Region]] = {}
        spoken = rng.random() < 0.3
        left = list(said)
        time = 0.0
        before = ""
        while left:
            pieces = [left.pop(0)]
            while left and rng.random() < 0.3 and len(" ".join(pieces)) < 140:
                pieces.append(left.pop(0))
            if rng.random() < 0.15:
                pieces.insert(rng.choice((0, len(pieces))), rng.choice(self.pairs.chatter))
            pieces = [recognizer_style(piece) if spoken else _stopped(piece) for piece in pieces]
            text = " ".join(pieces)
            own = recognizer_style(fact) if spoken else _stopped(fact)
            if fact and own in pieces:
                right.add(len(passages))
                begin = text.index(own)
                regions[len(passages)] = [(begin, begin + len(own))]
            passages.append(Passage(text, before if rng.random() < 0.5 else "", time))
            time, before = time + 1, text
        starts = ends = regions
        if answer and right:
            at = min(right)
            found = find(answer, passages[at].text, regions[at][0])
            if found:
                starts = {at: [(found[0], found[0] + 1)]}
                ends = {at: [(found[1] - 1, found[1])]}
        return _heard(Sample(question, passages, frozenset(right), starts, ends), self.pairs, rng)


def _only_told(told: str, asked: str) -> str:
    """The slot that a fact has and its question lacks; "" if there is not one alone."""
    only = {slot[0] for slot in SLOT.finditer(told)} - {slot[0] for slot in SLOT.finditer(asked)}
    return only.pop() if len(only) == 1 else ""


def find(term: str, text: str, inside: Region | None = None) -> Region | None:
    """Where a term stands, ignoring case."""
    low, high = inside or (0, len(text))
    found = re.search(re.escape(term), text[low:high], re.IGNORECASE)
    return (low + found.start(), low + found.end()) if found else None


def _heard(sample: Sample, pairs: Pairs, rng: random.Random) -> Sample:
    """The question as it may be heard."""
    chance = rng.random()
    if chance < 0.12:
        return replace(sample, question=misheard(sample.question, rng, 0.12, pairs.confusions))
    if chance < 0.4:
        return replace(sample, question=recognizer_style(sample.question))
    return sample


def _stopped(text: str) -> str:
    return text if text.rstrip()[-1:] in ".!?" else f"{text}."
