"""Many gists in one vector: binding, undoing it, asking, and how many it takes."""

from __future__ import annotations

import json

import pytest
import torch

from neuromem import Memory
from neuromem.bench import run
from neuromem.bench.holographic import share_right
from neuromem.errors import InvalidInput
from neuromem.holographic import ROLES, Hologram, bind, symbol, unbind

GISTS = ["1|dog name|Potola", "1|home|Porto", "Rosa|job|nurse", "Rosa|home|Lisbon"]


@pytest.mark.parametrize("width", [16, 17, 512])
def test_undoing_a_binding_is_exact(width: int) -> None:
    one, other = symbol("Potola", "object", width), symbol("1", "subject", width)
    assert float(one.norm()) == pytest.approx(1, abs=1e-5)
    bound = bind(one, other)
    assert torch.allclose(bound, bind(other, one), atol=1e-6)
    assert torch.allclose(unbind(bound, other), one, atol=1e-5)


def test_parts_have_vectors_of_their_own_always_the_same() -> None:
    vectors = torch.stack([symbol(name, role, 4_096) for role in ROLES for name in ("Rosa", "Ana")])
    likeness = vectors @ vectors.T - torch.eye(len(vectors))
    assert likeness.abs().max() < 0.1
    assert symbol("Rosa", "subject", 64).equal(symbol("ROSA", "subject", 64))
    assert not symbol("Rosa", "subject", 64).equal(symbol("Rosa", "subject", 64, seed=1))


def test_any_part_is_found_by_the_two_others() -> None:
    hologram = Hologram.of(GISTS)
    assert hologram.ask("1", "dog name")[0].part == "Potola"
    assert hologram.ask("Rosa", "home")[0].part == "Lisbon"
    assert hologram.ask(relation="job", object="nurse")[0].part == "Rosa"
    assert hologram.ask("1", object="Porto")[0].part == "home"
    first, second = hologram.ask("1", "home", limit=2)
    assert (first.score, second.score) == (pytest.approx(1, abs=0.2), pytest.approx(0, abs=0.2))
    assert hologram.ask("1", "job")[0].score < 0.2, "nobody said so"
    assert hologram.ask("1", "home", among=["Lisbon", "Rome"])[0].score < 0.2


def test_what_is_taken_out_is_gone() -> None:
    hologram = Hologram.of(GISTS)
    for gist in GISTS:
        assert hologram.remove(gist)
    assert float(hologram.trace.norm()) == pytest.approx(0, abs=1e-5)


def test_it_holds_what_a_memory_says() -> None:
    with Memory(encoder="hash") as memory:
        memory.add("My dog's name is Potola. I live in Porto.", user_id="ana")
        hologram = Hologram.of(recall.gist for recall in memory.all("ana"))
    assert hologram.ask("1", "dog name")[0].part == "Potola"


def test_only_whole_triples_are_held() -> None:
    hologram = Hologram(64)
    assert not any(hologram.add(gist) for gist in ("", "rain umbrella", "1", "1|dog name"))
    assert not hologram.trace.any()
    assert hologram.ask("1", "home") == []


def test_wrong_questions_and_widths_are_refused() -> None:
    with pytest.raises(InvalidInput, match="parts"):
        Hologram(64).ask("1")
    with pytest.raises(InvalidInput, match="limit"):
        Hologram(64).ask("1", "home", limit=0)
    for width in (0, 15, 17, 1 << 21, 64.0):
        with pytest.raises(InvalidInput, match="width"):
            Hologram(width)  # type: ignore[arg-type]


def test_the_bench_measures_how_many_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert share_right(1_024, 10)["right"] == 1.0
    assert share_right(64, 200)["right"] < 0.5
    assert run("holographic", ["--json", "--widths", "256", "--gists", "4,8"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [one["gists"] for one in report["runs"]] == [4, 8]


@pytest.mark.parametrize(
    "given", ["--widths=many", "--gists=0", "--gists=10,2000", "--gists=", "--widths=-16"]
)
def test_the_bench_says_what_it_cannot_measure(given: str) -> None:
    with pytest.raises(InvalidInput, match=given.partition("=")[0]):
        run("holographic", [given])
