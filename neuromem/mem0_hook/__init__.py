"""Makes mem0's own clients talk to a server of ours when they are told no host.

``import neuromem.mem0_default`` does it in code, ``neuromem mem0-env -- python app.py`` for a whole program:
then ``MemoryClient()`` and ``AsyncMemoryClient()`` go to ``NEUROMEM_URL`` (default http://127.0.0.1:8888),
also inside of frameworks that have no setting for it. A host that is given is left alone. They show
``NEUROMEM_API_KEY``, if it is set, where they would show ``MEM0_API_KEY``: that one is for mem0's own eyes.

This file also runs, by its path, in environments that have no neuromem (`site/sitecustomize.py`): the
standard library only, and Python 3.9. Importing it changes nothing; `install` does.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

__all__ = ["CLIENTS", "DEFAULT_URL", "install", "url"]

DEFAULT_URL = "http://127.0.0.1:8888"
MODULE = "mem0.client.main"  # where both clients are, since 0.1
CLIENTS = ("MemoryClient", "AsyncMemoryClient")
MARK = "__neuromem_default__"


def url() -> str:
    """The server's address, without a slash at its end."""
    return (os.environ.get("NEUROMEM_URL") or DEFAULT_URL).rstrip("/")


def install() -> None:
    """Sets the default host of mem0's clients, now or when mem0 is imported; more calls do nothing."""
    os.environ.setdefault("MEM0_TELEMETRY", "False")  # it would be sent whatever the host
    if not os.environ.get("MEM0_API_KEY"):  # without one the clients refuse to be built
        os.environ["MEM0_API_KEY"] = os.environ.get("NEUROMEM_API_KEY") or "local"
    if MODULE in sys.modules:
        _patch(sys.modules[MODULE])
    elif not any(map(_is_ours, sys.meta_path)):
        sys.meta_path.insert(0, _Finder())


def _is_ours(finder: object) -> bool:
    """By a mark, not by class: this file may be loaded under two names."""
    return hasattr(finder, MARK)


def _patch(module: ModuleType) -> None:
    for name in CLIENTS:
        client = getattr(module, name, None)
        if client is not None and not hasattr(client.__init__, MARK):
            client.__init__ = _with_default(client.__init__)


def _with_default(init: Callable[..., None]) -> Callable[..., None]:
    """A constructor of a client, whose second argument, `host`, has another default."""

    @functools.wraps(init)
    def call(
        self: Any, api_key: str | None = None, host: str | None = None, *more: Any, **named: Any
    ) -> None:
        init(self, api_key if host else _key(api_key), host or url(), *more, **named)

    setattr(call, MARK, True)
    return call


def _key(given: str | None) -> str | None:
    """The key for our server: ``NEUROMEM_API_KEY`` in place of none, and of mem0's from the environment."""
    ours = os.environ.get("NEUROMEM_API_KEY")
    return ours if ours and given in (None, "", os.environ.get("MEM0_API_KEY")) else given


class _Finder(importlib.abc.MetaPathFinder):
    """Finds mem0's module as it would be found anyway, and has it patched when it has been run."""

    __neuromem_default__ = True

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if fullname != MODULE:
            return None
        for finder in sys.meta_path:
            find = None if _is_ours(finder) else getattr(finder, "find_spec", None)
            spec: importlib.machinery.ModuleSpec | None = find(fullname, path, target) if find else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader(importlib.abc.Loader):
    """Runs a module by its own loader, then patches it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """See `importlib.abc.Loader`."""
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        """See `importlib.abc.Loader`."""
        self._loader.exec_module(module)
        _patch(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)
