"""mem0-env: runs a program whose mem0 clients talk to a server of ours."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from argparse import Namespace
from pathlib import Path

from .. import mem0_hook
from ..errors import InvalidInput, NotFound

__all__ = ["environment", "mem0_env"]

PROBE_S = 2.0  # for the server to say that it is there


def mem0_env(args: Namespace) -> int:
    """Runs the program in place of this one: its exit status and signals are its own."""
    words = args.words[1:] if args.words[:1] == ["--"] else args.words
    added = environment(args.url)
    if not words:
        _show(added, args.json)
        return 0
    _warn_if_silent(added["NEUROMEM_URL"])
    sys.stdout.flush()
    return _become(words, {**os.environ, **added})


def environment(url: str | None = None) -> dict[str, str]:
    """What is added to the environment.

    Raises:
        InvalidInput: the address is none.
    """
    address = (url or mem0_hook.url()).rstrip("/")
    if not address.startswith(("http://", "https://")):
        raise InvalidInput("--url", f"{address!r} is no address", f"give one such as {mem0_hook.DEFAULT_URL}")
    hook = str(Path(mem0_hook.__file__).parent / "site")
    path = [place for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place and place != hook]
    key = os.environ.get("NEUROMEM_API_KEY") or os.environ.get("MEM0_API_KEY") or "local"
    return {
        "NEUROMEM_URL": address,
        "MEM0_API_KEY": key,
        "MEM0_TELEMETRY": os.environ.get("MEM0_TELEMETRY", "False"),
        "MEM0_BASE_URL": address,  # of mem0's command line
        "MEM0_HOST": address,  # of adapters for a server of one's own
        "PYTHONPATH": os.pathsep.join([hook, *path]),
    }


def _show(added: dict[str, str], as_json: bool) -> None:
    """The environment, for a shell to take over: ``eval "$(neuromem mem0-env)"``."""
    if as_json:
        print(json.dumps(added, indent=2))
        return
    for name, value in added.items():
        print(f"export {name}={shlex.quote(value)}")


def _warn_if_silent(url: str) -> None:
    """One line on stderr where no server answers; the program runs all the same."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=PROBE_S):
            return
    except urllib.error.HTTPError:
        return  # it is there, and does not let us in
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        print(f"neuromem: no server at {url} ({reason}); start one: neuromem serve", file=sys.stderr)


def _become(words: list[str], env: dict[str, str]) -> int:
    """Becomes the program, or (Windows cannot) runs it and ends as it ended.

    Raises:
        NotFound: there is no such program. InvalidInput: it cannot be run.
    """
    try:
        if sys.platform == "win32":
            return subprocess.run(words, env=env, check=False).returncode
        os.execvpe(words[0], words, env)
    except FileNotFoundError as error:
        raise NotFound(
            f"no program {words[0]!r}; give one such as: neuromem mem0-env -- python app.py"
        ) from error
    except (OSError, ValueError) as error:  # not executable, of no known format, or no name at all
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(
            "program", f"{words[0]!r} cannot be run ({reason})", "give one that is executable"
        ) from error
