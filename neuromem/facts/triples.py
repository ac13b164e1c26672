"""From a sentence to `subject|relation|object`, by the tables of `relations.py` and `predicates.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..cached import of_texts
from ..text import is_name_like
from .clause import KIN_WORDS, ROLES, base_verb, canonical, kin_name
from .gist import SPEAKER
from .predicates import PREDICATES
from .relations import PETS, THINGS, WHOLE
from .rows import Triple, base_form, first_fit, generic, predicate, relation_name
from .values import tidy, title_names
from .verbs import is_verb_form

__all__ = ["triple_of"]

MAX_CLAUSE = 300  # characters; a longer sentence is no clear triple, and matching takes too long
_PROPER = re.compile(
    r"\b(?:name|nickname|home|home town|birthplace|origin|trip|doctor|dentist|vet|boss|landlord|neighbour|"
    r"partner|wife|"
    r"husband|sons?|daughters?|friend|flatmate|godchild|football team|employer|languages?|learning|school|"
    r"physio|"
    r"barber|therapist|brothers?|sisters?|cousins?|nieces?|nephews?|tutor|girlfriend|boyfriend|fiancée?|spouse|church|nationality|street|city|town|country)$"
)


def triple_of(text: str, speaker: str | None = None) -> Triple | None:
    """The triple that a sentence says, or None where none is clear.

    Args:
        text: one sentence.
        speaker: the speaker's name; a subject of that name is the speaker ("1").
    """
    return _read(text, speaker)


@of_texts(1_024)  # splitting, keeping and the gist ask for the same sentence
def _read(text: str, speaker: str | None) -> Triple | None:
    clause = canonical(text)
    if not clause or len(clause) > MAX_CLAUSE:
        return None
    lower_case = clause == clause.lower().replace("i is", "I is") or text == text.lower()
    found = _whole(clause)
    if found is None:
        found = next((triple for triple in _readings(clause, lower_case) if triple is not None), None)
    if found is None:
        return None
    subject, relation, value = found
    if relation == "job" and value.split()[-1].lower() in _PET_WORDS:
        relation = "breed"
    if speaker and subject.casefold() == speaker.casefold():
        subject = SPEAKER
    if lower_case:
        subject = subject if subject.split()[-1] in _NO_NAMES else title_names(subject, every_word=True)
        value = title_names(value.lower(), every_word=bool(_PROPER.search(relation)))
    return subject, relation, value


def _whole(clause: str) -> Triple | None:
    return first_fit(WHOLE, clause, SPEAKER, "")


def _readings(clause: str, lower_case: bool) -> Iterator[Triple | None]:
    """Ways to split a clause into subject and rest, the surest first."""
    match = re.match(r"(?:I|we) (?P<rest>.+)", clause, re.IGNORECASE)
    if match:
        yield predicate(SPEAKER, match["rest"])
        return
    both = _AND_I.match(clause)
    if both and not _NOT_NOUN.search(both["who"]) and is_verb_form(both["rest"].split()[0]):
        yield predicate(SPEAKER, both["rest"])
    yield _apposition(clause, lower_case)
    yield _kin_clause(clause, lower_case)
    yield _named_person(clause, lower_case)
    yield _thing_clause(clause)
    does = _THING_DOES.match(clause)
    if does and not _NOT_NOUN.search(does["n"]):
        noun = " ".join(word for word in does["n"].lower().split() if word not in _ADVERBS)
        if noun:  # not "the next …"
            yield _living(noun, does["does"]) or (SPEAKER, noun, tidy(does["does"]))


# "my sister and I run a café" is the speaker's, too
_AND_I = re.compile(r"(?P<who>[\w' -]{1,40}?),? and I (?P<rest>.+)", re.IGNORECASE)
_APPOSITION = re.compile(
    r"(?:my|our) [\w' -]+, (?P<late>[A-Z][\w.'-]+(?: [A-Z][\w.'-]+)*), (?P<rest>.+)|"
    r"(?P<early>[A-Z][\w.'-]+(?: [A-Z][\w.'-]+)*), (?:my|our|the) [\w' -]+, (?P<also>.+)"
)
_ROLE_AND_NAME = re.compile(
    rf"(?:my|our|the) (?:[\w-]+ )?(?:{'|'.join((*ROLES.split(), *PETS.split()))}) "
    r"(?P<name>(?:(?:mr|mrs|ms|miss|dr|doctor)\.? )?(?P<own>[\w-]+))(?P<poss>'s)? (?P<rest>.+)",
    re.IGNORECASE,
)


def _apposition(clause: str, lower_case: bool) -> Triple | None:
    """ "Our landlord, Mr Ostrowick, lives in Cyprus" and "my flatmate Bilge is mad" speak of who is named."""
    role = _ROLE_AND_NAME.match(clause)
    if role and _is_name(role["own"], lower_case) and base_verb(role["own"]).lower() not in _VERBS:
        return _about(role["name"], role["poss"], role["rest"])
    match = _APPOSITION.match(re.sub(r"^(?:My|Our)", lambda start: start[0].lower(), clause))
    if match is None:
        return None
    return predicate(match["late"] or match["early"], base_form(match["rest"] or match["also"]))


# --- my sister …, Mum …, Granny Oda … --------------------------------------------------------------

_KIN_CLAUSE = re.compile(
    rf"(?P<det>(?:my|our|the) )?(?:late |older |big |little |younger |twin |eldest |youngest |elder |baby |"
    rf"new |step)*"
    rf"(?P<kin>{'|'.join(sorted(KIN_WORDS, key=len, reverse=True))})(?P<poss>'s)? (?P<rest>.+)",
    re.IGNORECASE,
)
_TITLED = re.compile(
    r"(?P<name>(?:granny|grandma|grandpa|grandad|nana|nan|gran|uncle|aunt|auntie|aunty|cousin|mr|mrs|ms|"
    r"miss|dr|doctor|captain|"
    r"sister|father|brother)\.? (?P<own>[\w-]+))(?P<poss>'s)? (?P<rest>.+)",
    re.IGNORECASE,
)
_BARE_KIN = frozenset("mother father grandmother grandfather aunt".split())
_VERBS = frozenset("is was have had do will can used got went moved died loves hates".split())
_MORE_VERBS = _VERBS | frozenset(
    "never no once always would could said says told won broke bought sold left lost found made took gave "
    "came met sent taught "
    "wrote grew built caught fell felt kept knew paid put read ran sang sat slept spent spoke stole "
    "swam thinks wants did "
    "became began chose drew drank drove ate flew forgot forgave hid hurt led lent quit rang rode rose saw "
    "shot stood threw wore".split()
)


def _kin_clause(clause: str, lower_case: bool) -> Triple | None:
    titled = _TITLED.match(clause)
    if titled and _is_name(titled["own"], lower_case) and base_verb(titled["own"]).lower() not in _VERBS:
        return _about(titled["name"], titled["poss"], titled["rest"])
    match = _KIN_CLAUSE.match(clause)
    if match is None:
        return None
    kin = KIN_WORDS[match["kin"].lower()]
    if not match["det"] and kin not in _BARE_KIN:
        return None
    late = re.match(r"(?:my|our) late \w+ (?:is|was) (?:called |named )?(.+)", clause, re.IGNORECASE)
    if late:
        return SPEAKER, f"late {kin}", tidy(late[1])
    rest = match["rest"]
    named = re.match(r"(?:(?:is|was) (?:called|named)|name is|is) (.+)", rest, re.IGNORECASE)
    if named and not match["poss"]:
        name = tidy(named[1])
        article = re.match(r"(?:an?|the) ", named[1], re.IGNORECASE)
        if not rest.lower().startswith("is ") or rest.lower().startswith(("is called", "is named")):
            return SPEAKER, f"{kin} name", name
        if not article and _are_names(name, lower_case):
            return SPEAKER, kin, name
    if match["poss"] and rest.lower().startswith("name is "):
        return SPEAKER, f"{kin} name", tidy(rest[len("name is ") :])
    own = re.match(r"(?P<name>[\w'-]+?)(?P<poss>'s)? (?P<rest>.+)", rest)
    is_own = own and not match["poss"] and _is_name(own["name"], lower_case)
    if (
        own
        and is_own
        and base_verb(own["name"]).lower() not in _VERBS
        and (_is_predicate(own["rest"]) or own["poss"] or not lower_case)
    ):
        return _about(own["name"], own["poss"], own["rest"])
    return _about(kin, match["poss"], rest)


def _about(subject: str, possessive: str | None, rest: str) -> Triple | None:
    if possessive:
        return _thing(subject, rest)
    return predicate(subject, base_form(rest))


# --- Marisol … -------------------------------------------------------------------------------------

_NAME_CLAUSE = re.compile(
    r"(?P<name>[^\W\d_][\w'-]*?(?: (?:& )?[A-Z][\w'-]*?)*)(?P<poss>'s)?(?: and (?:[A-Z][\w'-]*|"
    r"my \w+))? (?P<rest>.+)"
)
_NOT_NAMES = frozenset(
    "the a an my our your his her their this that these those it he she they there here what who when "
    "where why how which if "
    "some any all no every each most many one two both let everyone everybody someone nobody people "
    "please nuts "
    "is was do have not never always today tomorrow yesterday tonight monday tuesday wednesday thursday "
    "friday saturday "
    "sunday january february march april may june july august september october november december and or "
    "but so because "
    "on in at for from with after before since during".split()
)


def _named_person(clause: str, lower_case: bool) -> Triple | None:
    match = _NAME_CLAUSE.match(clause)
    if match is None or match["name"].split()[0].lower() in _NOT_NAMES | KIN_WORDS.keys():
        return None
    name, rest = match["name"], match["rest"]
    if match["poss"]:
        return _thing(name, rest) if is_name_like(name.split()[0]) or not lower_case else None
    if not is_name_like(name.split()[0]):
        # "Ruben got elected" or "Choir got cancelled": a row of the table for persons decides.
        found = None if lower_case else first_fit(PREDICATES, base_form(rest), name, "")
        return None if found is None or found[1] == "whereabouts" else found
    found = predicate(name, base_form(rest))
    said = _LITTLE.sub("", rest)
    verb = said.split()[0].strip(",;")
    sure = (
        _is_predicate(said)
        or (not lower_case and is_verb_form(verb))
        or first_fit(PREDICATES, base_form(rest), name, "")
    )
    return found if sure else None


_LITTLE = re.compile(
    r"^(?:(?:just|still|also|now|always|usually|finally|already|often|recently|only|actually) )+(?=\w)",
    re.IGNORECASE,
)


def _is_predicate(rest: str) -> bool:
    """Whether words after a name begin with a verb, as far as can be told from the form."""
    first = rest.split()[0].lower().strip(",;")
    if first in _MORE_VERBS:
        return True
    return bool(re.search(r"(?:[^s]s|ed)$", first))


_ADVERBS = frozenset(
    "only really always never just also still now usually often sometimes mostly already finally "
    "recently both all "
    "even currently actually definitely probably hardly barely upstairs downstairs opposite next "
    "across who whose "
    "here there down up from at in with near over behind too".split()
)


def _is_name(word: str, lower_case: bool) -> bool:
    if word.lower() in _ADVERBS:
        return False
    return is_name_like(word) if lower_case else word[:1].isupper()


def _are_names(value: str, lower_case: bool) -> bool:
    parts = [part for part in value.replace(",", " ").split() if part.lower() not in ("and", "the", "of")]
    return 0 < len(parts) <= 4 and all(_is_name(part, lower_case) for part in parts)


# --- my dog's name …, the alarm code … --------------------------------------------------------------

_THING_CLAUSE = re.compile(
    r"(?:(?:my|our|the) )?(?P<n>[\w'.-]+(?: [\w'.-]+){0,4}?) (?P<rest>(?:is|was|have|had|do not|will|"
    r"can not|sits?|lives?|hangs?|"
    r"hides?|expires?|runs? out|lands?|departs?|leaves|takes off|boards|arrives?|ends?|"
    r"finish(?:es)?|starts?|begins?|opens?|comes?|visits?|calls?|goes?|"
    r"go out|takes? place|"
    r"meets?|happens?|falls?|costs?|weighs?|says?|reads?|closes?|breaks? up|moved|changed|got|owns?|works?|"
    r"teach(?:es)?|speaks?|went) .+)",
    re.IGNORECASE,
)


_NOT_NOUN = re.compile(
    r"\b(?:would|could|should|might|must|said|says|i|we|he|she|they|you|it|who|that)\b", re.IGNORECASE
)


_THING_DOES = re.compile(
    r"(?:my|our|the) (?P<n>(?:[\w-]+ ){0,2}?[\w-]+) "
    r"(?P<does>(?:[\w-]+(?:[^s\W]s|ed)|put|came|lay|let|made|gave|told) .+)",
    re.IGNORECASE,
)


def _thing_clause(clause: str) -> Triple | None:
    match = _THING_CLAUSE.match(clause)
    if match is None or match["n"].split()[0].lower() in _NOT_NAMES or _NOT_NOUN.search(match["n"]):
        return None
    return _thing_said(SPEAKER, match["n"], match["rest"])


def _thing(owner: str, rest: str) -> Triple | None:
    """What is said of a person's X: "birthday is in May"."""
    match = _THING_CLAUSE.match(rest)
    return _thing_said(owner, match["n"], match["rest"]) if match else None


_PET_WORDS = frozenset(PETS.split())
_ROLE_WORDS = frozenset(ROLES.split())
_NO_NAMES = _PET_WORDS | _ROLE_WORDS | KIN_WORDS.keys() | set(KIN_WORDS.values())
# What is said of a dog or a neighbour themselves; the rest ("is called Fig") is said of the speaker's.
_OF_ANIMALS = frozenset(
    "likes dislikes diet allergy fear condition medication death injury age weight habit pregnancy".split()
)
_OF_PEOPLE = (
    _OF_ANIMALS
    | frozenset(
        "home employer instrument origin hobby languages collects car studies learning event religion "
        "alcohol smoking sport team business relationship spouse children bees pet running marriage".split()
    )
    | {"moving to", "work hours", "past home", "past job", "football team", "baby due"}
)


_DAY_OR_TIME = re.compile(r"(?:\d|(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b|next |half )", re.IGNORECASE)


def _living(noun: str, rest: str) -> Triple | None:
    """What is said of a pet or person by what they are: "our rabbit hates carrots"."""
    last = noun.split()[-1]
    if last not in _PET_WORDS | _ROLE_WORDS:
        return None
    subject = last if last in _PET_WORDS else relation_name(noun)
    said = first_fit(PREDICATES, base_form(rest), subject, "")
    allowed = _OF_ANIMALS if last in _PET_WORDS else _OF_PEOPLE
    is_time = said is not None and said[1] not in ("age", "weight") and _DAY_OR_TIME.match(said[2])
    return said if said is not None and said[1] in allowed and not is_time else None


def _thing_said(owner: str, noun: str, rest: str) -> Triple | None:
    owner, noun = _owner_and_noun(owner, noun.lower())
    animal = noun.split()[-1]
    said = _living(noun, rest) if owner == SPEAKER else None
    if said is not None:
        return said
    found = first_fit(THINGS, base_form(rest), owner, noun)
    if found is None:
        said = generic(owner, base_form(rest))
        return said if said is None or owner != SPEAKER else (owner, noun, f"{said[1]} {said[2]}")
    subject, relation, value = found
    called = re.match(r"(?:is|was) (?:called|named) ", rest, re.IGNORECASE) is not None
    if animal in _PET_WORDS and relation == noun and (called or _are_names(value, value == value.lower())):
        relation = f"{animal} name"
    return subject, relation_name(relation), value


def _owner_and_noun(owner: str, noun: str) -> tuple[str, str]:
    """ "dog's name" → dog name of the same owner; "mum's birthday" → birthday of the mother."""
    first, apostrophe, rest = noun.partition("'s ")
    if apostrophe:
        kin = kin_name(first)
        if kin and owner == SPEAKER and rest != "name":
            return kin, rest
        noun = f"{kin or first} {rest}"
    return owner, noun
