"""What a sound archive is given wrongly is refused by the name of the field, and changes nothing."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuromem.errors import InvalidInput, NotFound
from neuromem.sound import SoundArchive


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("id", {"id": 5}),
        ("id", {"id": None}),
        ("time", {"time": "now"}),
        ("time", {"time": np.array([1.0, 2.0])}),
        ("key", {"key": "words"}),
        ("key", {"key": {"a": 1}}),
        ("key", {"key": [[1.0], [2.0, 3.0]]}),
        ("key", {"key": [1e308, 1e308]}),
    ],
)
def test_a_record_is_refused_by_the_field(tmp_path: Path, field: str, wrong: dict[str, Any]) -> None:
    with SoundArchive(tmp_path / "a.flac", profile="mobile") as archive, warnings.catch_warnings():
        warnings.simplefilter("error")
        archive.append("there", id="a")
        with pytest.raises(InvalidInput, match=field):
            archive.append(**{"value": "never", "id": "b", **wrong})
    with SoundArchive(tmp_path / "a.flac", readonly=True) as archive:
        assert [entry.id for entry in archive] == ["a"]


def test_notes_that_are_no_json_are_refused_and_the_version_waits(tmp_path: Path) -> None:
    with SoundArchive(tmp_path / "a.flac", profile="mobile") as archive:
        archive.append("there", id="a")
        with pytest.raises(InvalidInput, match="notes"):
            archive.flush({"head": object()})
        assert archive.flush({"head": "1"}) == 0
        assert archive.notes() == {"head": "1"}
        assert archive.records == 1


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none does not exist"):
        SoundArchive(tmp_path / "none" / "a.flac", profile="mobile")
