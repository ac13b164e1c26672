"""What a new statement does to what is held: which memories are not current any more.

`outdated` compares one saying with candidates and gives those that it replaces, with the reason. It only
looks at words, gists and times, so the same talk gives the same answer; what it decides is logged as
`supersede` events, and a replay never decides again. Where there is a hint of change but no certainty,
`followed` gives a memory of which the statement may be news: that one stays current.

Two rules stand above all others: another person's fact is never touched, and what happened once ("went out
for sushi today") does not replace a habit. In doubt nothing is replaced: a stale fact too many can still be
told from its date, a true one lost cannot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .facts.frames import mass
from .facts.slots import DOING, synonyms
from .facts.topics import SETTLED, members_of, topics_of
from .facts.wording import (
    FEELINGS,
    drops_it,
    feels,
    is_at_theirs,
    is_event,
    is_fragment,
    is_fresh,
    is_lasting,
    is_of_old,
    is_of_pronoun,
    is_plan,
    is_tie,
    is_to_a_date,
    leans_back,
    moves_it,
    moves_on,
    names_a_thing,
    tells_a_state,
)
from .nearness import chance
from .sayings import (
    LAST_S,
    NAMED,
    RECENT,
    RECENT_S,
    TELLING,
    Held,
    Saying,
    akin_values,
    all_stems,
    content,
    cover,
    ends_nothing,
    have_met,
    is_second_thought,
    likeliest,
    may_meet,
    named,
    numbered_apart,
    numbers_of,
    overlap,
    same_matter,
    same_measure,
    same_occasion,
    same_speaker,
    same_words,
    sides,
    two_things,
)
from .text import normalize, stems

__all__ = ["FOLLOWS", "End", "followed", "outdated", "retracted"]

FOLLOWS = "follows"  # the reason of an end that is none: news of a memory that stays current
CORRECTED = 0.5  # cosine, half of the shared words and more, from which a correction means a late statement
MEANT, SHARED_MEANT = 0.76, 0.5  # chance from which a word of change replaces a memory; with words in common
LINKED = 0.4  # cosine from which statements with no word in common may be about one matter
SHARED = 0.4  # share of telling words that counts as words in common
COVERED = 0.5  # share of the words of a memory that news of it has, without a word of change
ALIKE, NEAR = 0.2, 0.3  # cosine of keys, and chance, from which a statement may be news of another


@dataclass(frozen=True, slots=True)
class End:
    """A memory that is not current any more, and why.

    `reason` is "slot", "value", "named", "moved", "corrected", "turned", "repeated", "done", "retracted",
    "alike", "late" (told after what replaces it), "read" (the judge of `verdict.py` found it), or "follows".
    """

    id: str
    reason: str


def outdated(new: Saying, held: Sequence[Held]) -> list[End]:
    """The memories that a statement replaces.

    Args:
        held: candidates, all current, none told later than the statement.
    """
    found = [(verdict, item) for item in held for verdict in [_judged(new, item)] if verdict is not None]
    if not found:
        return []
    by_slot = [End(item.id, reason) for (_, reason), item in found if reason == "slot"]
    rest = [((score, reason), item) for (score, reason), item in found if reason != "slot"]
    if rest:
        (_, reason), best = max(rest, key=lambda pair: (pair[0][0], -pair[1].back, pair[1].id))
        by_slot += [End(best.id, reason)] if best.id not in {end.id for end in by_slot} else []
    return by_slot


def followed(new: Saying, held: Sequence[Held]) -> list[End]:
    """The memory that a statement may be an update of, where that is not sure enough to replace it.

    It stays current; a question that finds both is answered by the newer one first.
    """
    scored = [(score, item) for item in held for score in [_may_follow(new, item)] if score > 0]
    best = likeliest(scored)
    return [] if best is None else [End(best.id, FOLLOWS)]


def _is_apart(new: Saying, held: Held) -> bool:
    """Whether a statement is of another time, or of others or what they have: it is no news of a memory."""
    of_old = is_of_old(held.said.text) and not new.change.has("corrects", "retracts")
    return of_old or _is_of_others(new, held)


def _is_of_others(new: Saying, held: Held) -> bool:
    """Whether a statement ends nothing of a memory for whose news it is."""
    return ends_nothing(new, held) or (is_at_theirs(new.text) and held.said.frame.whose.kind == "self")


def _may_follow(new: Saying, held: Held) -> float:
    """How likely a statement is news of what a memory says; 0 for no."""
    if not same_speaker(new, held) or same_words(new.text, held.said.text):
        return 0.0
    if _once(new) or new.change.has("adds") or new.frame.detour or not may_meet(new, held):
        return 0.0
    of_another = new.frame.whose.kind == "other" and held.said.frame.whose.kind != "other"
    if of_another or _is_of_others(new, held):
        return 0.0
    if not new.change and not _says_the_same_of(new, held):
        return 0.0
    likely = chance(new, held)
    return likely if (held.likeness >= ALIKE and likely >= NEAR) or likely >= MEANT else 0.0


def _once(new: Saying) -> bool:
    """Whether a statement tells of one time only: "went up after today's visit" is so from then on."""
    return new.frame.once and not (is_fresh(new.text) or new.change.has("moves"))


def _says_the_same_of(new: Saying, held: Held) -> bool:
    """Whether a statement without a word of change is about all that a memory is about."""
    value = frozenset(stems(held.said.gist.object)) if held.said.gist.is_triple else frozenset()
    matter = held.said.frame.topic - value or held.said.frame.topic
    covered = cover(matter, new.frame.topic) >= COVERED and not held.said.frame.once
    return covered and not two_things(new, held) and not numbered_apart(new, held)


def retracted(new: Saying, held: Sequence[Held]) -> list[End]:
    """The memory that a bare retraction takes back: the one it names, else the last statement."""
    phrases = [phrase for phrase in new.change.old if content(phrase)]
    held = [item for item in held if same_speaker(new, item)]
    if not phrases:
        return [End(item.id, "retracted") for item in held if item.back == 0]
    found = [(score, item) for item in held for score in [named(item, phrases)] if score > 0]
    best = likeliest(found)
    return [] if best is None else [End(best.id, "retracted")]


_Verdict = tuple[float, str]


def _judged(new: Saying, held: Held) -> _Verdict | None:
    """How surely, and why, a statement replaces a memory; None when it does not."""
    if not same_speaker(new, held) or same_words(new.text, held.said.text):
        return None
    if not may_meet(new, held) or new.frame.detour or numbered_apart(new, held):
        return None
    if _is_apart(new, held):
        return None
    # Dana, with whom I work; but "Pottery got bumped to Thursdays" is of a time, not of a Pottery
    other_than = new.frame.whose.kind == "other" and held.said.frame.whose.kind != "other"
    mentioned = other_than and not same_measure(new, held)
    for rule in (_by_name, _by_correction) if mentioned or two_things(new, held) else RULES:
        verdict = rule(new, held)
        if verdict is not None:
            return verdict
    return None


# --- the rules -------------------------------------------------------------------------------------


_VALUE_WORD = re.compile(r"^(?:\w*days?|\w*\d\w*|noon|midnight|weekends?)$")


def _by_name(new: Saying, held: Held) -> _Verdict | None:
    """Something named is given up: "swapped the minivan for a pickup", "forget the jet ski"."""
    change = new.change
    if held.back == 0 and drops_it(new.text) and is_lasting(held.said.text):
        return 1.0, "named"
    if change.has("parts") and is_tie(held.said.text):
        return (1.8, "named") if not change.old or named(held, change.old) > 0 else None
    if not change.has("ends", "retracts"):
        return None
    score = named(held, change.old)
    if not score:
        return _by_kind(new, held)
    if all(_VALUE_WORD.match(word) for phrase in change.old for word in content(phrase)):
        # "not Tuesday" is of one thing that is on a Tuesday
        topical = cover(new.frame.topic, all_stems(held))
        return (score + topical, "named") if topical >= 0.3 else None
    if new.frame.whose.kind == "other" and held.said.frame.whose.kind == "thing":
        return None
    just_said = 0.5 if held.back < RECENT and change.has("corrects", "retracts") else 0.0
    return score + 0.3 * overlap(new, held) + just_said, "named"


def _by_kind(new: Saying, held: Held) -> _Verdict | None:
    """What is given up is named by its kind: "gone off alcohol" ends the wine."""
    kinds = frozenset().union(*(frozenset(stems(phrase)) for phrase in new.change.old))
    kindred = members_of(kinds) & held.said.frame.stems
    return (0.8 + 0.5 * held.likeness, "named") if kindred and is_lasting(held.said.text) else None


def _by_move(new: Saying, held: Held) -> _Verdict | None:
    """Something named has a new value: "swim lessons got moved to Sunday", "the new code is 3306"."""
    change = new.change
    if not change.has("moves"):
        return None
    if held.back == 0 and moves_it(new.text) and same_measure(new, held):
        return 1.0, "moved"
    phrases = [phrase for phrase in change.topic if content(phrase)]
    if not phrases and held.likeness >= COVERED and same_measure(new, held):  # "that makes two"
        return 1.1, "moved"
    covered = max((_moved(phrase, new, held) for phrase in phrases), default=0.0)
    if covered:
        return 1.2 + covered, "moved"
    if phrases and not change.has("again"):
        return None
    shared = overlap(new, held)
    both = topics_of(new.frame.stems) & sides(held) & SETTLED
    alike = shared >= 0.3 and akin_values(new, held) and same_matter(new, held)
    if alike or (both and same_measure(new, held) and is_lasting(held.said.text)):
        return 1 + shared, "moved"
    return None


def _moved(phrase: str, new: Saying, held: Held) -> float:
    """How much of what has a new value is in a memory that gives one; 0 when it does not."""
    if not numbers_of(phrase) <= numbers_of(" ".join(held.texts())):
        return 0.0  # the printer on three is not the one on two
    part, slot = content(phrase), held.said.slot
    names = synonyms(slot.name) | frozenset(stems(held.said.gist.relation)) if slot else frozenset()
    fills = part <= names and names_a_thing(held.said.text)
    side = bool(topics_of(part) & sides(held) & (SETTLED | {"class"})) and is_lasting(held.said.text)
    covered = cover(part, all_stems(held))
    if fills or side:
        return max(covered, NAMED)
    return covered if covered >= NAMED and akin_values(new, held) else 0.0


def _by_correction(new: Saying, held: Held) -> _Verdict | None:
    """What was just said was wrong: "sorry, I meant four", "turns out it was in the glove box"."""
    if not (new.change.has("corrects", "retracts") or is_second_thought(new, held)):
        return None
    age, shared = new.time - held.said.time, overlap(new, held)
    # "it's called Silver Sage"; "typo, 6:30" a little later only
    if held.back == 0 and leans_back(new.text, age <= RECENT_S):
        return 1.1 + shared, "corrected"
    meant = held.likeness + 0.5 * shared + 0.1 * (held.back == 0) + 0.1 * akin_values(new, held)
    lately = held.back == 0 and age <= RECENT_S
    fits = (same_measure(new, held) or not new.frame.once) and (lately or not is_fragment(new.text))
    if held.back < RECENT and meant >= CORRECTED and fits:
        return 0.9 + shared, "corrected"
    near = held.back < RECENT or age <= RECENT_S
    both = min(cover(new.frame.topic, held.said.frame.topic), cover(held.said.frame.topic, new.frame.topic))
    if shared >= 0.5 and (near or (akin_values(new, held) and both >= 0.4)):
        return 1 + shared, "corrected"
    of_itself = mass(new.frame.topic) < TELLING  # "sorry, I meant four" says not of what
    recent = age <= LAST_S or (age <= RECENT_S and (of_itself or shared > 0))
    if held.back == 0 and recent and (akin_values(new, held) or shared > 0 or new.change.has("retracts")):
        return 1.0, "corrected"
    return None


def _by_mind(new: Saying, held: Held) -> _Verdict | None:
    """Another opinion of the same thing: "I like olives now"."""
    if not new.change.has("mind"):
        return None
    shared = cover(held.said.frame.topic - FEELINGS, new.frame.topic)
    return (1 + shared, "turned") if shared >= 0.5 else None


def _by_slot(new: Saying, held: Held) -> _Verdict | None:
    """One slot, one value at a time: "I live in Dallas" after "I live in Porto"."""
    change, one, other = new.change, new.slot, held.said.slot
    if one is None or other is None or one.key != other.key or not (one.single and other.single):
        return None
    if change.has("adds") or (new.frame.once and not change):
        return None
    if not change and one.name in DOING and any(map(tells_a_state, (new.text, held.said.text))):
        return None
    differs = normalize(new.gist.object) != normalize(held.said.gist.object)
    return (2.0, "slot") if differs else None


def _by_denial(new: Saying, held: Held) -> _Verdict | None:
    """The same, with and without a "not"."""
    if new.frame.denies == held.said.frame.denies or new.frame.once:
        return None
    one, other = new.frame.topic - FEELINGS, held.said.frame.topic - FEELINGS
    same = bool(one) and one == other
    if _comes_round(new, held):
        return 1.1, "turned"
    told = bool(new.change) and cover(other, one) >= 0.8 and feels(held.said.text) and feels(new.text)
    return (1.2, "turned") if same or told else None


def _comes_round(new: Saying, held: Held) -> bool:
    """Whether one who could not stand something has it now: "I eat olives by the handful"."""
    matter = held.said.frame.topic - FEELINGS
    both = new.frame.whose.kind == held.said.frame.whose.kind == "self"
    disliked = held.said.frame.denies and feels(held.said.text) and not new.frame.denies
    habit = is_lasting(new.text) and not is_plan(new.text)
    return both and disliked and habit and bool(matter) and matter <= new.frame.topic


def _by_turn(new: Saying, held: Held) -> _Verdict | None:
    """Now it is so: the same side of life, or the same topic with another value."""
    change, once = new.change, _once(new)
    turns = change.has("turns") and not (once and new.frame.states is False and is_event(new.text))
    if not (turns or (change.has("now") and not once)) or change.has("adds") or held.said.frame.once:
        return None
    shared, alike, measure = overlap(new, held), akin_values(new, held), same_measure(new, held)
    lasting = is_lasting(held.said.text)
    if shared >= 0.5 and (lasting or held.said.frame.states) and (alike or turns):
        return 1 + shared, "turned"
    both = topics_of(new.frame.stems) & sides(held) - ({"home"} if moves_on(new.text) else set())
    if not both or not lasting or (is_to_a_date(new.text) and not measure):
        return None
    if both & SETTLED or turns or measure:
        return 0.6 + 0.5 * held.likeness + 0.3 * shared + 0.3 * alike, "turned"
    return None


def _by_parallel(new: Saying, held: Held) -> _Verdict | None:
    """The same said of the same thing, with another value of its kind: "dinner is for eleven"."""
    one, other = new.frame, held.said.frame
    if one.once or other.once or not (one.states and other.states) or new.change.has("adds"):
        return None
    if not akin_values(new, held) or not one.topic or not other.topic or one.denies != other.denies:
        return None
    if is_of_pronoun(held.said.text) and not is_of_pronoun(new.text):
        return None  # "it cost nine million" is hardly the new library's price
    same = one.topic <= other.topic or other.topic <= one.topic
    close = cover(one.topic, other.topic) >= 0.5 and cover(other.topic, one.topic) >= 0.5
    plural = re.search(r"\b(?:i|we)\b", normalize(new.text)) and not new.change  # I swim on Mondays, and …
    return (1.1, "value") if same and close and not plural else None


def _by_deed(new: Saying, held: Held) -> _Verdict | None:
    """A plan is carried out; something is done once more; this year it is elsewhere."""
    change, other = new.change, held.said.frame
    both = cover(new.frame.topic, all_stems(held)), cover(other.topic, new.frame.stems)
    deed = change.has("done") or new.frame.once
    if deed and is_plan(held.said.text) and not is_plan(new.text) and have_met(new, held):
        return 1 + max(both), "done"
    if change.has("again") and not other.denies and min(both) >= 0.8 and (new.frame.once or not other.states):
        return 1 + min(both), "repeated"
    if change.has("yearly") and (other.once or held.said.change.has("yearly")) and same_occasion(new, held):
        return 1.0 + max(both), "repeated"
    return None


def _by_likeness(new: Saying, held: Held) -> _Verdict | None:
    """Where no rule knows how: there is a word of change, and both mean much the same."""
    if not new.change.has("ends", "moves", "now", "turns", "mind") or new.change.has("adds"):
        return None
    once = _once(new)
    if once or held.said.frame.once or not (is_lasting(held.said.text) or held.said.frame.states):
        return None
    settled = bool(sides(held) & topics_of(new.frame.stems) & SETTLED)
    linked = settled or overlap(new, held) > 0 or held.likeness >= LINKED
    if not linked or moves_it(new.text):
        return None
    sure = chance(new, held)
    least = SHARED_MEANT if overlap(new, held) >= SHARED else MEANT
    return (0.3 + 0.3 * sure, "alike") if sure >= least else None


_Rule = Callable[[Saying, Held], _Verdict | None]
RULES: tuple[_Rule, ...] = (
    _by_name, _by_move, _by_correction, _by_mind, _by_slot, _by_denial, _by_turn, _by_parallel, _by_deed,
    _by_likeness,
)  # fmt: skip
