"""The drop-in class behaves as mem0's own: signatures, answers and errors, compared with the real package."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import mem0_side
import pytest

from neuromem.compat import AsyncMemory, Memory, exceptions

ROOT = Path(__file__).resolve().parents[1]
RAM = {"history_db_path": ":memory:"}


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory.from_config(RAM) as made:
        yield made


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What mem0 itself does."""
    if find_spec("mem0") is None or find_spec("qdrant_client") is None:
        pytest.skip("mem0 is not installed: pip install mem0ai")
    folder = tmp_path_factory.mktemp("mem0")
    done = subprocess.run(
        [sys.executable, mem0_side.__file__, str(folder)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    with Memory.from_config(RAM) as made:
        return dict(json.loads(json.dumps(mem0_side.scenario(made))))


@pytest.mark.parametrize("name", mem0_side.METHODS)
@pytest.mark.parametrize("kind", [Memory, AsyncMemory], ids=lambda kind: kind.__name__)
def test_every_method_takes_what_mem0s_takes(kind: type, name: str, theirs: dict[str, Any]) -> None:
    own = {p.name: p for p in inspect.signature(getattr(kind, name)).parameters.values()}
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in own.values())
    for parameter, how, default in theirs[kind.__name__][name]:
        if how == "VAR_KEYWORD" or (parameter not in own and open_ended and parameter == "llm"):
            continue
        assert own[parameter].kind.name == how
        if "object object" not in default:  # a mark of mem0's that means "not given"
            assert repr(own[parameter].default) == default


@pytest.mark.parametrize("part", ["get", "get_all", "search", "updated"])
def test_records_have_every_key_of_mem0s_with_its_value(
    part: str, theirs: dict[str, Any], ours: dict[str, Any]
) -> None:
    expected, got = theirs["scenario"][part], ours[part]
    assert isinstance(got, type(expected))
    pairs = [(expected, got)] if isinstance(expected, dict) else zip(expected, got, strict=True)
    for want, have in pairs:
        assert {key: have.get(key, "missing") for key in want} == want


@pytest.mark.parametrize(
    "part",
    ["add", "all of the agent", "with what expired", "by actor", "by metadata", "update", "history",
     "delete", "gone", "nothing", "delete_all", "left"],
)  # fmt: skip
def test_answers_are_mem0s(part: str, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    assert ours[part] == theirs["scenario"][part]


@pytest.mark.parametrize("wrong", mem0_side.WRONG)
def test_code_that_catches_mem0s_errors_catches_ours(
    wrong: str, theirs: dict[str, Any], ours: dict[str, Any]
) -> None:
    expected, got = theirs["scenario"]["errors"][wrong], ours["errors"][wrong]
    assert expected["kinds"][0] in got["kinds"]
    assert expected["code"] in (None, got["code"])


def test_what_is_raised_is_mem0s_own_exception_where_mem0_is_loaded(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    class ValidationError(Exception):
        """As mem0 has it."""

        def __init__(self, message: str, error_code: str) -> None:
            super().__init__(message)

    module = type(sys)("mem0.exceptions")
    module.ValidationError = ValidationError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mem0.exceptions", module)
    with pytest.raises(ValidationError) as caught:
        memory.add("I like tea")
    error = caught.value
    assert isinstance(error, exceptions.ValidationError)
    assert (error.error_code, error.details["field"]) == ("VALIDATION_001", "user_id")
    assert error.suggestion


def test_calls_of_version_1_work(memory: Memory) -> None:
    told = memory.add(
        [{"role": "user", "content": "My dog's name is Potola"}],
        user_id="ana",
        output_format="v1.1",
        version="v2",
    )
    assert [item["event"] for item in told["results"]] == ["ADD"]
    assert len(memory.search("what is my dog called?", user_id="ana", limit=5)["results"]) == 1
    assert len(memory.get_all(user_id="ana")["results"]) == 1
    assert memory.update(told["results"][0]["id"], data="My dog's name is Rex")["message"]
    with pytest.raises(TypeError, match="user"):
        memory.search("what is my dog called?", user="ana")


def test_what_mem0_refuses_for_its_platform_works(memory: Memory) -> None:
    memory.add("My dog's name is Potola", user_id="ana", timestamp="2024-05-03")
    record = memory.get_all(filters={"AND": [{"user_id": "ana"}, {"created_at": {"lt": "2025-01-01"}}]})
    assert [item["created_at"][:10] for item in record["results"]] == ["2024-05-03"]
    found = memory.search("my dog?", filters={"OR": [{"user_id": "ana"}, {"agent_id": "x"}]}, rerank=True)
    assert [item["memory"] for item in found["results"]] == ["My dog's name is Potola"]
    assert memory.search("my dog?", filters={"user_id": "ana"}, reference_date="2024-06-01")["results"]


def test_messages_that_say_nothing_are_no_error(memory: Memory) -> None:
    for nothing in ("", [], [{"role": "user", "content": " "}], [{"role": "assistant", "content": None}]):
        assert memory.add(nothing, user_id="ana") == {"results": []}
    kept = memory.add([{"role": "human", "content": "Hello."}], user_id="ana", infer=False)
    assert [item["role"] for item in kept["results"]] == ["user"]


def test_a_procedure_is_one_memory_of_its_agent(memory: Memory) -> None:
    talk = [{"role": "user", "content": "Open page 3"}, {"role": "assistant", "content": "Done: 12 rows."}]
    (told,) = memory.add(talk, agent_id="crawler", memory_type="procedural_memory", prompt="sum it up")[
        "results"
    ]
    assert told["memory"] == "user: Open page 3\nassistant: Done: 12 rows."
    (kept,) = memory.get_all(filters={"agent_id": "crawler"})["results"]
    assert kept["metadata"] == {"memory_type": "procedural_memory"}


def test_providers_are_named_and_ignored(caplog: pytest.LogCaptureFixture) -> None:
    config = {
        "llm": {"provider": "openai", "config": {"model": "gpt-4o"}},
        "embedder": {"provider": "huggingface"},
        "vector_store": {"provider": "qdrant", "config": {"host": "db", "port": 6333}},
        "graph_store": {"provider": "neo4j", "config": {"url": "bolt://db"}},
        "version": "v1.1",
        "custom_instructions": "only food",
        **RAM,
    }
    with caplog.at_level(logging.WARNING), Memory.from_config(config) as memory:
        assert memory.ignored == (
            "llm (openai)", "embedder (huggingface)", "vector_store (qdrant)", "graph_store (neo4j)",
            "custom_instructions",
        )  # fmt: skip
        assert "vector_store (qdrant)" in caplog.text
        told = memory.add("My dog's name is Potola", user_id="ana")
        (triple,) = told["relations"]["added_entities"]
        assert triple == {"source": "ana", "relationship": "dog_name", "target": "Potola"}
        assert memory.search("my dog?", user_id="ana")["relations"][0]["destination"] == "Potola"
    with Memory.from_config(RAM) as plain:
        assert plain.ignored == ()
        assert "relations" not in plain.add("I like tea", user_id="ana")


@pytest.mark.parametrize(
    ("config", "folder"),
    [
        ({"vector_store": {"provider": "qdrant", "config": {"path": "{}/db"}}}, "db/neuromem"),
        ({"vector_store": {"config": {"path": "{}/db", "collection_name": "a b"}}}, "db/neuromem-a_b"),
        ({"history_db_path": "{}/h/one.db"}, "h/one.neuromem"),
        ({"neuromem": {"path": "{}/own"}, "history_db_path": "{}/h/one.db"}, "own"),
        (None, "data/neuromem/mem0"),
    ],
)
def test_where_the_store_lies(
    config: Any, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("sys.platform", "linux")
    given = None if config is None else json.loads(json.dumps(config).replace("{}", str(tmp_path)))
    with Memory(given) as memory:
        memory.add("I like tea", user_id="ana")
    assert (tmp_path / folder / "log").is_dir()
    with Memory(config=given) as again:
        assert len(again.get_all(user_id="ana")["results"]) == 1


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROMEM_PATH", str(tmp_path / "here"))
    Memory().close()
    assert (tmp_path / "here" / "log").is_dir()


def test_all_that_open_a_folder_share_it(tmp_path: Path) -> None:
    config = {"neuromem": {"path": str(tmp_path)}}
    first, second = Memory(config), Memory(config)
    first.add("I like tea", user_id="ana")
    assert len(second.get_all(user_id="ana")["results"]) == 1
    first.close()
    first.close()
    with pytest.raises(exceptions.MemoryError, match="closed"):
        first.get_all(user_id="ana")
    assert len(second.get_all(user_id="ana")["results"]) == 1
    second.close()
    with Memory(config) as third:
        assert len(third.get_all(user_id="ana")["results"]) == 1


def test_a_wrong_setting_of_ours_is_refused() -> None:
    with pytest.raises(exceptions.ConfigurationError, match="colour"):
        Memory.from_config({"neuromem": {"colour": "red"}, **RAM})
    with pytest.raises(exceptions.ConfigurationError, match=r"neuromem\.path: is of type int"):
        Memory.from_config({"neuromem": {"path": 5}})


def test_threads_may_share_a_memory(memory: Memory) -> None:
    def tell(user: int) -> None:
        for n in range(5):
            memory.add(f"The code of door {n} is {user}{n}", user_id=f"u{user % 2}", infer=False)

    threads = [threading.Thread(target=tell, args=(user,)) for user in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(memory.get_all(user_id=f"u{user}")["results"]) for user in (0, 1)) == 20
    memory.reset()
    assert memory.get_all(user_id="u0") == {"results": []}


def test_the_async_class_is_awaited_and_gathered() -> None:
    async def talk() -> tuple[int, Any]:
        memory = await AsyncMemory.from_config(RAM)  # as 1.x has it
        async with memory:
            told = (memory.add(f"Room {n} is on floor {n}", user_id="ana", infer=False) for n in range(8))
            await asyncio.gather(*told)
            found = await memory.search("where is room 3?", filters={"user_id": "ana"}, top_k=1)
            return len((await memory.get_all(user_id="ana"))["results"]), found["results"][0]["memory"]

    assert asyncio.run(talk()) == (8, "Room 3 is on floor 3")


def test_it_needs_neither_a_web_framework_nor_mem0() -> None:
    heavy = "fastapi", "starlette", "mem0"
    code = f"import sys, neuromem.compat; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
