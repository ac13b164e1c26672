"""The talk so far within its share: the newest turns word for word, older ones as gists, the rest left out.

Where compression begins moves by whole blocks of turns, counted from the beginning of the talk, so that
from one prompt to the next the beginning mostly stays the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Self

from ..config import ContextConfig
from ..errors import InvalidInput
from ..tokens import Count, cut_middle
from .lines import MOST_READ, one_line, printable

__all__ = ["EARLIER", "Planner", "Said", "Talk", "newest"]

EARLIER = "Earlier in this talk:"
ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class Said:
    """One turn of the talk."""

    role: str  # "user" or "assistant"
    text: str

    @classmethod
    def of(cls, role: str, content: str) -> Self:
        """What a prompt can hold of a turn."""
        return cls(role, printable(content).strip())


@dataclass(slots=True)
class Talk:
    """What a prompt holds of the talk."""

    gists: list[str] = field(default_factory=list)  # lines, oldest first
    turns: list[Said] = field(default_factory=list)
    tokens: int = 0
    dropped: int = 0  # turns of which neither words nor gists are there


def newest(history: Sequence[Mapping[str, Any] | Said], most: int) -> list[Said]:
    """The last turns of a talk; instructions and reports of tools are no talk.

    Raises:
        InvalidInput: a turn is not {role, content}; names it.
    """
    taken, length = list(islice(reversed(history), most)), len(history)
    said = [
        turn if isinstance(turn, Said) else _read(turn, f"history[{length - 1 - place}]")
        for place, turn in enumerate(taken)
    ]
    return [turn for turn in reversed(said) if turn is not None and turn.text]


def _read(turn: object, field_: str) -> Said | None:
    if not isinstance(turn, dict | Mapping):  # the first is the usual one, and quickly told
        raise InvalidInput(field_, f"is of type {type(turn).__name__}", "give an object {role, content}")
    role, content = turn.get("role", "user"), turn.get("content")
    if role not in ROLES:
        return None
    if not isinstance(content, str | bytes) and isinstance(content, Sequence):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        content = "\n".join(part for part in parts if isinstance(part, str))
    if content is not None and not isinstance(content, str):
        raise InvalidInput(f"{field_}.content", f"is of type {type(content).__name__}", "give a string")
    said, name = Said.of(role, content or ""), one_line(str(turn.get("name") or ""))
    return replace(said, text=f"{name}: {said.text}") if name and role == "user" and said.text else said


@dataclass(frozen=True, slots=True)
class Planner:
    """Chooses what of the talk is in a prompt."""

    config: ContextConfig
    overhead: int  # tokens around a message
    count: Count  # tokens of a piece of text
    gists: Callable[[str], tuple[str, ...]]  # as `gist_lines`
    longest: int  # tokens of a turn at most
    cut: Callable[[str], str]  # a turn to that length

    def plan(self, turns: Sequence[Said], first: int, allowed: int, share: int) -> Talk:
        """Words, gists or nothing for each turn.

        Args:
            turns: the newest ones, oldest first. first: how many came before them.
            allowed: tokens up to which the prompt needs no compression. share: tokens at most.
        """
        turns, costs = self._counted(turns, share)
        start = self._start(costs, first, allowed, share)
        while 0 < start < len(turns) - 1 and turns[start].role == "assistant":
            start += 1  # an answer without its question; and some templates want a user to begin
        talk = Talk(turns=list(turns[start:]), tokens=sum(costs[start:]))
        for turn in turns[-2:]:  # known when it is their turn to be compressed, many at a time
            self._gists_of(turn)
        if not talk.turns and turns:
            talk = self._last_alone(turns[-1], share)
        told = self._add_gists(talk, turns[: len(turns) - len(talk.turns)], first, share)
        talk.dropped = first + len(turns) - len(talk.turns) - told
        return talk

    def _counted(self, turns: Sequence[Said], share: int) -> tuple[list[Said], list[int]]:
        """Turns as they would be written, and their tokens; what no share is left for costs more than it."""
        written, costs, left = list(turns), [max(0, share) + 1] * len(turns), share
        for place in range(len(turns) - 1, -1, -1):
            if left < 0:
                break
            turn = turns[place]
            if len(turn.text) > MOST_READ or self.overhead + self.count(turn.text) > self.longest:
                turn = written[place] = replace(turn, text=self.cut(turn.text))
            costs[place] = self.overhead + self.count(turn.text)
            left -= costs[place]
        return written, costs

    def _start(self, costs: Sequence[int], first: int, allowed: int, share: int) -> int:
        """Place of the first turn that is kept word for word."""
        newest_ = max(0, len(costs) - self.config.recent_turns)
        start = _fitting(costs, min(allowed, share))
        if start > newest_:  # the newest stay as long as their share lasts
            start = max(newest_, _fitting(costs, share))
        block = self.config.block_turns if start else 1
        latest = max(start, min(newest_, (start + len(costs)) // 2))  # half of what fits stays at least
        while _aligned(first, start, block) > latest:
            block //= 2
        return _aligned(first, start, block)

    def _last_alone(self, turn: Said, share: int) -> Talk:
        """The last turn, cut to fit."""
        room = share - self.overhead
        text = cut_middle(turn.text, room, self.count)
        return Talk(turns=[Said(turn.role, text)], tokens=share - room + self.count(text)) if text else Talk()

    def _add_gists(self, talk: Talk, older: Sequence[Said], first: int, share: int) -> int:
        """Puts the gists of older turns into a talk; returns of how many turns."""
        heading = self.count(f"\n\n{EARLIER}")
        left = min(self.config.gists, share - talk.tokens) - heading
        start = len(older)
        while start and left >= 0:
            left -= self._cost(self._gists_of(older[start - 1]))
            start -= left >= 0
        if start or first:
            block = self.config.block_turns
            start = min(_aligned(first, start, block), max(start, len(older) - block // 2))
        told = [self._gists_of(turn) for turn in older[start:]]
        talk.gists = list(dict.fromkeys(line for lines in told for line in lines))
        if talk.gists:
            talk.tokens += heading + self._cost(talk.gists)
        return sum(map(bool, told))

    def _gists_of(self, turn: Said) -> tuple[str, ...]:
        return self.gists(turn.text[:MOST_READ]) if turn.role == "user" else ()

    def _cost(self, lines: Iterable[str]) -> int:
        return sum(self.count(f"\n{line}") for line in lines)


def _fitting(costs: Sequence[int], limit: int) -> int:
    """Place from which on the costs are at most `limit` together."""
    left = limit
    for place in range(len(costs) - 1, -1, -1):
        left -= costs[place]
        if left < 0:
            return place + 1
    return 0


def _aligned(first: int, place: int, block: int) -> int:
    """The next place, from `place` on, that is a multiple of a block in the whole talk."""
    return -(-(first + place) // block) * block - first
