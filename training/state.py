"""The state of a training run: kept atomically, and loaded again when the run goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import torch

from neuromem.atomic import replacing

__all__ = ["resume", "run", "save", "written"]


class Stateful(Protocol):
    """A network or an optimizer."""

    def state_dict(self) -> dict[str, Any]:
        """What there is to keep."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Takes what was kept."""


def resume(path: Path, *, seed: int, start: Path | None = None, also: str = "", **parts: Stateful) -> int:
    """Loads the parts of an interrupted run, and torch's random numbers on the CPU; returns its step.

    Args:
        path: of the state; 0 is returned where there is none. seed, start: of the run that is to go on:
            both only count at its beginning, so another run's state is refused. also: more such options.

    Raises:
        SystemExit: the state cannot be read, or is of another run.
    """
    if not path.is_file():
        return 0
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        step = int(state["step"])
    except Exception as error:  # torch raises whatever the damage leads to
        raise SystemExit(f"{path} cannot be read ({error!r:.200}); remove it to begin anew") from error
    begun = state.get("begun")  # states of before do not say
    wanted = _begun(seed, start, also)
    if begun is not None and begun != wanted:
        raise SystemExit(
            f"{path} is of a run with {begun}, not with {wanted}; "
            "give --runs another folder, or remove the state"
        )
    for name, part in parts.items():
        part.load_state_dict(state[name])
    if "random" in state:
        torch.set_rng_state(state["random"])
    print(f"resumed at step {step:,}", flush=True)
    return step


def save(
    path: Path, step: int, *, seed: int, start: Path | None = None, also: str = "", **parts: Stateful
) -> None:
    """Keeps the parts; an interrupted writing leaves the last state as it was."""
    kept = {"step": step, "begun": _begun(seed, start, also), "random": torch.get_rng_state()}
    state = kept | {name: part.state_dict() for name, part in parts.items()}
    written(path, lambda draft: torch.save(state, draft))


def written(path: Path, write: Callable[[Path], object]) -> None:
    """Writes a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        write(draft)


def run(main: Callable[[], None]) -> None:
    """Runs a script; ^C ends it with a line that says what becomes of the run."""
    try:
        main()
    except KeyboardInterrupt:
        print("\ninterrupted; the same command goes on from the last state that was kept", file=sys.stderr)
        sys.exit(130)


def _begun(seed: int, start: Path | None, also: str) -> str:
    return " ".join(filter(None, (f"--seed {seed}", f"--start {start}" if start else "", also)))
