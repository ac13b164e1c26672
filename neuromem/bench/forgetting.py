"""`neuromem bench forgetting`: whether each rung of the ladder says the right words, and when.

Facts with known gists are written into slots and read back at falling strengths and on later days.
The right rung at a strength is the one that `forgetting.fidelity_at` names; its words are the text, then
the gist, the gist with its object cut to an initial, subject and relation, the subject, nothing.

*Calibration*: many facts, each of an age of its own, are read, and the share on each rung is compared with
the share that the forgetting curve says, from their stabilities alone. A rung counts as reached only when
its right words are said. *Gist words*: what is said at the gist's rung against a reference gist, where the
reference was given at writing and where neuromem made a gist by its own rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Any

import torch

from ..facts import SPEAKER, Gist, extract, gist_of, parse_gist, read_turns
from ..forgetting import Fidelity, fidelity_at, initial_stability
from ..forgetting import strength as strength_of
from ..layout import DAY_MS
from ..owners import Progress
from ..recall import Recall
from ..text import stems
from ..writer import Draft
from .common import emit, mean, parser, progress, read_jsonl, share
from .generated import personal_facts
from .slots import START_MS, FactBank

__all__ = ["Expected", "follows_curve", "gist_words", "main", "measure", "word_f1"]

STRENGTHS = (1.0, 0.5, 0.25, 0.15, 0.08, 0.04, 0.02)
FINE_GRID = tuple(0.97**step for step in range(130))  # from 1 down to 0.02
DAYS = (0, 1, 3, 7, 14, 30, 60, 120, 180, 365)
TABLE_DAYS = (0, 3, 7, 14, 30, 60, 120)  # of the demo
AGE_BINS = tuple(pairwise((0, 1, 2, 4, 7, 14, 30, 60, 120, 240, 480, 960)))  # days, from and to
GIST_STRENGTH = 0.25  # at which the gist is what is left


@dataclass(frozen=True, slots=True)
class Expected:
    """A fact and its gist: what should be read at each rung."""

    text: str
    gist: Gist

    def words(self, rung: Fidelity) -> str:
        """The words of a rung."""
        if rung is Fidelity.VERBATIM:
            return self.text
        subject, relation, partial, whole = self.gist.rungs()
        upper = {Fidelity.GIST: whole, Fidelity.PARTIAL: partial}
        return {**upper, Fidelity.ENTITY: relation, Fidelity.SUBJECT: subject}.get(rung, "")


def main(argv: list[str]) -> int:
    """Runs the bench; always 0."""
    arguments = parser("forgetting")
    arguments.add_argument(
        "--gists", metavar="FILE", help="JSONL with 'text' and 'gist'; generated facts without"
    )
    arguments.add_argument("--count", type=int, default=200, help="generated facts")
    arguments.add_argument("--nights", type=int, default=180, help="nightly sleeps against none")
    arguments.add_argument("--aged", type=int, default=2_000, help="generated facts aged by the clock")
    options = arguments.parse_args(argv)
    sets = {"generated": [(fact.text, fact.gist) for fact in personal_facts(options.count, options.seed)]}
    if options.gists:
        sets["gists"] = [(str(row["text"]), str(row["gist"])) for row in read_jsonl(options.gists)]
    report: dict[str, Any] = {"bench": "forgetting"}
    with progress("aging") as step:
        for name, pairs in sets.items():
            facts = [Expected(text, parse_gist(gist)) for text, gist in pairs]
            measured = measure(facts, options.nights, step)
            report |= {f"{name}: {part}": value for part, value in measured.items()}
        if options.gists:
            report["gist_words"] = gist_words(sets["gists"], step)
        if options.aged:
            aged = personal_facts(options.aged, options.seed + 1)
            facts = [Expected(fact.text, parse_gist(fact.gist)) for fact in aged]
            report |= follows_curve(facts, options.seed, step)
    emit(report, options.json)
    return 0


def measure(facts: Sequence[Expected], nights: int = 180, step: Progress | None = None) -> dict[str, Any]:
    """All that is measured of one set of facts; shares from 0 to 1."""
    written = FactBank(_drafts(facts), _importances(facts), progress=step)
    still = written.copy()
    rungs = []
    for strength in STRENGTHS:
        still.set_strength(strength)
        rungs.append({"strength": strength, **_at(facts, still.read(), fidelity_at(strength))})
    curve, changed = _curve(written)
    return {
        "facts": len(facts),
        "right_rung": mean(row["right_rung"] for row in rungs),
        "right_rung_worst": min(row["right_rung"] for row in rungs),
        "right_characters": mean(row["right_characters"] for row in rungs if row["shown_characters"]),
        "rises": _rises(still, step),
        **_sleeping(written, nights, step),
        "changed_between_table_days": changed,
        "by_strength": rungs,
        "by_day": curve,
    }


def _drafts(facts: Sequence[Expected]) -> list[Draft]:
    return [Draft(fact.text, fact.gist.segments()) for fact in facts]


def _importances(facts: Sequence[Expected]) -> list[float]:
    """How much each fact matters, by neuromem's own rules."""
    return [extract(read_turns(fact.text), infer=False)[0].importance for fact in facts]


def _at(facts: Sequence[Expected], read: Sequence[Recall | None], rung: Fidelity) -> dict[str, Any]:
    """What is shown at one strength against what should be."""
    said = [(recall.text, recall.fidelity) if recall else ("", Fidelity.FORGOTTEN) for recall in read]
    right = [fact.words(rung) for fact in facts]
    own = [fact.words(fidelity) for fact, (_, fidelity) in zip(facts, said, strict=True)]
    shown = sum(len(text) for text, _ in said)
    return {
        "rung": str(rung),
        "right_rung": share(text == words for (text, _), words in zip(said, right, strict=True)),
        "shown_characters": shown,
        "right_characters": _right_characters(said, right) / max(1, shown),
        "right_for_rung_shown": _right_characters(said, own) / max(1, shown),
        "lies": sum(
            text != words for (text, f), words in zip(said, own, strict=True) if f is Fidelity.VERBATIM
        ),
    }


def _right_characters(said: Sequence[tuple[str, Fidelity]], wanted: Sequence[str]) -> int:
    """Characters shown that belong to the common beginning with the words wanted."""
    pairs = [zip(text, words, strict=False) for (text, _), words in zip(said, wanted, strict=True)]
    return sum(sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pair)) for pair in pairs)


def _rises(written: FactBank, step: Progress | None) -> int:
    """How often any fact showed a higher rung at a lower strength, over a fine grid of strengths."""
    before = [len(Fidelity)] * len(written.ids)
    rises = 0
    for done, strength in enumerate(FINE_GRID, 1):
        written.set_strength(strength)
        levels = [recall.fidelity.level if recall else 0 for recall in written.read()]
        rises += sum(now > then for now, then in zip(levels, before, strict=True))
        before = levels
        if step is not None:
            step(done, len(FINE_GRID))
    return rises


def _sleeping(written: FactBank, nights: int, step: Progress | None) -> dict[str, Any]:
    """Whether a bank that slept every night says the same words as one that never slept."""
    sleeper = written.copy()
    compared = same = 0
    for night in range(1, nights + 1):
        now_ms = START_MS + night * DAY_MS
        sleeper.sleep(now_ms)
        if night in DAYS or night % 10 == 0 or night == nights:
            pairs = zip(sleeper.read(now_ms), written.read(now_ms), strict=True)
            agree = [_words(one) == _words(other) for one, other in pairs]
            compared, same = compared + len(agree), same + sum(agree)
        if step is not None:
            step(night, nights)
    return {"sleep_agreement": same / max(1, compared), "sleep_compared": compared}


def _words(recall: Recall | None) -> str:
    return "" if recall is None else recall.text


def _curve(written: FactBank) -> tuple[list[dict[str, Any]], float]:
    """Share of facts on each rung by day; the largest share that moves between days of the demo's table."""
    levels: dict[int, list[Fidelity]] = {}
    for day in DAYS:
        recalls = written.read(START_MS + day * DAY_MS)
        levels[day] = [recall.fidelity if recall else Fidelity.FORGOTTEN for recall in recalls]
    rows = []
    for day, rungs in levels.items():
        counts = Counter(rungs)
        rows.append({"day": day, **{str(rung): counts[rung] / max(1, len(rungs)) for rung in Fidelity}})
    changes = [
        share(one is not other for one, other in zip(levels[a], levels[b], strict=True))
        for a, b in pairwise(TABLE_DAYS)
    ]
    return rows, max(changes)


# -- the curve ----------------------------------------------------------------------------------------


def follows_curve(facts: Sequence[Expected], seed: int = 0, step: Progress | None = None) -> dict[str, Any]:
    """The share of facts on each rung by age, as read and as the forgetting curve says.

    Each fact's age is drawn from the bin; the curve is told its stability and age, and sees no slot.
    """
    importances = _importances(facts)
    written = FactBank(_drafts(facts), importances, progress=step)
    forgetting = written.bank.forgetting
    stability = initial_stability(torch.tensor(importances, dtype=torch.float64), forgetting)
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for done, (youngest, oldest) in enumerate(AGE_BINS, 1):
        age = youngest + (oldest - youngest) * torch.rand(len(facts), generator=generator).double()
        written.age(age.tolist())
        counted = Counter(_reached(fact, recall) for fact, recall in zip(facts, written.read(), strict=True))
        curve = Counter(fidelity_at(s) for s in strength_of(age, stability, forgetting).tolist())
        row: dict[str, Any] = {"days": f"{youngest}-{oldest}"}
        for rung in Fidelity:
            row |= {str(rung): counted[rung] / len(facts), f"{rung}, curve": curve[rung] / len(facts)}
        apart = [100 * abs(row[str(rung)] - row[f"{rung}, curve"]) for rung in Fidelity]
        rows.append(row | {"wrong words": counted[None] / len(facts), "points apart": max(apart)})
        if step is not None:
            step(done, len(AGE_BINS))
    largest = max(row["points apart"] for row in rows)
    return {"aged_facts": len(facts), "largest_difference_points": largest, "by_age": rows}


def _reached(fact: Expected, recall: Recall | None) -> Fidelity | None:
    """The rung whose right words are said; None when they are wrong."""
    if recall is None:
        return Fidelity.FORGOTTEN
    return recall.fidelity if recall.text == fact.words(recall.fidelity) else None


# -- the words of the gist ----------------------------------------------------------------------------


def gist_words(pairs: Sequence[tuple[str, str]], step: Progress | None = None) -> list[dict[str, Any]]:
    """What the gist's rung says against reference gists.

    Args:
        pairs: texts and their reference gists, ``subject|relation|object``.
    """
    made = {
        "the reference": [parse_gist(gist) for _, gist in pairs],
        "our own rules": [gist_of(text) for text, _ in pairs],
    }
    rows = []
    for name, gists in made.items():
        facts = [Expected(text, gist) for (text, _), gist in zip(pairs, gists, strict=True)]
        written = FactBank(_drafts(facts), progress=step)
        written.set_strength(GIST_STRENGTH)
        said = [
            recall.text if recall and recall.fidelity is Fidelity.GIST else "" for recall in written.read()
        ]
        compared = [(words, gist) for words, (_, gist) in zip(said, pairs, strict=True)]
        rows.append({
            "written": name, "facts": len(pairs),
            "word_f1": mean(word_f1(words, gist) for words, gist in compared),
            "subject_exact": share(words.split("|")[0] == gist.split("|")[0] for words, gist in compared),
            "exact": share(words == gist for words, gist in compared),
        })  # fmt: skip
    return rows


def word_f1(said: str, reference: str) -> float:
    """F1 of two gists' sets of content words, stemmed; `1`, the speaker, is no word."""
    ours, right = ({*stems(gist.replace("|", " "))} - {SPEAKER} for gist in (said, reference))
    return 2 * len(ours & right) / (len(ours) + len(right)) if ours or right else 1.0
