"""The MCP server: tools, resources and prompts over `Memories`, whatever it is spoken to through."""

from __future__ import annotations

import functools
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from mcp import MCPError
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ToolError
from mcp_types import INVALID_PARAMS, ToolAnnotations

from ... import __version__
from ...errors import NeuromemError
from .memories import Caller, Memories
from .tools import Tools

__all__ = ["Wait", "WhoCalls", "build"]

WhoCalls = Callable[[Context[Any, Any]], Caller]
Wait = Callable[[Mapping[str, Any], Callable[[], Any]], Awaitable[Any]]
"""Does the work of a call in a thread, when it is its turn; told what the tool was given."""
Function = TypeVar("Function", bound=Callable[..., Any])

INSTRUCTIONS = """\
A memory that lasts between conversations. Begin with `conscious` (the facts that matter most), or with
`search_memories` and the user's question. Whenever the user tells something worth knowing later, call
`add_memory` with it in plain sentences; a fact that changed replaces the old one by itself. Where search
finds nothing but the user is sure, `deep_recall` reads every word ever said. Deleting is final: ask first."""

LOOKS, CHANGES, ERASES = "looks", "changes", "erases"
TITLES = {  # tool -> (what a user is shown, what it does, whether doing it twice is doing it once)
    "add_memory": ("Remember", CHANGES, True),
    "search_memories": ("Search memories", LOOKS, True),
    "deep_recall": ("Search everything ever said", CHANGES, True),
    "conscious": ("Essential facts", LOOKS, True),
    "get_memories": ("List memories", LOOKS, True),
    "get_memory": ("Show a memory", LOOKS, True),
    "update_memory": ("Correct a memory", CHANGES, True),
    "delete_memory": ("Forget a memory", ERASES, False),
    "delete_memories": ("Forget memories", ERASES, False),
    "delete_all_memories": ("Forget everything of somebody", ERASES, True),
    "delete_entities": ("Forget somebody", ERASES, True),
    "list_entities": ("Who has memories", LOOKS, True),
    "list_events": ("What was added", LOOKS, True),
    "get_event_status": ("Status of an addition", LOOKS, True),
}
OPENMEMORY = {  # what OpenMemory called the same tools
    "add_memory": "add_memories",
    "search_memories": "search_memory",
    "get_memories": "list_memories",
}


def build(
    memories: Memories, caller: WhoCalls, *, openmemory: bool = False, waits: Mapping[str, Wait] | None = None
) -> MCPServer[Any]:
    """Makes the server.

    Args:
        caller: says who calls.
        waits: for tools that share a queue with others; by our names of them.
        openmemory: tools bear OpenMemory's names where it had them: one of each, so that a model does not
            have to choose between two that do the same.
    """
    with _logging_left_alone():
        server: MCPServer[Any] = MCPServer(
            "neuromem", title="neuromem", version=__version__, instructions=INSTRUCTIONS, log_level="WARNING"
        )
    tools = Tools(memories, caller)
    for name, (title, does, again) in TITLES.items():
        tool, wait = getattr(tools, name), (waits or {}).get(name)
        server.add_tool(
            _told(tool, ToolError) if wait is None else _waiting(tool, wait),
            description=" ".join((getattr(Tools, name).__doc__ or "").split()),
            name=OPENMEMORY.get(name, name) if openmemory else name,
            title=title,
            annotations=ToolAnnotations(
                title=title, read_only_hint=does == LOOKS, destructive_hint=does == ERASES,
                idempotent_hint=again, open_world_hint=False,
            ),
        )  # fmt: skip
    _add_resources(server, memories, caller)
    _add_prompts(server, memories, caller)
    return server


def _add_resources(server: MCPServer[Any], memories: Memories, caller: WhoCalls) -> None:
    def conscious(ctx: Context[Any, Any], user: str) -> str:
        found = memories.conscious(caller(ctx), {"user_id": user})
        return "\n".join(f"- {record['memory']}" for record in found)

    server.resource(
        "memory://{user}/conscious", name="conscious", title="Essential facts of a user",
        description="Who they are, family, health, home, work, lasting preferences; a fact on a line.",
        mime_type="text/plain",
    )(_told(conscious, ResourceError))  # fmt: skip


def _add_prompts(server: MCPServer[Any], memories: Memories, caller: WhoCalls) -> None:
    def what_do_you_know_about_me(ctx: Context[Any, Any], user_id: str = "") -> str:
        found = memories.conscious(caller(ctx), {"user_id": user_id})
        facts = "\n".join(f"- {record['memory']}" for record in found) or "(nothing yet)"
        return (
            "What do you know about me? Tell me in your own words, and ask whether it is still right. "
            f"These are the essential facts in your memory:\n{facts}"
        )

    server.prompt(
        title="What do you know about me?", description="The essential facts in the memory, told and checked."
    )(_told(what_do_you_know_about_me, _refused))


def _refused(problem: str) -> MCPError:
    """The only error of a prompt that the SDK passes on in its words."""
    return MCPError(INVALID_PARAMS, problem)


def _told(function: Function, kind: Callable[[str], Exception]) -> Function:
    """A function whose errors of ours reach the model in their own words."""

    @functools.wraps(function)
    def telling(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except NeuromemError as error:
            raise kind(str(error)) from error

    return telling  # type: ignore[return-value]


def _waiting(tool: Callable[..., Any], wait: Wait) -> Callable[..., Awaitable[Any]]:
    """A tool that waits for its turn; errors as `_told` has them."""

    @functools.wraps(tool)
    async def waiting(**given: Any) -> Any:
        try:
            return await wait(given, functools.partial(tool, **given))
        except NeuromemError as error:
            raise ToolError(str(error)) from error

    return waiting


@contextmanager
def _logging_left_alone() -> Iterator[None]:
    """The SDK sets up the logging of the whole process; that is for whoever runs the process to do."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
