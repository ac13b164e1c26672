"""Erasure takes the words off the disk and leaves every proof; damage is found and named."""

from __future__ import annotations

import errno
import random
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.config import LogConfig
from neuromem.errors import StoreCorrupt, StoreError, StoreFull
from neuromem.log import Event, EventLog, verify_consistency, verify_inclusion
from neuromem.records import Stored, head_key, record_key
from neuromem.storage.lmdb_files import LogFiles
from neuromem.storage.lmdb_store import LmdbStore

ROOT = Path(__file__).resolve().parents[1]
SMALL = LogConfig(map_mib=1)
# rare signs: zstd leaves them as they are, so that they can be looked for in the raw bytes
MARKER = "⡡⣵𐂂⠏⢧𐃏⣙⡖"


def said(text: str) -> Event:
    return Event("add", 1.0, {"text": text})


def stored_value(folder: Path, owner: str, seq: int) -> bytes:
    """The bytes of a record, as they lie in the file."""
    file = sorted(folder.glob("log-*.mdb"))[-1]
    with lmdb.open(str(file), subdir=False, readonly=True, lock=False) as env, env.begin() as txn:
        value = txn.get(record_key(owner.encode(), seq))
        assert value is not None
        return bytes(value)


def frame(folder: Path, owner: str, seq: int) -> bytes:
    """The compressed words of a record."""
    value = stored_value(folder, owner, seq)
    return Stored.from_bytes(record_key(owner.encode(), seq), seq, value).content


def on_disk(folder: Path, needle: bytes) -> bool:
    """Whether the bytes are anywhere in any file of the folder."""
    return any(needle in path.read_bytes() for path in folder.iterdir() if path.is_file())


def change(folder: Path, do: Callable[[lmdb.Transaction[bytes]], object]) -> None:
    """Changes entries behind the log's back."""
    file = sorted(folder.glob("log-*.mdb"))[-1]
    with lmdb.open(str(file), subdir=False, map_size=1 << 26) as env, env.begin(write=True) as txn:
        do(txn)


# Erasure


@pytest.mark.parametrize("size", [0, 900, 1_990, 2_500, 3_900, 40_000])
def test_an_erased_record_is_in_no_file_of_the_log(tmp_path: Path, size: int) -> None:
    rng = random.Random(size)
    filler = rng.randbytes(size // 2).hex()
    with EventLog(tmp_path, SMALL) as log:
        for _ in range(3):  # rewritten pages, freed pages and gaps hold copies of their own
            log.append_many("ana", (said(rng.randbytes(rng.randrange(1_500)).hex()) for _ in range(20)))
            log.append_many("ana", [said(filler), said(MARKER)])
    seqs = [20, 21, 42, 43, 64, 65]
    frames = [frame(tmp_path, "ana", seq) for seq in seqs]
    values = [stored_value(tmp_path, "ana", seq) for seq in seqs]
    assert all(on_disk(tmp_path, needle) for needle in (*frames, *values, MARKER.encode()))
    with EventLog(tmp_path, SMALL) as log:
        log.erase("ana", seqs)
        assert not any(on_disk(tmp_path, needle) for needle in (*frames, *values, MARKER.encode()))
        for seq in seqs:
            record = log.get("ana", seq)
            assert (record.erased, record.body, record.kind, record.time) == (True, {}, "erased", 0.0)
        assert log.length("ana") == 66
        assert log.stats()["erased"] == 6
        assert log.verify().ok


def test_chain_tree_and_old_proofs_outlive_an_erasure(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        log.append_many("ana", (said(f"fact {number}") for number in range(11)))
        head, root, proof = log.head("ana"), log.root("ana"), log.inclusion_proof("ana", 4)
        before = list(log.events("ana"))
        log.erase("ana", range(3, 6))
        assert (log.head("ana"), log.root("ana")) == (head, root)
        assert log.inclusion_proof("ana", 4) == proof
        assert verify_inclusion(root, log.get("ana", 4).hash, 4, 11, proof)
        after = list(log.events("ana"))
        assert [record.hash for record in after] == [record.hash for record in before]
        assert [record.chain for record in after] == [record.chain for record in before]
        log.append("ana", said("and on"))
        assert verify_consistency(root, log.root("ana"), 11, 12, log.consistency_proof("ana", 11, 12))
        assert log.verify().ok


@given(st.sets(st.integers(0, 29)), st.sets(st.integers(0, 29)))
def test_whatever_is_erased_the_rest_reads_and_all_verifies(first: set[int], second: set[int]) -> None:
    with EventLog(None) as log:
        log.append_many("ana", (said(str(number)) for number in range(30)))
        log.erase("ana", first)
        log.erase("ana", second)
        gone = first | second
        for record in log.events("ana"):
            assert record.erased == (record.seq in gone)
            assert record.body == ({} if record.erased else {"text": str(record.seq)})
        assert log.stats()["erased"] == len(gone)
        assert log.verify().ok


def test_a_dropped_owner_leaves_nothing_not_even_the_name(tmp_path: Path) -> None:
    name = f"Potola's friend {MARKER}"
    with EventLog(tmp_path) as log:
        log.append_many(name, (said(f"secret {number}") for number in range(300)))
        log.append("ana", said("stays"))
        assert on_disk(tmp_path, name.encode())
        log.drop_owner(name)
        assert not on_disk(tmp_path, name.encode())
        assert (log.owners(), log.length(name), log.head(name)) == (["ana"], 0, bytes(32))
        assert log.get("ana", 0).body == {"text": "stays"}
        log.drop_owner("nobody")
        assert log.append(name, said("again")) == 0
        assert log.verify().ok


def test_an_owner_whose_name_begins_another_is_dropped_alone(tmp_path: Path) -> None:
    names = ["a", "a\x00", "ab", "a\x00\x00\x00\x00\x00\x00\x00\x00"]
    with EventLog(tmp_path) as log:
        for name in names:
            log.append(name, said(name))
        log.drop_owner("a")
        assert log.owners() == sorted(names[1:], key=str.encode)
        assert log.verify().ok


def test_erasing_what_is_erased_or_nothing_copies_no_file(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        log.append_many("ana", [said("x"), said("y")])
        log.erase("ana", [1])
        files = sorted(path.name for path in tmp_path.iterdir())
        log.erase("ana", [1])
        log.erase("ana", [])
        assert sorted(path.name for path in tmp_path.iterdir()) == files


def test_others_read_and_append_while_records_are_erased(tmp_path: Path) -> None:
    with EventLog(tmp_path, SMALL) as log:
        log.append_many("ana", (said(str(number)) for number in range(400)))
        stop = threading.Event()
        faults: list[BaseException] = []
        appended = []

        def work(owner: str) -> None:
            try:
                while not stop.is_set():
                    appended.append((owner, log.append(owner, said("more"))))
                    assert sum(1 for _ in log.events("ana")) == 400
            except BaseException as error:
                faults.append(error)

        threads = [threading.Thread(target=work, args=(f"owner {number}",)) for number in range(3)]
        for thread in threads:
            thread.start()
        for seq in range(0, 400, 10):
            log.erase("ana", [seq])
        stop.set()
        for thread in threads:
            thread.join()
        assert faults == []
        assert all(log.get(owner, seq).body == {"text": "more"} for owner, seq in appended)
        assert log.verify().ok


CUT_OFF = """
import os, sys
from neuromem.log import EventLog
log = EventLog(sys.argv[1])
target = log._store._files if sys.argv[2] == "unlink" else log._store
setattr(target, sys.argv[2], lambda *_: os._exit(7))  # dies there, without any clean-up
log.erase("ana", [1])
"""


@pytest.mark.parametrize("step", ["_build", "_open", "unlink"])
def test_an_erasure_cut_off_at_any_step_is_ended_by_the_next_opening(tmp_path: Path, step: str) -> None:
    with EventLog(tmp_path) as log:
        log.append_many("ana", [said("stays"), said(MARKER)])
    command = [sys.executable, "-c", CUT_OFF, str(tmp_path), step]
    assert subprocess.run(command, cwd=ROOT, check=False, timeout=60).returncode == 7
    assert on_disk(tmp_path, MARKER.encode())
    with EventLog(tmp_path) as log:
        assert not on_disk(tmp_path, MARKER.encode())
        assert [record.erased for record in log.events("ana")] == [False, True]
        assert len(list(tmp_path.glob("log-*.mdb"))) == 1
        assert log.append("ana", said("and on")) == 2
        assert log.verify().ok


def test_a_copy_that_cannot_be_opened_is_not_taken_for_the_truth_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EventLog(tmp_path) as log:
        log.append_many("ana", [said("stays"), said(MARKER)])
        with monkeypatch.context() as patch:
            patch.setattr(LmdbStore, "_open", lambda *_: (_ for _ in ()).throw(OSError(28, "no space")))
            with pytest.raises(StoreFull):
                log.erase("ana", [1])
        assert log.stats()["purge_pending"]
        log.append("ana", said("after"))
    with EventLog(tmp_path) as log:
        assert [record.erased for record in log.events("ana")] == [False, True, False]
        assert not log.stats()["purge_pending"]
        assert not on_disk(tmp_path, MARKER.encode())


def test_an_erasure_that_the_disk_fails_is_a_store_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EventLog(tmp_path) as log:
        log.append_many("ana", [said("stays"), said(MARKER)])
        with monkeypatch.context() as patch:
            patch.setattr(LogFiles, "sync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "no disk")))
            with pytest.raises(StoreError, match="no disk"):
                log.erase("ana", [1])
    with EventLog(tmp_path) as log:
        assert [record.erased for record in log.events("ana")] == [False, True]
        assert not on_disk(tmp_path, MARKER.encode())


# Damage


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    with EventLog(tmp_path, SMALL) as log:
        log.append_many("ana", (said(f"fact {number}") for number in range(8)))
        log.append_many("ben", (said(f"fact {number}") for number in range(3)))
    return tmp_path


def test_every_flipped_bit_of_a_record_is_found_and_named(damaged: Path) -> None:
    value = stored_value(damaged, "ana", 5)
    file = next(damaged.glob("log-*.mdb"))
    intact = file.read_bytes()
    for place in range(0, len(value), 5):
        raw = bytearray(value)
        raw[place] ^= 1 << (place % 8)
        file.write_bytes(intact.replace(value, raw))
        with EventLog(damaged, SMALL) as log:
            with pytest.raises(StoreCorrupt, match=r"record 5 of 'ana' is damaged.*restore"):
                log.get("ana", 5)
            assert log.get("ana", 6).body == {"text": "fact 6"}
            report = log.verify()
            assert (report.ok, len(report.problems), report.records, report.owners) == (False, 1, 11, 2)
            assert report.problems[0].startswith("owner 'ana', seq 5: ")
            assert log.verify("ben").ok


def test_records_before_the_damaged_one_are_still_handed_out(damaged: Path) -> None:
    change(damaged, lambda txn: txn.put(record_key(b"ana", 5), b"junk"))
    with EventLog(damaged) as log:
        events = log.events("ana")
        assert [next(events).seq for _ in range(5)] == [0, 1, 2, 3, 4]
        with pytest.raises(StoreCorrupt):
            next(events)


def test_a_rewritten_record_with_a_fitting_check_breaks_chain_and_tree(damaged: Path) -> None:
    key = record_key(b"ana", 5)
    stored = Stored.from_bytes(key, 5, stored_value(damaged, "ana", 5))
    forged = Stored(stored.dictionary, stored.chain, stored.nodes, bytes(16), stored.content)
    change(damaged, lambda txn: txn.put(key, forged.to_bytes(key)))
    with EventLog(damaged) as log:
        assert log.get("ana", 5).body == {"text": "fact 5"}  # nothing to see in the record itself
        report = log.verify("ana")
        assert not report.ok
        assert {problem.split(":")[0] for problem in report.problems} == {"owner 'ana', seq 5"}


@pytest.mark.parametrize(
    ("tamper", "problem"),
    [
        (lambda txn: txn.delete(record_key(b"ana", 3)), "owner 'ana', seq 3: .*missing"),
        (lambda txn: txn.put(head_key(b"ana"), b"x" * 200), "head of the log of 'ana' is damaged"),
        (lambda txn: txn.delete(head_key(b"ben")), r"\+3 entries against what the owners' heads say"),
        (lambda txn: txn.put(b"d\x01", b"other words"), "dictionary 1 is damaged"),
        (
            lambda txn: txn.put(record_key(b"ana", 3), txn.get(record_key(b"ana", 4))),
            "record 3 of 'ana' is damaged",
        ),
    ],
)
def test_what_was_tampered_with_is_reported(
    damaged: Path, tamper: Callable[[lmdb.Transaction[bytes]], object], problem: str
) -> None:
    change(damaged, tamper)
    with EventLog(damaged, readonly=True) as log:
        report = log.verify()
    assert not report.ok
    assert any(re.search(problem, line) for line in report.problems), report.problems


def test_a_damaged_dictionary_is_healed_from_the_package(damaged: Path) -> None:
    """All words hang on it: it would be a pity to lose them to one bit."""
    change(damaged, lambda txn: txn.put(b"d\x01", b"x" + (txn.get(b"d\x01") or b"")[1:]))
    with EventLog(damaged, readonly=True) as log, pytest.raises(StoreCorrupt, match="dictionary 1"):
        log.get("ana", 5)
    with EventLog(damaged) as log:
        assert log.get("ana", 5).body == {"text": "fact 5"}
        assert log.verify().ok


def test_a_damaged_record_can_still_be_erased(damaged: Path) -> None:
    value = stored_value(damaged, "ana", 5)
    change(damaged, lambda txn: txn.put(record_key(b"ana", 5), value[:-1] + b"\x00"))
    with EventLog(damaged) as log:
        log.erase("ana", [5])
        assert log.get("ana", 5).erased
        assert not on_disk(damaged, value[50:-1])
        assert not log.verify().ok


def test_a_file_that_is_no_log_or_was_cut_short_is_an_error_not_a_crash(damaged: Path) -> None:
    file = next(damaged.glob("log-*.mdb"))
    intact = file.read_bytes()
    file.write_bytes(intact[: 3 * 4096])
    with pytest.raises(StoreCorrupt, match="restore it from a backup"), EventLog(damaged) as log:
        list(log.events("ana"))
    file.write_bytes(b"no database " * 1_000)
    with pytest.raises(StoreCorrupt, match="restore it from a backup"):
        EventLog(damaged)


def test_verify_tells_how_far_it_is(damaged: Path) -> None:
    told = []
    with EventLog(damaged) as log:
        assert log.verify(progress=lambda done, total: told.append((done, total))).ok
    assert told == [(8, 11), (11, 11)]
