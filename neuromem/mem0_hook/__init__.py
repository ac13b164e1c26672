"""Makes mem0's own clients talk to a server of ours when they are told no host.

``import neuromem.mem0_default`` does it in code, ``neuromem mem0-env -- python app.py`` for a whole program:
then ``MemoryClient()`` and ``AsyncMemoryClient()`` go to ``NEUROMEM_URL`` (default http://127.0.0.1:8888),
also inside of frameworks that have no setting for it. A host that is given is left alone. They show
``NEUROMEM_API_KEY``, if it is set, where they would show ``MEM0_API_KEY``: that one is for mem0's own eyes.

AutoGen and Agno still ask as mem0 1.x was asked (``search(query, user_id=...)``), which mem0 2.x refuses
before it asks anybody. A client that goes to our server takes that, too: names go into the filters.

This file also runs, by its path, in environments that have no neuromem (`site/sitecustomize.py`): the
standard library only, and Python 3.9. Importing it changes nothing; `install` does.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import inspect
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
OURS = "_neuromem_default_host"  # on a client that was told no host
ASKING = {"search": 1, "get_all": 0}  # methods, and how many arguments they have always taken by place
NAMES = ("user_id", "agent_id", "app_id", "run_id")
NO_LONGER_TAKEN = ("org_id", "project_id")  # by constructors of mem0 2.x; a server of ours has one project


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
        if client is None or hasattr(client.__init__, MARK):
            continue
        taken = inspect.signature(client.__init__).parameters
        dropped = [word for word in NO_LONGER_TAKEN if word not in taken]
        client.__init__ = _with_default(client.__init__, dropped)
        for method, places in ASKING.items() if dropped else ():  # older ones take names beside filters
            if hasattr(client, method):
                setattr(client, method, _with_names(getattr(client, method), places))


def _with_default(init: Callable[..., None], dropped: Sequence[str]) -> Callable[..., None]:
    """A constructor of a client, whose second argument, `host`, has another default.

    Args:
        dropped: keywords that it does not take any more: left out where they say nothing, or go to us.
    """

    @functools.wraps(init)
    def call(
        self: Any, api_key: str | None = None, host: str | None = None, *more: Any, **named: Any
    ) -> None:
        kept = {
            word: value
            for word, value in named.items()
            if word not in dropped or (host and value is not None)
        }
        init(self, api_key if host else _key(api_key), host or url(), *more, **kept)
        setattr(self, OURS, not host)

    setattr(call, MARK, True)
    return call


def _with_names(ask: Callable[..., Any], places: int) -> Callable[..., Any]:
    """A method that asks, which takes names beside the filters; of a client that goes to us alone.

    What comes with `options` was written for mem0 2.x, whose own refusal of names stands.
    """
    if inspect.iscoroutinefunction(ask):

        @functools.wraps(ask)
        async def later(self: Any, *given: Any, **named: Any) -> Any:
            old = len(given) <= places and "options" not in named
            return await ask(self, *given, **(_in_filters(self, named) if old else named))

        return later

    @functools.wraps(ask)
    def now(self: Any, *given: Any, **named: Any) -> Any:
        old = len(given) <= places and "options" not in named
        return ask(self, *given, **(_in_filters(self, named) if old else named))

    return now


def _in_filters(client: Any, named: dict[str, Any]) -> dict[str, Any]:
    """Keywords with the names among them moved into the filters, which have to hold beside them."""
    if not getattr(client, OURS, False):
        return named
    names = {word: named[word] for word in NAMES if named.get(word) is not None}
    rest = {word: value for word, value in named.items() if word not in NAMES}
    if not names:
        return rest
    filters = rest.get("filters")
    return {**rest, "filters": {"AND": [names, filters]} if filters else names}


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
