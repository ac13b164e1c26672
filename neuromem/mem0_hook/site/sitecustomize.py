"""Python runs this at its start, because `neuromem mem0-env` puts this folder on PYTHONPATH.

It runs what is beside it in the folder above, then the environment's own sitecustomize, if it has one. No
program may fail for it: what goes wrong is said, and that is all.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType


def _run(name: str, file: str | None = None, path: list[str] | None = None) -> ModuleType | None:
    """Imports a module by its file, or the first of its name on a path; None where there is none."""
    if file is not None:
        spec = importlib.util.spec_from_file_location(name, file)
    else:
        spec = importlib.machinery.PathFinder.find_spec(name, path)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _start() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    hook_file = os.path.join(os.path.dirname(here), "__init__.py")
    try:
        hook = _run("neuromem_mem0_hook", hook_file)
        if hook is not None:
            hook.install()
    except Exception as error:
        print(f"neuromem: mem0's clients keep their own host ({error!r})", file=sys.stderr)
    others = [place for place in sys.path if os.path.abspath(place or os.curdir) != here]
    _run("sitecustomize", path=others)


_start()
