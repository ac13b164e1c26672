"""The bodies of events that bring words, and whether they can be stored at all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .bank import SlotBank
from .errors import CapacityExhausted, InvalidInput
from .facts import SPEAKER, Fact, Gist
from .facts.slots import slot_of
from .fold import BATCH
from .identity import EXPIRES, NOTES, STATE, Owner
from .ladder import TEXT_BYTES
from .log import Event
from .text import normalize, split_to_fit

__all__ = [
    "MAX_METADATA_BYTES",
    "check_metadata",
    "check_room",
    "cues_for",
    "fact_body",
    "in_batches",
    "in_third_person",
    "is_immutable",
    "joined_metadata",
    "words_key",
]

MAX_METADATA_BYTES, MAX_METADATA_DEPTH = 65_536, 64


def in_third_person(fact: Fact, owner: str) -> Fact:
    """A fact whose gist says who speaks: "1" is the owner; anybody else goes by their name."""
    other = fact.speaker and fact.speaker.casefold() != Owner.parse(owner).id.casefold()
    if not other or not fact.gist.is_triple or fact.gist.subject != SPEAKER:
        return fact
    gist = Gist(str(fact.speaker), fact.gist.relation, fact.gist.object)
    return replace(fact, gist=gist)


def fact_body(fact: Fact, metadata: Mapping[str, Any], said_seq: int | None = None) -> dict[str, Any]:
    """The body of a fact's event, without its id."""
    body: dict[str, Any] = {
        "text": fact.text,
        "gist": list(fact.gist.segments()),
        "known_as": f"{fact.speaker or ''}\0{words_key(fact.text)}",
        "importance": fact.importance,
        "role": fact.role,
    }
    slot = slot_of(fact.gist)
    optional = {
        "slot": slot.key if slot else "",
        "cues": list(cues_for(fact.gist)),
        "heard": fact.said if fact.said != fact.text else "",
        "around": fact.around,
        "pinned": fact.pinned,
        "name": fact.speaker,
        "metadata": dict(metadata),
    }
    given = {key: value for key, value in optional.items() if value}
    return body | given | ({} if said_seq is None else {"said": said_seq})  # 0 is a place in the log


def words_key(text: str) -> str:
    """Equal for two texts of the same words: case and punctuation do not count."""
    return re.sub(r"[^\w]+", " ", normalize(text)).strip() or normalize(text)


def cues_for(gist: Gist) -> tuple[str, ...]:
    """Ways in which a fact will be asked for: the question its triple answers."""
    if not gist.is_triple or not gist.relation:
        return ()
    whose = "my" if gist.subject == "1" else f"{gist.subject}'s"
    return (f"what is {whose} {gist.relation}?",)


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
                f"{needed} slots are needed and {max(0, most - held)} of {bank.limit} can be had; {remedy}"
            )
        if not evicts or body.get("pinned"):
            held += needed - own


def joined_metadata(held: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Metadata of a fact that is told again: the newer values, and under `NOTES` both lists' items.

    Told again it is wanted again: it is put away no longer, and lasts as long as either telling says.
    """
    joined = {**held, **new}
    old, given = (part.get(NOTES) or {} for part in (held, new))
    if not isinstance(old, Mapping) or not isinstance(given, Mapping):
        return joined
    notes = dict(given)
    for key, value in old.items():
        both = isinstance(value, list) and isinstance(notes.get(key), list)
        if key not in (STATE, EXPIRES):
            notes[key] = list(dict.fromkeys([*notes[key], *value])) if both else notes.get(key, value)
    days = [day for part in (old, given) if isinstance(day := part.get(EXPIRES), str)]
    if len(days) == 2:
        notes[EXPIRES] = max(days)  # ISO 8601: the later one
    else:
        notes.pop(EXPIRES, None)
    joined.pop(NOTES, None)
    return joined | ({NOTES: notes} if notes else {})


def is_immutable(metadata: Mapping[str, Any]) -> bool:
    """Whether a memory with such metadata is to stay as it is, whatever is told later."""
    notes = metadata.get(NOTES)
    return isinstance(notes, Mapping) and bool(notes.get("immutable"))


def check_metadata(metadata: Mapping[str, Any] | None) -> dict[str, Any]:
    """Metadata as plain JSON values.

    Raises:
        InvalidInput: not a mapping with string keys, not JSON, larger than 64 KiB or nested more than 64 deep
            (what copies and writes it later is recursive).
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
    if _depth(plain) > MAX_METADATA_DEPTH:
        raise InvalidInput("metadata", f"is nested more than {MAX_METADATA_DEPTH} deep", "make it flatter")
    return plain


def _depth(value: object) -> int:
    """How many objects and lists stand inside one another."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [part for each in level for part in (each.values() if isinstance(each, dict) else each)]
    return depth
