"""A conversation as it is shown to a model: a few turns at a time, with a little of what went before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from ..facts import Turn
from ..facts.turns import SILENT
from ..text import split_to_fit
from .grounding import Said
from .prompt import Piece

__all__ = ["Shown"]

TURNS = 12  # shown to the model at once
CONTEXT_TURNS = 4  # before them, only to understand them


class Shown:
    """The turns of one call of the extractor."""

    def __init__(
        self,
        turns: Sequence[Turn],
        times: Sequence[float] | None = None,
        earlier: Sequence[str] = (),
        zone: tzinfo = UTC,
    ) -> None:
        """Args: as `facts.extract`."""
        self._turns, self._times, self._zone = turns, times, zone
        spoken = [text.partition(": ") for text in earlier]
        self._earlier = [
            Piece(
                -1,
                role if mark and role in ("user", "assistant") else "user",
                said if mark else role,
                None,
                None,
            )
            for role, mark, said in spoken
        ]

    def piece(self, index: int) -> Piece:
        """A turn, whole."""
        turn = self._turns[index]
        now = None if self._times is None else datetime.fromtimestamp(self._times[index], self._zone)
        return Piece(index, turn.role, turn.text, turn.speaker, now)

    def before(self, index: int, most: int) -> list[Piece]:
        """The last turns before one, as many as fit."""
        visible = [
            at for at in range(max(0, index - 2 * CONTEXT_TURNS), index) if self._turns[at].role not in SILENT
        ]
        pieces = [*self._earlier, *map(self.piece, visible)][-CONTEXT_TURNS:]
        kept: list[Piece] = []
        for piece in reversed(pieces):
            most -= len(piece.text)
            if most < 0:
                break
            kept.insert(0, piece)
        return kept

    def said(self, piece: Piece, before: Sequence[Piece]) -> Said:
        """What a statement that quotes a piece may be made of."""
        names = tuple({one.speaker for one in (*before, piece) if one.speaker})
        last = next((one for one in reversed(before) if one.turn != piece.turn), None)
        asked = (
            last is not None and "?" in last.text and (last.role, last.speaker) != (piece.role, piece.speaker)
        )
        return Said(piece.text, tuple(one.text for one in before), names, piece.speaker, piece.now, asked)

    def windows(self, asked: Sequence[int], most: int) -> list[list[Piece]]:
        """Turns in groups of at most so many characters; a long turn in parts."""
        windows: list[list[Piece]] = []
        size = 0
        for index in asked:
            piece = self.piece(index)
            for text in split_to_fit(piece.text, max(4, most)):
                if not windows or len(windows[-1]) >= TURNS or size + len(text) > most:
                    windows.append([])
                    size = 0
                if text.strip():
                    windows[-1].append(replace(piece, text=text))
                    size += len(text)
        return [window for window in windows if window]
