"""The state of a training run: kept atomically, and loaded again when the run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import torch

__all__ = ["resume", "save"]


class Stateful(Protocol):
    """A network or an optimizer."""

    def state_dict(self) -> dict[str, Any]:
        """What there is to keep."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Takes what was kept."""


def resume(path: Path, **parts: Stateful) -> int:
    """Loads the parts of an interrupted run, if there is one; returns its step."""
    if not path.is_file():
        return 0
    state: dict[str, Any] = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    print(f"resumed at step {state['step']:,}")
    return int(state["step"])


def save(path: Path, step: int, **parts: Stateful) -> None:
    """Keeps the parts; an interrupted writing leaves the last state as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    torch.save({"step": step, **{name: part.state_dict() for name, part in parts.items()}}, draft)
    draft.replace(path)
