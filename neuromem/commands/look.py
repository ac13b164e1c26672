"""bench, when no benchmark is named."""

from __future__ import annotations

from argparse import Namespace
from importlib import import_module
from typing import TYPE_CHECKING

from .common import emit

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["benches"]


def benches(args: Namespace) -> int:
    """Lists the benchmarks."""
    names: dict[str, str] = dict(import_module("..bench", __package__).NAMES)

    def view(console: Console) -> None:
        from ..render import facts_table

        table = facts_table()
        table.add_column("benchmark", no_wrap=True)
        table.add_column("it measures", ratio=1)
        for name, what in names.items():
            table.add_row(name, what)
        console.print(table)

    emit(args, {"benchmarks": names}, view)
    return 0
