"""Who and what a sentence names: people, pets, groups, places and things, as far as the words say so."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..cached import of_texts
from ..text import STOP_WORDS, is_name_like
from . import naming
from .clause import KIN_WORDS, singular
from .timewords import MONTHS, WEEKDAYS
from .values import title_names
from .verbs import is_verb_form

__all__ = [
    "COUNTED",
    "NAME",
    "PERSON",
    "PET",
    "PLACE",
    "RIVAL",
    "THING",
    "Mention",
    "is_name",
    "mentions",
    "pairs_in",
]

PERSON, PET, PLACE, THING, NAME, RIVAL = "person", "pet", "place", "thing", "name", "rival"
COUNTED = "counted"


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody or something named.

    `label`: a name, or a noun that takes a determiner ("sister"). `determiner`: "my", "your", "the", or
    "" for a name. `gender`: "he", "she" or "" where the talk has not said. `members`: the names of a
    group, in order, and `one` what each of them is ("brother"). `kind` "counted" is several of a sort, of
    which only "the first one" speaks; "name" is a bare name: a person as far as its place in the sentence
    tells; a "rival" is a name that may be anything, and only makes other referents less sure.
    """

    label: str
    kind: str
    determiner: str = ""
    gender: str = ""
    plural: bool = False
    members: tuple[str, ...] = ()
    one: str = ""
    place: int = 0  # offset in the sentence


@functools.cache
def _pattern(source: str, lower_case: bool) -> re.Pattern[str]:
    """Compiles with `NAME` as it is written in text with, or without, capitals."""
    return re.compile(
        source.replace("NAME", naming.NAME_SPOKEN if lower_case else naming.NAME_WRITTEN), re.IGNORECASE
    )


# "She is a nurse" names nobody new.
_COPULA = re.compile(
    r"(?:\b(?:is|was|am|are|were|be|been|im|as|become|became|like)|'[ms]|'re) $", re.IGNORECASE
)


@of_texts(1_024)  # each of the last turns is heard again with every new one
def mentions(sentence: str) -> tuple[Mention, ...]:
    """What a sentence names, the same thing once, in the order of the words."""
    lower = sentence == sentence.lower()
    found: list[tuple[int, int, Mention]] = []
    for start, end, mention in _all(sentence, lower):
        if not any(start < last and first < end for first, last, _ in found):
            found.append((start, end, mention))
    found = _without_owners(sentence, sorted(found, key=lambda each: each[0]))
    found = _with_given_names(sentence, lower, found)
    return tuple(replace(mention, place=start) for start, _, mention in found)


def _without_owners(sentence: str, found: list[tuple[int, int, Mention]]) -> list[tuple[int, int, Mention]]:
    """ "My daughter's teacher is Miss Abiola" is about the teacher, and "she" is not the daughter."""
    people = (PERSON, PET, NAME)
    return [
        each
        for each in found
        if each[2].kind not in people
        or not sentence.startswith(("'s ", "s' ", "’s "), each[1])
        or not any(other[0] > each[1] and other[2].kind in people for other in found)
    ]


def _all(sentence: str, lower: bool) -> Iterator[tuple[int, int, Mention]]:
    yield from _groups(sentence, lower)
    yield from _families(sentence)
    bare = sentence.rstrip(" .!?;,")
    for match in [] if lower else _pattern(naming.NAMED_THING, False).finditer(bare):
        if match["thing"].lower() not in naming.HEADS and match["label"].split()[-1][0].isupper():
            yield (*match.span(), Mention(match["label"], THING))
    for source in (*naming.NAMED, *naming.APPOSED):
        for match in _pattern(source, lower).finditer(bare):
            given = lower and naming.GIVEN.search(bare[: match.start("name")].rstrip()) is not None
            name = _given(bare, match) if given else match["name"]
            if is_name(name, lower) or (given and all(map(_may_name, name.split()))):
                found = _about(match["head"], title_names(name, every_word=True))
                whose = {"his": "he", "her": "she"}.get(match.groupdict().get("whose") or "", "")
                end = max(match.start("name") + len(name), match.end())
                gender = found.gender or whose or _titled(match["name"])
                yield match.start(), end, replace(found, gender=gender)
    for match in _pattern(naming.SOMEBODYS, lower).finditer(sentence):
        whose = match["name"] or ""
        if match["kin"] or is_name(whose, lower):
            label = f"{match['kin'] or title_names(whose, every_word=True)}'s {match['head']}"
            yield (*match.span(), _about(match["head"], label, (match["mine"] or "").lower()))
    for match in _pattern(naming.KIN_OR_ROLE, lower).finditer(sentence):
        head, determiner = match["head"].lower(), match["det"].lower()
        is_said_of = determiner in ("a", "an") and _COPULA.search(sentence[: match.start()])
        if is_said_of or re.search(r"\bother\b", match.group(), re.IGNORECASE):
            continue
        mention = _about(head, match.group().split(" ", 1)[1].lower(), determiner)
        yield (*match.span(), replace(mention, plural=head in naming.GROUP_WORDS))
    for match in _pattern(naming.BARE_KIN, lower).finditer(sentence):
        yield (*match.span(), _about(match["head"], match["head"].lower(), "my"))
    if lower:
        yield from _titled_names(sentence)
    else:
        yield from _bare_names(sentence)
    yield from _counted(sentence)
    yield from _things(sentence)


def _given(sentence: str, match: re.Match[str]) -> str:
    """A name without capitals that ends the sentence may be of several words: "called second wind"."""
    rest = sentence[match.start("name") :]
    return rest if 1 < len(rest.split()) <= 3 and all(map(_may_name, rest.split())) else match["name"]


def _about(head: str, label: str, determiner: str = "") -> Mention:
    head = head.lower()
    kin = KIN_WORDS.get(head, head)
    known = head in naming.HEADS or kin in naming.SHE | naming.HE or head in naming.GROUP_WORDS
    kind = PET if head in naming.PET_WORDS or not known else PLACE if head in naming.PLACES else PERSON
    gender = "she" if kin in naming.SHE else "he" if kin in naming.HE else ""
    plural = kin in (
        "parents",
        "children",
        "grandparents",
        "sons",
        "daughters",
        "brothers",
        "sisters",
        "twins",
    )
    return Mention(label, kind, determiner, gender, plural or kin == "grandchildren")


def _titled(name: str) -> str:
    """The gender that a title tells: "he" of "Mr Wu"."""
    title = naming.TITLE.match(name)
    return naming.TITLE_GENDER.get(title["title"].lower(), "") if title else ""


def is_name(words: str, lower: bool) -> bool:
    """Whether words can be a name, in text with capitals or (`lower`) without."""
    first, *more = words.split()
    if first in ("The", "La", "Le", "El", "Die", "Das") and more:
        return not lower and more[0][0].isupper()
    if first.lower() in naming.NOT_A_NAME:
        return False
    return (
        not lower
        or (is_name_like(first) and not is_verb_form(first))
        or naming.TITLE.fullmatch(first) is not None
    )


def _groups(sentence: str, lower: bool) -> Iterator[tuple[int, int, Mention]]:
    source = naming.GROUP.replace("NAMES", naming.NAMES_SPOKEN if lower else naming.NAMES_WRITTEN)
    numbered = naming.NUMBERED_GROUP.replace("NAMES", naming.NAMES_SPOKEN if lower else naming.NAMES_WRITTEN)
    for match in (
        *_pattern(source, lower).finditer(sentence),
        *_pattern(numbered, lower).finditer(sentence),
    ):
        names = [name for name in re.split(r",? (?:and|&) |, ", match["names"]) if name]
        # "two cats pepper and salt": after a number of them, any word may be a name
        counted = lower and re.search(rf"\b{naming.NUMBER} ", match.group()) and match.end() == len(sentence)
        if all(is_name(name, lower) or (counted and _may_name(name)) for name in names):
            members = tuple(title_names(name, every_word=True) for name in names)
            one = singular(match["head"].lower())
            yield (*match.span(), Mention(" and ".join(members), PERSON, "", "", True, members, one))


def _may_name(word: str) -> bool:
    return word not in naming.NOT_A_NAME and len(word) > 2 and not is_verb_form(word)


_PERSON_BEFORE = re.compile(
    r"\b(?:with|met|meet|saw|see|called|call|told|tell|asked|ask|married|love|know|invited|phoned|"
    r"rang|helped|miss|"
    r"thank|visited|dating|and|this is|that's|that is) $",
    re.IGNORECASE,
)
_PLACE_BEFORE = re.compile(
    r"\b(?:in|at|to|from|near|around|visit|visiting|leave|left|of|via|on) $", re.IGNORECASE
)
_CALENDAR = frozenset((*MONTHS, *WEEKDAYS))


def _bare_names(sentence: str) -> Iterator[tuple[int, int, Mention]]:
    for match in _pattern(r"\bNAME", False).finditer(sentence):
        name = match["name"].replace("’", "'")
        first = name.removesuffix("'s").split()[0].strip(".")
        after = sentence[match.end() :].lstrip().split(" ", 1)[0].strip(",.!")
        before = sentence[: match.start()]
        if (
            first.lower() in naming.NOT_A_NAME | _CALENDAR
            or first.startswith("I'")
            or not is_name_like(first)
        ):
            continue
        titled = naming.TITLE.match(name) is not None and " " in name
        if (
            titled
            or _PERSON_BEFORE.search(before)
            or (not before.strip() and name.endswith("'s"))
            or is_verb_form(after)
        ):
            kind = RIVAL if _PLACE_BEFORE.search(before) and not titled else NAME
        else:
            kind = RIVAL
        if not (kind == RIVAL and _PLACE_BEFORE.search(before)):
            yield (*match.span(), Mention(name.removesuffix("'s"), kind, gender=_titled(name)))


_PAIR = re.compile(
    r"\b(?:an?|one|my|our) (?P<one>[\w'-]+(?: [\w'-]+)?),? and "
    r"(?:an?|one|my|our) (?P<other>[\w'-]+(?: [\w'-]+)?)$",
    re.IGNORECASE,
)
_FAMILY = re.compile(r"\b[Tt]he (?P<name>[A-Z][a-z]+s)\b(?! [A-Z]|')")


def pairs_in(sentence: str) -> list[Mention]:
    """Two things of which "the first one" speaks: "we planted a fig tree and a plum tree"."""
    match = _PAIR.search(sentence.rstrip(" .!"))
    if match is None:
        return []
    members = (f"the {match['one']}", f"the {match['other']}")
    return [
        Mention(" and ".join(members), COUNTED, plural=True, members=members, one="one", place=match.start())
    ]


_KIN = "|".join(KIN_WORDS)
_COUPLE = re.compile(
    rf"\b(?P<det>my|our) (?P<label>(?:{_KIN}) and (?:his|her|their|my|our) (?:{_KIN}))\b", re.IGNORECASE
)


def _families(sentence: str) -> Iterator[tuple[int, int, Mention]]:
    """ "The Castellanos moved in", "my brother and his wife": several people."""
    for match in _COUPLE.finditer(sentence):
        yield (*match.span(), Mention(match["label"].lower(), PERSON, match["det"].lower(), plural=True))
    for match in _FAMILY.finditer(sentence):
        if match["name"].lower() not in naming.NOT_A_NAME | _CALENDAR:
            yield (*match.span(), Mention(f"the {match['name']}", NAME, plural=True))


def _titled_names(sentence: str) -> Iterator[tuple[int, int, Mention]]:
    """Names that a title shows in text without capitals: "i met mister aslan"."""
    for match in _pattern(naming.TITLED_SPOKEN, True).finditer(sentence):
        last = match["last"].removesuffix("'s")
        if last not in naming.NOT_A_NAME and last not in _CALENDAR and not is_verb_form(last):
            name = title_names(match["name"].removesuffix("'s"), every_word=True)
            gender = _titled(name) or {"aunt": "she", "uncl": "he", "sir ": "he"}.get(name[:4].lower(), "")
            yield (*match.span(), Mention(name, NAME, gender=gender))


def _counted(sentence: str) -> Iterator[tuple[int, int, Mention]]:
    for match in _pattern(naming.COUNTED_THINGS, False).finditer(sentence):
        words = match["np"].lower().split()
        if not any(word in STOP_WORDS for word in words) and not is_verb_form(words[-1]):
            one = " ".join((*words[:-1], singular(words[-1])))
            yield (*match.span(), Mention(match["np"], COUNTED, plural=True, one=one))


def _things(sentence: str) -> Iterator[tuple[int, int, Mention]]:
    """Noun phrases with a determiner, as far as the next small word or verb."""
    for match in _pattern(naming.OBJECT, False).finditer(sentence):
        determiner, words = match["det"].lower(), match["np"].split()
        kept: list[str] = []
        for word in words:
            if word.lower() in STOP_WORDS or (kept and is_verb_form(word)):
                break
            kept.append(word)
        if kept and determiner not in ("the", "this", "your", "his", "her", "their") and kept[-1][-1] != "s":
            end = match.start("np") + len(" ".join(kept))
            yield match.start(), end, Mention(" ".join(kept).lower(), THING, determiner)


def _with_given_names(
    sentence: str, lower: bool, found: list[tuple[int, int, Mention]]
) -> list[tuple[int, int, Mention]]:
    """ "I bought a bonsai and named it Gerald": the thing before takes the name."""
    given = _pattern(naming.CALLED_IT, lower).search(sentence)
    if given is None or given["name"].lower().split()[0] in naming.NOT_A_NAME:
        return found
    gender = {"him": "he", "her": "she"}.get(given["who"].lower(), "")
    name = title_names(_given(sentence, given) if lower else given["name"], every_word=True)
    before = [each for each in found if each[0] < given.start() and not each[2].plural]
    rest = (
        [each for each in found if each[0] < given.start() and each not in before[-1:]] if before else found
    )
    start = before[-1][0] if before else given.start()
    kind = before[-1][2].kind if before else THING
    return [
        *rest,
        (
            start,
            given.start("name") + len(name),
            Mention(name, PET if gender and kind == THING else kind, gender=gender),
        ),
    ]
