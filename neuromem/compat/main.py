"""`Memory`: called as mem0's, versions 1 and 2."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping
from typing import Any, NoReturn, Self

from ..errors import Closed, InvalidInput
from ..identity import seconds_of
from ..server.entries import Ids
from ..server.oss import MISSING, OpenSource
from . import relations
from .exceptions import in_mem0s_words
from .settings import read
from .stores import lease

__all__ = ["Memory"]

logger = logging.getLogger("neuromem.compat")

NAMES = ("user_id", "agent_id", "app_id", "run_id")
# what other versions of mem0 take; it changes nothing here
TOLERATED = frozenset(
    "async_mode custom_categories custom_instructions enable_graph excludes filters includes keyword_search "
    "llm org_id output_format project_id rerank version".split()
)
LISTED_BY_1 = 100  # results of a list or search as mem0 1.x has it


class Memory:
    """A memory for agents, with mem0's methods. Safe across threads; a context manager.

    Args:
        config: as mem0 takes it: a dict, its `MemoryConfig`, or None. ``vector_store.config.path``,
            ``NEUROMEM_PATH`` or ``history_db_path`` names the folder (":memory:": in RAM only), else the
            user's data folder does. Under "neuromem" there may be settings of ours, "path", "encoder" and
            "extractor". What has no meaning here is in `ignored`, and logged.
    """

    def __init__(self, config: Any = None) -> None:
        with in_mem0s_words():
            settings = read(config)
            self._lease = lease(settings)
        self.config, self.ignored = config, settings.ignored
        self._graph = settings.graph
        self._oss = OpenSource(self._lease.service, self._lease.adding)
        self._end = weakref.finalize(self, self._lease.end)  # also when the program ends

    @classmethod
    def from_config(cls, config_dict: dict[str, Any]) -> Self:
        """A memory of a configuration."""
        return cls(config_dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the store, unless it is open elsewhere in this process."""
        self._end()

    # -- telling --------------------------------------------------------------------------------

    def add(
        self,
        messages: Any,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        timestamp: Any = None,
        expiration_date: Any = None,
        infer: bool = True,
        memory_type: str | None = None,
        prompt: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Remembers messages.

        Args:
            timestamp: when it was said; mem0's own class refuses it.
            infer: facts only; False keeps every message as it is.
            memory_type: "procedural_memory", with an `agent_id`: the words as one memory.
            prompt: of a language model; there is none.
        """
        del prompt
        with in_mem0s_words():
            named = {"user_id": user_id, "agent_id": agent_id, "run_id": run_id, **more}
            ids = _ids(named, "add", ())
            if not isinstance(messages, str | dict | list):
                kind = type(messages).__name__
                raise InvalidInput(
                    "messages", f"is of type {kind}", "messages must be str, dict, or list[dict]"
                )
            results = self._open.add(
                messages, ids, metadata=metadata, infer=infer, timestamp=timestamp, expires=expiration_date,
                memory_type=memory_type,
            )  # fmt: skip
            answer: dict[str, Any] = {"results": results}
            if self._graph:
                answer["relations"] = relations.added(self._lease.service, results)
            return answer

    def update(
        self,
        memory_id: str,
        text: str | None = None,
        metadata: dict[str, Any] | None = None,
        expiration_date: Any = MISSING,
        data: str | None = None,
        timestamp: Any = None,
    ) -> dict[str, str]:
        """Changes a memory: its words, metadata (joined with what is there), last day, time of telling."""
        words = data if text is None else text
        with in_mem0s_words():
            self._open.update(
                memory_id, text=words, metadata=metadata, expires=expiration_date, timestamp=timestamp
            )
        return {"message": "Memory updated successfully!"}

    # -- asking ---------------------------------------------------------------------------------

    def search(
        self,
        query: str,
        *,
        top_k: int = 20,
        filters: dict[str, Any] | None = None,
        threshold: float | None = 0.1,
        rerank: bool = False,
        explain: bool = False,
        reference_date: Any = None,
        show_expired: bool = False,
        **more: Any,
    ) -> dict[str, Any]:
        """What answers a question, best first.

        Args:
            filters: whose memories, and which; mem0's grammar, its platform's, too.
            rerank: there is nothing to choose, results are ranked.
            reference_date: asked as if it were then; mem0's own class refuses it.
            more: `user_id`, `agent_id`, `run_id` and `limit`, as mem0 1.x has them.
        """
        del rerank
        with in_mem0s_words():
            ids, limit = _ids(more, "search", ("limit",)), _limit(more, top_k)
            at = None if reference_date is None else seconds_of(reference_date, "reference_date")
            records = self._open.search(
                query, filters, ids, top_k=limit, threshold=threshold, explain=explain,
                show_expired=show_expired, at=at,
            )  # fmt: skip
            return self._answer(records, "destination")

    def get_all(
        self,
        *,
        filters: dict[str, Any] | None = None,
        top_k: int = 20,
        show_expired: bool = False,
        **more: Any,
    ) -> dict[str, Any]:
        """Memories, the newest first. `more`: as in `search`."""
        with in_mem0s_words():
            ids, limit = _ids(more, "get_all", ("limit",)), _limit(more, top_k)
            records = self._open.get_all(filters, ids, top_k=limit, show_expired=show_expired)
            return self._answer(records, "target")

    def get(self, memory_id: str) -> dict[str, Any] | None:
        """One memory; None where there is none."""
        with in_mem0s_words():
            return self._open.get(memory_id)

    def history(self, memory_id: str) -> list[dict[str, Any]]:
        """What happened to a memory, oldest first. Of one that was deleted it says so, without its words."""
        with in_mem0s_words():
            return self._open.history(memory_id)

    def chat(self, query: str) -> NoReturn:
        """As in mem0, there is none."""
        raise NotImplementedError("mem0 has no chat, either; see neuromem.assistant")

    # -- forgetting -----------------------------------------------------------------------------

    def delete(self, memory_id: str) -> dict[str, str]:
        """Forgets a memory for good, every word."""
        with in_mem0s_words():
            self._open.delete(memory_id)
        return {"message": "Memory deleted successfully!"}

    def delete_all(
        self,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        app_id: str | None = None,
    ) -> dict[str, str]:
        """Forgets all that is filed under the names given."""
        named = {"user_id": user_id, "agent_id": agent_id, "run_id": run_id, "app_id": app_id}
        with in_mem0s_words():
            gone = self._open.delete_all(_ids(named, "delete_all", ()))
        logger.info("deleted %d memories", gone)
        return {"message": "Memories deleted successfully!"}

    def reset(self) -> None:
        """Forgets everything of everybody."""
        with in_mem0s_words():
            self._open.reset()

    # -- inside ---------------------------------------------------------------------------------

    @property
    def _open(self) -> OpenSource:
        if self._lease.ended:
            raise Closed("this memory was closed; make a new one")
        return self._oss

    def _answer(self, records: list[dict[str, Any]], last: str) -> dict[str, Any]:
        if not self._graph:
            return {"results": records}
        found = relations.triples(self._lease.service, records, last)
        return {"results": records, "relations": found}


def _ids(more: Mapping[str, Any], method: str, also: tuple[str, ...]) -> Ids:
    """The names among keywords; those that mean nothing here are let by.

    Raises:
        TypeError: a keyword is none that any version of mem0 takes.
    """
    unknown = sorted(set(more) - {*NAMES, *also, *TOLERATED})
    if unknown:
        raise TypeError(f"{method}() got an unexpected keyword argument {unknown[0]!r}")
    named = {key: value for key, value in more.items() if key in NAMES}
    return Ids.of({key: value.strip() if isinstance(value, str) else value for key, value in named.items()})


def _limit(more: Mapping[str, Any], top_k: int) -> Any:
    """How many are wanted: `limit` of a call as in mem0 1.x, else `top_k`."""
    if more.get("limit") is not None:
        return more["limit"]
    called_as_1 = any(more.get(name) is not None for name in NAMES)
    return LISTED_BY_1 if called_as_1 and top_k == 20 else top_k
