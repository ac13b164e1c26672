"""What an archive looks things up by: columns, ranges of ids, the Bloom filter, and the keys."""

from __future__ import annotations

import random
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuromem.errors import ArchiveInvalid, InvalidInput, NotFound
from neuromem.sound import SoundArchive
from neuromem.sound.blocks import VAIN, Table, filter_of, make_blocks
from neuromem.sound.columns import ColumnReader, ids_out, ints_out, times_out
from neuromem.sound.records import Entry, squeeze
from neuromem.sound.vectors import EXACT, Vectors, rounded

I64 = st.integers(-(2**63), 2**63 - 1)
SOME_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
IDS = st.one_of(
    SOME_TEXT,
    st.integers(0, 10**20).map(lambda n: f"r{n}"),
    st.uuids().map(str),
    st.just("007"),
    st.just("٣"),
)


@settings(deadline=None)
@given(st.lists(I64))
def test_whole_numbers_come_back(numbers: list[int]) -> None:
    assert ColumnReader(ints_out(numbers)).ints(len(numbers)).tolist() == numbers


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_times_come_back_to_the_last_bit(times: list[float]) -> None:
    assert ColumnReader(times_out(times)).times(len(times)).tolist() == times


@settings(deadline=None)
@given(st.one_of(st.lists(IDS, min_size=1), st.lists(st.uuids().map(str), min_size=1)))
def test_ids_come_back_and_the_last_of_each_is_found(ids: list[str]) -> None:
    found = ColumnReader(ids_out(ids)).ids(len(ids))
    assert found.all() == ids
    for name in ids:
        assert found.find(name) == len(ids) - 1 - ids[::-1].index(name)
    assert found.find("nobody at all") is None
    assert found.at(len(ids) // 2) == ids[len(ids) // 2]


def test_dated_ids_and_regular_times_cost_next_to_nothing() -> None:
    assert len(squeeze(ids_out([f"turn-{at}" for at in range(10_000)]))) < 100
    assert len(squeeze(times_out([1.7e9 + 30 * at for at in range(10_000)]))) < 100
    assert len(ids_out([str(UUID(int=at, version=4)) for at in range(1_000)])) <= 16_001


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 50))
def test_rubbish_is_no_column(raw: bytes, count: int) -> None:
    for read in (ColumnReader.ints, ColumnReader.times, ColumnReader.ids):
        try:
            read(ColumnReader(raw), count)
        except ArchiveInvalid:
            continue


def blocks_of(ids: list[str]) -> Table:
    return make_blocks([Entry(name, b"x" * 100, "bytes", 0.0) for name in ids], 3)[1]


def test_rising_ids_need_no_filter_and_lead_to_one_block() -> None:
    ids = [f"r{at}" for at in range(40_000)]
    table = blocks_of(ids)
    assert table.ordered
    assert filter_of(table, ids) == b""
    owner = np.repeat(np.arange(len(table)), table.columns["count"])
    for at in (0, 9, 10, 99, 12_345, 39_999):
        assert table.candidates(ids[at], lambda *_: b"") == [owner[at]]
    assert table.candidates("r40000", lambda *_: b"") == []
    read = Table.from_bytes(table.to_bytes(), len(ids), 1 << 40)
    assert (read.least, read.greatest) == (table.least, table.greatest)


def test_other_ids_have_a_filter_that_is_rarely_wrong() -> None:
    rng = random.Random(0)
    ids = [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(50_000)]
    table = blocks_of(ids)
    assert not table.ordered
    filter_ = filter_of(table, ids)
    assert len(filter_) == table.filter_bytes()

    def candidates(name: str) -> list[int]:
        return table.candidates(name, lambda at, size: filter_[at : at + size])

    owner = np.repeat(np.arange(len(table)), table.columns["count"])
    vain = 0
    for at in range(0, len(ids), 250):
        found = candidates(ids[at])
        assert owner[at] in found
        vain += len(found) - 1
    strange = [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(300)]
    vain += sum(len(candidates(name)) for name in strange)
    assert vain / 500 < 2 * VAIN


def test_an_archive_of_unordered_ids_finds_each_and_no_other(tmp_path: Path) -> None:
    rng = random.Random(1)
    ids = [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(6_000)]
    with SoundArchive(tmp_path / "a.flac", "desktop") as archive:
        for start in (0, 3_000):
            rows = ((rng.randbytes(150), id_, 0.0, None) for id_ in ids[start : start + 3_000])
            archive.append_many(rows)
            archive.append("again", id=ids[7])
            archive.flush()
        assert {archive.get(id_).id for id_ in ids[::97]} == set(ids[::97])
        assert archive.get(ids[7]).value == "again"
        with pytest.raises(NotFound):
            archive.get(str(UUID(int=5, version=4)))


def test_keys_are_found_exactly_where_there_are_few_and_nearly_where_there_are_many() -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((200, 64)).astype(np.float32)

    def near(count: int) -> np.ndarray:
        return centres[rng.integers(0, 200, count)] + 0.6 * rng.standard_normal((count, 64)).astype(
            np.float32
        )

    for count, least in ((2_000, 0.97), (EXACT // 64 + 10_000, 0.95)):
        rows = near(count)
        vectors, right = Vectors(rounded(rows)), 0
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        for query in near(20):
            query /= np.linalg.norm(query)
            found, scores = vectors.best(query, 10)
            exact = np.argsort(-(rows @ query))[:10]
            right += len(set(found.tolist()) & set(exact.tolist()))
            assert np.allclose(scores, rows[found] @ query, atol=0.01)
            assert (np.diff(scores) <= 0).all()
        assert right / 200 >= least


def test_rounding_a_key_twice_changes_nothing() -> None:
    once = rounded(np.random.default_rng(0).standard_normal((50, 32)))
    assert (rounded(once) == once).all()


def test_keys_can_be_left_out(tmp_path: Path) -> None:
    sizes = {}
    for semantic in (True, False):
        path = tmp_path / f"{semantic}.flac"
        with SoundArchive(path, "desktop", semantic=semantic) as archive:
            rng = np.random.default_rng(0)
            archive.append_many((f"fact {at}", f"r{at}", 0.0, rng.standard_normal(384)) for at in range(500))
            archive.flush()
            assert bool(archive.search(np.ones(384))) is semantic
        sizes[semantic] = path.stat().st_size
    assert sizes[False] < sizes[True] / 10


@pytest.mark.parametrize("limit", [0, -1])
def test_fewer_results_than_one_are_refused(tmp_path: Path, limit: int) -> None:
    with SoundArchive(tmp_path / "a.flac", "desktop") as archive:
        archive.append("x", id="x", key=[1.0, 0.0])
        archive.flush()
        with pytest.raises(InvalidInput, match="limit"):
            archive.search([1.0, 0.0], limit)


def test_an_archive_tells_whether_it_has_an_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`in` once went through all records and compared each with the id: it was always False."""
    with SoundArchive(tmp_path / "ids.flac", profile="mobile") as archive:
        for number in range(20):
            archive.append("words", id=f"r{number}")
        archive.flush()
        archive.delete("r3")
        archive.append("words", id="waits")
        monkeypatch.setattr(SoundArchive, "_backwards", lambda _: pytest.fail("it looked at all of them"))
        assert "r7" in archive
        assert "waits" in archive
        assert all(id_ not in archive for id_ in ("r3", "r20", "", None, 7))
