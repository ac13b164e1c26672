"""Executes the notebooks: `python scripts/notebooks.py [--check] [NAME…]`.

Each runs in a fresh kernel of this very Python, in its own folder, offline and on one thread, with no
neuromem settings from outside, and is spoken to through Unix sockets. The outputs are written into the file,
without times and machine names; with `--check` nothing is written.

Exit status: 0; 1 when a notebook failed, with the cell and its error on stderr.
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CELL_TIMEOUT_S = 1_200  # a shared machine is slow at times
PNG = "image/png"
COLOURS = 255  # of a figure's palette
COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # as IPython puts them into an error
KEPT = ("NEUROMEM_DATA",)  # where evaluation data lies is no setting

Progress = Callable[[int, int], None]


def execute(path: Path, progress: Progress | None = None) -> Any:
    """Runs a notebook from a file and gives it back with its outputs; nothing is written.

    Args:
        progress: called with (code cells done, code cells in all).

    Raises:
        nbclient.exceptions.CellExecutionError: a cell raised.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    total = sum(cell.cell_type == "code" for cell in notebook.cells)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None

    def executed(cell: Any, **_: Any) -> None:
        if progress is not None:
            progress(cell.execution_count, total)

    with _kernel() as manager:
        client = NotebookClient(
            notebook, km=manager, timeout=CELL_TIMEOUT_S, record_timing=False, coalesce_streams=True,
            on_cell_executed=executed, resources={"metadata": {"path": str(path.parent)}},
        )  # fmt: skip
        client.execute(env=_environment(), cleanup_kc=True)
    _tidy(notebook)
    return notebook


@contextmanager
def _kernel() -> Iterator[Any]:
    """A manager for a kernel of this Python, whatever kernels are installed beside it."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    with tempfile.TemporaryDirectory(prefix="nb") as folder:  # short: a Unix socket's path has 104 bytes
        specs = KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)
        yield AsyncKernelManager(
            kernel_name="python3", kernel_spec_manager=specs, transport="ipc",
            connection_file=str(Path(folder) / "kernel.json"),
        )  # fmt: skip


def _environment() -> dict[str, str]:
    """Of the kernel: this repository first, one thread, offline, no settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or not name.startswith(("NEUROMEM_", "PYTEST_"))
    }
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    fixed = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return kept | fixed | offline | {"PYTHONPATH": path, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}


def _tidy(notebook: Any) -> None:
    """Leaves out what differs between machines whose results do not, and most bytes of the figures."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", ()):
            if PNG in output.get("data", {}):
                output.data[PNG] = smaller(output.data[PNG])


def smaller(picture: str) -> str:
    """A PNG, in base64, with a palette: a figure has few colours."""
    from PIL import Image  # comes with matplotlib

    packed = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        palette = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        palette.save(packed, "PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


def figures(notebook: Any) -> list[int]:
    """Numbers of the cells whose output holds a picture."""
    return [
        number
        for number, cell in enumerate(notebook.cells)
        if any(PNG in output.get("data", {}) for output in cell.get("outputs", ()))
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Executes the notebooks named (all, without names) and writes them. Returns the exit status."""
    parser = argparse.ArgumentParser("python scripts/notebooks.py", description="Executes the notebooks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 1_capacity; all without")
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    known = {path.stem: path for path in NOTEBOOKS}
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no notebook {unknown[0]!r}; there are {', '.join(known)}")
    return max(_run(known[name], not options.check) for name in options.names or known)


def _run(path: Path, write: bool) -> int:
    """Executes one notebook with its progress on stderr."""
    import nbformat
    from nbclient.exceptions import CellExecutionError

    started = time.monotonic()

    def show(done: int, total: int) -> None:
        line = f"\r{path.stem}: cell {done} of {total}, {time.monotonic() - started:.0f} s"
        print(line, end="", file=sys.stderr, flush=True)

    show(0, 0)
    try:
        notebook = execute(path, show)
    except CellExecutionError as error:
        print(f"\n{path.stem} failed\n{COLOUR.sub('', str(error))}", file=sys.stderr)
        return 1
    print(f", {len(figures(notebook))} figures", end="", file=sys.stderr)
    if write:
        draft = path.with_suffix(".part")
        nbformat.write(notebook, draft)  # type: ignore[no-untyped-call]
        draft.replace(path)
        print(f", {path.stat().st_size / 1024:.0f} KiB written", end="", file=sys.stderr)
    print(file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
