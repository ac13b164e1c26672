"""`neuromem bench serve`: a real server under 32 clients at once, beside mem0's own library on the same load.

The server is a process of its own (`neuromem serve`), driven over HTTP. mem0 (`--mem0 PYTHON`) is driven in a
process of its own, too, over a pipe: its `Memory` with `infer=False`, all-MiniLM-L6-v2 through
sentence-transformers, its default local store, which does not bear two threads. Both do the same operations:
one add to four searches, spread over the owners. mem0's store looks at the memories of everybody in each
search, so how many there are is a part of the question: give several numbers of facts.
"""

from __future__ import annotations

import http.client
import itertools
import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..errors import NeuromemError
from ..owners import Progress
from .common import emit, parser, percentiles, progress
from .generated import personal_facts

__all__ = ["Load", "compare", "first_answer", "main", "measure"]

SEARCHES = 4  # to each add
LIMIT = 10
DEFAULT = "default"  # encoder
START_S, STOP_S = 120.0, 60.0


class Store(Protocol):
    """What is driven. Used by many threads."""

    def add(self, user: str, texts: list[str]) -> None:
        """Remembers texts."""

    def search(self, user: str, query: str) -> int:
        """How many memories were found."""

    def cpu_s(self) -> float:
        """CPU seconds that it has used."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is done: (user, text or question, whether it is told)."""

    before: list[tuple[str, list[str]]]
    operations: list[tuple[str, str, bool]]

    @classmethod
    def of(cls, users: int, each: int, operations: int, seed: int) -> Load:
        """`each` facts of every user to begin with, then `operations`, one in five an add."""
        rng = random.Random(seed)
        facts = personal_facts(users * each + operations, seed)
        told = iter(facts)
        before = [(f"user{n}", [next(told).text for _ in range(each)]) for n in range(users)]
        asked = [fact.question for fact in facts[: users * each]] or ["where do I live?"]
        work = []
        for _ in range(operations):
            user, tells = f"user{rng.randrange(users)}", rng.randrange(SEARCHES + 1) == 0
            work.append((user, next(told).text if tells else rng.choice(asked), tells))
        return cls(before, work)


# -- what is driven -------------------------------------------------------------------------------------


class Ours:
    """A server of ours, over HTTP; a connection for each thread."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._local, self._all = threading.local(), list[http.client.HTTPConnection]()

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if not hasattr(self._local, "connection"):
            self._local.connection = http.client.HTTPConnection(self._host, self._port, timeout=120)
            self._all.append(self._local.connection)
        connection: http.client.HTTPConnection = self._local.connection
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        if response.status != 200:
            raise NeuromemError(f"{path} was answered {response.status}: {answer.get('detail')}")
        return answer

    def add(self, user: str, texts: list[str]) -> None:
        """As it comes: no rules read it, as with mem0."""
        messages = [{"role": "user", "content": text} for text in texts]
        self._post("/v1/ingest", {"user_id": user, "messages": messages, "infer": False})

    def close(self) -> None:
        """Closes the connections."""
        for connection in self._all:
            connection.close()

    def cpu_s(self) -> float:
        """Of the server's process; NaN where its system does not say."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=120)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        found = re.search(r"^process_cpu_seconds_total (\S+)", text, re.MULTILINE)
        return float(found[1]) if found else math.nan

    def search(self, user: str, query: str) -> int:
        """How many were found."""
        body = {"user_id": user, "query": query, "limit": LIMIT}
        return len(self._post("/v1/recall", body)["memories"])


@contextmanager
def our_server(folder: Path, encoder: str | None) -> Iterator[Ours]:
    """Starts a server; stops it at the end."""
    command = [
        sys.executable, "-m", "neuromem", "serve", "--port", "0", "--json", "--path", str(folder),
        "--log-level", "warning", *(("--encoder", encoder) if encoder else ()),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            if not line:
                raise NeuromemError("the server did not start; the lines above say why")
            ours = Ours(json.loads(line)["url"])
            yield ours
            ours.close()
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(STOP_S)


class Mem0:
    """mem0's library, in a process of its own: by the Python that has it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Waits until it is there. Raises NeuromemError."""
        self._process, self._lock = process, threading.Lock()
        assert process.stdout is not None
        if not process.stdout.readline():
            raise NeuromemError("mem0 did not start; the lines above say why (give the Python that has it)")

    def _ask(self, name: str, *given: Any) -> Any:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with self._lock:
            process.stdin.write(json.dumps({name: given}) + "\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline() or '{"error": "mem0 has ended"}')
        if "error" in answer:
            raise NeuromemError(answer["error"])
        return answer["answer"]

    def add(self, user: str, texts: list[str]) -> None:
        """As it comes: no model reads it."""
        self._ask("add", user, texts)

    def cpu_s(self) -> float:
        """Of its process."""
        return float(self._ask("cpu"))

    def search(self, user: str, query: str) -> int:
        """How many were found."""
        return int(self._ask("search", user, query, LIMIT))


@contextmanager
def mem0_library(folder: Path, python: str) -> Iterator[Mem0]:
    """Starts it; stops it at the end."""
    command = [python, str(Path(__file__).with_name("serve_side.py")), str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=None, text=True) as process:
        try:
            yield Mem0(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(STOP_S)


# -- measuring ------------------------------------------------------------------------------------------


def measure(
    store: Store, load: Load, clients: int, step: Progress | None = None, *, filling: int = 8
) -> dict[str, Any]:
    """Drives a store: fills it, then the first tenth of the work with one client, the rest with many.

    Args:
        filling: threads that fill it.
    """
    with ThreadPoolExecutor(filling) as pool:
        list(pool.map(lambda item: store.add(*item), load.before))
    alone = max(10, len(load.operations) // 10)
    cpu_s = store.cpu_s()
    one = drive(store, load.operations[:alone], 1)
    many = drive(store, load.operations[alone:], clients, step)
    report = {"clients": clients, **many, "search_ms_p50_one_client": one["search_ms_p50"]}
    report["p99_over_p50_one_client"] = many["search_ms_p99"] / one["search_ms_p50"]
    report["cpu_ms_per_operation"] = (store.cpu_s() - cpu_s) * 1_000 / len(load.operations)
    report["errors"] = one["errors"] + many["errors"]
    return report


def drive(
    store: Store, operations: list[tuple[str, str, bool]], clients: int, step: Progress | None = None
) -> dict[str, Any]:
    """Does operations with so many clients, each beginning the next one as soon as its last is answered."""
    took: dict[bool, list[float]] = {True: [], False: []}
    errors: list[str] = []
    places, lock = itertools.count(), threading.Lock()

    def client() -> None:
        while (place := next(places)) < len(operations):
            user, text, tells = operations[place]
            began = time.perf_counter()
            fault = _fault(lambda user=user, text=text, tells=tells: (  # type: ignore[misc]
                store.add(user, [text]) if tells else store.search(user, text)))  # fmt: skip
            spent = (time.perf_counter() - began) * 1_000
            with lock:
                if fault:
                    errors.append(fault)
                else:
                    took[tells].append(spent)
                if step is not None:
                    step(len(took[True]) + len(took[False]) + len(errors), len(operations))

    began = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    adds, searches = percentiles(took[True]), percentiles(took[False])
    return {
        "operations_per_s": (len(took[True]) + len(took[False])) / seconds,
        "searches_per_s": len(took[False]) / seconds,
        "search_ms_p50": searches["p50"], "search_ms_p99": searches["p99"],
        "add_ms_p50": adds["p50"], "add_ms_p99": adds["p99"],
        "errors": len(errors), "first_error": errors[0] if errors else "",
    }  # fmt: skip


def _fault(call: Callable[[], object]) -> str:
    """Does something; what went wrong, if anything did."""
    try:
        call()
    except Exception as error:  # of a library that is measured: whatever it raises counts as an error
        return f"{type(error).__name__}: {error}"[:200]
    return ""


def first_answer(folder: Path, encoder: str | None, load: Load) -> dict[str, float]:
    """Starts a server on a memory that is there: seconds and CPU seconds until it has answered a search."""
    began = time.perf_counter()
    with our_server(folder, encoder) as ours:
        ours.search(load.before[0][0], "what do you know of me?")
        return {"first_answer_s": time.perf_counter() - began, "first_answer_cpu_s": ours.cpu_s()}


def compare(options: Namespace, facts: int, folder: Path, step: Progress | None) -> list[dict[str, Any]]:
    """Ours with each encoder, then mem0's library where it is wanted, with so many facts of each user.

    Returns:
        One report each; ours say how many times mem0's searches they do.
    """
    size: dict[str, Any] = {"facts": facts, "memories": options.users * facts}
    load, runs = Load.of(options.users, facts, options.operations, options.seed), list[dict[str, Any]]()
    for encoder in options.encoder:
        own, named = folder / encoder, None if encoder == DEFAULT else encoder
        with our_server(own, named) as ours:
            measured = measure(ours, load, options.clients, step)
        measured |= first_answer(own, named, load)
        runs.append({"run": f"ours, {encoder}, {facts}", "encoder": encoder, **size, **measured})
    if not options.mem0:
        return runs
    load = Load.of(options.users, facts, options.mem0_operations, options.seed)
    with mem0_library(folder, options.mem0) as mem0:
        theirs = measure(mem0, load, options.clients, step, filling=1)
    for run in runs:
        run["times_mem0s_searches"] = run["searches_per_s"] / theirs["searches_per_s"]
        cpu_ms = theirs["cpu_ms_per_operation"] / run["cpu_ms_per_operation"]
        run["times_mem0s_operations_per_cpu_second"] = cpu_ms
    return [*runs, {"run": f"mem0, {facts}", "encoder": "all-MiniLM-L6-v2", **size, **theirs}]


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if a request of ours failed."""
    arguments = parser("serve", "On few processors, clients and server share them.")
    arguments.add_argument("--users", type=int, default=200)
    arguments.add_argument(
        "--facts", type=int, nargs="+", default=[5], metavar="N",
        help="facts of each user to begin with; each number is a comparison of its own",
    )  # fmt: skip
    arguments.add_argument("--clients", type=int, default=32)
    arguments.add_argument("--operations", type=int, default=2_000)
    arguments.add_argument(
        "--encoder", nargs="+", default=[DEFAULT], metavar="NAME",
        help=f"of ours, each measured: {DEFAULT}, sentence (all-MiniLM-L6-v2), ...",
    )  # fmt: skip
    arguments.add_argument(
        "--mem0", nargs="?", const=sys.executable, metavar="PYTHON",
        help="measure mem0's library, too, by the Python that has it (this one, where none is named)",
    )  # fmt: skip
    arguments.add_argument("--mem0-operations", type=int, default=500, help="it is slower: fewer do")
    options = arguments.parse_args(argv)
    report: dict[str, Any] = {"bench": "serve", "users": options.users, "load_average": os.getloadavg()[0]}
    with progress("asking") as step:
        report["runs"] = []
        for facts in options.facts:
            with tempfile.TemporaryDirectory() as folder:
                report["runs"] += compare(options, facts, Path(folder), step)
    emit(report, options.json)
    return int(any(run["errors"] > 0 for run in report["runs"] if run["run"].startswith("ours")))
