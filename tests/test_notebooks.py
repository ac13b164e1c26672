"""The notebooks run from top to bottom, call the library alone and end in figures; and what runs them."""

from __future__ import annotations

import ast
import base64
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from neuromem import Memory
from scripts import notebooks

ALLOWED = {"collections", "itertools", "matplotlib", "neuromem", "random", "torch"}
PRIVATE = re.compile(r"_(?!_\w+__$)")  # but not __name__ and its like
MOST_KIB = 300

each = pytest.mark.parametrize("path", notebooks.NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def of_kind(cells: list[Any], kind: str) -> list[Any]:
    return [output for cell in cells for output in cell.outputs if output.output_type == kind]


def written(path: Path, *sources: str) -> bytes:
    """Writes a notebook of these cells; what is then in the file."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path.read_bytes()


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only notebook there is, still to be written."""
    path = tmp_path / "tiny.ipynb"
    monkeypatch.setattr(notebooks, "NOTEBOOKS", [path])
    return path


# The notebooks


def test_all_three_are_there() -> None:
    assert [path.stem for path in notebooks.NOTEBOOKS] == ["1_capacity", "2_forgetting", "3_recall"]


def test_what_they_show_is_of_the_slots_of_today() -> None:
    """A notebook that was not executed since slots changed shows what is not so any more."""
    with Memory() as memory:
        memory.add("I like figs", user_id="ana")
        size = memory.bank("ana").bytes_per_slot
    shown = " ".join(
        output.get("text", "") for cell in code(read(notebooks.NOTEBOOKS[0])) for output in cell.outputs
    )
    assert f"A slot is {size:,} bytes" in shown


@pytest.mark.slow
@each
def test_it_runs_from_top_to_bottom_and_ends_in_a_figure(path: Path) -> None:
    before = path.read_bytes()
    notebook = notebooks.execute(path)
    cells = code(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert of_kind(cells, "error") == []
    assert [output.text for output in of_kind(cells, "stream") if output.name == "stderr"] == []
    assert notebook.cells.index(cells[-1]) in notebooks.figures(notebook)
    assert path.read_bytes() == before


@each
def test_what_is_committed_carries_its_outputs(path: Path) -> None:
    notebook = read(path)
    cells = code(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert len(notebooks.figures(notebook)) >= 4
    assert of_kind(cells, "error") == []
    assert path.stat().st_size < MOST_KIB * 1024


@each
def test_every_figure_is_followed_by_words_on_what_it_says(path: Path) -> None:
    notebook = read(path)
    for number in notebooks.figures(notebook):
        after = notebook.cells[number + 1]
        assert after.cell_type == "markdown"
        assert not after.source.startswith("#")
        assert after.source.split("\n#")[0].count(".") >= 1


@each
def test_it_calls_the_library_only_and_nothing_private(path: Path) -> None:
    tree = ast.parse("\n".join(cell.source for cell in code(read(path))))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    taken = [alias.name for node in imports for alias in node.names]
    modules = [node.module or "" for node in imports if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names]
    reached = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert {module.split(".")[0] for module in modules} <= ALLOWED
    assert [name for name in (*".".join(modules).split("."), *taken, *reached) if PRIVATE.match(name)] == []
    assert called.isdisjoint({"open", "exec", "eval", "__import__"})


@each
def test_no_output_tells_of_the_machine_it_ran_on(path: Path) -> None:
    notebook = read(path)
    said = "\n".join(output.text for output in of_kind(code(notebook), "stream"))
    assert re.findall(r"(?<!\w)(?:/\w+){2,}", said) == []
    assert all(not cell.metadata for cell in notebook.cells)


# What executes them


@pytest.mark.slow
def test_the_kernel_is_of_this_python_out_of_reach_and_without_settings(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEUROMEM_BANK__MAX_SLOTS", "1")
    written(
        tiny,
        "import ipykernel, json, os, pathlib, psutil, sys, neuromem",
        "print(json.load(open(ipykernel.get_connection_file()))['transport'])",
        "print({port.laddr.ip for port in psutil.Process().net_connections('inet')} - {'127.0.0.1', '::1'})",
        "print(sys.executable)",
        "print(pathlib.Path(neuromem.__file__).parent)",
        "print(os.environ.get('NEUROMEM_BANK__MAX_SLOTS'))",
    )
    printed = [output.text.strip() for output in of_kind(code(notebooks.execute(tiny)), "stream")]
    assert printed[:2] == ["ipc", "set()"]
    assert Path(printed[2]).samefile(sys.executable)
    assert Path(printed[3]) == notebooks.ROOT / "neuromem"
    assert printed[4] == "None"


@pytest.mark.slow
def test_outputs_are_written_and_with_check_they_are_not(
    tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    before = written(tiny, "print(6 * 7)", plot)
    assert notebooks.main(["--check"]) == 0
    assert tiny.read_bytes() == before
    assert "cell 2 of 2" in capsys.readouterr().err
    assert notebooks.main(["tiny"]) == 0
    after = read(tiny)
    assert after.cells[0].outputs[0].text == "42\n"
    assert notebooks.figures(after) == [1]
    assert [path.name for path in tiny.parent.iterdir()] == ["tiny.ipynb"]


@pytest.mark.slow
def test_a_cell_that_fails_is_named_and_nothing_is_written(
    tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = written(tiny, "print('well')", "raise RuntimeError('the fault')")
    assert notebooks.main([]) == 1
    assert tiny.read_bytes() == before
    said = capsys.readouterr().err
    assert "tiny failed" in said
    assert "RuntimeError: the fault" in said


def test_a_name_that_is_no_notebook_is_an_error_that_tells_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as stopped:
        notebooks.main(["4_poetry"])
    assert stopped.value.code == 2
    assert "1_capacity, 2_forgetting, 3_recall" in capsys.readouterr().err


def test_figures_are_small_and_keep_their_size(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib.figure")
    figure = matplotlib.Figure()
    figure.subplots().plot(range(50))
    figure.savefig(tmp_path / "figure.png")
    raw = (tmp_path / "figure.png").read_bytes()
    packed = base64.b64decode(notebooks.smaller(base64.b64encode(raw).decode()))
    sizes = [int.from_bytes(data[16:20]) * int.from_bytes(data[20:24]) for data in (raw, packed)]
    assert sizes[0] == sizes[1]
    assert len(packed) < len(raw) / 2
