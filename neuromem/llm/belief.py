"""What of a model's proposals is believed, and the facts that come of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..facts import SPEAKER, Fact, Gist, Turn, extract, gist_of, importance, is_pinned, same_fact_key
from ..facts.slots import slot_of
from .grounding import as_said, fault_of, is_said, sentence_of, terms
from .phrases import FIRST_PERSON, NEGATIONS, SELF
from .prompt import Piece, Proposed
from .shown import Shown

__all__ = ["believed"]


def believed(
    proposed: Sequence[Proposed], window: Sequence[Piece], context: Sequence[Piece], shown: Shown
) -> tuple[list[Fact], Counter[str]]:
    """The proposed facts that are what was said, by turn, and why the others are not (see `fault_of`)."""
    facts: dict[tuple[int, str], Fact] = {}
    faults: Counter[str] = Counter()
    for one in proposed:
        fact, fault = _judged(one, window, context, shown)
        if fact is None:
            faults[fault] += 1
        else:
            facts.setdefault((fact.turn, same_fact_key(fact.text, fact.gist)), fact)
    return sorted(facts.values(), key=lambda fact: fact.turn), faults


def _judged(
    one: Proposed, window: Sequence[Piece], context: Sequence[Piece], shown: Shown
) -> tuple[Fact | None, str]:
    """The fact that a proposal is, or its fault in the latest turn that has the quoted words."""
    for place in range(len(window) - 1, -1, -1):
        said = shown.said(window[place], [*context, *window[:place]])
        fault = fault_of(one.statement, one.quote, said)
        if fault is None:
            return _fact(one, window[place]), ""
        if fault != "quote":
            return None, fault
    return None, "quote"


def _fact(one: Proposed, piece: Piece) -> Fact:
    """A believed fact, in the form that the rules give."""
    spoken = Turn("user", one.statement, piece.speaker)
    fact = extract([spoken], infer=False)[0]
    sentence = sentence_of(one.quote, piece.text)  # where "never forget" stands
    gist = _gist(one, piece.speaker)
    weight = max(importance(one.statement, gist), importance(sentence, gist))
    pinned = is_pinned(sentence) or is_pinned(one.statement)
    return replace(
        fact,
        gist=gist,
        importance=weight,
        pinned=pinned,
        turn=piece.turn,
        said=as_said(one.quote, piece.text),
    )


def _gist(one: Proposed, speaker: str | None) -> Gist:
    """The gist that the rules read in the statement, or the model's own where they read none.

    The model's must be made of the statement's words, and may fill no slot that holds a single value: it
    would replace what is there. Where both mean the same slot, the model may put the value shorter.
    """
    gist = gist_of(one.statement, speaker)
    selves = FIRST_PERSON | SELF | {(speaker or SPEAKER).casefold(), SPEAKER}
    subject = SPEAKER if _bare(one.subject) in selves else one.subject
    told = Gist(subject, one.relation, one.object)
    slot = slot_of(told)
    if gist.is_triple:
        gist = Gist(SPEAKER, gist.relation, gist.object) if _bare(gist.subject) in SELF else gist
        same = slot is not None and slot == slot_of(gist)
        return Gist(gist.subject, gist.relation, told.object) if same and _is_core(told, gist) else gist
    whole = told.subject and told.relation and told.object
    words = terms(f"{one.subject if subject != SPEAKER else ''} {one.relation} {one.object}")
    unsure = not whole or not set(words) <= set(terms(one.statement)) or (slot is not None and slot.single)
    return gist if unsure else told


def _bare(subject: str) -> str:
    return subject.casefold().removeprefix("the ")


def _is_core(told: Gist, gist: Gist) -> bool:
    """Whether an object is part of another's, and leaves no "not" behind."""
    left = gist.object.casefold().replace(told.object.casefold(), " ", 1)
    return is_said(told.object, gist.object) and not NEGATIONS.intersection(left.replace("'", "").split())
