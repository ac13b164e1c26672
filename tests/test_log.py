"""The event log: what is said comes back, in order, durable, one writer, many readers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neuromem.config import LogConfig
from neuromem.errors import Closed, InvalidInput, NotFound, StoreError
from neuromem.log import Event, EventLog, Record, verify_consistency, verify_inclusion
from neuromem.merkle import EMPTY_ROOT
from neuromem.records import RecordCodec, link
from neuromem.storage.commit import GroupCommit, Pending

ROOT = Path(__file__).resolve().parents[1]
SMALL = LogConfig(map_mib=1)
NASTY = [
    "",
    "\x00",
    "a\x00b",
    "Ünïcödé",
    "日本語",
    "👩‍👩‍👧",
    "\ud800 half a pair",
    "x" * 20_000,
    "\r\n\t\u2028",
]


def said(text: str, time: float = 1.0) -> Event:
    return Event("add", time, {"text": text})


def events_of(log: EventLog, owner: str) -> list[Event]:
    return [Event(record.kind, record.time, record.body) for record in log.events(owner)]


@pytest.fixture(params=["disk", "ram"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EventLog]:
    with EventLog(tmp_path / "log" if request.param == "disk" else None, SMALL) as opened:
        yield opened


def run(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


# Round trips

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
some_events = st.builds(
    Event,
    kind=st.text(min_size=1, max_size=64),
    time=st.floats(allow_nan=False, allow_infinity=False),
    body=st.dictionaries(st.text(), json_values, max_size=5),
)
some_owners = st.sampled_from(["a", "aa", "a\x00", "a\x00\x00\x00\x00\x00\x00\x00\x01", "ana", "日", "\x00"])


@given(st.lists(st.tuples(some_owners, some_events), max_size=12))
@example([("a", Event("add", -0.0, {text: [text]})) for text in NASTY])
def test_events_come_back_as_they_were_in_order_after_reopening(
    tmp_path_factory: pytest.TempPathFactory, appended: list[tuple[str, Event]]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    expected: dict[str, list[Event]] = {}
    with EventLog(folder, LogConfig(map_mib=1, sync=False)) as log:
        for owner, event in appended:
            assert log.append(owner, event) == len(expected.setdefault(owner, []))
            expected[owner].append(event)
        heads = {owner: (log.head(owner), log.root(owner)) for owner in expected}
    with EventLog(folder, LogConfig(map_mib=1, sync=False)) as log:
        assert log.owners() == sorted(expected, key=str.encode)
        for owner, events in expected.items():
            assert events_of(log, owner) == events
            assert log.length(owner) == len(events)
            assert (log.head(owner), log.root(owner)) == heads[owner]
        assert log.verify().ok


@given(st.lists(some_events, max_size=8))
def test_a_batch_stores_what_one_by_one_would(events: list[Event]) -> None:
    with EventLog(None) as log:
        assert log.append_many("batch", events) == list(range(len(events)))
        assert [log.append("single", event) for event in events] == list(range(len(events)))
        assert events_of(log, "batch") == events_of(log, "single") == events


def test_a_window_of_events_and_single_records(log: EventLog) -> None:
    log.append_many("ana", (said(str(number), number) for number in range(600)))
    assert [record.seq for record in log.events("ana", 250, 530)] == list(range(250, 530))
    assert [record.seq for record in log.events("ana", 590, 10_000)] == list(range(590, 600))
    assert list(log.events("ana", 700)) == list(log.events("nobody")) == []
    record = log.get("ana", 7)
    assert record == Record("ana", 7, 7.0, "add", {"text": "7"}, record.hash, record.chain, False)


def test_an_iteration_ends_where_the_log_ended_when_it_began(log: EventLog) -> None:
    log.append_many("ana", [said("one"), said("two")])
    seen = 0
    for record in log.events("ana"):
        log.append("ana", said(f"after {record.seq}"))
        seen += 1
    assert (seen, log.length("ana")) == (2, 4)


def test_a_log_in_ram_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with EventLog(None) as log:
        log.append("ana", said("hello"))
        assert log.stats()["bytes"] == 0
    assert list(tmp_path.iterdir()) == []


# Chain, tree and proofs


def test_the_chain_links_every_record_to_all_before_it(log: EventLog) -> None:
    assert log.head("ana") == bytes(32)
    log.append_many("ana", map(said, NASTY))
    chain = bytes(32)
    for record in log.events("ana"):
        chain = link(chain, record.seq, record.hash)
        assert record.chain == chain
    assert log.head("ana") == chain


def test_the_same_words_have_another_commitment_each_time(log: EventLog) -> None:
    log.append_many("ana", [said("yes")] * 20)
    assert len({record.hash for record in log.events("ana")}) == 20


def test_proofs_hold_for_every_record_and_every_past_size(log: EventLog) -> None:
    roots = [log.root("ana")]
    for number in range(21):
        log.append("ana", said(str(number)))
        roots.append(log.root("ana"))
    assert roots[0] == EMPTY_ROOT
    hashes = [record.hash for record in log.events("ana")]
    for size in range(22):
        assert log.root("ana", size) == roots[size]
        proof = log.consistency_proof("ana", size, 21)
        assert verify_consistency(roots[size], roots[21], size, 21, proof)
        for seq in range(size):
            assert verify_inclusion(
                roots[size], hashes[seq], seq, size, log.inclusion_proof("ana", seq, size)
            )


def test_a_proof_reads_few_records_however_long_the_log_is(log: EventLog) -> None:
    log.append_many("ana", (said("x") for _ in range(5_000)))
    assert len(log.inclusion_proof("ana", 4_321)) <= 13
    assert len(log.consistency_proof("ana", 1_234, 5_000)) <= 14


# Bad input

TOO_LONG = "é" * 200 + "x"


@pytest.mark.parametrize("owner", ["", TOO_LONG, "\ud800", 7, None, b"ana"])
def test_an_owner_is_a_name_of_1_to_400_bytes(log: EventLog, owner: Any) -> None:
    calls: list[Callable[[], object]] = [
        lambda: log.append(owner, said("x")),
        lambda: log.length(owner),
        lambda: log.drop_owner(owner),
    ]
    for call in calls:
        with pytest.raises(InvalidInput, match=r"^owner: .*; give") as caught:
            call()
        assert "\n" not in str(caught.value)


def test_the_longest_owner_is_stored(log: EventLog) -> None:
    log.append("é" * 200, said("x"))
    assert log.owners() == ["é" * 200]


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (Event("", 1.0, {}), "kind"),
        (Event("k" * 65, 1.0, {}), "kind"),
        (Event("add", float("nan"), {}), "time"),
        (Event("add", True, {}), "time"),
        (Event("add", "now", {}), "time"),  # type: ignore[arg-type]
        (Event("add", 1.0, []), "body"),  # type: ignore[arg-type]
        (Event("add", 1.0, {"x": (1, 2)}), "body"),
        (Event("add", 1.0, {"x": {1: 2}}), "body"),
        (Event("add", 1.0, {"x": {1, 2}}), "body"),
        (Event("add", 1.0, {"x": b"bytes"}), "body"),
        (Event("add", 1.0, {"x": float("inf")}), "body"),
    ],
)
def test_an_event_that_is_not_json_is_refused_and_its_batch_with_it(
    log: EventLog, event: Event, field: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        log.append_many("ana", [said("good"), event])
    assert log.length("ana") == 0


def test_places_that_are_not_in_the_log_are_named(log: EventLog) -> None:
    log.append("ana", said("x"))
    with pytest.raises(NotFound, match="'ana' has no record 1"):
        log.get("ana", 1)
    for call in (
        lambda: log.get("ana", -1),
        lambda: log.events("ana", -1),
        lambda: log.events("ana", 0, -1),
        lambda: log.root("ana", 2),
        lambda: log.inclusion_proof("ana", 1),
        lambda: log.consistency_proof("ana", 2, 1),
        lambda: log.erase("ana", [0, 1]),
    ):
        with pytest.raises(InvalidInput, match="is out of range; give a whole number from"):
            call()
    assert not log.get("ana", 0).erased


def test_a_closed_log_says_so(log: EventLog) -> None:
    log.append("ana", said("x"))
    half_read = log.events("ana")
    log.close()
    log.close()
    for call in (
        lambda: log.append("ana", said("y")),
        lambda: log.get("ana", 0),
        lambda: next(half_read),
        lambda: log.erase("ana", [0]),
        log.owners,
        log.stats,
        log.verify,
    ):
        with pytest.raises(Closed, match="the log is closed; open it again"):
            call()


# Threads and the map


def test_threads_that_append_at_once_share_commits(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        start = threading.Barrier(16)

        def talk(number: int) -> None:
            start.wait()
            for turn in range(25):
                seq = log.append(f"owner {number % 4}", said(f"{number} {turn}"))
                assert log.get(f"owner {number % 4}", seq).body == {"text": f"{number} {turn}"}

        threads = [threading.Thread(target=talk, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stats = log.stats()
        assert (stats["records"], stats["appends"]) == (400, 400)
        assert stats["commits"] < stats["appends"]
        assert log.verify().ok
        for owner in log.owners():  # what one thread said is in the order it was said in
            texts = [record.body["text"].split() for record in log.events(owner)]
            for number in {text[0] for text in texts}:
                assert [int(turn) for by, turn in texts if by == number] == list(range(25))


def test_all_who_wait_for_a_commit_are_in_the_next_one() -> None:
    batches: list[int] = []
    first, go_on = threading.Event(), threading.Event()

    def store(batch: Sequence[Pending]) -> list[list[int]]:
        batches.append(len(batch))
        first.set()
        assert go_on.wait(10)
        return [[number] for number in range(len(batch))]

    group = GroupCommit()
    threads = [
        threading.Thread(target=lambda: group.submit(Pending(b"ana", [b"x"]), store)) for _ in range(9)
    ]
    threads[0].start()
    assert first.wait(10)
    for thread in threads[1:]:
        thread.start()
    while len(group._queue) < 8:
        pass
    go_on.set()
    for thread in threads:
        thread.join()
    assert batches == [1, 8]
    assert (group.commits, group.appends) == (2, 9)


def test_one_that_cannot_be_stored_does_not_fail_the_others_of_its_commit() -> None:
    def store(batch: Sequence[Pending]) -> list[list[int]]:
        if any(pending.name == b"bad" for pending in batch):
            raise StoreError("bad")
        return [[7] for _ in batch]

    group = GroupCommit()
    batch = [Pending(name, [b"x"]) for name in (b"ana", b"bad", b"ben")]
    group._commit(batch, store)
    assert [pending.seqs for pending in batch] == [[7], None, [7]]
    assert isinstance(batch[1].error, StoreError)


def test_the_map_grows_while_others_read(tmp_path: Path) -> None:
    with EventLog(tmp_path, SMALL) as log:
        log.append("ana", said("first"))
        stop = threading.Event()
        faults: list[BaseException] = []

        def read() -> None:
            try:
                while not stop.is_set():
                    assert next(iter(log.events("ana"))).body == {"text": "first"}
            except BaseException as error:
                faults.append(error)

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for _ in range(24):
            log.append_many("ana", (said(os.urandom(4_000).hex()) for _ in range(50)))
        stop.set()
        for reader in readers:
            reader.join()
        assert faults == []
        assert log.stats()["bytes"] > 4 << 20
        assert log.verify().ok


# Size and start


def test_stats_count_and_the_dictionary_earns_its_place(tmp_path: Path) -> None:
    talk = "My dog's name is Potola", "I moved to Dallas last spring", "she works at the hospital on Mondays"
    with EventLog(tmp_path) as log:
        log.append_many("ana", (Event("turn", 1.7e9, {"role": "user", "content": text}) for text in talk))
        stats = log.stats()
        assert (stats["owners"], stats["records"], stats["erased"]) == (1, 3, 0)
        assert stats["compression_ratio"] > 1.4
        assert stats["bytes"] == next(tmp_path.glob("log-*.mdb")).stat().st_size
    assert len(RecordCodec.shipped_dictionary()) <= 32 << 10


def test_a_log_reads_with_the_dictionary_it_was_written_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EventLog(tmp_path) as log:
        log.append("ana", said("said with the first dictionary"))
    other = staticmethod(lambda: b"the words of another dictionary " * 40)
    with monkeypatch.context() as patch:
        patch.setattr(RecordCodec, "shipped_dictionary", other)
        for text in ("second", "third"):
            with EventLog(tmp_path) as log:
                log.append("ana", said(f"{text} words of another dictionary"))
    with EventLog(tmp_path) as log:
        log.append("ana", said("fourth"))
        assert [record.body["text"][:6] for record in log.events("ana")] == [
            "said w",
            "second",
            "third ",
            "fourth",
        ]
        assert log.verify().ok


def test_a_log_of_a_later_format_is_left_alone(tmp_path: Path) -> None:
    with EventLog(tmp_path) as log:
        log._store.write(lambda txn: txn.put(b"v", b"2"))
    with pytest.raises(StoreError, match="use the version that wrote it"):
        EventLog(tmp_path)


def test_importing_the_log_is_quick_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, time; start = time.process_time(); import neuromem.log;"
        "print(time.process_time() - start,"
        "[name for name in ('torch', 'numpy', 'lmdb', 'zstandard') if name in sys.modules])"
    )
    results = [run(code).stdout.split(maxsplit=1) for _ in range(3)]
    assert {loaded.strip() for _, loaded in results} == {"[]"}
    assert min(float(seconds) for seconds, _ in results) < 0.16
