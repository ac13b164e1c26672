"""The talk as a prompt can hold it: its last turns, without those whose words are to be told no more."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from weakref import ReferenceType, ref

from ..bank import SlotBank
from ..context import Said
from ..engine import Engine
from ..errors import NotFound
from ..history import retold
from ..log import Record
from .retracting import retracted

__all__ = ["Talk"]

LOOKED_BACK = 4  # records: a search may have been noted after the words


@dataclass(frozen=True, slots=True)
class _Turn:
    """One turn of the user or of the assistant."""

    said: Said
    exchange: int  # the same for what was said and what was answered to it
    place: int  # of its words in the log; -1 where they are not found
    ids: tuple[str, ...]  # memories that it told


class Talk:
    """The last turns of one owner's talk. What is deleted or taken back leaves it, with its answer."""

    def __init__(self, engine: Engine, owner: str, most: int) -> None:
        """Args: owner: as the log knows them. most: turns that are held."""
        self._engine, self._owner = engine, owner
        self._held: deque[_Turn] = deque(maxlen=most)
        self._count = self._exchanges = 0
        self._forgotten = engine.forgotten
        self._bank: ReferenceType[SlotBank] | None = None  # as it was looked at last …
        self._edition = 0  # … and what had been told it

    @property
    def turns(self) -> list[Said]:
        """Oldest first."""
        return [turn.said for turn in self._held]

    @property
    def earlier(self) -> int:
        """How many turns came before those that are held."""
        return self._count - len(self._held)

    def add(self, user: str, assistant: str, place: int, ids: Sequence[str]) -> None:
        """One exchange, when both sides of it are in the log.

        Args:
            assistant: "" where nothing was answered. place: of the user's words in the log.
            ids: memories that they told.
        """
        self._exchanges += 1
        self._add(Said.of("user", user), place, ids)
        if assistant:
            said = Said.of("assistant", assistant)
            self._add(said, self._place_of(said), ())

    def _add(self, said: Said, place: int, ids: Sequence[str]) -> None:
        self._held.append(_Turn(said, self._exchanges, place, tuple(ids)))
        self._count += 1

    def _place_of(self, said: Said) -> int:
        """Where the log has words that were said just now."""
        end = self._engine.log.length(self._owner)
        places = range(end - 1, max(-1, end - 1 - LOOKED_BACK), -1)
        return next((place for place in places if self._has(place, said)), -1)

    def _has(self, place: int, said: Said) -> bool:
        """Whether the log has these words at a place, or had its place only, and not the words."""
        try:
            record = self._engine.log.get(self._owner, place)
        except NotFound:  # everything was deleted
            return False
        words = None if record.erased else record.body.get("text")
        return isinstance(words, str) and Said.of(said.role, words) == said

    def refresh(self) -> None:
        """Drops what was deleted or taken back since, by whomever; costs next to nothing when nothing was."""
        if self._engine.forgotten != self._forgotten:
            self._forgotten = self._engine.forgotten
            self._drop_erased()
        with self._engine.owners.use(self._owner, settle=False) as open_:
            gone = self._retracted(open_.bank)
        if gone:
            self.drop(gone, self.records(gone))

    def _retracted(self, bank: SlotBank) -> set[str]:
        """What was taken back of what the turns told; looked for only when something was told since."""
        if self._bank is not None and self._bank() is bank and self._edition == bank.edition:
            return set()
        self._bank, self._edition = ref(bank), bank.edition
        return retracted(bank, dict.fromkeys(id_ for turn in self._held for id_ in turn.ids))

    def records(self, memory_ids: Iterable[str]) -> list[Record]:
        """The log's records of the words of memories, as far as they are held."""
        with self._engine.owners.use(self._owner, settle=False) as open_:
            found = [self._engine.record(open_, id_) for id_ in sorted(memory_ids)]
        return [record for record in found if record is not None and not record.erased]

    def drop(self, memory_ids: Iterable[str], records: Sequence[Record], *, all_like: bool = False) -> None:
        """Drops the exchanges that told memories, or in which the assistant tells them again.

        Args:
            records: of the words of the memories. all_like: the user's turns that are like them as well.
        """
        ids = set(memory_ids)
        self._drop(
            turn
            for turn in self._held
            if ids & {*turn.ids}
            or ((all_like or turn.said.role == "assistant") and retold(turn.said.text, records))
        )

    def _drop_erased(self) -> None:
        """Drops the exchanges of which the log has words no more."""
        erased = [turn for turn in self._held if turn.place >= 0 and not self._has(turn.place, turn.said)]
        self._drop(erased)

    def _drop(self, turns: Iterable[_Turn]) -> None:
        exchanges = {turn.exchange for turn in turns}
        if exchanges:
            held = [turn for turn in self._held if turn.exchange not in exchanges]
            self._count -= len(self._held) - len(held)
            self._held = deque(held, self._held.maxlen)
