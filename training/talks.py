"""Dialogues written for training: read, told to a memory, and asked, so that samples hold what it gives.

The format of a file (`dialogues/`)::

    # Ana | 2026-03-02
    1 03-02 09:00 My dog is called Potola.
    ?
    03-09 10:00 known | What's my dog's name? // another way to ask | Potola; … | forbidden; … | 1

A question's last number is the turn that answers; numbers before it are of turns needed to understand it, or
of what was so before. For `unknown`, those are the turns that a careless reader would take.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from neuromem.assistant.asked import is_follow_up
from neuromem.assistant.candidates import BESIDE, SITTING_S
from neuromem.bench.talk import says
from neuromem.encoders.base import Encoder
from neuromem.facts.keep import is_question
from neuromem.reading import RANKS, Passage
from neuromem.text import sentences

from .blocks import Pairs
from .generate import recognizer_style
from .noise import misheard
from .reader_samples import Region, Sample, find
from .rounds import Rounds
from .siblings import asked_of_sibling

HELD_OUT = 6  # files with numbers that this divides are kept for validation
CANDIDATES = 16
OFTEN = {"superseded": 2}  # times a round that a question of a kind comes: the hardest more often

_TURN = re.compile(r"(\d+) (\d\d)-(\d\d) (\d\d):(\d\d) (.+)")
_ASK = re.compile(r"(\d\d)-(\d\d) (\d\d):(\d\d) (\w+) *\|(.*)")


@dataclass
class Ask:
    """One question, in one or two wordings, and what answers it."""

    time: float
    kind: str
    wordings: list[str]
    expected: list[str]
    forbidden: list[str]
    evidence: list[int]  # turns from 0, the one that answers last
    before: int = -1  # the question before it
    found: list[list[int]] = field(default_factory=list)  # of each wording: candidate turns, best first


@dataclass
class Talk:
    """One user's talk, and the questions."""

    name: str  # of the file
    user: str
    turns: list[tuple[float, str]]
    asks: list[Ask]

    def passage(self, turn: int) -> Passage:
        """A turn, with those before it in the same sitting."""
        time, text = self.turns[turn]
        first = turn
        while first > max(0, turn - 2) and self.turns[first][0] - self.turns[first - 1][0] < SITTING_S:
            first -= 1
        return Passage(text, " ".join(said for _, said in self.turns[first:turn]), time)


def read_talk(path: Path) -> Talk:
    """One file."""
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    user, start = head.removeprefix("# ").split(" | ")
    year, first_month = int(start[:4]), int(start[5:7])

    def seconds(month: str, day: str, hour: str, minute: str) -> float:
        later = year + (int(month) < first_month)
        return datetime(later, int(month), int(day), int(hour), int(minute), tzinfo=UTC).timestamp()

    talk = Talk(f"{path.parent.name}/{path.stem}", user, [], [])
    for line in lines:
        if turn := _TURN.fullmatch(line.strip()):
            talk.turns.append((seconds(*turn.groups()[1:5]), turn[6]))
        elif asked := _ASK.fullmatch(line.strip()):
            texts, expected, forbidden, evidence = [part.strip() for part in asked[6].split("|")]
            terms = [
                [term.strip() for term in part.split(";") if term.strip()] for part in (expected, forbidden)
            ]
            wordings = [text.strip() for text in texts.split("//") if text.strip()]
            numbers = [int(number) - 1 for number in evidence.split()]
            time = seconds(*asked.groups()[:4])
            talk.asks.append(Ask(time, asked[5], wordings, terms[0], terms[1], numbers))
    talk.asks.sort(key=lambda ask: ask.time)
    for place, ask in enumerate(talk.asks):
        ask.before = place - 1
    return talk


def read_talks(folders: Sequence[Path]) -> tuple[list[Talk], list[Talk]]:
    """Dialogues to train on, and those held out."""
    paths = [path for folder in folders for path in sorted(folder.rglob("*.txt")) if path.name[:2].isdigit()]
    held = [path for path in paths if int(path.name[:2]) % HELD_OUT == 0]
    return [read_talk(path) for path in paths if path not in held], [read_talk(path) for path in held]


def asked_as(talk: Talk, ask: Ask, wording: str) -> str:
    """A question as it is recalled with: behind the one before it, if it leans on that."""
    if ask.before >= 0 and is_follow_up(wording):
        return f"{talk.asks[ask.before].wordings[0]} {wording}"
    return wording


def look_up(talk: Talk, encoder: Encoder) -> None:
    """Fills `found`: the turns most like each wording, or beside one that is (as the candidates are)."""
    texts = [text for _, text in talk.turns]
    rows = encoder.encode([part for text in texts for part in (text, *sentences(text))])
    owners = [turn for turn, text in enumerate(texts) for _ in (text, *sentences(text))]
    times = [time for time, _ in talk.turns]
    for ask in talk.asks:
        asked = encoder.encode([asked_as(talk, ask, wording) for wording in ask.wordings])
        ask.found = []
        for row in asked:
            own = [0.0] * len(texts)
            for turn, cosine in zip(owners, (rows @ row).tolist(), strict=True):
                own[turn] = max(own[turn], cosine)
            likely = []
            for turn, score in enumerate(own):
                beside = [
                    own[other] for other in (turn - 1, turn + 1)
                    if 0 <= other < len(own) and abs(times[other] - times[turn]) < SITTING_S
                ]  # fmt: skip
                if times[turn] <= ask.time and not _only_asks(texts[turn]):
                    likely.append((max(score, BESIDE * max(beside, default=0.0)), turn))
            ask.found.append([turn for _, turn in sorted(likely, reverse=True)][:CANDIDATES])


def _only_asks(text: str) -> bool:
    return all(is_question(sentence) for sentence in sentences(text))


def sample_of(
    talk: Talk, ask: Ask, wording: int, most: int, rng: random.Random | None = None
) -> tuple[Sample, list[int]]:
    """A question with the turns that were found for it; and the turns.

    Args:
        most: turns. rng: for training: some turns are left out or put in, the answer's too; None: as found.
    """
    found = [turn for turn in ask.found[wording] if talk.turns[turn][0] <= ask.time][:most]
    answer = ask.evidence[-1] if ask.expected else None
    question = asked_as(talk, ask, ask.wordings[wording])
    if rng is not None:
        question = _with_answer(talk, ask, question, ask.wordings[wording], rng)
        found = _varied(talk, ask, found, answer, rng)
    regions: dict[int, tuple[list[Region], list[Region]]] = {}
    right: set[int] = set()
    for place, turn in enumerate(found):
        text = talk.turns[turn][1]
        if turn == answer or (turn in ask.evidence and ask.kind not in ("superseded", "unknown")):
            spots = [spot for term in ask.expected if (spot := find(term, text))]
            if turn == answer or spots:
                right.add(place)
            if spots:
                starts = [(begin, begin + 1) for begin, _ in spots]
                regions[place] = starts, [(end - 1, end) for _, end in spots]
    ranks = {turn: rank for rank, turn in enumerate(ask.found[wording])}
    sample = Sample(
        question,
        [replace(talk.passage(turn), rank=ranks.get(turn, RANKS - 2)) for turn in found],
        frozenset(right),
        {place: both[0] for place, both in regions.items()},
        {place: both[1] for place, both in regions.items()},
    )  # fmt: skip
    return sample, found


def _with_answer(talk: Talk, ask: Ask, question: str, wording: str, rng: random.Random) -> str:
    """A question that leans on the one before, sometimes with the answer that was given to that."""
    before = talk.asks[ask.before] if ask.before >= 0 else None
    if before is None or not before.expected:
        return question
    if question != wording and rng.random() < 0.5:
        return f"{before.wordings[0]} {before.expected[0]}. {wording}"
    return question


def _varied(talk: Talk, ask: Ask, found: list[int], answer: int | None, rng: random.Random) -> list[int]:
    """The turns found, with the answer put in or, at times, left out; fewer, and without doubtful ones."""
    says_it = {
        turn
        for turn in range(len(talk.turns))
        if any(says(talk.turns[turn][1], term) for term in ask.expected)
    }
    doubtful = says_it - set(ask.evidence)
    most = rng.randint(4, 10) if rng.random() < 0.9 else rng.randint(0, 2)  # a new memory has told little
    kept = [turn for turn in found if turn not in doubtful][:most]
    needed = [turn for turn in ask.evidence if turn not in kept]
    if answer is not None and rng.random() < 0.22:  # then nothing answers
        gone = says_it | {answer}
        kept = [turn for turn in kept if turn not in gone]
        needed = [turn for turn in needed if turn not in gone]
    kept += [turn for turn in needed if turn == answer or rng.random() < 0.7]
    if rng.random() < 0.3:
        extra = rng.randrange(len(talk.turns))
        if extra not in kept and extra not in says_it and talk.turns[extra][0] <= ask.time:
            kept.append(extra)
    rng.shuffle(kept)
    return kept


class FromTalks:
    """Endless samples from dialogues: each question comes once a round, in an order of its own each time."""

    def __init__(self, talks: Sequence[Talk], pairs: Pairs, seed: int, siblings: float = 0.0) -> None:
        """Args: siblings: share of the questions that are asked of what is like what was told instead."""
        self.talks, self.pairs, self.siblings = list(talks), pairs, siblings
        self.asks = [
            (talk, ask) for talk in self.talks for ask in talk.asks for _ in range(OFTEN.get(ask.kind, 1))
        ]
        self._rounds = Rounds(len(self.asks), seed)
        self.names = {talk.name: names_in_talk(talk, set(pairs.pools["first"])) for talk in self.talks}

    def sample(self, number: int) -> Sample:
        """Sample `number`, a pure function of the seed and the number."""
        place, rng = self._rounds.at(number)
        talk, ask = self.asks[place]
        sample, _ = sample_of(talk, ask, rng.randrange(len(ask.wordings)), CANDIDATES, rng)
        if rng.random() < self.siblings:
            sample = self._of_sibling(sample, talk, rng)
        if rng.random() < 0.5:
            sample = self._renamed(sample, talk, rng)
        return _spoken(sample, self.pairs, rng)

    def _of_sibling(self, sample: Sample, talk: Talk, rng: random.Random) -> Sample:
        """The same asked of a sibling of what was told, so that nothing answers."""
        said = [text for _, text in talk.turns]
        names = self.names[talk.name]
        question = asked_of_sibling(sample.question, said, names, self.pairs.pools["first"], rng)
        return Sample(question, sample.passages, frozenset()) if question else sample

    def _renamed(self, sample: Sample, talk: Talk, rng: random.Random) -> Sample:
        """The same with other people in it."""
        swaps = {name: rng.choice(self.pairs.pools["first"]) for name in self.names[talk.name]}
        return rewritten(sample, lambda text: swapped(text, swaps))


def names_in_talk(talk: Talk, known: set[str]) -> list[str]:
    """First names in the midst of sentences."""
    found = {
        name
        for _, text in talk.turns
        for name in re.findall(r"(?<=[a-z,] )[A-ZÀ-Þ][a-zß-ž]+\b", text)
        if name in known
    }
    return sorted(found)


def swapped(text: str, swaps: dict[str, str]) -> str:
    """A text with other names in it, each as it was written: `swaps` has them by the old ones."""
    if not swaps:
        return text
    lower = {name.lower(): new for name, new in swaps.items()}

    def swap(found: re.Match[str]) -> str:
        new = lower[found[0].lower()]
        return new.lower() if found[0].islower() else new

    return re.sub(rf"\b(?:{'|'.join(map(re.escape, lower))})\b", swap, text, flags=re.IGNORECASE)


def rewritten(sample: Sample, rewrite: Callable[[str], str], question: bool = True) -> Sample:
    """A sample with its texts rewritten; where the answer stands moves along."""
    passages = []
    starts: dict[int, list[Region]] = {}
    ends: dict[int, list[Region]] = {}
    for place, passage in enumerate(sample.passages):
        new = rewrite(passage.text)
        passages.append(replace(passage, text=new, before=rewrite(passage.before)))
        for (begin, _), (_, end) in zip(
            sample.starts.get(place, ()), sample.ends.get(place, ()), strict=True
        ):
            spot = find(rewrite(passage.text[begin:end]), new)
            if spot:
                starts.setdefault(place, []).append((spot[0], spot[0] + 1))
                ends.setdefault(place, []).append((spot[1] - 1, spot[1]))
    asked = rewrite(sample.question) if question else sample.question
    return Sample(asked, passages, sample.right, starts, ends)


def _spoken(sample: Sample, pairs: Pairs, rng: random.Random) -> Sample:
    """The same as a recognizer writes it, all or the question alone."""
    if rng.random() < 0.2:
        sample = rewritten(sample, recognizer_style, question=False)
    chance = rng.random()
    question = sample.question
    if chance < 0.1:
        question = misheard(question, rng, 0.1, pairs.confusions)
    elif chance < 0.35:
        question = recognizer_style(question)
    return Sample(question, sample.passages, sample.right, sample.starts, sample.ends)
