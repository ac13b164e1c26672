"""Many threads, many owners, a second process: nothing is lost and nobody sees another's words."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from conftest import FakeClock

from neuromem import Memory
from neuromem.errors import NeuromemError, NotFound
from neuromem.linear import Threads
from neuromem.owners import OpenOwner

USERS = ("ana", "ben", "cem", "dora", "eva")


def together(count: int, work: Callable[[int], None]) -> None:
    """Runs work(0) … work(count - 1) in threads at once; raises the first error of any."""
    errors: list[BaseException] = []
    gate = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            gate.wait(30)
            work(number)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "threads wait for each other"
    if errors:
        raise errors[0]


def open_(path: Path | None, clock: FakeClock, **bank: int) -> Memory:
    return Memory(path, encoder="hash", clock=clock, config={"bank": bank})


@pytest.mark.slow
@pytest.mark.parametrize("open_banks", [64, 2], ids=["all open", "two open at a time"])
def test_eight_threads_add_and_search_for_five_users_and_nothing_is_lost(
    tmp_path: Path, fake_clock: FakeClock, open_banks: int
) -> None:
    told: dict[str, set[str]] = {user: set() for user in USERS}

    def work(thread: int) -> None:
        for number in range(10):
            user = USERS[(thread + number) % len(USERS)]
            text = f"{user} saw bird {thread} of kind {number}"
            (written,) = memory.add(text, user_id=user, infer=False)
            told[user].add(text)
            assert memory.get(written.id).text == text
            found = memory.search(f"bird {thread}", user_id=user, limit=3)
            assert found
            assert all(recall.text.startswith(user) for recall in found)

    with open_(tmp_path, fake_clock, open_banks=open_banks) as memory:
        together(8, work)
        for user in USERS:
            assert {recall.text for recall in memory.all(user_id=user)} == told[user]
        assert memory.verify().ok
    with open_(tmp_path, fake_clock) as memory:
        for user in USERS:
            assert {recall.text for recall in memory.all(user_id=user)} == told[user]


def test_threads_that_open_the_first_bank_at_once_share_it(fake_clock: FakeClock) -> None:
    with open_(None, fake_clock) as memory:
        together(8, lambda number: memory.add(f"Fact number {number}", user_id="ana", infer=False) and None)
        assert len(memory.all(user_id="ana")) == 8
        assert len(memory.bank("ana")) == 8


def test_adding_deleting_sleeping_rebuilding_and_searching_at_once(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    def work(thread: int) -> None:
        for number in range(6):
            text = f"Thread {thread} said {number}"
            (written,) = memory.add(text, user_id="ana", infer=False)
            if thread == 0:
                memory.sleep()
            elif thread == 1:
                memory.rebuild(user_id="ana")
            elif thread == 2:
                memory.delete(written.id)
            else:
                memory.search("thread said", user_id="ana")

    with open_(tmp_path, fake_clock) as memory:
        together(5, work)
        held = {recall.text for recall in memory.all(user_id="ana")}
        assert held == {f"Thread {t} said {n}" for t in (0, 1, 3, 4) for n in range(6)}
        assert memory.verify().ok


def test_deleting_an_owner_while_others_write_leaves_no_stale_bank(fake_clock: FakeClock) -> None:
    def work(thread: int) -> None:
        for number in range(8):
            memory.add(f"Thread {thread} said {number}", user_id="ana", infer=False)
            if thread == 0:
                memory.delete_all(user_id="ana")

    with open_(None, fake_clock) as memory:
        together(4, work)
        live = {recall.text for recall in memory.all(user_id="ana")}
        memory.rebuild(restore=False)
        assert {recall.text for recall in memory.all(user_id="ana")} == live
        (again,) = memory.add("The last word", user_id="ana", infer=False)
        assert memory.get(again.id).text == "The last word"


def test_closing_while_others_work_ends_in_closed_and_not_in_a_deadlock(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    memory = open_(tmp_path, fake_clock)
    memory.add("I like tea", user_id="ana")
    acknowledged: list[str] = []

    def work(thread: int) -> None:
        try:
            for number in range(50):
                if thread == 0 and number == 3:
                    memory.close()
                elif thread == 1:
                    memory.rebuild(user_id="ana")
                else:
                    text = f"Thread {thread} said {number}"
                    memory.add(text, user_id="ana", infer=False)
                    acknowledged.append(text)
        except NeuromemError:
            pass

    together(4, work)
    memory.close()
    with open_(tmp_path, fake_clock) as again:
        assert set(acknowledged) <= {recall.text for recall in again.all(user_id="ana")}
        assert again.verify().ok


# --- the banks that are kept open --------------------------------------------------------------


def test_the_least_recently_used_banks_are_closed_and_open_again_as_they_were(
    tmp_path: Path, fake_clock: FakeClock
) -> None:
    with open_(tmp_path, fake_clock, open_banks=2) as memory:
        for day in range(3):
            for user in USERS:
                memory.add(f"{user} says {day}", user_id=user, infer=False)
                assert len(memory.engine.owners._open) <= 2
            fake_clock.advance(days=1)
        for user in USERS:
            bank = {name: tensor.clone() for name, tensor in memory.bank(user).state_dict().items()}
            memory.rebuild(user_id=user, restore=False)
            assert all(tensor.equal(bank[name]) for name, tensor in memory.bank(user).state_dict().items())
            assert len(memory.all(user_id=user)) == 3
        assert len(memory.engine.owners._open) <= 2


def test_in_ram_a_bank_that_was_closed_is_folded_from_the_log_again(fake_clock: FakeClock) -> None:
    with open_(None, fake_clock, open_banks=1) as memory:
        ids = {user: memory.add(f"I am {user}", user_id=user, infer=False)[0].id for user in USERS}
        assert {user: memory.get(id_).text for user, id_ in ids.items()} == {
            user: f"I am {user}" for user in USERS
        }


def test_owners_are_searched_and_opened_while_another_one_is_read_from_the_disk(
    fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_(None, fake_clock, open_banks=4) as memory:
        owners, reading, go_on = memory.engine.owners, threading.Event(), threading.Event()
        load = owners._load

        def slow(name: str) -> OpenOwner:
            if name == "user:ana":
                reading.set()
                assert go_on.wait(30)
            return load(name)

        monkeypatch.setattr(owners, "_load", slow)
        memory.add("Ben likes tea", user_id="ben", infer=False)
        found: list[str] = []
        waiting = [
            threading.Thread(target=lambda: found.append(memory.add("I like tea", user_id="ana")[0].id))
            for _ in range(2)
        ]
        for thread in waiting:
            thread.start()
        assert reading.wait(30)
        assert memory.search("tea", user_id="ben")
        memory.add("Cem likes tea", user_id="cem", infer=False)
        go_on.set()
        for thread in waiting:
            thread.join(30)
        assert len(found) == 2
        assert len(memory.all(user_id="ana")) == 1  # one bank of hers, so the second was heard again
        assert owners._opening == {}


def test_each_thread_that_is_inside_runs_torch_on_the_threads_asked_for() -> None:
    threads, counts = Threads(1), dict[int, list[int]]()
    inside = threading.Barrier(2)

    def work(number: int) -> None:
        torch.set_num_threads(2)
        with threads, threads:
            inside.wait(30)
            counts[number] = [torch.get_num_threads()]
            inside.wait(30)
        counts[number].append(torch.get_num_threads())

    before = torch.get_num_threads()
    together(2, work)
    torch.set_num_threads(before)
    assert counts == {0: [1, 2], 1: [1, 2]}


# --- a second process --------------------------------------------------------------------------

READER = """
import json, sys
from neuromem import Memory
with Memory(sys.argv[1], encoder="hash", clock=lambda: float(sys.argv[2]), readonly=True) as memory:
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        texts = [recall.text for recall in getattr(memory, command)(*arguments, user_id="ana")]
        print(json.dumps(sorted(texts)), flush=True)
"""


@pytest.mark.slow
def test_another_process_reads_while_this_one_writes(tmp_path: Path, fake_clock: FakeClock) -> None:
    with open_(tmp_path, fake_clock) as memory:
        tea = memory.add("I like tea", user_id="ana", infer=False)[0].id
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(tmp_path), str(fake_clock())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1],
        )  # fmt: skip
        assert reader.stdin is not None
        assert reader.stdout is not None

        def ask(*command: str) -> list[str]:
            reader.stdin.write(json.dumps(command) + "\n")
            reader.stdin.flush()
            answer: list[str] = json.loads(reader.stdout.readline())
            return answer

        try:
            assert ask("all") == ["I like tea"]
            memory.add("I like coffee", user_id="ana", infer=False)
            assert ask("all") == ["I like coffee", "I like tea"], "what is acknowledged is seen at once"
            assert "I like coffee" in ask("search", "coffee")
            memory.delete(tea)
            assert ask("all") == ["I like coffee"]
            memory.delete_all(user_id="ana")
            assert ask("all") == []
            memory.add("I like juice", user_id="ana", infer=False)
            assert ask("all") == ["I like juice"]
        finally:
            reader.stdin.close()
            reader.wait(30)
            reader.stdout.close()
        assert reader.returncode == 0


def test_a_memory_that_another_thread_deleted_is_not_found(fake_clock: FakeClock) -> None:
    with open_(None, fake_clock) as memory:
        id_ = memory.add("I like tea", user_id="ana", infer=False)[0].id
        outcomes: list[str] = []

        def work(_: int) -> None:
            try:
                memory.delete(id_)
                outcomes.append("deleted")
            except NotFound:
                outcomes.append("not found")

        together(4, work)
        assert sorted(outcomes) == ["deleted"] + ["not found"] * 3
