"""Fills .venv: torch first (the CPU build unless TORCH=cuda), then neuromem with the extras named.

Started by scripts/setup.sh with the environment's own Python; the standard library alone is used.
What is done is noted in .venv/setup.json under a hash of what was asked for: a second run ends at
once, a changed pyproject.toml installs again, and an interrupted run is gone on with.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STATE = VENV / "setup.json"
LOG = VENV / "setup.log"
REPORT = VENV / "setup-report.json"
CONSTRAINTS = VENV / "setup-constraints.txt"

TORCH_VERSION = "2.13.0"  # inside pyproject's range; known to pass the tests
CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # PyTorch's own index of CPU builds
PATIENCE = ("--timeout", "15", "--retries", "1")  # seconds; an index out of reach must not hold us up
CORE = "core"  # neuromem itself, with no extra, among the extras that are done
LOG_TAIL = 15  # lines of the log shown when a step fails


class SetupError(Exception):
    """A step failed; the message says which one and what to do."""


def say(text: str, end: str = "\n") -> None:
    """Prints at once, so that a slow step shows its name while it runs."""
    print(text, end=end, flush=True)


def pip(*arguments: str) -> bool:
    """Runs pip with its output in the log. Returns whether it succeeded."""
    settings = {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    command = [sys.executable, "-m", "pip", "--no-input", *arguments]
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        log.flush()
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    return done.returncode == 0


@contextmanager
def step(name: str) -> Iterator[None]:
    """One line: the name of the step, and the seconds it took."""
    started = time.monotonic()
    say(f"  {name} ... ", end="")
    yield
    say(f"{time.monotonic() - started:.0f} s")


def failed(what: str, remedy: str) -> SetupError:
    """The error of a step, with the end of the log before it."""
    tail = LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL:]
    say("failed\n" + "\n".join(f"    | {line}" for line in tail))
    return SetupError(f"{what}; {remedy} (whole log: {LOG.relative_to(ROOT)})")


# What is already there


def needs_cuda(requirements: list[str]) -> bool:
    """Whether a torch with these requirements would bring NVIDIA's packages to this machine."""
    from pip._vendor.packaging.requirements import Requirement  # pip is in every environment

    wanted = [Requirement(text) for text in requirements]
    here = [r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    return any(name.startswith(("nvidia-", "cuda-")) for name in here)


def torch_installed(kind: str) -> bool:
    """Whether the right version of torch, of the right kind, is in the environment."""
    try:
        found = metadata.distribution("torch")
    except metadata.PackageNotFoundError:
        return False
    right_version = str(found.version).split("+")[0] == TORCH_VERSION
    return right_version and (kind == "any" or needs_cuda(found.requires or []) == (kind == "cuda"))


def damaged() -> list[str]:
    """Packages that an interrupted pip left with files missing, as `name==version`."""
    broken = []
    for found in metadata.distributions():
        files = [path for path in found.files or [] if path.suffix != ".pyc"]
        if found.name and not (files and all(os.path.exists(path.locate()) for path in files)):
            broken.append(f"{found.name}=={found.version}")
    return broken


def read_state() -> dict[str, Any]:
    """What earlier runs did; empty when there was none or the note is unreadable."""
    try:
        state = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def write_state(state: dict[str, Any]) -> None:
    """Replaces the note in one move: half a note is never read."""
    draft = STATE.with_suffix(".part")
    draft.write_text(json.dumps(state), encoding="utf-8")
    draft.replace(STATE)


def fingerprint() -> str:
    """A hash of all that an installation depends on. Settings of ruff or pytest are not among it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    parts = [project.get("build-system"), project.get("project"), project.get("tool", {}).get("hatch")]
    text = json.dumps([*parts, TORCH_VERSION, str(ROOT), sys.version_info[:2]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


# Steps


def torch_kind() -> str:
    """`cpu`, `cuda`, or `any` on macOS, whose only build serves CPU and MPS."""
    asked = os.environ.get("TORCH", "") or "cpu"
    if asked not in ("cpu", "cuda"):
        raise SetupError(f"TORCH={asked} is not known; use TORCH=cpu (the default) or TORCH=cuda")
    return "any" if platform.system() == "Darwin" else asked


def chosen_wheel(*options: str) -> str | None:
    """The address of the torch wheel that pip would take with these options, if it is a CPU build."""
    REPORT.unlink(missing_ok=True)
    dry = ("install", "--dry-run", "--ignore-installed", "--no-deps", "--only-binary=torch")
    if not pip(*dry, "--report", str(REPORT), *options, f"torch=={TORCH_VERSION}"):
        return None
    chosen = json.loads(REPORT.read_text(encoding="utf-8"))["install"][0]
    if needs_cuda(chosen["metadata"].get("requires_dist", [])):
        return None
    return str(chosen["download_info"]["url"])


def install_cpu_torch() -> bool:
    """A local wheel if pip's settings name one, else PyTorch's CPU index, else pip's own index.

    Returns whether torch was installed. A build that would bring CUDA's gigabytes is never taken.
    """
    force = ("install", "--force-reinstall", "--no-deps")
    if local := chosen_wheel("--no-index"):
        say("local wheel, ", end="")
        return pip(*force, local)
    say("download.pytorch.org, ", end="")
    if pip(*force, "--index-url", CPU_INDEX, *PATIENCE, f"torch=={TORCH_VERSION}"):
        return True
    say("not there; pip's own index, ", end="")
    if platform.machine() == "x86_64":  # PyPI's build is CUDA's; a mirror may hold the CPU build
        return pip(*force, f"torch=={TORCH_VERSION}+cpu", *PATIENCE)
    # Elsewhere PyPI's may be a CPU build. Older pips download a wheel only to look at it.
    found = chosen_wheel() if pip("install", "--upgrade", "pip>=24.2", *PATIENCE) else None
    return found is not None and pip(*force, found)


def install_torch(kind: str) -> None:
    """Installs torch of this kind.

    Raises:
        SetupError: no wheel could be had.
    """
    with step(f"torch {TORCH_VERSION}{'' if kind == 'any' else f' ({kind})'}"):
        if kind == "cpu":
            done = install_cpu_torch()
        else:  # `===` passes over a local +cpu build
            done = pip("install", "--force-reinstall", "--no-deps", f"torch==={TORCH_VERSION}")
        if not done:
            raise failed(
                f"no torch {TORCH_VERSION} for {platform.system()} {platform.machine()}, "
                f"Python {platform.python_version()}, could be installed without CUDA's packages"
                if kind == "cpu"
                else f"torch {TORCH_VERSION} could not be installed",
                f"check that {CPU_INDEX} can be reached, or put a CPU wheel in a folder and run with "
                "PIP_FIND_LINKS=that/folder, or take the large CUDA build with TORCH=cuda"
                if kind == "cpu"
                else "check the connection and that Python is 3.11 to 3.14",
            )


def install_project(extras: list[str]) -> None:
    """Installs neuromem itself, editable, with these extras; torch stays the one that is there.

    Raises:
        SetupError: pip failed.
    """
    CONSTRAINTS.write_text(f"torch=={metadata.version('torch')}\n", encoding="utf-8")
    what = f".[{','.join(extras)}]" if extras else "."
    with step(f"neuromem with {', '.join(extras) or 'no extras'}"):
        if not pip("install", "--editable", what, "--constraint", str(CONSTRAINTS)):
            raise failed("neuromem could not be installed", "check the connection and run it again")


def repair(packages: list[str]) -> None:
    """Reinstalls what an interrupted run left half done.

    Raises:
        SetupError: pip failed.
    """
    for package in packages:
        with step(f"repairing {package}"):
            if not pip("install", "--ignore-installed", "--no-deps", package):
                raise failed(f"{package} could not be repaired", "run: make distclean, and start again")


def fill(extras: list[str]) -> None:
    """Does what is missing, and notes it."""
    kind, wanted, state = torch_kind(), fingerprint(), read_state()
    done = state.get("extras", {})
    parts = [CORE, *extras]
    missing = [part for part in parts if done.get(part) != wanted]
    interrupted = bool(state.get("running"))
    if not missing and not interrupted and state.get("kind") == kind:
        return
    started = time.monotonic()
    LOG.touch()
    say(f"neuromem: {'going on with' if interrupted else 'filling'} .venv (log: .venv/setup.log)")
    write_state({"running": True, "extras": {}})
    broken = damaged() if interrupted else []
    torch_broken = any(package.startswith("torch==") for package in broken)
    for record in Path(sysconfig.get_path("purelib")).glob("torch-*.dist-info") if torch_broken else ():
        shutil.rmtree(record)  # pip cannot uninstall half a package; it is installed over
    if not torch_installed(kind):
        install_torch(kind)
    repair([package for package in broken if not package.startswith("torch==")])
    install_project(extras)
    if kind == "cpu" and not torch_installed(kind):
        raise SetupError("another torch took the CPU build's place; run: make distclean, and start again")
    kept = {extra: key for extra, key in done.items() if key == wanted and state.get("kind") == kind}
    write_state({"kind": kind, "extras": kept | dict.fromkeys(parts, wanted)})
    say(f"  ready in {time.monotonic() - started:.0f} s")


def main(extras: list[str]) -> int:
    """Fills the environment, one run at a time. Returns the exit status."""
    with (VENV / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # given back by the system, even after a kill
        try:
            fill(extras)
        except SetupError as error:
            print(f"neuromem: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nneuromem: interrupted; the same command goes on from here", file=sys.stderr)
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
