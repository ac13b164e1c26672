"""Measured on sets of our own: everyday English, half of it as a speech recognizer writes it.

A third of the first sets (`apart`) was looked at only after the rules were written; the figures of that
look are what to expect of unseen talk: keeping 0.955 precise, 0.81 recalled; gists 0.955 subjects, 0.89
relations, 0.90 objects. What they showed was then mended, and 61 paired contexts were added.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from neuromem.facts import extract, gist_of, should_keep
from neuromem.facts.turns import Turn
from neuromem.text import split_to_fit, stems

DATA = Path(__file__).parent / "data"
SLOT_BYTES = 160


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def overlap(found: str, expected: str) -> float:
    """F1 of the content words of two values."""
    if found.casefold() == expected.casefold():
        return 1.0
    left, right = Counter(stems(found)), Counter(stems(expected))
    return 2 * sum((left & right).values()) / max(1, sum(left.values()) + sum(right.values()))


def kept_right(cases: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """Precision and recall of keeping."""
    kept = [should_keep(case["text"], case["context"]) for case in cases]
    right = sum(keep and case["keep"] for keep, case in zip(kept, cases, strict=True))
    return right / sum(kept), right / sum(case["keep"] for case in cases)


def gists_right(cases: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Shares of right subjects and relations, and the mean F1 of the objects."""
    subjects = relations = values = 0.0
    for case in cases:
        subject, relation, value = case["gist"].split("|")
        gist = gist_of(case["text"])
        subjects += gist.subject == subject
        names = {name.casefold() for name in (relation, *case.get("also", ()))}
        relations += gist.relation.casefold() in names
        values += overlap(gist.object, value)
    return subjects / len(cases), relations / len(cases), values / len(cases)


def test_what_is_worth_keeping() -> None:
    precision, recall = kept_right(rows(DATA / "keep.jsonl"))
    assert precision >= 0.92
    assert recall >= 0.90


def test_gists() -> None:
    subjects, relations, values = gists_right(rows(DATA / "gists.jsonl"))
    assert subjects >= 0.95
    assert relations >= 0.85
    assert values >= 0.85


def test_sets_written_later_and_looked_at_once_are_judged_as_well() -> None:
    """At first sight: keeping 0.918 precise, 0.931 recalled; gists 1.0, 0.938, 0.915."""
    precision, recall = kept_right(rows(DATA / "keep_fresh.jsonl"))
    assert precision >= 0.92
    assert recall >= 0.90
    subjects, relations, values = gists_right(rows(DATA / "gists_fresh.jsonl"))
    assert subjects >= 0.95
    assert relations >= 0.85
    assert values >= 0.85


def test_sets_of_four_other_voices_show_how_much_carries_over() -> None:
    """A widow in Yorkshire, a mechanic in Houston, a student in Leicester, a joiner in Dublin.

    The first half (`-a-`) is what the rules were mended by, the second (`-b-`) was measured at the end and
    nothing is mended by it. At first sight, both halves: gists 0.958 subjects, 0.61 relations, 0.78 objects;
    keeping by rules alone 0.842 precise, 0.880 recalled. The bars are not met: what is asked here is that it
    does not get worse.
    """
    gists, keep = rows(DATA / "gists_strangers.jsonl"), rows(DATA / "keep_strangers.jsonl")
    unseen = [case for case in gists if "-b-" in case["id"]]
    subjects, relations, values = gists_right(unseen)
    assert subjects >= 0.96  # measured 0.969
    assert relations >= 0.58  # measured 0.585
    assert values >= 0.77  # measured 0.774
    precision, recall = kept_right([case for case in keep if "-b-" in case["id"]])
    assert precision >= 0.87  # measured 0.873
    assert recall >= 0.82  # measured 0.827
    subjects, relations, values = gists_right([case for case in gists if "-a-" in case["id"]])
    assert subjects >= 0.98  # measured 0.992
    assert relations >= 0.81  # measured 0.815
    assert values >= 0.88  # measured 0.89


def test_questions_are_not_stored(data_dir: Path) -> None:
    asked = [case["asr_question"] for case in rows(data_dir / "dev" / "retrieval.jsonl")]
    asked += [case["question"].rstrip("?") for case in rows(data_dir / "dev" / "retrieval.jsonl")]
    asked += [case["question"].lower().rstrip("?") for case in rows(data_dir / "locomo/dev/questions.jsonl")]
    assert sum(map(should_keep, asked)) / len(asked) <= 0.01


@pytest.mark.slow
def test_talk_between_two_people_is_thinned_and_keeps_its_evidence(data_dir: Path) -> None:
    """LoCoMo: turns that answer a question later nearly all give a fact, in at most 70 % of the slots."""
    folder = data_dir / "locomo" / "dev"
    evidence = {
        (case["conv"], turn)
        for case in rows(folder / "questions.jsonl")
        if not case["adversarial"]
        for turn in case["evidence"]
    }
    said = rows(folder / "corpus.jsonl")
    before = after = found = expected = 0
    for conversation in sorted({turn["conv"] for turn in said}):
        own = [turn for turn in said if turn["conv"] == conversation]
        facts = extract([Turn("user", turn["text"], turn["speaker"]) for turn in own])
        kept = {(conversation, own[fact.turn]["turn"]) for fact in facts}
        wanted = {(conversation, turn["turn"]) for turn in own} & evidence
        found, expected = found + len(kept & wanted), expected + len(wanted)
        before += sum(len(split_to_fit(turn["text"], SLOT_BYTES)) for turn in own)
        after += sum(len(split_to_fit(fact.text, SLOT_BYTES)) for fact in facts)
    assert found / expected >= 0.95  # measured 0.972
    assert after / before <= 0.70  # measured 0.673
