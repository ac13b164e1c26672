"""mcp: the memory for agents, over standard input and output or HTTP."""

from __future__ import annotations

import os
from argparse import Namespace
from typing import TYPE_CHECKING

from ..errors import InvalidInput, MissingDependency
from .common import DEFAULT_USER, STEADY, check_folder, settings, store_path

if TYPE_CHECKING:
    from pathlib import Path

    from ..config import Config
    from ..server.mcp.memories import Parts

__all__ = ["mcp"]


def mcp(args: Namespace) -> int:
    """Speaks the Model Context Protocol until there is nobody to speak to."""
    if args.url is not None and args.http:
        raise InvalidInput("--http", "does not go with --url", "that server speaks HTTP at /mcp by itself")
    try:
        import mcp.server.mcpserver  # noqa: F401  (version 2)
    except ImportError as error:
        raise MissingDependency("neuromem mcp", "mcp", "server") from error
    if args.url is not None:
        from ..server.mcp import bridge

        key = args.api_key or os.environ.get("NEUROMEM_API_KEY")
        return bridge.serve(bridge.Bridge(args.url, key, args.user))
    if args.http:
        from .serve import serve

        return serve(args)
    from ..server.mcp import stdio

    config, path = settings(args, STEADY), store_path(args)
    check_folder(path)
    return stdio.serve(stdio.Opening(lambda: _parts(args, config, path)), args.user or DEFAULT_USER)


def _parts(args: Namespace, config: Config, path: Path) -> Parts:
    """The store, opened. Raises StoreLocked and others where it cannot be."""
    from ..memory import Memory
    from ..server.adding import Adding
    from ..server.desk import Desk
    from ..server.mcp.memories import Parts
    from ..server.service import Service

    memory = Memory(path, config, args.encoder)
    try:
        service = Service(memory, Desk(path))
    except BaseException:
        memory.close()
        raise
    adding = Adding.alone(service)
    return Parts(service, adding.events, adding)
