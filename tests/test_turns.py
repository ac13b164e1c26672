"""Who is worked on next: one owner's burst is theirs alone, and adds do not hold up searches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest
from serving import serving

from neuromem.config import ServerConfig
from neuromem.server.errors import Refused
from neuromem.server.lanes import Lane
from neuromem.server.limits import Gate
from neuromem.server.turns import Turns


async def queued(lane: Lane, names: list[str], work: Callable[[str], None]) -> None:
    """Lets each of these wait, in this order, then waits for all."""
    async with anyio.create_task_group() as tasks:
        for name in names:
            tasks.start_soon(partial(lane.run, name, partial(work, name)))
            await anyio.lowlevel.checkpoint()


def order_of(names: list[str], at_once: int = 1, together: int = 1) -> list[str]:
    """Whose request was worked on when; all wait before the first one is."""
    done, release = list[str](), threading.Event()

    async def run() -> None:
        lane = Lane(at_once, together)
        async with anyio.create_task_group() as tasks:
            for number in range(at_once):
                tasks.start_soon(partial(lane.run, f"held {number}", release.wait))
                await anyio.lowlevel.checkpoint()
            tasks.start_soon(queued, lane, names, done.append)
            await anyio.wait_all_tasks_blocked()
            release.set()

    anyio.run(run)
    return done


def test_the_first_is_first_whoever_it_is() -> None:
    names = ["ana", "ben", "ana", "eve", "ben", "ana"]
    assert order_of(names) == names


def test_who_comes_after_a_burst_of_another_waits_for_little_of_it() -> None:
    done = order_of(["ana"] * 100 + ["ben"] * 3 + ["ana"] * 50 + ["eve"])
    assert done.index("ben") < 40  # two shares of sixteen may be under way
    assert done[: done.index("eve")].count("ana") < 60
    assert done.count("ana") == 150


def test_who_sent_a_burst_is_not_put_off_for_ever() -> None:
    others = [f"user{number}" for number in range(400)]
    done = order_of(["ana"] * 10 + others)
    assert done[:200].count("ana") == 10


def test_adds_begin_when_no_search_waits_or_when_they_have_waited_long() -> None:
    now = [100.0]

    async def run(waited_s: float) -> list[str]:
        config = ServerConfig(threads=2)
        turns, done, release = Turns(config, Gate(config), lambda: now[0]), list[str](), threading.Event()
        async with anyio.create_task_group() as tasks:
            for lane, name in (("search", "held"), ("search", "ana"), ("add", "ben"), ("search", "eve")):
                work = release.wait if name == "held" else partial(done.append, name)
                tasks.start_soon(partial(turns.run, lane, name, work))
                await anyio.wait_all_tasks_blocked()
            now[0] += waited_s
            if waited_s > 1:
                turns.lanes["add"].grant()
                with anyio.fail_after(30):
                    while not done:
                        await anyio.sleep(0.001)
            release.set()
        return done

    assert anyio.run(run, 0.5)[0] == "ana"
    assert anyio.run(run, 1.5) == ["ben", "ana", "eve"]


def test_in_an_owners_queue_the_first_is_first() -> None:
    done: list[int] = []

    async def run() -> None:
        lane = Lane(1)
        async with anyio.create_task_group() as tasks:
            for number in range(9):
                tasks.start_soon(partial(lane.run, "ana", partial(done.append, number)))
                await anyio.lowlevel.checkpoint()

    anyio.run(run)
    assert done == list(range(9))


class Watched:
    """Work that waits for others at it, and the most that were at it at once: in all, and of one owner."""

    def __init__(self, together: int) -> None:
        self.met = threading.Barrier(together)
        self.inside: list[str] = []
        self.most = self.most_of_one = 0
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        with self._lock:
            self.inside.append(name)
            self.most = max(self.most, len(self.inside))
            self.most_of_one = max(self.most_of_one, *map(self.inside.count, self.inside))
        self.met.wait(30)
        with self._lock:
            self.inside.remove(name)


def test_several_owners_are_worked_on_at_once_and_one_owner_is_not() -> None:
    work = Watched(2)
    anyio.run(queued, Lane(2), ["ana", "ana", "ben", "eve", "ben", "eve"], work)
    assert (work.most, work.most_of_one) == (2, 1)


def test_what_one_owner_tells_meanwhile_is_one_turn() -> None:
    work = Watched(4)
    release = threading.Event()

    def ana_first(name: str) -> None:
        if name == "ana":
            release.wait(30)
        else:
            work(name)

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(queued, Lane(1, together=4), ["ana", *["ben"] * 8], ana_first)
            await anyio.wait_all_tasks_blocked()
            release.set()

    anyio.run(run)
    assert (work.most, work.most_of_one) == (4, 4)


def test_searches_of_several_owners_are_one_turn_in_one_thread_and_are_prepared_together() -> None:
    done, prepared, release = list[tuple[str, int]](), list[list[str]](), threading.Event()

    async def run() -> None:
        lane = Lane(1, across=3, prepare=lambda abouts: prepared.append(list(abouts)))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(lane.run, "held", release.wait))
            await anyio.lowlevel.checkpoint()
            for name in ("ana", "ana", "ben", "eve", "ina"):
                work = partial(lambda name: done.append((name, threading.get_ident())), name)
                tasks.start_soon(partial(lane.run, name, work, f"{name}'s"))
                await anyio.lowlevel.checkpoint()
            release.set()

    anyio.run(run)
    assert [name for name, _ in done] == ["ana", "ben", "eve", "ana", "ina"]
    assert prepared == [["ana's", "ben's", "eve's"], ["ana's", "ina's"]]
    assert len({thread for _, thread in done}) == 1


def test_turns_at_the_same_time_share_what_waits() -> None:
    """No thread idles while another has a turn of many."""
    work, release = Watched(2), threading.Event()

    async def run() -> None:
        lane = Lane(2, across=8)
        async with anyio.create_task_group() as tasks:
            for number in range(2):
                tasks.start_soon(partial(lane.run, f"held {number}", release.wait))
                await anyio.lowlevel.checkpoint()
            tasks.start_soon(queued, lane, ["ana", "ben", "eve", "ina"], work)
            await anyio.wait_all_tasks_blocked()
            release.set()

    anyio.run(run)
    assert work.most == 2


def test_who_has_a_turn_behind_others_still_waits() -> None:
    """So adds begin no sooner because searches have their turn together."""
    names = ("held", "ana", "ben", "eve")
    begun, gates = ({name: threading.Event() for name in names} for _ in range(2))

    def work(name: str) -> None:
        begun[name].set()
        gates[name].wait(30)

    async def run() -> list[int]:
        lane, waiting = Lane(1, across=4), list[int]()
        async with anyio.create_task_group() as tasks:
            for name in names:
                tasks.start_soon(partial(lane.run, name, partial(work, name)))
                await anyio.lowlevel.checkpoint()
            for name in names:
                await anyio.to_thread.run_sync(begun[name].wait)
                await anyio.wait_all_tasks_blocked()
                waiting.append(lane.waiting)
                gates[name].set()
        return [*waiting, lane.waiting]

    assert anyio.run(run) == [3, 2, 1, 0, 0]


def test_of_a_turn_each_has_its_own_answer_or_error() -> None:
    async def run() -> list[object]:
        lane, release, answers = Lane(1, across=4), threading.Event(), list[object]()

        async def ask(name: str) -> None:
            try:
                answers.append(await lane.run(name, lambda: f"to {name}" if name != "ben" else 1 // 0))
            except ZeroDivisionError:
                answers.append("none")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(lane.run, "held", release.wait))
            await anyio.lowlevel.checkpoint()
            for name in ("ana", "ben", "eve"):
                tasks.start_soon(ask, name)
                await anyio.lowlevel.checkpoint()
            release.set()
        assert lane.idle
        return answers

    assert anyio.run(run) == ["to ana", "none", "to eve"]


def test_who_gives_up_while_waiting_leaves_no_gap() -> None:
    async def run() -> list[str]:
        lane, done, release = Lane(1), list[str](), threading.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(lane.run, "ana", release.wait))
            await anyio.lowlevel.checkpoint()
            with anyio.move_on_after(0.01):
                await lane.run("ben", partial(done.append, "given up"))
            assert lane.waiting == 0
            tasks.start_soon(partial(lane.run, "eve", partial(done.append, "eve")))
            await anyio.lowlevel.checkpoint()
            release.set()
        return done

    assert anyio.run(run) == ["eve"]


def test_work_that_fails_ends_its_turn() -> None:
    def fail() -> None:
        raise ValueError("no")

    async def run() -> None:
        lane = Lane(1)
        for _ in range(2):
            with pytest.raises(ValueError, match="no"):
                await lane.run("ana", fail)

    anyio.run(run)


# -- a full queue ----------------------------------------------------------------------------------------


def test_who_filled_the_queue_is_sent_away_and_others_are_not() -> None:
    async def run() -> None:
        gate = Gate(ServerConfig(threads=1, queue=7))
        turns, release = Turns(ServerConfig(threads=1, queue=7), gate), threading.Event()
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                gate.enter()
                tasks.start_soon(partial(turns.run, "search", "ana", release.wait))
                await anyio.lowlevel.checkpoint()
            gate.enter()
            with pytest.raises(Refused) as caught:
                await turns.run("search", "ana", release.wait)
            assert caught.value.status == 503
            tasks.start_soon(partial(turns.run, "search", "ben", release.wait))
            await anyio.lowlevel.checkpoint()
            with pytest.raises(Refused):
                gate.enter()
            release.set()

    anyio.run(run)


def test_who_is_sent_away_hears_when_half_of_the_queue_will_be_gone() -> None:
    now = [100.0]
    gate = Gate(ServerConfig(threads=4, queue=60), lambda: now[0])
    for _ in range(gate.most + gate.reserve):
        gate.enter()
    for _ in range(100):  # each takes a quarter of a second
        now[0] += 0.25
        gate.leave()
        gate.enter()
    with pytest.raises(Refused) as caught:
        gate.enter()
    assert caught.value.headers["Retry-After"] == "9"


# -- a server --------------------------------------------------------------------------------------------


def test_a_search_is_answered_while_adds_of_everybody_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adds are held up; more of them wait than there are threads. Searches go on, by each family's route."""
    with serving(encoder="hash") as server, httpx.Client(base_url=server.url, timeout=60) as client:
        client.post("/v1/ingest", json={"user_id": "ana", "messages": "I like tea"}).raise_for_status()
        release, add = threading.Event(), server.service.combiner.add

        def held(*args: Any) -> Any:
            release.wait(60)
            return add(*args)

        monkeypatch.setattr(server.service.combiner, "add", held)

        def tell(number: int) -> int:
            body = {"user_id": f"user{number}", "messages": "I like tea"}
            return httpx.post(f"{server.url}/v1/ingest", json=body, timeout=60).status_code

        with ThreadPoolExecutor(12) as pool:
            adds = [pool.submit(tell, number) for number in range(12)]
            try:
                for path, body in (
                    ("/v1/recall", {"user_id": "ana", "query": "what do I like?"}),
                    ("/v3/memories/search", {"filters": {"user_id": "ana"}, "query": "what do I like?"}),
                    ("/v2/memories/search", {"user_id": "ana", "query": "what do I like?"}),
                    ("/search", {"filters": {"user_id": "ana"}, "query": "what do I like?"}),
                ):
                    assert "tea" in client.post(path, json=body).raise_for_status().text
                assert client.get("/v1/conscious", params={"user_id": "ana"}).status_code == 200
                assert not any(add.done() for add in adds)
            finally:
                release.set()
            assert [add.result() for add in adds] == [200] * 12
        text = client.get("/metrics").text
        assert 'neuromem_waiting{lane="add"} 0.0' in text
        assert "neuromem_adds_total 13.0" in text
        assert "neuromem_write_loops_total 13.0" in text


def test_what_is_told_of_one_owner_at_once_is_written_in_few_loops() -> None:
    with serving(encoder="hash") as server:

        def tell(number: int) -> int:
            body = {"user_id": "ana", "messages": f"Box {number} holds a kite", "infer": False}
            return httpx.post(f"{server.url}/v1/ingest", json=body, timeout=60).status_code

        with ThreadPoolExecutor(24) as pool:
            assert list(pool.map(tell, range(48))) == [200] * 48
        counts = server.service.combiner.counts
        assert counts["items"] == 48
        assert counts["calls"] <= 36


def test_a_second_add_begins_where_no_search_is() -> None:
    async def run(searching: bool) -> int:
        config, release = ServerConfig(threads=4), threading.Event()
        turns = Turns(config, Gate(config))
        async with anyio.create_task_group() as tasks:
            if searching:
                tasks.start_soon(partial(turns.run, "search", "eve", release.wait))
                await anyio.wait_all_tasks_blocked()
            for name in ("ana", "ben", "ina"):
                tasks.start_soon(partial(turns.run, "add", name, release.wait))
                await anyio.wait_all_tasks_blocked()
            waiting = turns.lanes["add"].waiting
            release.set()
        return waiting

    assert anyio.run(run, True) == 2
    assert anyio.run(run, False) == 1
