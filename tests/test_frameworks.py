"""Frameworks that remember with mem0's client, each as it is, pointed at our server: the examples, run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import ROOT
from frameworks import needs_mem0_routes, python_with, run_script
from serving import Serving, serving

from neuromem.server.entries import Ids
from neuromem.server.filters import parse
from neuromem.server.service import Search

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "examples"


@pytest.fixture
def server() -> Iterator[Serving]:
    with serving() as running:
        needs_mem0_routes(running)
        running.service.add(Ids("warm"), "I like tea")  # what is slow once, models and code, is over then
        running.service.search(Search("tea"))
        yield running


@pytest.mark.parametrize("as_user", [False, True])
def test_pipecat(server: Serving, tmp_path: Path, as_user: bool) -> None:
    """Recall comes into the context; a talk that is sent again, recall and all, is told once."""
    words = [server.url, *(["--as-user"] if as_user else [])]
    done = run_script(python_with("pipecat"), EXAMPLES / "pipecat_mem0.py", *words, home=tmp_path)
    assert "Potola" in done["recalled"][1]
    assert "Lisbon" in done["recalled"][2]
    remembered = done["remembered"]
    assert len(remembered) == len(set(remembered))
    assert not any("recall" in text or "1." in text for text in remembered), "not told back"
    assert sum("Potola" in text for text in remembered) == 1
    assert sum("Lisbon" in text for text in remembered) == 1
    entries = server.service.entries(parse({"user_id": "ana"}))
    heard = [item["event"] for entry in entries for item in server.service.history(entry.id)]
    assert "REINFORCE" not in heard


def test_langchain(server: Serving, tmp_path: Path) -> None:
    python = python_with("langchain_core")
    done = run_script(python, EXAMPLES / "langchain_mem0.py", server.url, home=tmp_path)
    assert "(nothing yet)" in done["answers"][0]
    assert "allergic to peanuts" in done["answers"][1]


def test_llamaindex(server: Serving, tmp_path: Path) -> None:
    python = python_with("llama_index.memory.mem0")
    done = run_script(python, EXAMPLES / "llamaindex_mem0.py", server.url, home=tmp_path)
    assert "Potola" in done["answers"][1]


def test_crewai(server: Serving, tmp_path: Path) -> None:
    done = run_script(python_with("crewai"), EXAMPLES / "crewai_mem0.py", server.url, home=tmp_path)
    assert "allergic to peanuts" in done["answer"]
