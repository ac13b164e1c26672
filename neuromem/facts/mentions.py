"""Who and what a sentence names: people, pets, groups, places and things, as far as the words say so."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..text import STOP_WORDS, is_name_like
from .clause import KIN_WORDS, ROLES
from .relations import PETS
from .timewords import MONTHS, WEEKDAYS
from .values import title_names
from .verbs import is_verb_form

__all__ = ["NAME", "PERSON", "PET", "PLACE", "RIVAL", "THING", "Mention", "mentions"]

PERSON, PET, PLACE, THING, NAME, RIVAL = "person", "pet", "place", "thing", "name", "rival"


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody or something named.

    `label`: a name, or a noun that takes a determiner ("sister"). `determiner`: "my", "your", "the", or
    "" for a name. `gender`: "he", "she" or "" where the talk has not said. `members`: the names of a
    group, in order. `kind` "name" is a bare name: a person as far as its place in the sentence tells;
    a "rival" is a name that may be anything, and only makes other referents less sure.
    """

    label: str
    kind: str
    determiner: str = ""
    gender: str = ""
    plural: bool = False
    members: tuple[str, ...] = ()
    place: int = 0  # offset in the sentence


_SHE = frozenset(
    "mother grandmother sister wife girlfriend fiancée daughter aunt niece granddaughter "
    "stepmother godmother "
    "goddaughter stepsister stepdaughter stepmum mother-in-law sister-in-law woman girl lady "
    "landlady nanny mare "
    "hen cow queen waitress actress".split()
)
_HE = frozenset(
    "father grandfather brother husband boyfriend fiancé son uncle nephew grandson stepfather "
    "godfather godson "
    "stepbrother stepson stepdad father-in-law brother-in-law man boy guy bloke lad gentleman landlord tom "
    "fella waiter actor".split()
)
_PEOPLE = frozenset(
    "woman girl lady man boy guy bloke lad gentleman person fella student nurse builder "
    "neighbour lodger tenant "
    "client patient girlfriend boyfriend assistant trainer instructor surgeon midwife carer "
    "colleague classmate "
    "cousin teammate mate buddy pal tutor mentor supervisor".split()
)
_PLACES = frozenset(
    "bakery shop restaurant cafe café pub bar gym school nursery college university company firm hotel "
    "library museum salon studio clinic surgery pharmacy church market supermarket store bookshop garage "
    "practice charity club band choir group team office cinema theatre park deli bistro pizzeria diner "
    "bookstore brewery winery farm startup agency hospital bank kennels kindergarten".split()
)
_GROUPS = frozenset(
    "parents grandparents children kids twins brothers sisters sons daughters cousins neighbours friends "
    "in-laws nephews nieces grandchildren grandkids dogs cats hens rabbits chickens goats fish horses "
    "kittens puppies colleagues flatmates roommates boys girls folks budgies guinea-pigs".split()
)
_PET_WORDS = frozenset(PETS.split()) - {"tom"} | {
    "labrador",
    "retriever",
    "corgi",
    "dachshund",
    "husky",
    "alsatian",
}
_HEADS = _PEOPLE | _PLACES | _PET_WORDS | set(ROLES.split()) | (KIN_WORDS.keys() - {"ma", "pa", "pop", "mam"})
_HEAD = "|".join(sorted(map(re.escape, _HEADS), key=len, reverse=True))
_DETERMINER = r"(?P<det>my|our|your|his|her|their|a|an|the|this|another)"
_CAPITAL = r"(?-i:[A-Z][\w'’.-]*[\w])"
_NAME = (
    r"(?P<name>(?:(?:Mr|Mrs|Ms|Miss|Dr|Mister|Doctor)\.? )?"
    rf"{_CAPITAL}(?: (?:& |de |van |von |of )?{_CAPITAL})*)"
)
_LOWER_NAME = r"(?P<name>(?:(?:mr|mrs|ms|miss|dr|mister|doctor) )?[^\W\d_][\w'-]+(?: & \w+)?)"
_MORE = r"(?:[\w'-]+ ){0,2}?"
_NUMBER = r"(?:two|three|four|five|six|both|\d)"
_NOT_A_NAME = STOP_WORDS | {
    "called",
    "named",
    "today",
    "yesterday",
    "tomorrow",
    "now",
    "last",
    "next",
    "back",
}


@functools.cache
def _pattern(source: str, lower_case: bool) -> re.Pattern[str]:
    """Compiles with `NAME` as it is written in text with, or without, capitals."""
    return re.compile(source.replace("NAME", _LOWER_NAME if lower_case else _NAME), re.IGNORECASE)


_NAMED = (
    # my boss is a woman called Ingrid
    rf"\b(?:my|our) [\w' -]{{2,30}} (?:is|was|'s) an? (?:\w+ )?(?P<head>{_HEAD}) (?:called|named) NAME",
    # my dog's name is Potola; our cat is called Fig; my sister, she is named Ada
    rf"\b{_DETERMINER} {_MORE}(?P<head>{_HEAD})(?:'?s)? (?:name(?:'s| is)?|(?:is |was )?(?:called|"
    rf"named)) NAME",
    # a woman called Ingrid; a bakery on our corner called Crumb & Sons
    rf"\b{_DETERMINER} {_MORE}(?P<head>{_HEAD})\b[\w' -]{{0,40}}? (?:called|named) NAME",
)
_APPOSED = (
    rf"\b{_DETERMINER} {_MORE}(?P<head>{_HEAD}),? NAME\b(?!'s \w)",
    rf"\bNAME(?:,|'s| is|, is| was) (?P<det>my|our|an?) {_MORE}(?P<head>{_HEAD})\b(?!'s)",
)
_CALLED_IT = r"\b(?:called|named|christened|naming|calling) (?P<who>him|her|it) NAME"
_GROUP = (
    rf"\b(?:{_DETERMINER} )?(?:{_NUMBER} )?(?:\w+ )?(?P<head>{'|'.join(sorted(_GROUPS))})"
    r"(?:,|:| -| called| named| are)? (?P<names>NAMES)"
)
_NAMES = rf"{_CAPITAL}(?:, {_CAPITAL})*,? (?:and|&) {_CAPITAL}"
_LOWER_NAMES = r"[\w'-]+(?:, [\w'-]+)* and [\w'-]+"
_KIN_OR_ROLE = rf"\b{_DETERMINER} {_MORE}(?P<head>{'|'.join((_HEAD, *sorted(_GROUPS)))})\b(?!-)"
_BARE_KIN = (
    r"(?<!my )(?<!our )(?<!your )(?<!his )(?<!her )\b"
    r"(?P<head>mum|mom|dad|mummy|daddy|grandma|grandpa|gran|nana|granny)\b"
)
_OBJECT = rf"\b{_DETERMINER} (?P<np>[\w'-]+(?: [\w'-]+){{0,3}})"


# "She is a nurse" names nobody new.
_COPULA = re.compile(
    r"(?:\b(?:is|was|am|are|were|be|been|im|as|become|became|like)|'[ms]|'re) $", re.IGNORECASE
)


def mentions(sentence: str) -> list[Mention]:
    """What a sentence names, the same thing once, in the order of the words."""
    lower = sentence == sentence.lower()
    found: list[tuple[int, int, Mention]] = []
    for start, end, mention in _all(sentence, lower):
        if not any(start < last and first < end for first, last, _ in found):
            found.append((start, end, mention))
    found = _with_given_names(sentence, lower, sorted(found, key=lambda each: each[0]))
    return [replace(mention, place=start) for start, _, mention in found]


def _all(sentence: str, lower: bool) -> Iterator[tuple[int, int, Mention]]:
    yield from _groups(sentence, lower)
    for source in (*_NAMED, *_APPOSED):
        for match in _pattern(source, lower).finditer(sentence):
            if _is_name(match["name"], lower):
                yield (*match.span(), _about(match["head"], title_names(match["name"], every_word=True)))
    for match in _pattern(_KIN_OR_ROLE, lower).finditer(sentence):
        head, determiner = match["head"].lower(), match["det"].lower()
        is_said_of = determiner in ("a", "an") and _COPULA.search(sentence[: match.start()])
        if is_said_of or re.search(r"\bother\b", match.group(), re.IGNORECASE):
            continue
        mention = _about(head, match.group().split(" ", 1)[1].lower(), determiner)
        yield (*match.span(), replace(mention, plural=head in _GROUPS))
    for match in _pattern(_BARE_KIN, lower).finditer(sentence):
        yield (*match.span(), _about(match["head"], match["head"].lower(), "my"))
    if not lower:
        yield from _bare_names(sentence)
    yield from _things(sentence)


def _about(head: str, label: str, determiner: str = "") -> Mention:
    head = head.lower()
    kin = KIN_WORDS.get(head, head)
    kind = PET if head in _PET_WORDS else PLACE if head in _PLACES else PERSON
    gender = "she" if kin in _SHE else "he" if kin in _HE else ""
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


def _is_name(words: str, lower: bool) -> bool:
    first = words.split()[0]
    if first.lower() in _NOT_A_NAME:
        return False
    return (
        not lower or (is_name_like(first) and not is_verb_form(first)) or first in ("mr", "mrs", "ms", "dr")
    )


def _groups(sentence: str, lower: bool) -> Iterator[tuple[int, int, Mention]]:
    source = _GROUP.replace("NAMES", _LOWER_NAMES if lower else _NAMES)
    for match in _pattern(source, lower).finditer(sentence):
        names = [name for name in re.split(r",? (?:and|&) |, ", match["names"]) if name]
        if all(_is_name(name, lower) for name in names):
            members = tuple(title_names(name, every_word=True) for name in names)
            yield (*match.span(), Mention(" and ".join(members), PERSON, plural=True, members=members))


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
        if first.lower() in _NOT_A_NAME | _CALENDAR or first.startswith("I'") or not is_name_like(first):
            continue
        if (
            _PERSON_BEFORE.search(before)
            or (not before.strip() and name.endswith("'s"))
            or is_verb_form(after)
        ):
            kind = RIVAL if _PLACE_BEFORE.search(before) else NAME
        else:
            kind = RIVAL
        if not (kind == RIVAL and _PLACE_BEFORE.search(before)):
            yield (*match.span(), Mention(name.removesuffix("'s"), kind))


def _things(sentence: str) -> Iterator[tuple[int, int, Mention]]:
    """Noun phrases with a determiner, as far as the next small word or verb."""
    for match in _pattern(_OBJECT, False).finditer(sentence):
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
    given = _pattern(_CALLED_IT, lower).search(sentence)
    if given is None or given["name"].lower().split()[0] in _NOT_A_NAME:
        return found
    gender = {"him": "he", "her": "she"}.get(given["who"].lower(), "")
    name = title_names(given["name"], every_word=True)
    before = [each for each in found if each[0] < given.start() and not each[2].plural]
    rest = [each for each in found if each[0] < given.start()][:-1] if before else found
    start = before[-1][0] if before else given.start()
    kind = before[-1][2].kind if before else THING
    return [
        *rest,
        (start, given.end(), Mention(name, PET if gender and kind == THING else kind, gender=gender)),
    ]
