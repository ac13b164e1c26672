"""The server as a process: it starts soon, stops cleanly, and loses nothing that it acknowledged."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from command_line import finished
from served import ROOT, served, start

from neuromem import Memory
from neuromem.server.desk import Desk

KILLS = 6
STARTS_S = 3.0  # from the command to the first answer, on two cores that have nothing else to do
OF_IMPORTS = 2.0  # … and on others, in lengths of importing what any program with torch imports


@pytest.mark.slow
def test_it_starts_soon_and_stops_with_everything_saved(tmp_path: Path) -> None:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import neuromem.memory"], cwd=ROOT, check=True)
    imports_s = time.perf_counter() - began
    began = time.perf_counter()
    with served(tmp_path / "store", encoder="transformer") as server:
        asked = {"user_id": "ana", "query": "what is my dog called?"}
        assert httpx.post(f"{server.url}/v1/recall", json=asked).json()["memories"] == []
        assert time.perf_counter() - began <= max(STARTS_S, OF_IMPORTS * imports_s)
        said = {"user_id": "ana", "messages": "My dog's name is Potola"}
        assert httpx.post(f"{server.url}/v1/ingest", json=said).status_code == 200
        assert httpx.get(f"{server.url}/ready").json()["status"] == "ready"
        assert server.stop() == 0
    assert list((tmp_path / "store" / "banks").iterdir()), "no bank was saved"
    with Memory(tmp_path / "store") as memory:
        assert memory.search("what is my dog called?", "ana")[0].text == "My dog's name is Potola"


def test_the_log_is_json_and_holds_no_words_names_or_keys(tmp_path: Path) -> None:
    with served(tmp_path / "store", NEUROMEM_SERVER__ADMIN_KEY="sesame-secret") as server:
        headers = {"Authorization": "Token sesame-secret"}
        said = {"user_id": "quentin", "messages": "My dog's name is Potola"}
        with httpx.Client(base_url=server.url, headers=headers) as client:
            assert client.post("/v1/ingest", json=said).status_code == 200
            key = client.post("/v1/users", json={"user_id": "quentin"}).json()["api_key"]
            client.post("/v1/recall", json={"user_id": "quentin", "query": "which Potola?"})
            client.get("/v1/conscious?user_id=quentin")
            client.get("/v1/events/quentin")
            client.get("/quentin/potola")
            client.post("/v1/ingest", json=said, headers={"Authorization": f"Token {key}x"})
        assert server.stop() == 0
    log = server.log.read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    requests = [line for line in lines if line["message"] == "request"]
    assert {line["route"] for line in requests} == {
        "/v1/ingest", "/v1/users", "/v1/recall", "/v1/conscious", "/v1/events/{event_id}", "(none)",
    }  # fmt: skip
    assert all({"status", "ms", "request", "key", "method"} <= set(line) for line in requests)
    for secret in ("potola", "quentin", "sesame", key.lower(), "dog"):
        assert secret not in log.lower()


def test_it_does_not_forget_unless_it_is_told_to(tmp_path: Path) -> None:
    for decay, held in ((None, 1), ("power", 0)):
        options = {} if decay is None else {"NEUROMEM_FORGETTING__DECAY": decay}
        with served(tmp_path / f"{decay}", **options) as server:
            said = {"user_id": "ana", "messages": "I like tea", "timestamp": "2001-01-01"}
            assert httpx.post(f"{server.url}/v1/ingest", json=said).status_code == 200
            httpx.post(f"{server.url}/v1/sleep")
            asked = {"user_id": "ana", "query": "what do I like?", "fidelity": "weights"}
            assert len(httpx.post(f"{server.url}/v1/recall", json=asked).json()["memories"]) == held


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "0.0.0.0"), "there is no admin key"),
        (("--host", "no.such.host.invalid"), "there is no admin key"),
        (("--port", "99999"), "port"),
        (("--tls-cert", "/no/such.pem"), "tls_key"),
        (("--path", "/dev/null/x"), "is a file"),
    ],
)
def test_what_cannot_be_served_is_one_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = finished("serve", "--path", str(tmp_path), *words)
    assert (done.status, done.out) == (2, "")
    assert said in done.err
    assert done.err.startswith("neuromem: error: ")


def test_a_port_that_is_taken_is_said_so(tmp_path: Path) -> None:
    with served(tmp_path / "store") as server:
        done = finished("serve", "--path", str(tmp_path / "other"), "--port", server.url.rpartition(":")[2])
        assert done.status == 1
        assert "choose another --port" in done.err


# -- kill -9 ---------------------------------------------------------------------------------------------


class Told:
    """What clients were told was done."""

    def __init__(self) -> None:
        self.lock, self.facts, self.events = threading.Lock(), set[str](), dict[str, str]()


def tell_until_it_dies(url: str, who: int, kill: int, told: Told) -> None:
    with httpx.Client(base_url=url, timeout=30) as client:
        for number in range(10_000):
            fact = f"The locker {kill}-{who}-{number} holds a kite"
            body = {"user_id": f"u{who}", "messages": fact, "infer": False, "async_mode": number % 3 == 2}
            try:
                answer = client.post("/v1/ingest", json=body)
            except httpx.TransportError:
                return
            assert answer.status_code in (200, 202), answer.text
            with told.lock:
                told.facts.add(fact)
                if answer.status_code == 202:
                    told.events[answer.json()["event_id"]] = fact


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    rng, told = random.Random(5), Told()
    for kill in range(KILLS):
        server = start(tmp_path / "store", "--log-level", "warning")
        with ThreadPoolExecutor(4) as clients:
            running = [clients.submit(tell_until_it_dies, server.url, who, kill, told) for who in range(4)]
            enough = len(told.facts) + rng.randrange(4, 16)
            while len(told.facts) < enough:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.05))
            server.process.kill()
            server.process.wait()
            for each in running:
                each.result()
    assert len(told.facts) >= 4 * KILLS
    with served(tmp_path / "store") as server, httpx.Client(base_url=server.url) as client:
        for event in told.events:  # what waited is told now
            deadline = time.monotonic() + 60
            while client.get(f"/v1/events/{event}").json()["status"] == "PENDING":
                assert time.monotonic() < deadline
                time.sleep(0.05)
            assert client.get(f"/v1/events/{event}").json()["status"] == "SUCCEEDED"
        assert server.stop() == 0
    desk = Desk(tmp_path / "store")
    assert desk.rows("SELECT count(*) FROM jobs") == [(0,)]
    desk.close()
    with Memory(tmp_path / "store", encoder="hash") as memory:
        assert memory.verify().ok
        held = [recall.text for who in range(4) for recall in memory.all(f"u{who}")]
    assert set(held) >= told.facts
    assert len(held) == len(set(held)), "something was told twice"


@pytest.mark.slow
def test_a_stop_lets_what_is_under_way_finish(tmp_path: Path) -> None:
    told = Told()
    server = start(tmp_path / "store", "--log-level", "warning")
    with ThreadPoolExecutor(8) as clients:
        running = [clients.submit(tell_until_it_dies, server.url, who, 0, told) for who in range(8)]
        while len(told.facts) < 16:
            time.sleep(0.01)
        assert server.stop() == 0
        for each in running:
            each.result()
    with served(tmp_path / "store") as again:  # does the jobs that were left
        deadline = time.monotonic() + 60
        while "neuromem_jobs_waiting 0.0" not in httpx.get(f"{again.url}/metrics").text:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    with Memory(tmp_path / "store", encoder="hash") as memory:
        held = {recall.text for who in range(8) for recall in memory.all(f"u{who}")}
    assert held >= told.facts
