"""Getting ready to listen: patterns compiled, tables read, before the first words are said."""

from __future__ import annotations

import functools
from datetime import UTC, datetime

from ..current import view_of
from ..facts import Turn, extract
from ..facts.changes import change_of
from ..facts.frames import frame_of
from ..facts.sought import slots_sought
from ..facts.times import spans
from ..marks import traits_of
from .asked import asks_memory, read_question

__all__ = ["warm"]

SAID = "My sister Rosa moved to Porto last Friday, so I don't live with her any more."
ASKED = "Where did my sister live before she moved in May?"


@functools.cache
def warm() -> None:
    """Reads a statement and a question, for nothing: some hundred patterns are compiled when first needed.

    Once for each process; in a thread of its own nobody waits for it.
    """
    now = datetime.fromtimestamp(0, UTC)
    extract([Turn("user", SAID, None), Turn("assistant", ASKED, None)])
    for text in (SAID, ASKED):
        frame_of(text)
        change_of(text)
        spans(text, now)
        asks_memory(text)
    traits_of([SAID])
    read_question(ASKED)
    slots_sought(ASKED)
    view_of(ASKED, 0)
