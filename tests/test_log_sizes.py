"""The length of a log is kept at hand, and is never that of another time."""

from __future__ import annotations

from pathlib import Path

import pytest

from neuromem.errors import Closed
from neuromem.log import Event, EventLog
from neuromem.storage.sizes import Sizes


def said(text: str) -> Event:
    return Event("add", 1.0, {"text": text})


def test_a_length_is_that_of_the_last_append_whatever_happened_to_the_owner(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        assert log.length("ana") == 0
        for length in (1, 2, 3):
            log.append("ana", said("tea"))
            assert log.length("ana") == length
        log.erase("ana", [1])
        assert log.length("ana") == 3
        kept = log.stored("ana")
        log.drop_owner("ana")
        assert log.length("ana") == 0
        log.append("ben", said("milk"))
        log.adopt("ana", kept)
        assert (log.length("ana"), log.length("ben")) == (3, 1)
    with pytest.raises(Closed):
        log.length("ana")


def test_what_was_looked_up_while_an_owner_was_dropped_is_not_kept() -> None:
    sizes = Sizes()

    def look() -> int:
        sizes.forget()  # dropped meanwhile
        return 7

    assert sizes.of(b"ana", look) == 7
    assert sizes.of(b"ana", lambda: 0) == 0


def test_what_was_appended_meanwhile_is_newer_than_what_was_looked_up() -> None:
    sizes = Sizes()

    def look() -> int:
        sizes.note(b"ana", 8)
        return 7

    assert sizes.of(b"ana", look) == 8


def test_a_reader_looks_every_time() -> None:
    sizes = Sizes(known=False)
    assert sizes.of(b"ana", lambda: 1) == 1
    assert sizes.of(b"ana", lambda: 2) == 2
