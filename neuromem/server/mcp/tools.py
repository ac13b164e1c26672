"""The tools: what a model reads about each, and what it may say. The work is done in `memories.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any

import anyio.from_thread
from mcp.server.mcpserver import Context
from pydantic import BeforeValidator, Field

from ...owners import Progress
from . import shapes
from .memories import Caller, Memories

__all__ = ["Tools"]

EVERY_S = 0.25  # between two words on how far deep recall has come


def _none_is_empty(value: Any) -> Any:
    return "" if value is None else value


# Plain `str` with "" for none, not `str | None`: of that the SDK would read the text "null" or "[1]" as JSON.
_Text = Annotated[str, BeforeValidator(_none_is_empty)]
UserId = Annotated[_Text, Field(description="Whose memory it is. Leave it out for the user you serve.")]
AgentId = Annotated[_Text, Field(description="An agent whose own memory it is.")]
AppId = Annotated[_Text, Field(description="An app whose memory it is.")]
RunId = Annotated[_Text, Field(description="A conversation or task that it belongs to.")]
MemoryId = Annotated[
    str, Field(description="The id of a memory, as search_memories or get_memories gave it.")
]
Query = Annotated[str, Field(description="A question in plain words, such as: what is my dog called?")]
Limit = Annotated[int, Field(description="Most results, 1 to 1000.")]
Number = Annotated[int | None, Field(description="Most results; the same as limit.")]
Filters = Annotated[
    dict[str, Any] | None,
    Field(
        description='Conditions, such as {"AND": [{"created_at": {"gte": "2026-01-01"}}, '
        '{"metadata": {"topic": "pets"}}]}. AND, OR, NOT; keys: user_id, agent_id, app_id, run_id, '
        "created_at, updated_at, categories, metadata, keywords, memory_ids."
    ),
]
Page = Annotated[int, Field(description="Which page, from 1.")]
PageSize = Annotated[int, Field(description="Memories on a page, 1 to 1000.")]
Metadata = Annotated[dict[str, Any] | None, Field(description="An object that comes back with the memory.")]


class Tools:
    """One method is one tool; its docstring is what a model is told of it."""

    def __init__(self, memories: Memories, caller: Callable[[Context[Any, Any]], Caller]) -> None:
        """Args:
        caller: says who calls.
        """
        self.memories, self.caller = memories, caller

    # -- telling --------------------------------------------------------------------------------

    def add_memory(
        self,
        ctx: Context[Any, Any],
        text: Annotated[
            _Text, Field(description="What to remember, in plain sentences: I am allergic to peanuts.")
        ] = "",
        messages: Annotated[
            list[dict[str, Any]] | None,
            Field(description='Instead of text: turns of talk, each {"role": "user", "content": "..."}.'),
        ] = None,
        user_id: UserId = "",
        agent_id: AgentId = "",
        app_id: AppId = "",
        run_id: RunId = "",
        metadata: Metadata = None,
        infer: Annotated[
            bool,
            Field(description="Keep facts only, sentence by sentence; false keeps the words as they are."),
        ] = True,
        timestamp: Annotated[
            float | str | None,
            Field(description="When it was said, ISO 8601 or Unix seconds; now if left out."),
        ] = None,
        expiration_date: Annotated[
            _Text, Field(description="YYYY-MM-DD: the last day on which it is to be found.")
        ] = "",
    ) -> shapes.Added:
        """Remembers something for good. Call it whenever the user tells something worth knowing later: who
        they are, what they like, decide, plan or own, how they want things done. Durable when it returns. A
        new fact replaces the one it contradicts ("moved to Porto" replaces "lives in Lisbon"); one known
        already is strengthened."""
        ids = _ids(user_id, agent_id, app_id, run_id)
        return self.memories.add(
            self.caller(ctx), ids, messages or text, metadata=metadata, infer=infer, timestamp=timestamp,
            expires=expiration_date or None,
        )  # fmt: skip

    def update_memory(
        self,
        ctx: Context[Any, Any],
        memory_id: MemoryId,
        text: Annotated[_Text, Field(description="The new words; left out, they stay.")] = "",
        metadata: Metadata = None,
    ) -> shapes.Record:
        """Corrects one memory: replaces its words, its metadata, or both. Call it when the user says that a
        memory is wrong; for news, add_memory is right, which replaces by itself what is no longer true."""
        return self.memories.update(self.caller(ctx), memory_id, text or None, metadata)

    # -- looking --------------------------------------------------------------------------------

    def search_memories(
        self,
        ctx: Context[Any, Any],
        query: Query,
        filters: Filters = None,
        user_id: UserId = "",
        agent_id: AgentId = "",
        app_id: AppId = "",
        run_id: RunId = "",
        limit: Limit = 10,
        top_k: Number = None,
        threshold: Annotated[float, Field(description="Least score of a result, 0 to 1.")] = 0.1,
    ) -> shapes.Memories:
        """Recalls what answers a question, best first. Call it before you answer anything that what you were
        told earlier could change: names, preferences, plans, past decisions. What has been replaced is left
        out, unless the question is about the past. If nothing fits, deep_recall looks further."""
        ids = _ids(user_id, agent_id, app_id, run_id)
        most = limit if top_k is None else top_k
        found = self.memories.search(self.caller(ctx), ids, query, filters, most, threshold)
        return shapes.Memories(results=found)

    def deep_recall(
        self,
        ctx: Context[Any, Any],
        query: Query,
        user_id: UserId = "",
        agent_id: AgentId = "",
        app_id: AppId = "",
        run_id: RunId = "",
        limit: Limit = 10,
    ) -> shapes.Memories:
        """Searches every word ever said, also what has faded or was never kept as a fact. Slower: call it
        when search_memories found nothing and the user is sure that they told it. What is found is
        remembered again."""
        ids = _ids(user_id, agent_id, app_id, run_id)
        found = self.memories.deep(self.caller(ctx), ids, query, limit, _progress(ctx))
        return shapes.Memories(results=found)

    def conscious(
        self,
        ctx: Context[Any, Any],
        user_id: UserId = "",
        agent_id: AgentId = "",
        app_id: AppId = "",
        run_id: RunId = "",
    ) -> shapes.Memories:
        """The few facts that matter most: who somebody is, family, health, home, work, lasting preferences.
        Call it once when a conversation begins; it needs no question and costs little."""
        ids = _ids(user_id, agent_id, app_id, run_id)
        return shapes.Memories(results=self.memories.conscious(self.caller(ctx), ids))

    def get_memories(
        self,
        ctx: Context[Any, Any],
        filters: Filters = None,
        user_id: UserId = "",
        agent_id: AgentId = "",
        app_id: AppId = "",
        run_id: RunId = "",
        page: Page = 1,
        page_size: PageSize = 50,
    ) -> shapes.Page:
        """Lists memories, newest first, page by page; what has been replaced too. Call it to show the user
        everything, or to find ids to correct or delete; to answer a question, search_memories is right."""
        ids = _ids(user_id, agent_id, app_id, run_id)
        return self.memories.page(self.caller(ctx), ids, filters, page, page_size)

    def get_memory(self, ctx: Context[Any, Any], memory_id: MemoryId) -> shapes.Record:
        """One memory by its id, with its dates and its strength. Call it to check before a change."""
        return self.memories.get(self.caller(ctx), memory_id)

    # -- forgetting -----------------------------------------------------------------------------

    def delete_memory(self, ctx: Context[Any, Any], memory_id: MemoryId) -> shapes.Deleted:
        """Forgets one memory for good, in the weights and on disk; nothing brings it back. Call it only when
        the user wants it gone; for what is merely wrong, use update_memory."""
        return self.memories.delete(self.caller(ctx), [memory_id])

    def delete_memories(
        self,
        ctx: Context[Any, Any],
        memory_ids: Annotated[list[str], Field(description="Ids of memories; all are forgotten, or none.")],
    ) -> shapes.Deleted:
        """Forgets several memories for good. Call it only when the user wants these gone."""
        return self.memories.delete(self.caller(ctx), memory_ids)

    def delete_all_memories(
        self,
        ctx: Context[Any, Any],
        user_id: UserId = "",
        agent_id: AgentId = "",
        app_id: AppId = "",
        run_id: RunId = "",
    ) -> shapes.Deleted:
        """Forgets everything of somebody for good, every word. At least one id has to be given here; with
        several, what belongs to all of them goes. Ask the user before you call it."""
        return self.memories.delete_where(self.caller(ctx), _ids(user_id, agent_id, app_id, run_id))

    def delete_entities(
        self,
        ctx: Context[Any, Any],
        user_id: UserId = "",
        agent_id: AgentId = "",
        app_id: AppId = "",
        run_id: RunId = "",
    ) -> shapes.Deleted:
        """Forgets one user, agent, app or run altogether, with all its memories. Exactly one id has to be
        given. Ask the user before you call it."""
        return self.memories.delete_entity(self.caller(ctx), _ids(user_id, agent_id, app_id, run_id))

    # -- who, and what was asked ------------------------------------------------------------------

    def list_entities(self, ctx: Context[Any, Any]) -> shapes.Entities:
        """Users, agents, apps and runs that have memories, and how many each."""
        return self.memories.entities(self.caller(ctx))

    def list_events(self, ctx: Context[Any, Any], page: Page = 1, page_size: PageSize = 50) -> shapes.Events:
        """What was added lately and what became of it, newest first. Call it when the user asks what was
        remembered just now."""
        return self.memories.events(self.caller(ctx), page, page_size)

    def get_event_status(
        self,
        ctx: Context[Any, Any],
        event_id: Annotated[str, Field(description="The event_id that add_memory gave.")],
    ) -> shapes.Event:
        """Whether an addition is done: PENDING, RUNNING, SUCCEEDED or FAILED. add_memory of this server is
        done when it returns, so there is rarely need to ask."""
        return self.memories.event(self.caller(ctx), event_id)


def _ids(user_id: str, agent_id: str, app_id: str, run_id: str) -> dict[str, str]:
    return {"user_id": user_id, "agent_id": agent_id, "app_id": app_id, "run_id": run_id}


def _progress(ctx: Context[Any, Any]) -> Progress | None:
    """Tells a client that asked for it how far it is; called in the thread that does the work."""
    last = time.monotonic()

    def step(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY_S:
            last = time.monotonic()
            anyio.from_thread.run(ctx.report_progress, float(done), float(total))

    return step
