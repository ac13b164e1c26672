"""What `neuromem voice` prints at the end: a row for each turn, its words readable in a narrow terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from neuromem.commands.voice import _show
from neuromem.voice import Turn

STAGES = ("speech", "recognize", "recall", "first_sentence", "first_audio", "total")


@pytest.mark.parametrize("more", [(), ("context", "model")])
def test_what_was_heard_can_be_read_in_80_columns(more: tuple[str, ...]) -> None:
    out = io.StringIO()
    turn = Turn(1, "what is my dog called", stages=dict.fromkeys((*STAGES, *more), 2_304.0))
    _show(Console(file=out, width=80, highlight=False, markup=False), [turn])
    table = out.getvalue()
    assert all(word in table for word in turn.heard.split())
    assert table.count("2304") == len(turn.stages)
    assert ("model" in table) == bool(more)
