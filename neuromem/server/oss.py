"""What mem0's open-source `Memory` does and answers, on a `Service`.

The routes of its self-hosted server and the drop-in class (`compat`) are thin layers over this. Errors are
ours; each layer says them in its own way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from ..engine import Written
from ..errors import InvalidInput, NotFound
from ..facts.turns import ROLES, SILENT
from .adding import Adding, Telling, is_blank
from .entries import Ids, iso
from .filters import ACTOR, ENTITY_KEYS, EVERYTHING, Filter, every, filed_under, parse
from .principals import ANYBODY, Forbidden, Principal
from .service import Service
from .terms import Found, Search

__all__ = ["MOST", "PROCEDURAL", "OpenSource", "day_of", "open_source_rows", "talk_of"]

MOST = 10_000  # results of one search
PROCEDURAL = "procedural_memory"
IDENTITY = ("user_id", "agent_id", "run_id", "actor_id")  # mem0 takes these from metadata never
OTHER_ROLES = {"human": "user", "ai": "assistant", "model": "assistant", "bot": "assistant"}
EVENTS = {"REINFORCE": "NONE"}  # nothing new, to mem0's users
MISSING: Any = object()


def day_of(value: Any) -> str | None:
    """A last day as YYYY-MM-DD.

    Raises:
        InvalidInput: it is no date.
    """
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.date().isoformat()
    try:
        return (value if isinstance(value, date) else date.fromisoformat(value)).isoformat()
    except (TypeError, ValueError) as error:
        problem = f"{value!r:.60} is not a date"
        raise InvalidInput("expiration_date", problem, "give a valid date in YYYY-MM-DD format") from error


def talk_of(messages: Any) -> Any:
    """Messages without those that say nothing; roles of other libraries by the names that are usual here."""
    if isinstance(messages, Mapping):
        messages = [messages]
    if not isinstance(messages, list):
        return messages
    return [
        _message(message) if isinstance(message, Mapping) else message
        for message in messages
        if not _says_nothing(message)
    ]


def _says_nothing(message: Any) -> bool:
    content = message.get("content") if isinstance(message, Mapping) else message
    return content is None or is_blank(content)


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    role = message.get("role") or "user"
    return {**message, "role": role if role in ROLES else OTHER_ROLES.get(role, "user")}


def open_source_rows(memory_id: str, stories: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """mem0's rows of a history: what was said before and after each change of the words."""
    rows: list[dict[str, Any]] = []
    words: str | None = None
    first = None
    for story in stories:
        event = story["event"]
        if event not in ("ADD", "IMPORT", "UPDATE", "DELETE"):
            continue
        time = datetime.fromisoformat(story["time"]).astimezone(UTC).isoformat()
        first, now = first or time, story.get("text")
        rows.append(
            {
                "id": str(uuid5(NAMESPACE_OID, f"{memory_id}/{story['sequence']}")), "memory_id": memory_id,
                "old_memory": words, "new_memory": now, "event": "ADD" if event == "IMPORT" else event,
                "created_at": first, "updated_at": time, "is_deleted": event == "DELETE",
                "actor_id": story.get("name"), "role": story.get("role"),
            }
        )  # fmt: skip
        words = now
    return rows


def _own(metadata: Any) -> Any:
    """Metadata without what says whose it is: that is said beside it."""
    if not isinstance(metadata, Mapping):
        return metadata
    return {key: value for key, value in metadata.items() if key not in IDENTITY}


def _results(written: Iterable[Written]) -> list[dict[str, Any]]:
    return [{"id": w.id, "memory": w.text, "event": EVENTS.get(w.event, w.event)} for w in written]


def _trimmed(key: str, value: Any) -> Any:
    return value.strip() if key in ENTITY_KEYS and isinstance(value, str) else value


def _check_numbers(top_k: Any, threshold: Any) -> None:
    if isinstance(top_k, bool) or not isinstance(top_k, int) or top_k < 0:
        raise InvalidInput("top_k", f"{top_k!r:.60} is out of range", "give an integer that is not negative")
    if threshold is None:
        return
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise InvalidInput("threshold", f"{threshold!r:.60} is out of range", "give a number from 0 to 1")


class OpenSource:
    """mem0's open-source operations, for somebody."""

    def __init__(self, service: Service, adding: Adding, who: Principal = ANYBODY) -> None:
        self.service, self.adding, self.who = service, adding, who

    # -- telling --------------------------------------------------------------------------------

    def add(
        self,
        messages: Any,
        ids: Ids,
        *,
        metadata: Mapping[str, Any] | None = None,
        infer: bool = True,
        timestamp: Any = None,
        expires: Any = None,
        memory_type: str | None = None,
    ) -> list[dict[str, Any]]:
        """Remembers messages, what of them was not told before. Returns {id, memory, event} of each memory.

        Raises:
            InvalidInput: no id, an unknown `memory_type`, malformed messages.
        """
        if memory_type not in (None, PROCEDURAL):
            raise InvalidInput("memory_type", f"{memory_type!r} is not known", f"give {PROCEDURAL!r} or none")
        _ = self.who.check(ids).owner  # before anything else: whose is it?
        more: dict[str, Any] = {
            "metadata": _own(metadata), "timestamp": timestamp, "expires": day_of(expires), "who": self.who
        }  # fmt: skip
        talk = talk_of(messages)
        if not talk or (isinstance(talk, str) and not talk.strip()):
            return []
        if memory_type and ids.agent is not None:
            return self._procedure(ids, talk, more)
        told: list[dict[str, Any]] = []

        def tell(new: list[Any]) -> list[Written]:
            if infer:
                words = new[0] if len(new) == 1 and isinstance(new[0], str) else new
                written = self.service.add(ids, words, **more)
                told.extend(_results(written))
                return written
            return self._verbatim(ids, new, more, told)

        before = self.adding.once(Telling(ids, talk, infer=infer), tell, self.who)
        if told or not before:
            return told
        found = self.service.read_ids([item["id"] for item in before], self.who)
        return [{"id": item.entry.id, "memory": item.text, "event": "NONE"} for item in found]

    def _verbatim(
        self, ids: Ids, talk: Any, more: Mapping[str, Any], results: list[dict[str, Any]]
    ) -> list[Written]:
        """Every message as it is, and who said it; what came of them is added to `results`."""
        every: list[Written] = []
        spoken = [m for m in talk if not (isinstance(m, Mapping) and m["role"] in SILENT)]
        for name, together in groupby(spoken, lambda m: m.get("name") if isinstance(m, Mapping) else None):
            part = list(together)
            written = self.service.add(ids, part, infer=False, extra={ACTOR: name} if name else None, **more)
            every += written
            told = _results(written)
            if len(told) == len(part):
                for result, message in zip(told, part, strict=True):
                    role = message["role"] if isinstance(message, Mapping) else "user"
                    result |= {"actor_id": name, "role": role}
            results += told
        return every

    def _procedure(self, ids: Ids, talk: Any, more: dict[str, Any]) -> list[dict[str, Any]]:
        """What an agent did, whole, as one memory. mem0 has a model sum it up; here the words stay."""
        steps = [{"role": "user", "content": talk}] if isinstance(talk, str) else talk
        said = [f"{m['role']}: {m['content']}" if isinstance(m, Mapping) else str(m) for m in steps]
        whole = len(steps) == 1 and isinstance(steps[0], Mapping)
        text = str(steps[0]["content"]) if whole else "\n".join(said)
        metadata = {**(more["metadata"] or {}), "memory_type": PROCEDURAL}
        return _results(self.service.add(ids, text, infer=False, **{**more, "metadata": metadata}))

    def update(
        self,
        memory_id: str,
        *,
        text: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        expires: Any = MISSING,
        timestamp: Any = None,
    ) -> None:
        """Changes a memory. Metadata is joined with what is there; `expires` None clears the date.

        Raises:
            NotFound: there is none. InvalidInput: nothing to change.
        """
        if text is None and metadata is None and expires is MISSING and timestamp is None:
            raise InvalidInput(
                "text", "is missing", "give at least one of text, metadata and expiration_date"
            )
        notes = {} if expires is MISSING else {"expires": day_of(expires)}
        joined = None if metadata is None else _own(metadata)
        self.service.update(
            memory_id, text=text, metadata=joined, timestamp=timestamp, notes=notes, join=True, who=self.who
        )

    # -- looking --------------------------------------------------------------------------------

    def get(self, memory_id: str) -> dict[str, Any] | None:
        """A memory's record; None where there is none."""
        try:
            return self.record(self.service.get(memory_id, who=self.who))
        except NotFound:
            return None

    def get_all(
        self, filters: Any = None, ids: Ids | None = None, *, top_k: int = 20, show_expired: bool = False,
        everybody: bool = False,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Records of what passes, the newest first. `everybody`: without a name, all that they may see."""
        filter_ = self._filter(filters, ids, everybody)
        _check_numbers(top_k, None)
        entries = self.service.entries(filter_, show_expired=show_expired, who=self.who)
        records = [self.record(found) for found in self.service.read(entries[:top_k])]
        for record in records:
            del record["score"]
        return records

    def search(
        self, query: str, filters: Any = None, ids: Ids | None = None, *, top_k: int = 20,
        threshold: float | None = 0.1, explain: bool = False, show_expired: bool = False,
        at: float | None = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Records of what answers a question, best first, each with its score.

        Raises:
            InvalidInput: a blank query, nobody's memories named, a number out of range.
        """
        if not isinstance(query, str) or not query.strip():
            raise InvalidInput("query", "is blank", "give a non-empty string")
        _check_numbers(top_k, threshold)
        wanted = Search(
            query.strip(), self._filter(filters, ids), min(top_k, MOST), threshold or 0.0,
            show_expired=show_expired, explain=explain, at=at,
        )  # fmt: skip
        return [self.record(found) for found in self.service.search(wanted, who=self.who)] if top_k else []

    def history(self, memory_id: str) -> list[dict[str, Any]]:
        """Rows of a memory's history; none of one that never was."""
        try:
            return open_source_rows(memory_id, self.service.history(memory_id, self.who))
        except NotFound:
            return []

    def entities(self) -> list[dict[str, Any]]:
        """Everybody that memories are filed under."""
        return [
            {
                "id": item["name"], "type": item["kind"], "total_memories": item["total"],
                "created_at": iso(item["first_ms"]), "updated_at": iso(item["last_ms"]),
            }
            for item in self.service.filing.entities(self.who)
        ]  # fmt: skip

    def record(self, found: Found) -> dict[str, Any]:
        """A memory as mem0's `Memory` gives it."""
        entry = found.entry
        role, speaker = self.service.teller(entry)
        record = {
            "id": entry.id, "memory": found.text, "hash": hashlib.md5(found.text.encode()).hexdigest(),
            "metadata": dict(entry.metadata) or None, "score": found.score,
            "created_at": iso(entry.created_ms), "updated_at": iso(entry.updated_ms),
        }  # fmt: skip
        record |= {f"{kind}_id": names[0] for kind, names in entry.ids.items() if names}
        optional = {
            "actor_id": entry.extra.get(ACTOR, speaker), "role": role, "expiration_date": entry.expires,
            "replaced_by": entry.replaced_by, "score_details": found.recall.explain,
        }  # fmt: skip
        return record | {key: value for key, value in optional.items() if value is not None}

    def _filter(self, filters: Any, ids: Ids | None, everybody: bool = False) -> Filter:
        """What is asked for, of somebody: a name has to be given, unless they see but their own."""
        named = {f"{kind}_id": name for kind, name in (ids or Ids()).given().items()}
        if isinstance(filters, Mapping):
            filters = named | {key: _trimmed(key, value) for key, value in filters.items()}
        filter_ = parse(filters if filters is not None else named, dialect="oss")
        if not filter_.scoped and self.who.user is None and not everybody:
            problem = "must contain at least one of: user_id, agent_id, run_id"
            raise InvalidInput("filters", problem, "such as filters={'user_id': 'u1'}")
        return filter_

    # -- forgetting -----------------------------------------------------------------------------

    def delete(self, memory_id: str) -> None:
        """Forgets a memory for good. Raises NotFound."""
        self.service.delete([memory_id], who=self.who)

    def delete_all(self, ids: Ids) -> int:
        """Forgets all that is filed under names; returns how many.

        Raises:
            InvalidInput: no name is given.
        """
        named = ids.given()
        if not named:
            problem = "is missing: at least one filter is required to delete all memories"
            raise InvalidInput("user_id", problem, "give a name; reset deletes everything")

        # names as they are, not as a filter: "*" would be everybody
        filter_ = every([filed_under(kind, name) for kind, name in named.items()])
        return self.service.delete_where(filter_, self.who)

    def reset(self) -> None:
        """Forgets everything of everybody.

        Raises:
            Forbidden: they are not the admin.
        """
        if not self.who.admin:
            raise Forbidden("only the admin may reset")
        self.service.delete_where(EVERYTHING, self.who)
