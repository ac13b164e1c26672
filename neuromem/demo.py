"""The demo: a real conversation is told, asked about, left to fade, heard again, rebuilt, deep-recalled.

`story` does it, part by part, on a store of its own with a clock that it moves; every number comes
from that run. `commands/demo.py` shows it.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .config import Config
from .errors import InvalidInput
from .identity import Owner, seconds_of
from .log import EventLog

if TYPE_CHECKING:
    from .memory import Memory
    from .recall import Recall

__all__ = ["DAYS", "PARTS", "USER", "changed_share", "fresh_folder", "story"]

Part = tuple[str, dict[str, Any]]

DATA = Path(__file__).parent / "data"
MARK = "neuromem-demo"  # a file that says that the folder may be emptied
USER = "ana"
DAY = 86_400.0
DAYS = (0, 3, 7, 14, 30, 60, 120)  # after the conversation ended
MONTHS_LATER = 300  # days after which something is surely forgotten
PARTS = ("kept", "asked", "table", "heard", "rebuilt", "deep", "verify")

HEARD_AGAIN = "My dog name is Potola."
# asked besides those of the file, to find something that has faded by then: (question, words of the fact)
MORE_QUESTIONS = (
    ("which shipyard does Ben work at?", "Merrow"),
    ("which food does Ben hate?", "coriander"),
    ("what is Ben getting instead of a van?", "cargo bike"),
    ("when is Ben's knee operated on?", "8 June"),
    ("what did Ana buy?", "umbrella"),
    ("where does Ana paint?", "Lantern"),
    ("which animal did Ana adopt from the shelter?", "adopted a dog"),
    ("which peas does Juno not eat?", "peas"),
)


class Clock:
    """Time that the demo moves."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def fresh_folder(folder: Path) -> Path:
    """Makes or empties the demo's folder.

    Raises:
        InvalidInput: it holds something that no demo put there, or cannot be made.
        StoreError: there is a log that cannot be read, so that nobody knows whose it is.
    """
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / MARK).exists():
                raise InvalidInput(
                    "path", f"{folder} is not a demo's folder", "give one that is new or empty"
                )
            _check_log(folder / "log")
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text("Made by `neuromem demo`, which empties this folder.\n", encoding="utf-8")
    except OSError as error:
        problem = f"{folder} cannot be used ({error.strerror})"
        raise InvalidInput("path", problem, "choose another folder") from error
    return folder


def _check_log(log: Path) -> None:
    """Raises InvalidInput when somebody whom the demo does not know was remembered there since."""
    if not any(log.glob("*.mdb")):  # stopped before a log was made
        return
    with EventLog(log, readonly=True) as events:
        others = [name for name in events.owners() if name != Owner("user", USER).name]
    if others:
        problem = f"{log.parent} also holds the memory of {', '.join(others[:5])}, which would be deleted"
        raise InvalidInput("path", problem, "give a folder that is new or empty")


def story(folder: Path, config: Config, encoder: str | None = None) -> Iterator[Part]:
    """The demo, part by part: (one of PARTS, its data as JSON values).

    Args:
        folder: where the store is made; `fresh_folder` of it was called.
    """
    from .memory import Memory

    talk = _lines("demo.jsonl")
    questions = _lines("demo_questions.jsonl")
    clock = Clock(seconds_of(talk[-1]["timestamp"]))
    end = clock.now
    with Memory(folder, config, encoder, clock) as memory:
        yield "kept", _told(memory, talk)
        yield "asked", _asked(memory, questions)
        yield "table", _table(memory, clock, end)
        yield "heard", _heard_again(memory)
        yield "rebuilt", _rebuilt(memory, questions)
        clock.now = end + MONTHS_LATER * DAY
        yield "deep", _deep(memory, questions)
        report = memory.verify()
        yield "verify", {"ok": report.ok, "records": report.records, "problems": report.problems}


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines() if line]


def _squeezed(text: str) -> str:
    return "".join(text.split())


# -- 1: what was kept --------------------------------------------------------------------------------


def _told(memory: Memory, talk: Sequence[dict[str, Any]]) -> dict[str, Any]:
    memory.engine.keys.query("warm up")  # loads the models: no part of the write's time
    started = time.perf_counter()
    written = memory.add(talk, user_id=USER)
    spent = time.perf_counter() - started
    kept = [_squeezed(fact.text) for fact in written]
    dropped = [turn for turn in talk if not any(text in _squeezed(turn["content"]) for text in kept)]
    steps = Counter(fact.report.steps for fact in written if fact.report)
    bank = memory.bank(USER)
    return {
        "messages": len(talk),
        "speakers": list(dict.fromkeys(turn["name"] for turn in talk)),
        "from": talk[0]["timestamp"],
        "to": talk[-1]["timestamp"],
        "facts": len(written),
        "again": sum(fact.event == "REINFORCE" for fact in written),
        "exact": sum(fact.exact for fact in written),
        "steps": {str(count): steps[count] for count in sorted(steps)},
        "seconds": round(spent, 3),
        "slots": len(bank),
        "bytes_per_slot": bank.bytes_per_slot,
        "written": [
            {"text": fact.text, "gist": fact.gist, "exact": fact.exact, "steps": fact.report.steps}
            for fact in written
            if fact.report
        ],
        "dropped": [f"{turn['name']}: {turn['content']}" for turn in dropped],
    }


# -- 2: asked in other words -------------------------------------------------------------------------


def _asked(memory: Memory, questions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Asks at the conversation's end. What is recalled is strengthened, as it always is."""
    memory.search("warm up", USER, rehearse=False)
    answers = []
    for item in questions:
        held = memory.search(item["question"], USER, limit=1, fidelity="weights", rehearse=False)
        started = time.perf_counter()
        found = memory.search(item["question"], USER, limit=1)
        spent = (time.perf_counter() - started) * 1_000
        words = memory.get(found[0].id, fidelity="exact").text if found else ""
        answers.append(
            _answer(item, found, held, spent) | {"found": item["expect"].casefold() in words.casefold()}
        )
    counts = {name: sum(answer[name] for answer in answers) for name in ("right", "found")}
    return {"answers": answers, "of": len(answers)} | counts


def _answer(
    item: dict[str, Any], found: Sequence[Recall], held: Sequence[Recall], ms: float
) -> dict[str, Any]:
    text, says = (found[0].text if found else ""), (held[0].text if held else "")
    return {
        "question": item["question"],
        "answer": text,
        "from": "weights" if text == says else "log",
        "weights_say": says,
        "fidelity": str(held[0].fidelity) if held else "forgotten",
        "expected": item["expect"],
        "right": item["expect"].casefold() in text.casefold(),
        "ms": round(ms, 2),
    }


# -- 3: weeks pass -----------------------------------------------------------------------------------


def _table(memory: Memory, clock: Clock, end: float) -> dict[str, Any]:
    """What each fact says on each of DAYS. Only looked at: nothing is rehearsed."""
    words = {recall.id: recall.text for recall in memory.all(USER, fidelity="exact")}
    by_day: list[dict[str, Recall]] = []
    for day in DAYS:
        clock.now = end + day * DAY
        by_day.append({recall.id: recall for recall in memory.all(USER, fidelity="weights")})
    facts: list[dict[str, Any]] = [
        {
            "text": text,
            "rungs": [str(recalls[memory_id].fidelity) for recalls in by_day],
            "says": [recalls[memory_id].text for recalls in by_day],
            "strengths": [round(recalls[memory_id].strength, 4) for recalls in by_day],
        }
        for memory_id, text in words.items()
    ]
    return {
        "days": list(DAYS),
        "facts": facts,
        "changed_share": changed_share([fact["rungs"] for fact in facts]),
    }


def changed_share(rungs: Sequence[Sequence[str]]) -> list[float]:
    """Of facts with one rung for each day: the share that changed it, for each pair of neighbouring days."""
    pairs = range(len(rungs[0]) - 1) if rungs else range(0)
    return [round(sum(row[i] != row[i + 1] for row in rungs) / len(rungs), 4) for i in pairs]


# -- 4 to 6: it comes back ---------------------------------------------------------------------------


def _state(memory: Memory, memory_id: str) -> dict[str, Any]:
    """What the weights say of one memory now."""
    recall = memory.get(memory_id, fidelity="weights")
    strength = round(recall.strength, 4)
    return {"says": recall.text, "fidelity": str(recall.fidelity), "strength": strength}


def _words(memory: Memory) -> dict[str, str]:
    """Exact words of all memories held, by id."""
    return {recall.id: recall.text for recall in memory.all(USER, fidelity="exact")}


def _heard_again(memory: Memory) -> dict[str, Any]:
    known = next((i for i, text in _words(memory).items() if _squeezed(HEARD_AGAIN) == _squeezed(text)), None)
    before = _state(memory, known) if known else None
    fact = memory.add({"role": "user", "name": "Ana", "content": HEARD_AGAIN}, USER)[0]
    return {
        "said": HEARD_AGAIN,
        "day": DAYS[-1],
        "event": fact.event,
        "before": before,
        "after": _state(memory, fact.id),
    }


def _all_questions(questions: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(item["question"], item["expect"]) for item in questions] + list(MORE_QUESTIONS)


def _rebuilt(memory: Memory, questions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A question whose answer has faded below its gist: the words are fetched and written anew."""
    for question in _faded(memory, questions):
        before = _top(memory, question)
        started = time.perf_counter()
        best = memory.search(question, USER, limit=1)[0]
        spent = (time.perf_counter() - started) * 1_000
        after = _state(memory, best.id)
        if after["says"] == best.text != before["says"]:
            return {
                "question": question, "day": DAYS[-1], "before": before, "answer": best.text,
                "ms": round(spent, 2), "after": after,
            }  # fmt: skip
    return {"question": None, "day": DAYS[-1]}


def _faded(memory: Memory, questions: Sequence[dict[str, Any]]) -> list[str]:
    """Questions whose best result is the right fact, faded below its gist; those with most left first."""
    found = []
    for question, expected in _all_questions(questions):
        held = memory.search(question, USER, limit=1, fidelity="weights", rehearse=False)
        right = held and expected in memory.get(held[0].id, fidelity="exact").text
        if right and held[0].fidelity not in ("verbatim", "gist"):
            found.append((-held[0].fidelity.level, question))
    return [question for _, question in sorted(found)]


def _top(memory: Memory, question: str) -> dict[str, Any]:
    """The state of a question's best result."""
    return _state(memory, memory.search(question, USER, limit=1, fidelity="weights", rehearse=False)[0].id)


def _deep(memory: Memory, questions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Something is gone from the weights; the slow path finds it in the log and writes it back."""
    words = _words(memory)
    slept = memory.sleep(user_id=USER)
    held = set(memory.bank(USER).ids())
    for question, expected in _all_questions(questions):
        gone = [i for i, text in words.items() if expected in text]
        if not gone or held.intersection(gone):
            continue
        fast = memory.search(question, USER, limit=1, fidelity="weights", rehearse=False)
        started = time.perf_counter()
        found = memory.deep(question, USER, limit=1)[0]
        spent = (time.perf_counter() - started) * 1_000
        if found.id in memory.bank(USER).ids() and expected in found.text:
            return {
                "question": question, "day": MONTHS_LATER, "slept": slept,
                "fast_answer": fast[0].text if fast else "", "found": found.text, "ms": round(spent, 2),
                "after": _state(memory, found.id),
            }  # fmt: skip
    return {"question": None, "day": MONTHS_LATER, "slept": slept}
