"""Of two statements that may answer, the one that the other made out of date is not said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.assistant.candidates import Candidate
from neuromem.assistant.judging import Verdict
from neuromem.assistant.newest import CLOSE, REPLACED, ends_for, holding
from neuromem.assistant.statements import statements_of


def verdicts(*said: tuple[str, int, float]) -> list[Verdict]:
    """Statements with the place of their turns and their chances."""
    out = []
    for text, seq, chance in said:
        turn = Candidate(text, (), datetime.fromtimestamp(1_780_000_000 + seq, UTC), 0.5, "", seq)
        out.append(Verdict(chance, turn, statements_of(turn)[0]))
    return out


@pytest.mark.parametrize("newer_first", [True, False])
def test_the_newer_holds_whichever_is_likelier(newer_first: bool) -> None:
    old, new = ("I see him every weekend.", 1), ("It's once a month now.", 7)
    first, second = (new, old) if newer_first else (old, new)
    judged = verdicts((*first, 0.5), (*second, 0.4))
    found = holding(judged, lambda newer, older: float((newer.seq, older.seq) == (7, 1)))
    assert found is not None
    assert found.candidate.seq == 7


def test_both_stand_where_neither_ends_the_other_or_one_is_far_likelier() -> None:
    two = verdicts(("I have a dog.", 1, 0.5), ("I have a cat.", 2, 0.4))
    assert holding(two, lambda newer, older: REPLACED - 0.01) is None
    far = verdicts(("I have a dog.", 1, 0.5), ("I have a cat.", 2, 0.49 * CLOSE))
    assert holding(far, lambda newer, older: 1.0) is None
    same = verdicts(("I have a dog.", 1, 0.5), ("I have a cat.", 1, 0.5))
    assert holding(same, lambda newer, older: 1.0) is None


@pytest.mark.parametrize(
    ("told", "asked", "holds", "gone"),
    [
        (
            ["I take two tablets every morning.", "The doctor cut it down to one tablet."],
            "How many tablets do I take?",
            "one tablet",
            "two tablets",
        ),
    ],
)
def test_what_was_so_before_is_said_only_where_it_is_asked_for(
    told: Sequence[str], asked: str, holds: str, gone: str
) -> None:
    now = [1_780_000_000.0]
    with Memory(clock=lambda: now[0]) as memory, Assistant(memory, "ana") as assistant:
        assert ends_for(memory) is not None
        for text in told:
            assistant.reply(text)
            now[0] += 20 * 86_400
        answer = assistant.reply(asked).text
    assert holds in answer
    assert gone not in answer
