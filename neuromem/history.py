"""What the log says of one memory: its story, and what must go when it is deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from datetime import datetime
from typing import Any

from .log import Event, Record
from .text import sentences, stems

__all__ = ["WRITING", "merged_into", "noting_words", "redact", "retold", "stories", "without"]

WRITING = ("add", "add+", "hear", "change")  # events that bring words
RETOLD = 0.6  # share of a memory's content words from which on a sentence tells it again
_NAMES = dict(
    zip((*WRITING, "rehearse", "slots"), "ADD ADD REINFORCE UPDATE RECALL IMPORT".split(), strict=True)
)


def stories(records: Iterable[Record], memory_id: str, until: float | None = None) -> list[dict[str, Any]]:
    """What happened to a memory, oldest first, up to a time in Unix seconds (None: now); the caller's own."""
    return [
        _story(record, memory_id)
        for record in records
        if (
            memory_id in (record.body.get("id"), record.body.get("by"))
            or memory_id in record.body.get("ids", ())
        )
        and (until is None or record.time <= until)
    ]


def merged_into(records: Iterable[Record], until: float | None = None) -> dict[str, str]:
    """The memory that says the same now for each that was merged, up to a time in Unix seconds."""
    found: dict[str, str] = {}
    for record in records:
        if record.kind == "merge" and (until is None or record.time <= until):
            survivor, gone = record.body["id"], set(record.body["ids"])
            found |= {id_: survivor for id_, by in found.items() if by in gone}
            found |= dict.fromkeys(gone, survivor)
    return found


def noting_words(records: Iterable[Record], worded: set[str]) -> Iterator[Record]:
    """Passes records on; adds to `worded` the memories whose words or slots a record holds that is there."""
    for record in records:
        brings = record.kind in (*WRITING, "slots")
        if brings or (record.kind == "merge" and not worded.isdisjoint(record.body["ids"])):
            worded.add(record.body["id"])
        yield record


def _story(record: Record, memory_id: str) -> dict[str, Any]:
    body = record.body
    story: dict[str, Any] = {
        "event": _NAMES.get(record.kind, record.kind.upper()),
        "time": datetime.fromtimestamp(record.time).astimezone().isoformat(),
        "sequence": record.seq,
    }
    if record.kind in ("supersede", "follow"):
        old = body["id"] == memory_id
        names = {"supersede": ("SUPERSEDED", "SUPERSEDES"), "follow": ("FOLLOWED", "FOLLOWS")}
        story["event"] = names[record.kind][not old]
        story |= {"superseded_by": body["by"] or None} if old else {"superseded": body["id"]}
        return story | {"reason": body["reason"]}
    if record.kind == "merge":
        if memory_id != body["id"]:
            return story | {"event": "MERGED", "merged_into": body["id"]}
        return story | {"event": "MERGES", "merged": list(body["ids"])}
    return story | {key: deepcopy(body[key]) for key in ("text", "role", "name", "metadata") if key in body}


def redact(records: Sequence[Record], memory_ids: Sequence[str]) -> tuple[list[int], list[Event]]:
    """How to erase memories from an owner's log, and with them those that were merged into them.

    Returns:
        The numbers of the records to be erased, and events that keep what else was said in the same
        breath. An event of the latter names its `origin`: the number of the first record of that talk.
    """
    ids = {*memory_ids} | {id_ for id_, by in merged_into(records).items() if by in memory_ids}
    own = [record for record in records if record.body.get("id") in ids]
    doomed = [record.seq for record in own if record.kind in WRITING or record.kind == "slots"]
    kept: list[Event] = []
    said: dict[int, list[str]] = {}
    for record in own:
        if "said" in record.body:
            said.setdefault(record.body["said"], []).append(record.body.get("heard", record.body["text"]))
    for record in records:
        origin = record.body.get("origin", record.seq)
        if record.kind == "say" and origin in said:
            doomed.append(record.seq)
            rest = str(record.body["text"])
            for words in said[origin]:
                rest = without(rest, words)
            if rest:
                kept.append(Event("say", record.time, record.body | {"text": rest, "origin": origin}))
        elif record.kind == "say" and record.body.get("role") == "assistant":
            rest = _not_retold(str(record.body["text"]), own)
            if rest != record.body["text"]:
                doomed.append(record.seq)
                if rest:
                    kept.append(Event("say", record.time, record.body | {"text": rest, "origin": origin}))
    return doomed, kept


def retold(text: str, memories: Sequence[Record]) -> bool:
    """Whether a sentence of a text tells one of some memories again, in whatever person.

    Args:
        memories: records of their words.
    """
    return _not_retold(text, memories) != text


def _not_retold(text: str, memories: Sequence[Record]) -> str:
    """What an assistant said, without the sentences that tell a memory again in whatever person."""
    told = [_told(record) for record in memories if record.kind in WRITING and "text" in record.body]

    def retells(sentence: str) -> bool:
        held = set(stems(sentence))
        return any(
            (bool(value) and value <= held) or len(words & held) >= RETOLD * len(words)
            for words, value in told
            if words
        )

    said = sentences(text)
    rest = [sentence for sentence in said if not retells(sentence)]
    return text if len(rest) == len(said) else " ".join(rest)


def _told(record: Record) -> tuple[set[str], set[str]]:
    """Stems of the words of a memory, and of the value in its gist."""
    gist = [str(part) for part in record.body.get("gist") or ()]
    value = "".join(gist[2:]).lstrip("|") if len(gist) > 2 and gist[1].startswith("|") else ""
    return set(stems(str(record.body["text"]))), set(stems(value))


def without(text: str, words: str) -> str:
    """A text without some words that occur in it, however they are spaced; empty when they do not."""
    pattern = r"\s+".join(re.escape(word) for word in words.split())
    rest, found = re.subn(pattern, " ", text)
    return rest.strip() if found else ""  # better to lose the rest than to keep the words
