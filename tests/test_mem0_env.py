"""mem0-env: mem0's clients that are told no host go to our server; the program itself is left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from serving import Serving, serving

from neuromem import mem0_hook
from neuromem.cli import main

ROOT = Path(__file__).resolve().parents[1]
NOWHERE = "http://127.0.0.1:9"

# as mem0's module is, as far as it matters
CLIENT = """
class MemoryClient:
    def __init__(self, api_key=None, host=None, client=None):
        self.host = host or "https://api.mem0.ai"
class AsyncMemoryClient(MemoryClient):
    def __init__(self, api_key=None, host=None, client=None):
        self.host = host or "https://api.mem0.ai"
"""
SHOW = """
import json, os, sys
from mem0 import AsyncMemoryClient, MemoryClient
built = [MemoryClient(), AsyncMemoryClient("k"), MemoryClient(host="http://mine"), MemoryClient("k", "http://mine")]
print(json.dumps([client.host for client in built]))
"""


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A folder with a stand-in for mem0."""
    (tmp_path / "mem0" / "client").mkdir(parents=True)
    (tmp_path / "mem0" / "__init__.py").write_text("from mem0.client.main import *")
    (tmp_path / "mem0" / "client" / "__init__.py").write_text("")
    (tmp_path / "mem0" / "client" / "main.py").write_text(CLIENT)
    return tmp_path


def command(*words: str, url: str = NOWHERE) -> list[str]:
    return [sys.executable, "-m", "neuromem", "mem0-env", "--url", url, "--", *words]


def environ(*path: Path) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MEM0_")}
    return clean | {"PYTHONPATH": os.pathsep.join(str(place) for place in (*path, ROOT))}


def run(*words: str, url: str = NOWHERE, path: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words, url=url), env=environ(*path), capture_output=True, text=True, timeout=120
    )


def test_clients_go_to_the_server_unless_a_host_is_given(plain: Path) -> None:
    done = run(sys.executable, "-c", SHOW, path=(plain,))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [NOWHERE, NOWHERE, "http://mine", "http://mine"]
    assert "no server at http://127.0.0.1:9" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_programs_environment_need_not_have_neuromem(plain: Path) -> None:
    added = run().stdout
    names = dict(line.removeprefix("export ").split("=", 1) for line in added.splitlines())
    hook = names["PYTHONPATH"].split(os.pathsep)[0]
    env = {"PATH": os.environ["PATH"], "NEUROMEM_URL": NOWHERE, "PYTHONPATH": f"{hook}{os.pathsep}{plain}"}
    code = SHOW + "assert not any(name.split('.')[0] == 'neuromem' for name in sys.modules)"
    # -S: no site-packages, so that only the standard library can be imported; then no sitecustomize, either
    code = f"import sys; sys.path.insert(0, {hook!r}); import sitecustomize\n{code}"
    done = subprocess.run([sys.executable, "-S", "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0] == NOWHERE


def test_a_sitecustomize_of_ones_own_runs_too(plain: Path) -> None:
    (plain / "sitecustomize.py").write_text("import os; os.environ['MINE'] = 'ran'")
    code = "import os, sitecustomize; print(os.environ['MINE'], sitecustomize.__file__)"
    done = run(sys.executable, "-c", code, path=(plain,))
    assert done.stdout.split() == ["ran", str(plain / "sitecustomize.py")]


@pytest.mark.parametrize("status", [0, 7])
def test_the_exit_status_is_the_programs(status: int) -> None:
    assert run("sh", "-c", f"exit {status}").returncode == status


def test_signals_reach_the_program(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    script = f"trap 'exit 33' TERM; touch {ready}; while true; do sleep 0.05; done"
    process = subprocess.Popen(command("sh", "-c", script), env=environ(), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not ready.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 33


def test_without_a_program_it_prints_what_it_would_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEM0_API_KEY", "it's mine")
    assert main(["mem0-env", "--url", "https://memory.example/base/"]) == 0
    assert "export MEM0_API_KEY='it'\"'\"'s mine'" in capsys.readouterr().out
    assert main(["mem0-env", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["NEUROMEM_URL"] == shown["MEM0_BASE_URL"] == "http://127.0.0.1:8888"
    assert shown["MEM0_TELEMETRY"] == "False"


@pytest.mark.parametrize(
    "words",
    [
        ["--url", "nonsense", "--", "true"],
        ["--url", NOWHERE, "--", "/no/such/program"],
        ["--url", NOWHERE, "--", "/"],
        ["--url", NOWHERE, "--", ""],
        ["--url", NOWHERE, "--", "./no-format"],
    ],
)
def test_what_cannot_be_run_ends_with_one_line_and_status_2(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("no-format").write_text("echo a script whose first line does not say what runs it")
    Path("no-format").chmod(0o755)
    assert main(["mem0-env", *words]) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("neuromem: error: ")


def test_in_code_it_works_before_and_after_mem0_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType(mem0_hook.MODULE)
    exec(CLIENT, module.__dict__)
    monkeypatch.setitem(sys.modules, mem0_hook.MODULE, module)
    monkeypatch.setenv("NEUROMEM_URL", "http://other:1/")
    for name in ("MEM0_API_KEY", "MEM0_TELEMETRY"):
        monkeypatch.setenv(name, "")
    mem0_hook.install()
    mem0_hook.install()
    client: Any = module.MemoryClient
    assert client().host == "http://other:1"
    monkeypatch.setenv("NEUROMEM_URL", "http://third")
    assert client("k").host == "http://third", "it is asked for when a client is built"
    assert os.environ["MEM0_API_KEY"] == "local"


def test_our_server_is_shown_its_own_key_and_mem0_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MEM0_API_KEY", "of mem0")
    monkeypatch.setenv("NEUROMEM_API_KEY", "ours")
    assert main(["mem0-env", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["MEM0_API_KEY"] == "ours"
    module = ModuleType(mem0_hook.MODULE)
    exec(CLIENT.replace("self.host =", "self.key = api_key; self.host ="), module.__dict__)
    monkeypatch.setitem(sys.modules, mem0_hook.MODULE, module)
    mem0_hook.install()
    client: Any = module.MemoryClient
    assert [client().key, client("of mem0").key, client("another").key] == ["ours", "ours", "another"]
    assert client("of mem0", "https://api.mem0.ai").key == "of mem0"
    assert client(host="https://api.mem0.ai").key is None, "it finds its own in the environment"
    monkeypatch.delenv("NEUROMEM_API_KEY")
    assert [client().key, client("of mem0").key] == [None, "of mem0"]


def test_importing_it_by_name_is_enough(plain: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import neuromem.mem0_default\n{SHOW}"],
        env=environ(plain) | {"NEUROMEM_URL": NOWHERE}, capture_output=True, text=True,
    )  # fmt: skip
    assert json.loads(done.stdout)[:2] == [NOWHERE, NOWHERE], done.stderr
    both = run(sys.executable, "-c", f"import neuromem.mem0_default\n{SHOW}", path=(plain,))
    assert json.loads(both.stdout)[:2] == [NOWHERE, NOWHERE], both.stderr


# -- with the real clients, against the real server ------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Serving]:
    with serving() as running:
        yield running


REAL = """
import asyncio, json
from mem0 import AsyncMemoryClient, MemoryClient
client = MemoryClient()
client.add([{"role": "user", "content": "I moved to Porto in May"}], user_id="ana")
found = client.search("where do I live?", filters={"user_id": "ana"})["results"]
async def listed():
    return await AsyncMemoryClient().get_all(filters={"user_id": "ana"})
print(json.dumps([found[0]["memory"], len(asyncio.run(listed())["results"])]))
client.delete_all(user_id="ana")
"""


def test_mem0s_own_clients_work(server: Serving) -> None:
    if find_spec("mem0") is None:
        pytest.skip("mem0 is not installed: pip install mem0ai")
    done = run(sys.executable, "-c", REAL, url=server.url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == ["I moved to Porto in May", 1]


# frameworks that have no setting for the host, with the versions of mem0's package that each works with

AUTOGEN = """
import asyncio, json
from autogen_core.memory import MemoryContent, MemoryMimeType
from autogen_ext.memory.mem0 import Mem0Memory
async def main():
    memory = Mem0Memory(user_id="ana", limit=5, is_cloud=True, api_key="k")
    await memory.add(MemoryContent(content="I moved to Porto in May", mime_type=MemoryMimeType.TEXT,
                                   metadata={"topic": "home"}))
    found = await memory.query("where do I live?")
    await memory.clear()
    return [[r.content for r in found.results], len((await memory.query("where do I live?")).results)]
print(json.dumps(asyncio.run(main())))
"""
AGNO = """
import json
from types import SimpleNamespace
from agno.tools.mem0 import Mem0Tools
tools, context = Mem0Tools(user_id="ana", api_key="k"), SimpleNamespace(user_id="ana")
tools.add_memory(context, "I moved to Porto in May")
found = [m["memory"] for m in json.loads(tools.search_memory(context, "where do I live?"))]
assert len(json.loads(tools.get_all_memories(context))) == 1
assert "Successfully" in tools.delete_all_memories(context)
print(json.dumps([found, len(json.loads(tools.get_all_memories(context)))]))
"""
CAMEL = """
import json
from types import SimpleNamespace
from camel.storages.key_value_storages.mem0_cloud import Mem0Storage
storage = Mem0Storage(agent_id="camel", user_id="ana", api_key="k")
said = {"content": "I moved to Porto in May"}
storage.save([{"message": said, "role_at_backend": SimpleNamespace(value="user")}])
found = [record["message"]["content"] for record in storage.load()]
storage.clear()
print(json.dumps([found, len(storage.load())]))
"""
OLD_CLIENT = """
import json
from mem0 import MemoryClient
client = MemoryClient()
client.add([{"role": "user", "content": "I moved to Porto in May"}], user_id="ana", metadata={"a": 1})
found = client.search("where do I live?", user_id="ana", limit=5)
found = found["results"] if isinstance(found, dict) else found
client.delete_all(user_id="ana")
left = client.get_all(user_id="ana")
print(json.dumps([[m["memory"] for m in found], len(left["results"] if isinstance(left, dict) else left)]))
"""
FRAMEWORKS = {
    "mem0ai 0.1": (OLD_CLIENT, ["mem0ai==0.1.118"]),
    "mem0ai 1": (OLD_CLIENT, ["mem0ai==1.0.11"]),
    "mem0ai 2": (OLD_CLIENT, ["mem0ai==2.2.1"]),
    "AutoGen": (AUTOGEN, ["mem0ai==1.0.11", "autogen-ext==0.7.5", "autogen-core==0.7.5", "jsonref"]),
    "AutoGen, mem0ai 2": (
        AUTOGEN,
        ["mem0ai==2.2.1", "autogen-ext==0.7.5", "autogen-core==0.7.5", "jsonref"],
    ),
    "Agno": (AGNO, ["mem0ai==1.0.11", "agno==3.1.10"]),
    "Agno, mem0ai 2": (AGNO, ["mem0ai==2.2.1", "agno==3.1.10"]),
    "CAMEL": (
        CAMEL,
        "mem0ai==0.1.118 camel-ai==0.2.90 "
        "colorama docstring-parser tiktoken psutil pillow astor pyyaml".split(),
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_frameworks_without_a_setting_for_the_host_work(name: str, server: Serving, tmp_path: Path) -> None:
    script, packages = FRAMEWORKS[name]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path), *packages]
    installed = subprocess.run(pip, capture_output=True, text=True, timeout=300)
    if installed.returncode != 0:
        pytest.skip(f"pip cannot install {' '.join(packages)}: {installed.stderr.strip()[-200:]}")
    done = run(sys.executable, "-c", script, url=server.url, path=(tmp_path,))
    if "ModuleNotFoundError" in done.stderr and done.returncode != 0:
        pytest.skip(f"{name} needs more than is here: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [["I moved to Porto in May"], 0]
