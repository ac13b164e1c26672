"""What memories say, for filters that look at words: read together once many are asked for."""

from __future__ import annotations

from itertools import islice

from ..asking import look
from ..bank import SlotBank
from ..engine import Engine
from .entries import Entry
from .filters import Words

__all__ = ["Said"]

ALONE = 8  # memories that are read one by one; to read many at once takes a fifth of the time for each
AHEAD = 4  # times as many as were asked for are read at most: of a large bank few may be asked for
AT_ONCE = 256  # memories; their owner is held for so long


class Said:
    """The words of one owner's memories, for the length of one list or search."""

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine, self._owner = engine, owner
        self._texts: dict[str, str] = {}
        self._asked: set[str] = set()
        self._ids: list[str] = []  # of all memories in the order of the bank, once that is needed
        self._places: dict[str, int] = {}

    def of(self, entry: Entry) -> Words:
        """Gives a memory's words when they are asked for; "" of one that went away meanwhile."""
        return lambda: self._words(entry.id)

    def _words(self, memory_id: str) -> str:
        self._asked.add(memory_id)
        if memory_id not in self._texts:
            with self._engine.owners.use(self._owner) as open_:
                wanted = self._wanted(memory_id, open_.bank)
                held = [one for one in wanted if open_.bank.rows_of(one)]
                self._texts |= {one.id: one.text for one in look(self._engine, open_, held, "auto")}
            self._texts.setdefault(memory_id, "")
        return self._texts[memory_id]

    def _wanted(self, memory_id: str, bank: SlotBank) -> list[str]:
        """A memory, and some that come after it in the bank, as far as it seems that they are asked for."""
        asked = len(self._asked)
        more = min(AHEAD * asked - len(self._texts), AT_ONCE) - 1
        if asked <= ALONE or more <= 0:
            return [memory_id]
        if not self._places:
            self._ids = bank.ids()
            self._places = {id_: place for place, id_ in enumerate(self._ids)}
        after = islice(self._ids, self._places.get(memory_id, len(self._ids)) + 1, None)
        return [memory_id, *islice((one for one in after if one not in self._texts), more)]
