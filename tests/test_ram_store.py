"""The log's store in RAM: what a scan gives, before and after changes; and that it looks no further."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.storage.store import FEW, RamStore, Txn

KEYS = st.binary(max_size=3) | st.sampled_from([b"o", b"oa", b"r\x00", b"r\xff", b"r\xff\xff", b"s"])
CHANGES = st.lists(st.tuples(KEYS, st.none() | st.binary(max_size=2)), max_size=12)


def changing(changes: list[tuple[bytes, bytes | None]]) -> Callable[[Txn], None]:
    def fill(txn: Txn) -> None:
        for key, value in changes:
            if value is None:
                txn.delete(key)
            else:
                txn.put(key, value)

    return fill


def model_of(entries: dict[bytes, bytes], prefix: bytes) -> list[tuple[bytes, bytes]]:
    return sorted(item for item in entries.items() if item[0].startswith(prefix))


@given(st.lists(CHANGES, max_size=4), CHANGES, st.binary(max_size=2))
def test_a_scan_gives_the_entries_of_a_prefix_sorted(
    commits: list[list[tuple[bytes, bytes | None]]], open_: list[tuple[bytes, bytes | None]], prefix: bytes
) -> None:
    store, model = RamStore(), dict[bytes, bytes]()
    for number, changes in enumerate([*commits, open_]):
        for key, value in changes:
            model.pop(key, None) if value is None else model.update({key: value})
        if number < len(commits):
            store.write(changing(changes))
            with store.read() as txn:
                assert txn.scan(prefix) == model_of(model, prefix)
                assert txn.entries() == len(model)

    def fill(txn: Txn) -> None:
        changing(open_)(txn)
        assert txn.scan(prefix) == model_of(model, prefix)
        assert txn.drop(prefix) == len(model_of(model, prefix))
        assert txn.scan(prefix) == []

    store.write(fill)
    with store.read() as txn:
        assert txn.scan(b"") == [item for item in sorted(model.items()) if not item[0].startswith(prefix)]


def test_many_new_keys_at_once_are_in_their_places() -> None:
    store = RamStore()
    store.write(changing([(b"m", b"")]))
    many = [bytes([number % 251, number // 251]) for number in reversed(range(4 * FEW))]
    store.write(changing([(key, key) for key in many]))
    with store.read() as txn:
        assert [key for key, _ in txn.scan(b"")] == sorted([*many, b"m"])


def test_what_fails_changes_nothing() -> None:
    store = RamStore()
    store.write(changing([(b"a", b"1")]))

    def fill(txn: Txn) -> None:
        txn.put(b"b", b"2")
        txn.delete(b"a")
        raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        store.write(fill)
    with store.read() as txn:
        assert txn.scan(b"") == [(b"a", b"1")]


def test_a_scan_looks_at_nothing_but_its_range() -> None:
    class Watched(dict[bytes, bytes]):
        looked = 0

        def __getitem__(self, key: bytes) -> bytes:
            Watched.looked += 1
            return super().__getitem__(key)

        def keys(self):  # type: ignore[no-untyped-def]
            raise AssertionError("all entries are looked at")

        __iter__ = items = keys

    store = RamStore()
    store.write(changing([(b"r%04d" % number, b"") for number in range(5_000)] + [(b"oana", b"head")]))
    store._entries = Watched(store._entries)
    with store.read() as txn:
        assert txn.scan(b"o") == [(b"oana", b"head")]
    assert Watched.looked == 1
