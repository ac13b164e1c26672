"""`neuromem bench updates`: whether what is current comes first when facts change.

``--cases F``: JSONL of cases. Each is told turn by turn (one `add` of its words a turn, as its user and at
its time; ``--talk`` gives messages, of which only what is worth keeping is kept), then its question is asked,
as its user and at its time::

    {"id", "type", "style", "turns": [{"ts", "user", "text"}], "query": {"ts", "user", "text"},
     "expected": [any of these], "stale": [none of these], …}

A result is *current* when it holds an expected text and no stale one, and *stale* when it holds a stale one.
``current_first`` is the share of cases whose first result is current, ``stale_first`` the share where a stale
result stands above every current one. ``user_clash`` counts results that another user told. ``--crowd N``
puts N unrelated facts into the same bank first. Without a file, cases of our own making are used.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..config import Config, ForgettingConfig
from ..encoders import Encoder, load_encoder
from ..errors import InvalidInput
from ..identity import seconds_of
from ..memory import Memory
from ..recall import Recall
from .common import emit, parser, percentiles, progress, read_jsonl, share, stopwatch
from .everyday import everyday_facts
from .generated import update_cases

__all__ = ["Outcome", "Scene", "main", "play"]

DEPTH = 10  # results that are looked at
BEFORE = timedelta(days=1)  # of the first turn, when the crowd was told


@dataclass(frozen=True, slots=True)
class Scene:
    """How a case is played."""

    config: Config
    encoder: Encoder
    crowd: int = 0
    talk: bool = False  # turns are overheard as messages, not handed over as plain strings
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a case."""

    current_first: bool
    stale_first: bool
    clashes: int  # results that another user told
    lost: int  # current turns that hold no current memory any more
    crowd_ended: int  # unrelated facts that were taken for outdated
    found: list[str]  # texts of the results, best first
    add_ms: list[float]
    search_ms: float


def main(argv: list[str]) -> int:
    """Runs the bench; 1 when one user's words reached another."""
    options = _arguments().parse_args(argv)
    cases = read_jsonl(options.cases) if options.cases else update_cases(40, options.seed)
    for case in cases:
        _check(case)
    config = Config(forgetting=ForgettingConfig(decay=options.decay))
    scene = Scene(config, load_encoder(options.encoder), options.crowd, options.talk, options.seed)
    outcomes = []
    with progress("updating") as step:
        for done, case in enumerate(cases, 1):
            outcomes.append(play(case, scene))
            step(done, len(cases))
    report = _report(cases, outcomes) | {"crowd": options.crowd, "decay": options.decay}
    if options.failures:
        report["failures"] = _failures(cases, outcomes)
    emit(report, options.json)
    return int(report["user_clash"] > 0)


def _arguments() -> argparse.ArgumentParser:
    out = parser("updates")
    out.add_argument("--cases", metavar="FILE", help="JSONL of cases: turns, query, expected, stale")
    out.add_argument(
        "--crowd", type=int, default=0, metavar="N", help="unrelated facts in the same bank, told first"
    )
    out.add_argument("--talk", action="store_true", help="turns are overheard as messages, not dictated")
    out.add_argument("--decay", choices=("none", "power"), default="none", help="whether old turns fade")
    out.add_argument("--encoder", help="as Memory's: transformer, conv, sentence:FOLDER, hash")
    out.add_argument("--failures", action="store_true", help="show the cases that failed")
    return out


def _check(case: Mapping[str, Any]) -> None:
    for field in ("turns", "query", "expected"):
        if not case.get(field):
            problem = f"case {case.get('id', '?')} has no {field}"
            raise InvalidInput("--cases", problem, "give JSONL of turns, query, expected, stale")


def play(case: Mapping[str, Any], scene: Scene) -> Outcome:
    """Tells a case to a memory of its own, asks its question, and judges the answer."""
    now = [0.0]
    with Memory(config=scene.config, encoder=scene.encoder, clock=lambda: now[0]) as memory:
        crowd = _add_crowd(memory, case, scene, now)
        told: dict[str, list[str]] = {}  # user → ids
        by_turn: list[list[str]] = []
        times: list[float] = []
        for turn in case["turns"]:
            now[0] = seconds_of(turn["ts"])
            text = turn["text"]
            with stopwatch() as adding:
                written = memory.add(
                    [{"role": "user", "content": text}] if scene.talk else text, user_id=turn["user"]
                )
            times.append(adding.ms)
            by_turn.append([item.id for item in written])
            told.setdefault(turn["user"], []).extend(by_turn[-1])
        query = case["query"]
        now[0] = seconds_of(query["ts"])
        with stopwatch() as searching:
            found = memory.search(
                query["text"], user_id=query["user"], limit=DEPTH, fidelity="exact", rehearse=False
            )
        others = {id for user, ids in told.items() if user != query["user"] for id in ids}
        # asked about the past, the answer is not current
        current = [
            by_turn[place] for place in case.get("current_turns", ()) if case.get("type") != "temporal"
        ]
        held = {recall.id: recall for user in told for recall in memory.all(user_id=user)}
        first, stale = _judged(case, found)
        return Outcome(
            first, stale, sum(recall.id in others for recall in found),
            sum(not any(_is_current(held, id) for id in ids) for ids in current),
            sum(not _is_current(held, id) for id in crowd),
            [recall.text for recall in found], times, searching.ms,
        )  # fmt: skip


def _add_crowd(memory: Memory, case: Mapping[str, Any], scene: Scene, now: list[float]) -> list[str]:
    """Ids of unrelated facts, told to the one who asks before all else."""
    if not scene.crowd:
        return []
    first = min(datetime.fromisoformat(turn["ts"]) for turn in case["turns"])
    now[0] = seconds_of(first - BEFORE)
    texts = [str(turn["text"]) for turn in case["turns"]]
    facts = everyday_facts(scene.crowd, scene.seed, [*texts, str(case["query"]["text"])])
    messages = [{"role": "user", "content": fact} for fact in facts]
    return [item.id for item in memory.add(messages, user_id=case["query"]["user"], infer=False)]


def _is_current(held: Mapping[str, Recall], memory_id: str) -> bool:
    return memory_id in held and held[memory_id].valid_until is None


def _judged(case: Mapping[str, Any], found: Sequence[Recall]) -> tuple[bool, bool]:
    """(the first result is current, a stale one stands above every current one)."""
    texts = [recall.text.casefold() for recall in found]
    stale = [any(word.casefold() in text for word in case.get("stale", ())) for text in texts]
    current = [
        not old and any(word.casefold() in text for word in case["expected"])
        for text, old in zip(texts, stale, strict=True)
    ]
    place = current.index(True) if True in current else len(texts)
    return bool(current) and current[0], any(stale[:place])


def _report(cases: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    out: dict[str, Any] = {"bench": "updates", **_shares(outcomes)}
    out["user_clash"] = sum(outcome.clashes for outcome in outcomes)
    out["current_lost"] = sum(outcome.lost for outcome in outcomes)
    out["crowd_ended"] = sum(outcome.crowd_ended for outcome in outcomes)
    for name, field in (("by_type", "type"), ("by_style", "style")):
        groups: dict[str, list[Outcome]] = {}
        for case, outcome in zip(cases, outcomes, strict=True):
            groups.setdefault(str(case.get(field, "")), []).append(outcome)
        out[name] = {group: _shares(members) for group, members in groups.items()}
    out["add_ms"] = percentiles([ms for outcome in outcomes for ms in outcome.add_ms])
    out["search_ms"] = percentiles([outcome.search_ms for outcome in outcomes])
    return out


def _shares(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    return {
        "cases": len(outcomes),
        "current_first": share(outcome.current_first for outcome in outcomes),
        "stale_first": share(outcome.stale_first for outcome in outcomes),
    }


def _failures(cases: Sequence[Mapping[str, Any]], outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    return [
        {
            "id": case.get("id", ""), "type": case.get("type", ""), "asked": case["query"]["text"],
            "expected": case["expected"], "found": outcome.found[:3],
        }
        for case, outcome in zip(cases, outcomes, strict=True)
        if not outcome.current_first or outcome.stale_first
    ]  # fmt: skip
