"""What the responder learns from: a question, memories as a prompt lists them, and which one is to be told.

The first are words without sense, in which nothing helps but finding a memory by its words and copying it: of
sentences a network learns to guess the next word, and for long not to copy. Then come short ones, made of the
reader's samples (`reader_samples.py`, `talks.py`: near misses, siblings, questions that nothing answers), and
prompts that an assistant made (`responder_prompts.py`); some are small talk.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from neuromem.bench.talk import says
from neuromem.context.lines import memory_line
from neuromem.fidelity import Fidelity
from neuromem.text import sentences, words

from .reader_samples import Sample
from .responder_prompts import NOTED, UNKNOWN
from .responder_text import ANSWER, ASK, END, FIRST, MOST_LINES, mark, number_of, prompt_of
from .rounds import Rounds

__all__ = ["Shown", "Teaching", "from_prompt", "from_sample", "packed", "texts_of"]

FAINT = 0.12  # share of memories of the short samples that are faint …
AGAIN = 0.05  # … that were told twice
SMALL = 0.06  # share of samples that tell or greet instead of asking
LOST = 0.12  # … of an assistant's prompts from which what answers is taken out
ALIKE = 0.4  # share of a memory's words that are in what was told, from which it is the same
REPEATS = 0.3  # weight of the question when it comes again: more to copy, for nothing
DECIDES = 5.0  # weight of the tokens that choose: known or not, and which memory
FAINTLY = "I remember it only faintly. "
TOLD = "You told me on"
EARLIEST = datetime(2024, 1, 1, tzinfo=UTC)
_FAINT = re.compile(r"^( \d{4}-\d\d-\d\d[^:]*?), faint \([^)]*\)(?=:)")
_LINE = re.compile(r"<\|m\d+\|>(.*?)(?=<\|(?:m\d+|ask)\|>)", re.DOTALL)


@dataclass(frozen=True)
class Shown:
    """A prompt in its parts, and what is right."""

    ask: str
    lines: list[str]  # memories, as behind their marks
    right: int = -1  # place of the memory that answers; -1: none does
    before: str = ""  # what was asked before
    noted: bool = False  # nothing is asked

    @property
    def prompt(self) -> str:
        """As the chat template writes it (`responder_text.TEMPLATE`)."""
        told = "".join(f"{mark(number)}{line}" for number, line in enumerate(self.lines[:MOST_LINES], 1))
        return f"{FIRST}{self.before}{ASK}{self.ask}{told}{ASK}{self.ask}{ANSWER}"

    @property
    def answer(self) -> str:
        """What is to be said, with the mark of the memory in it."""
        if self.noted:
            return NOTED
        if not 0 <= self.right < MOST_LINES:
            return UNKNOWN
        line = self.lines[self.right]
        told = _FAINT.sub(r"\1", line)
        return f"{FAINTLY if told != line else ''}{TOLD}{mark(self.right + 1)}{told}"


@dataclass(frozen=True)
class _Memory:
    """What `memory_line` needs to know."""

    text: str
    created_at: datetime
    updated_at: datetime
    fidelity: Fidelity = Fidelity.VERBATIM
    strength: float = 1.0
    superseded_by: str | None = None
    id: str = ""


def from_sample(sample: Sample, most: int, rng: random.Random) -> Shown:
    """A sample of the reader's with at most so many memories, on days of chance in their order."""
    right = min(sample.right, default=-1)
    others = [place for place in range(len(sample.passages)) if place not in sample.right]
    kept = [*rng.sample(others, min(len(others), most - (right >= 0))), *([right] if right >= 0 else [])]
    days: dict[float, datetime] = {}
    day = EARLIEST + timedelta(days=rng.randrange(1_400))
    for time in sorted({passage.time for passage in sample.passages}):
        days[time] = day
        day += timedelta(days=rng.choice((0, 0, 1, 2, 5, 12)))
    rng.shuffle(kept)
    lines = []
    for place in kept:
        passage = sample.passages[place]
        spots = sample.starts.get(place, [])
        text = _shortened(passage.text, spots[0][0] if place == right and spots else None, rng)
        lines.append(_line(text, days[passage.time], rng))
    return Shown(sample.question, lines, kept.index(right) if right >= 0 else -1)


def _shortened(text: str, spot: int | None, rng: random.Random) -> str:
    """One sentence of a text, as facts mostly are; that of the answer where its place is known."""
    parts = sentences(text)
    if len(parts) < 2 or rng.random() < 0.3:
        return text
    if spot is None:
        return rng.choice(parts)
    ends = [text.find(part) + len(part) for part in parts]
    return next((part for part, end in zip(parts, ends, strict=True) if spot < end), text)


def _line(text: str, day: datetime, rng: random.Random) -> str:
    memory = _Memory(text, day, day + timedelta(days=rng.randint(1, 40) if rng.random() < AGAIN else 0))
    if rng.random() < FAINT:
        kind = rng.choice((Fidelity.GIST, Fidelity.PARTIAL, Fidelity.ENTITY))
        memory = replace(memory, fidelity=kind, strength=rng.uniform(0.05, 0.4))
    return memory_line(memory).removeprefix("-")


def from_prompt(row: Mapping[str, Any], rng: random.Random | None = None) -> Shown:
    """A prompt of an assistant's with the memory that answers, if it is among them.

    Args:
        rng: for training: in another order, some memories left out, at times what answers; None: as it is.
    """
    text = prompt_of(row["messages"])
    before, ask = text.removeprefix(FIRST).split(ASK)[:2]
    ask = ask.split(mark(1))[0]
    lines = _LINE.findall(text)
    fits = {place: fit for place, line in enumerate(lines) if (fit := _fit(line, row)) > 0}
    right = max(fits, key=lambda place: fits[place], default=-1)
    shown = Shown(ask, lines, right, before)
    return shown if rng is None else _varied(shown, set(fits), rng)


def _fit(line: str, row: Mapping[str, Any]) -> float:
    """How well a memory answers the question of a row; 0: not at all."""
    if row["kind"] == "unknown" or not any(says(line, term) for term in row["expected"]):
        return 0.0
    said = set(words(line.partition(": ")[2]))
    best = 0.0
    for rank, told in enumerate(row["evidence"]):
        share = len(said & set(words(told))) / max(1, len(said))
        best = max(best, share - 0.1 * (rank > 0) if share >= ALIKE else 0.0)
    return best - 0.3 * any(says(line, term) for term in row["forbidden"]) if best else 0.0


def _varied(shown: Shown, fits: set[int], rng: random.Random) -> Shown:
    gone = fits if rng.random() < LOST else set()
    spare = rng.choice((0.0, 0.2, 0.5))  # share that is left out
    kept = [
        place for place in range(len(shown.lines))
        if place not in gone and (place in fits or rng.random() >= spare)
    ]  # fmt: skip
    if rng.random() < 0.5:
        rng.shuffle(kept)
    right = kept.index(shown.right) if shown.right in kept else -1
    before = shown.before if rng.random() < 0.8 else ""
    return replace(shown, lines=[shown.lines[place] for place in kept], right=right, before=before)


def senseless(words_: Sequence[str], rng: random.Random) -> Shown:
    """Memories of words of chance; asked are some of one's own, or of none's."""
    told = [[rng.choice(words_) for _ in range(rng.randint(4, 12))] for _ in range(rng.randint(1, 4))]
    right = rng.randrange(len(told)) if rng.random() < 0.85 else -1
    asked = rng.sample(told[right], 3) if right >= 0 else [rng.choice(words_) for _ in range(3)]
    days = (EARLIEST + timedelta(days=rng.randrange(1_400)) for _ in told)
    return Shown(" ".join(asked), [_line(" ".join(text), next(days), rng) for text in told], right)


class Teaching:
    """Endless samples: senseless ones first, then short ones, then an assistant's prompts among them."""

    def __init__(
        self,
        sources: Sequence[Callable[[int], Sample]],
        prompts: Sequence[Mapping[str, Any]],
        chatter: Sequence[str],
        seed: int,
    ) -> None:
        """Args: sources: of the reader's samples by number, taken in turn. chatter: what asks for nothing."""
        self.sources, self.prompts, self.chatter, self.seed = sources, prompts, chatter, seed
        self.words = sorted({word for text in chatter for word in text.split()})
        self._rounds = Rounds(max(1, len(prompts)), seed)

    def sample(self, number: int, done: float) -> Shown:
        """Sample `number`, a function of seed, number and the share of the run that is done."""
        rng = random.Random(self.seed * 1_000_081 + number)
        if rng.random() < (0.8 if done < 0.15 else 0.25 if done < 0.45 else 0.05):
            return senseless(self.words, rng)
        if self.prompts and rng.random() < (0.0 if done < 0.45 else 0.6):
            place, own = self._rounds.at(number)
            shown = from_prompt(self.prompts[place], own)
        else:
            made = self.sources[number % len(self.sources)](number // len(self.sources))
            most = rng.randint(1, 3 if done < 0.15 else 6 if done < 0.45 else 12)
            shown = from_sample(made, most, rng)
        if rng.random() < SMALL:
            return replace(shown, ask=rng.choice(self.chatter), right=-1, noted=True)
        return shown


def packed(tokenizer: Tokenizer, samples: Sequence[Shown]) -> tuple[Tensor, list[int], Tensor, Tensor]:
    """Samples one after the other, as `ResponderNet.loss` takes them: tokens, sizes, weights and points."""
    ids: list[int] = []
    sizes: list[int] = []
    weights: list[float] = []
    points: list[int] = []
    marks = tokenizer.get_added_tokens_decoder()
    ask, end = number_of(tokenizer, ASK), number_of(tokenizer, END)
    for shown in samples:
        prompt = tokenizer.encode(shown.prompt).ids
        answer = tokenizer.encode(f"{shown.answer}{END}").ids
        ids += [*prompt, *answer]
        sizes.append(len(prompt) + len(answer))
        chosen = [place == 0 or (token in marks and token != end) for place, token in enumerate(answer)]
        again = len(prompt) - 1 - prompt[::-1].index(ask)  # the second question's mark
        weights += [0.0] * (again + 1) + [REPEATS] * (len(prompt) - again - 2) + [0.0]
        weights += [DECIDES if each else 1.0 for each in chosen]
        known = 0 <= shown.right < MOST_LINES
        point = number_of(tokenizer, mark(shown.right + 1)) if known else -1
        points += [-1] * (again + 1) + [point] * (len(prompt) - again - 1) + [-1] * len(answer)
    return torch.tensor(ids), sizes, torch.tensor(weights), torch.tensor(points)


def texts_of(samples: Sequence[Shown]) -> list[str]:
    """Questions and memories, to learn a vocabulary from."""
    said = [NOTED, UNKNOWN, FAINTLY, TOLD]
    return said + [text for shown in samples for text in (shown.ask, *shown.lines)]
