"""Within a turn: how its statements hang together, and with what was said just before.

"Scratch that." goes with what comes after it; "the garage reassigned everybody; I'm in D3 now" says one thing
in two statements; "he's moved to Leeds" leans on "Caleb rang me".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from .facts import Fact
from .facts.changes import Denied, change_of, clause_denied
from .facts.frames import LIGHT, frame_of
from .facts.wording import points_back
from .text import sentences

__all__ = [
    "JOINED_BYTES",
    "cues_of",
    "denial_of",
    "is_covered",
    "joined_turn",
    "led_by",
    "only_cue",
]

JOINED_BYTES = 150  # what ends something and what follows from it are one fact, if they fit one slot


def joined_turn(text: str, facts: Sequence[Fact]) -> Fact | None:
    """The facts of a turn as one, with the words between them; None where they are no single matter.

    They are not when they are about several people, or fit no slot together.
    """
    people = {whose.names for fact in facts for whose in [frame_of(fact.text).whose] if whose.kind == "other"}
    spans = [(text.find(fact.said), fact) for fact in facts]
    leaves = bool(facts) and change_of(facts[0].text).has("ends", "parts")  # one goes, another comes
    if len(facts) < 2 or (len(people) > 1 and not leaves) or any(start < 0 for start, _ in spans):
        return None
    out, heard, end = "", "", -1
    for start, fact in spans:
        if start < end:
            return None
        gap = text[end:start] if end >= 0 else ""
        clear = bool(out) and not fact.text.startswith(fact.said[:4])  # "he" is, after who he is
        own = fact.said if clear else fact.text
        out, heard, end = f"{out}{gap}{own}", f"{heard}{gap}{fact.said}", start + len(fact.said)
    if len(out.encode()) > JOINED_BYTES or (people and frame_of(out).whose.kind != "other"):
        return None
    last = next((fact for fact in reversed(facts) if fact.gist.is_triple), facts[-1])
    return replace(last, text=out, said=heard, importance=max(fact.importance for fact in facts))


def only_cue(text: str) -> bool:
    """Whether words only say that something was wrong: "Autocorrect!", "No wait."."""
    change = change_of(text)
    return change.has("corrects", "retracts") and not change.old and not frame_of(text).stems - LIGHT


def cues_of(text: str, facts: Sequence[Fact]) -> list[str]:
    """For each fact of a turn, the sentence just before it that takes back or corrects, else ""."""
    pieces = sentences(text)
    cues = []
    for fact in facts:
        place = next((place for place, piece in enumerate(pieces) if fact.said[:20] in piece), 0)
        before = pieces[place - 1] if place else ""
        change = change_of(before)
        cues.append(before if before and (change.bare or only_cue(before)) else "")
    return cues


_NEXT = re.compile(r"\s*(?:;|,(?= (?:i|i'm|i've|we|we're|my|our|he|she|it|they)\b))\s*", re.IGNORECASE)


def denial_of(turn: str) -> Denied | None:
    """What a turn begins by taking back in one breath; None for any other."""
    found = clause_denied(next(iter(sentences(turn)), ""))
    if not found.clause:
        return None
    start = turn.find(found.clause)
    another = _NEXT.search(found.clause)
    size, end = another.span() if another else (len(found.clause), len(found.clause))
    return found._replace(clause=found.clause[:size], rest=turn[start + end :].strip())


def led_by(turn: str, said: str, before: str) -> str:
    """A statement of a turn behind what was said just before it, if it leans on that; else "".

    Args:
        before: what was said before the turn.
    """
    if not points_back(said):
        return ""
    own = sentences(turn[: max(0, turn.find(said))])
    lead = next(reversed(own or sentences(before)), "")
    return f"{lead} {said}" if lead else ""


def is_covered(text: str, facts: Sequence[Fact]) -> bool:
    """Whether the facts of a turn hold all words of its text."""
    return "".join(text.split()) == "".join("".join(fact.said.split()) for fact in facts)
