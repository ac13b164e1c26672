"""Conversations with questions and evidence (LoCoMo, BEAM): told to a memory, and asked."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..config import Config
from ..encoders import Encoder
from ..errors import InvalidInput
from ..memory import Memory
from ..owners import Progress
from .common import read_jsonl, stopwatch
from .ranking import Baselines

__all__ = [
    "Question",
    "Rankings",
    "TurnOfTalk",
    "measure_conversations",
    "read_questions",
    "read_turns_of",
    "tell",
    "without_names",
]

DATES = ("%B-%d-%Y", "%Y-%m-%d", "%d %B, %Y", "%B %d, %Y")


@dataclass(frozen=True, slots=True)
class TurnOfTalk:
    """One turn of a conversation."""

    turn: str
    speaker: str
    text: str
    time: float  # Unix seconds; a second apart at least, so that the time tells the turn


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the turns that answer it."""

    conversation: str
    text: str
    category: str
    adversarial: bool
    evidence: tuple[str, ...]
    heard: tuple[str, ...] = ()  # the same question, misheard
    updated: tuple[str, ...] = ()  # turns that tell what is so now
    original: tuple[str, ...] = ()  # turns that tell what was so before


@dataclass(slots=True)
class Rankings:
    """Turns found for each question, best first, and what it cost."""

    questions: list[Question] = field(default_factory=list)
    ours: list[list[str]] = field(default_factory=list)
    misheard: list[list[list[str]]] = field(default_factory=list)  # for each way the question was heard
    baselines: dict[str, list[list[str]]] = field(default_factory=dict)
    write_ms: list[float] = field(default_factory=list)  # per turn, of each batch
    search_ms: list[float] = field(default_factory=list)


def read_questions(path: str | Path | None) -> list[Question]:
    """Questions that have evidence.

    Raises:
        InvalidInput: no file was given, or a line lacks a field.
    """
    if path is None:
        raise InvalidInput("--questions", "is missing", "give the questions that belong to the corpus")
    rows = [row for row in read_jsonl(path) if row.get("evidence")]
    try:
        return [
            Question(
                str(row["conv"]), str(row["question"]), str(row.get("category", "")),
                bool(row.get("adversarial")), tuple(dict.fromkeys(map(str, row["evidence"]))),
                updated=tuple(map(str, row.get("updated") or ())),
                original=tuple(map(str, row.get("original") or ())),
            )
            for row in rows
        ]  # fmt: skip
    except KeyError as error:
        raise InvalidInput(
            str(path), f"a question has no {error}", "give conv, question, evidence"
        ) from error


def read_turns_of(path: str | Path, most: int = 0) -> dict[str, list[TurnOfTalk]]:
    """Turns of each conversation, in order; only the first `most` conversations unless 0."""
    out: dict[str, list[TurnOfTalk]] = {}
    for row in read_jsonl(path):
        try:
            name, turn, text = str(row["conv"]), str(row["turn"]), str(row["text"])
        except KeyError as error:
            raise InvalidInput(str(path), f"a turn has no {error}", "give conv, turn, text") from error
        turns = out.setdefault(name, [])
        earliest = turns[-1].time + 1 if turns else 0.0
        time = max(earliest, _seconds(row.get("datetime")))
        caption = row.get("image_caption")
        text = f"{text} [photo: {caption}]".strip() if caption else text  # what was shown is part of the talk
        turns.append(TurnOfTalk(turn, str(row.get("speaker") or ""), text, time))
    return dict(list(out.items())[: most or None])


def without_names(
    turns: Mapping[str, Sequence[TurnOfTalk]], questions: Sequence[Question]
) -> tuple[dict[str, list[TurnOfTalk]], list[Question]]:
    """The same talk as if one person spoke, and the questions without the speakers' names."""
    names = {name: {turn.speaker for turn in said if turn.speaker} for name, said in turns.items()}
    plain = {name: [replace(turn, speaker="") for turn in said] for name, said in turns.items()}
    asked = [
        replace(question, text=_without(question.text, names.get(question.conversation, set())))
        for question in questions
    ]
    return plain, asked


def _without(text: str, names: Collection[str]) -> str:
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"\b{re.escape(name)}(?:['’]s)?\b", "", text)
    return " ".join(text.split()) or "?"


def _seconds(when: Any) -> float:
    """Unix seconds of an ISO time or a written date; 0 where there is none."""
    if not isinstance(when, str) or not when.strip():
        return 0.0
    try:
        moment = datetime.fromisoformat(when)
    except ValueError:
        moment = _written_date(when)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _written_date(when: str) -> datetime:
    for form in DATES:
        try:
            return datetime.strptime(when, form)
        except ValueError:
            continue
    raise InvalidInput("datetime", f"{when!r} is no date", "write it as 2024-03-15T09:30")


def measure_conversations(
    corpus: dict[str, list[TurnOfTalk]],
    questions: Sequence[Question],
    config: Config,
    encoder: str | Encoder | None,
    infer: bool,
    baselines: bool,
    depth: int,
    step: Progress | None = None,
) -> Rankings:
    """Tells each conversation to a memory of its own owner, then asks its questions."""
    found = Rankings()
    for name, turns in corpus.items():
        asked = [question for question in questions if question.conversation == name and name in corpus]
        with Memory(config=config, encoder=encoder, clock=_stopped_at(turns[-1].time + 60)) as memory:
            turns_of = tell(memory, name, turns, infer, found, step)
            said = [f"{turn.speaker}: {turn.text}" for turn in turns]  # ours is told who speaks, too
            rankers = Baselines(said, memory.engine.keys.encoder) if baselines else None
            for done, question in enumerate(asked, 1):
                found.questions.append(question)
                said, *misheard = (
                    _ask(memory, name, text, turns_of, depth, infer, found)
                    for text in (question.text, *question.heard)
                )
                found.ours.append(said)
                found.misheard.append(misheard)
                for ranker, order in rankers.rank(question.text).items() if rankers else ():
                    places = [turns[place].turn for place in order[:depth]]
                    found.baselines.setdefault(ranker, []).append(places)
                if step is not None:
                    step(done, len(asked))
    return found


def _stopped_at(seconds: float) -> Callable[[], float]:
    return lambda: seconds


def tell(
    memory: Memory,
    name: str,
    turns: Sequence[TurnOfTalk],
    infer: bool,
    found: Rankings | None = None,
    step: Progress | None = None,
) -> dict[str, list[str]]:
    """Tells the turns; returns the turns that each memory comes from.

    Args:
        found: where the time of writing is noted.
    """
    messages = [_message(turn) for turn in turns if turn.text.strip()]
    before = (0, time.perf_counter())

    def watch(done: int, total: int) -> None:
        nonlocal before
        now = time.perf_counter()
        if found is not None and done > before[0]:
            found.write_ms.append(1_000 * (now - before[1]) / (done - before[0]))
        before = (done, now)
        if step is not None:
            step(done, total)

    memory.add(messages, user_id=name, infer=infer, progress=watch)
    turn_at = {turn.time: turn.turn for turn in turns}
    turns_of: dict[str, list[str]] = {}
    with memory.engine.owners.use(memory.engine.log.owners()[0]) as open_:
        for record in memory.engine.log.events(open_.fold.owner):
            if record.kind in ("add", "add+", "hear"):
                turns_of.setdefault(str(record.body["id"]), []).append(turn_at[record.time])
    return turns_of


def _message(turn: TurnOfTalk) -> dict[str, Any]:
    """A turn as it is handed over: said by the user, the assistant, or somebody with a name."""
    said = {"role": "user", "content": turn.text, "timestamp": turn.time}
    if turn.speaker in ("user", "assistant"):
        return said | {"role": turn.speaker}
    return said | ({"name": turn.speaker} if turn.speaker else {})


def _ask(
    memory: Memory,
    name: str,
    question: str,
    turns_of: dict[str, list[str]],
    depth: int,
    infer: bool,
    found: Rankings,
) -> list[str]:
    """The distinct turns of what is found, best first."""
    limit = 3 * depth if infer else depth  # several facts may come from one turn
    with stopwatch() as searching:
        recalls = memory.search(question, user_id=name, limit=limit, fidelity="weights", rehearse=False)
    found.search_ms.append(searching.ms)
    turns = dict.fromkeys(turn for recall in recalls for turn in turns_of.get(recall.id, ()))
    return list(turns)[:depth]
