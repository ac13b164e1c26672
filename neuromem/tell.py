"""From messages to events: what a call of `add` appends to the log.

Facts become ``add`` events, written together in batches; what was heard before becomes ``hear``; words
that no fact holds become ``say``, so that every raw word is in the log, once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .bank import SlotBank
from .errors import CapacityExhausted, InvalidInput
from .facts import SPEAKER, Fact, Gist, Turn, same_fact_key
from .fold import BATCH, fingerprint
from .identity import Owner, memory_id
from .ladder import TEXT_BYTES
from .log import Event, Record
from .owners import OpenOwner
from .text import split_to_fit

__all__ = [
    "MAX_METADATA_BYTES",
    "Told",
    "check_metadata",
    "check_room",
    "cues_for",
    "events_of",
    "fact_body",
    "in_batches",
]

MAX_METADATA_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Told:
    """A fact on its way: the id it has or gets, and what its event does."""

    id: str
    text: str
    gist: Gist
    event: str  # "ADD" or "REINFORCE"


def events_of(
    open_: OpenOwner,
    turns: Sequence[Turn],
    times: Sequence[float],
    spoken: Sequence[Sequence[Fact]],
    metadata: Mapping[str, Any],
    first_seq: int,
    record: Callable[[OpenOwner, str], Record | None],
) -> tuple[list[Event], list[Told]]:
    """Events for turns of talk, and the facts among them.

    Args:
        open_: whose bank tells which facts were heard before.
        times: when each turn was said, Unix seconds. spoken: the facts of each turn.
        first_seq: number that the first event will have in the log.
        record: gives the log's record of a memory that is held.
    """
    owner = open_.fold.owner
    events: list[Event] = []
    told: list[Told] = []
    known: dict[int, dict[str, Any]] = {}  # facts of this very call
    for turn, time, facts in zip(turns, times, spoken, strict=True):
        said_seq = None
        if not _covered(turn, facts):
            said_seq = first_seq + len(events)
            events.append(Event("say", time, {"text": turn.text, "role": turn.role, "name": turn.speaker}))
        for fact in facts:
            fact = in_third_person(fact, owner)
            body = fact_body(fact, metadata, said_seq)
            mark = fingerprint(body["known_as"])
            held = known.get(mark) or _held(open_, mark, record)
            heard = held.get("id")
            body = _heard_again(body, held)
            body["id"] = heard or memory_id(owner, first_seq + len(events), time, fact.text)
            known[mark] = body
            events.append(Event("hear" if heard else "add", time, body))
            told.append(Told(body["id"], fact.text, fact.gist, "REINFORCE" if heard else "ADD"))
    return in_batches(events), told


def in_third_person(fact: Fact, owner: str) -> Fact:
    """A fact whose gist says who speaks: "1" is the owner; anybody else goes by their name."""
    other = fact.speaker and fact.speaker.casefold() != Owner.parse(owner).id.casefold()
    if not other or not fact.gist.is_triple or fact.gist.subject != SPEAKER:
        return fact
    gist = Gist(str(fact.speaker), fact.gist.relation, fact.gist.object)
    return replace(fact, gist=gist)


def _held(open_: OpenOwner, mark: int, record: Callable[[OpenOwner, str], Record | None]) -> dict[str, Any]:
    """What is known of the memory with these words: its id and the body of its record; empty for none."""
    held = next(iter(open_.bank.find("words", mark)), None)
    if held is None:
        return {}
    found = record(open_, held)
    return {"id": held} if found is None else found.body | {"id": held}


def _heard_again(body: dict[str, Any], held: dict[str, Any]) -> dict[str, Any]:
    """A fact heard again keeps the fuller of its two wordings and its metadata; all is in the log anyway."""
    out = dict(body)
    if len(held.get("text", "")) > len(body["text"]):
        out |= {"text": held["text"], "heard": body["text"]}
    if "metadata" in held:
        out["metadata"] = held["metadata"] | body.get("metadata", {})
    return out


def fact_body(fact: Fact, metadata: Mapping[str, Any], said_seq: int | None = None) -> dict[str, Any]:
    """The body of a fact's event, without its id."""
    body: dict[str, Any] = {
        "text": fact.text,
        "gist": list(fact.gist.segments()),
        "known_as": f"{fact.speaker or ''}\0{same_fact_key(fact.text, fact.gist)}",
        "importance": fact.importance,
        "role": fact.role,
    }
    optional = {
        "cues": list(cues_for(fact.gist)),
        "pinned": fact.pinned,
        "name": fact.speaker,
        "metadata": dict(metadata),
    }
    given = {key: value for key, value in optional.items() if value}
    return body | given | ({} if said_seq is None else {"said": said_seq})  # 0 is a place in the log


def cues_for(gist: Gist) -> tuple[str, ...]:
    """Ways in which a fact will be asked for: the question its triple answers."""
    if not gist.is_triple or not gist.relation:
        return ()
    whose = "my" if gist.subject == "1" else f"{gist.subject}'s"
    return (f"what is {whose} {gist.relation}?",)


def _covered(turn: Turn, facts: Sequence[Fact]) -> bool:
    """Whether the facts of a turn hold all its words."""
    return "".join(turn.text.split()) == "".join("".join(fact.text.split()) for fact in facts)


def in_batches(events: list[Event]) -> list[Event]:
    """Marks neighbouring adds as batches: all but the last of each run become ``add+``."""
    out = list(events)
    run = 0
    for index, event in enumerate(events):
        following = events[index + 1].kind if index + 1 < len(events) else ""
        run = run + 1 if event.kind == "add" else 0
        if event.kind == "add" and following == "add" and run % BATCH:
            out[index] = Event("add+", event.time, event.body)
    return out


def check_room(bank: SlotBank, bodies: Sequence[Mapping[str, Any]]) -> None:
    """Refuses, before anything is acknowledged, facts that the bank can never hold.

    Args:
        bodies: of the events that are about to be appended.

    Raises:
        CapacityExhausted: a fact is larger than what is free or may give way.
    """
    evicts, most = bank.config.when_full == "evict", bank.config.max_slots
    stays = bank.used & bank.stability.isinf() if evicts else bank.used  # rows that do not give way
    held = int(stays.sum())
    for body in bodies:
        needed = len(split_to_fit(body["text"], TEXT_BYTES))
        own = int(stays[bank.rows_of(body["id"])].sum())
        if held - own + needed > most:
            remedy = (
                "raise it or delete something" if evicts else "raise it, delete something, or set 'evict'"
            )
            raise CapacityExhausted(
                f"{needed} slots are needed and {max(0, most - held)} of bank.max_slots={most} can be had; "
                f"{remedy}"
            )
        if not evicts or body.get("pinned"):
            held += needed - own


def check_metadata(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """Metadata as plain JSON values.

    Raises:
        InvalidInput: not a mapping with string keys, not JSON, or larger than 64 KiB.
    """
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping) or not all(isinstance(key, str) for key in metadata):
        raise InvalidInput("metadata", f"{metadata!r:.60} is not an object", "give a dict with string keys")
    try:
        coded = json.dumps(dict(metadata), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(
            "metadata", f"is not JSON ({error})", "give strings, finite numbers, lists and dicts"
        ) from error
    if len(coded) > MAX_METADATA_BYTES:
        raise InvalidInput(
            "metadata", f"is {len(coded):,} bytes of JSON", f"give at most {MAX_METADATA_BYTES:,}"
        )
    plain: dict[str, Any] = json.loads(coded)
    return plain
