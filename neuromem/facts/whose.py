"""Who an utterance is about, by how it begins: "my uncle found out …" is not about me."""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re
from dataclasses import dataclass

from ..cached import of_texts
from ..text import is_name_like, normalize, stem, words
from .clause import KIN_WORDS, ROLES
from .relations import PETS
from .several import several_of
from .verbs import is_past, is_verb_form

__all__ = ["Whose", "whose_of", "without_lead", "without_reporter"]


@dataclass(frozen=True, slots=True)
class Whose:
    """Who an utterance is about: "self", "other", "pronoun" (he, she), "thing"."""

    kind: str
    names: frozenset[str] = frozenset()  # stems of the name or role: {"omar"}, {"cousin", "delphin"}


_ROLE_WORDS = "|".join(
    sorted(
        {
            *KIN_WORDS,
            *ROLES.split(),
            "client",
            "intern",
            "supervisor",
            "classmate",
            "stepmom",
            "grandkid",
            "mate",
            "officemate",
            "workmate",
            "labmate",
            "buddy",
            "pal",
            "bestie",
            "in-law",
            "mentor",
            "mentee",
        }
    )
)
_LEAD = re.compile(
    r"^(?:(?:well|so|ok|okay|oh|ah|um+|uh+|hey|hi|yes|yeah|no|nope|nah|wait|(?:hang|hold) on|sorry|actually|anyway|also|and|"
    r"but|look|listen|btw|by the way|turns out|it turns out|as it turns out|correction|autocorrect|typo|update|news|guess what|i had (?:it|that) wrong|i was wrong|"
    r"(?:i|he|she|they) got (?:it|that) wrong|(?:i )?(?:misspoke|misremembered|misread|misheard|miscounted|mistyped|miscalculated)|my mistake|my bad|mixed (?:that|it) up|let me correct that|"
    r"honestly|oops|whoops|the \w+ called(?! (?:them|him|her|up)\b)|(?:they|he|she) (?:called|texted|emailed|wrote)(?= (?:it|it's|its|to|that|the|my)\b)|good news|bad news|"
    r"apparently|finally|officially|just|fyi|this year|these days|now|today|yesterday|last night|last week|"
    r"this (?:morning|week|month)|i mean|i meant|i said|starting \w+ \w+|remember|note|"
    # "checked her papers, she was born in April"
    r"(?:(?:i|we|just) )?(?:checked|looked (?:at|up|over|in)|asked|read) (?:(?:her|his|the|their|its|with) )+[\w' ]{2,24}?"
    r"(?=,? (?:she|he|it|they)(?:'s|'re|'d)?\b))\b[,:!.;]?\s+)+",
    re.IGNORECASE,
)
_SAID = re.compile(
    r"^(?:my |our |the )?[\w']+(?: [A-Z]?\w+)? (?:said|says|told (?:me|us)|thinks|reckons|claims|mentioned|"
    r"confirmed|wrote)(?: that)? (?!(?:he|she|they|his|her|their)\b)",
    re.IGNORECASE,
)
_OTHER = re.compile(
    rf"^(?:my|our) (?:(?:late|older|big|little|younger|twin|eldest|youngest|best|old|new|ex|good|other|step)[ -])*"
    rf"(?P<role>{_ROLE_WORDS})s?\b(?P<poss>'s)?,? ?(?P<rest>.*)",
    re.IGNORECASE,
)
_OF = re.compile(
    rf"^(?:(?:my|our|the) )?(?:(?:aunt|uncle|auntie|cousin|grandma|grandpa|granny|nana|mr|mrs|ms|miss|dr|coach|father|sister|brother)\.? )?(?P<owner>[\w-]+|{_ROLE_WORDS})(?:'s|(?<=s)') (?P<thing>[\w-]+)",
    re.IGNORECASE,
)
_IS_SHORT = re.compile(
    r"(?:at|in|on|not|a|an|the|my|our|off|over|gone|out|going|been|got|now|only|actually|moved|done|closed|called|\w+ing|\w+ed)$"
)
_NAMED = re.compile(
    r"^(?P<name>(?:(?:Mr|Mrs|Ms|Dr|Aunt|Uncle|Granny)\.? )?[A-Z][\w'-]+(?: [A-Z](?:\.|[\w'-]+))*)"
    r"(?P<more>,? (?:from|in|at|my) [\w ]+?)?(?= |,)"
)
_PRONOUN = re.compile(r"^(?:he|she|his|her|hers|him)\b|^(?:he|she)'", re.IGNORECASE)
_SELF = re.compile(
    r"^(?:i|we|my|our|me|us|im|ive|i'?m|i'?ve|i'?d|i'?ll|we'?re|we'?ve)\b|\b(?:and|&) i\b", re.IGNORECASE
)
_SELF_LATER = re.compile(r"\b(?:my|me|our|us|mine|i|i'?m|we)\b", re.IGNORECASE)
_HIS = re.compile(r"\b(?:his|her|their|he|she|he's|she's|hers)\b", re.IGNORECASE)
_NO_NAMES = frozenset(
    "the a an my our it its it's this that these those there here they he she we you i no not please send got sold "
    "took went had bought started finished turned found swapped switched moved replaced changed done gave "
    "just now then today yesterday tomorrow every each some any all both one two three what when where why "
    "how who if because since before after during in on at to for from with by of and or but so never always "
    "usually often sometimes still already again correction autocorrect thanksgiving christmas easter "
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july "
    "august september october november december scratch forget cancel reset put tell did do does is are was "
    "were has have big new old good great".split()
)


@of_texts(4_096)
def without_lead(text: str) -> str:
    """An utterance without the words that only lead into it: "nope", "sorry", "well"."""
    plain = _IN_LAWS.sub("in-laws", normalize(text, casefold=False))
    return _LEAD.sub("", _IN_LAW.sub(r"\1-\2-", plain))


_IN_LAWS = re.compile(r"(?:(?<=my )|(?<=our )|(?<=his )|(?<=her )|(?<=their ))in laws\b", re.IGNORECASE)
_IN_LAW = re.compile(
    r"\b((?:mother|father|brother|sister|son|daughter|parents?)s?) (in)[ -](?=law)", re.IGNORECASE
)


_MAIN = re.compile(r"(?!(?:that|far|much|many|long|what)\b)[\w']+ (?:\w+ )*?\w+", re.IGNORECASE)
_PEOPLE = ("fella", "chap", "bloke", "guy", "lad", "lady", "woman", "man", "gentleman")
_OWNERS = frozenset((*ROLES.split(), *PETS.split(), "baby", "puppy", "kitten", "team", "boss", *_PEOPLE))


def whose_of(text: str) -> Whose:
    """Who an utterance is about, by how it begins."""
    plain = _SAID.sub("", without_lead(text))
    several = several_of(plain)
    if several:
        return Whose("other", several)
    reason, so, main = plain.partition(" so ")
    # "Kofi's oven died, so lunch is at ours": of lunch; but of Kofi: "Kofi chipped a tooth, so it's soup in his flask"
    of_him = _HIS.search(main) and not _SELF_LATER.search(main) and _named(reason).kind == "other"
    if so and reason and _MAIN.match(main) and not of_him:
        found = whose_of(main)
        if found.kind in ("self", "thing"):
            return found
        if _SELF_LATER.search(main) and not _HIS.search(main):  # "so Pilar is shooting our wedding"
            return Whose("self")
    other = _OTHER.match(plain)
    about = None if other is None else _other(other)
    if about is not None:
        return about
    owned = _OF.match(plain)
    theirs = owned is not None and not re.search(r"\b(?:me|us)\b", plain, re.IGNORECASE)
    if owned and theirs and owned["owner"].lower() not in _NO_NAMES:
        owner = owned["owner"].lower()
        creature = owner in KIN_WORDS or owner in _OWNERS or _is_person(owned["owner"])
        named = plain[:1].isupper() and plain[1:] != plain[1:].lower()  # somewhere else a capital, too
        creature = creature or (
            owned["owner"][0].isupper() and owned.start("owner") == 0 and (named or text[:1].isupper())
        )
        if creature and not _IS_SHORT.match(owned["thing"]):
            return Whose("other", _stems(KIN_WORDS.get(owner, owner)))
    if _IS_MINE.match(plain):
        return Whose("self")
    apposed = _APPOSED.match(plain)
    if apposed and is_verb_form(apposed["verb"]) and not _IS_NAMED.match(plain):
        return Whose("other", _stems(apposed["name"]))
    if _AGENT.match(plain):
        return _named(plain)
    if _THEIRS.search(plain) and not (_SELF_LATER.search(plain) or _PRONOUN.match(plain)):
        return _subject(plain)
    if _SELF.search(plain):
        return Whose("self")
    if _PRONOUN.match(plain):
        return Whose("self") if re.search(r"\b(?:my|me|our|us)\b", plain, re.IGNORECASE) else Whose("pronoun")
    return _named(plain)


_VERB = re.compile(
    r"(?:is|was|are|were|has|had|have|got|found|said|says|told|will|would|can|can't|just|also|never|always|still|now|"
    r"went|came|took|gave|made|bought|sold|lost|left|quit|won|broke|moved|died|thinks|wants|does|did|doesn't|isn't|"
    r"recently|finally|used|started|\w{2,}(?:[^s\W]s|ed))\b",
    re.IGNORECASE,
)
_IS_NAMED = re.compile(
    r"(?:name |names )?(?:is|are|was) (?:called |named |now )?(?:(?:dr|mr|mrs|ms|miss|mister)\.? )?(?P<name>[\w'-]+)"
    r"(?: [\w'-]+)?(?: now)?[.!]?$",
    re.IGNORECASE,
)


def _other(match: re.Match[str]) -> Whose | None:
    """ "my cousin Lee …" is about Lee the cousin; "my landlord raised my rent" and "my dentist is Dr Wu" about me."""
    rest = match["rest"]
    if match["poss"] and not re.match(r"(?:now )?(?:an? |the )?[\w ]*\b(?:called|named)\b", rest):
        return Whose("other", _stems(_role(match)))
    if _SELF_LATER.search(rest) and not _HIS.search(rest):
        return Whose("self")
    named = _IS_NAMED.match(rest)
    if named and (named["name"][0].isupper() or is_name_like(named["name"])):
        return Whose("self")
    if re.match(r"(?:is|was) (?:now )?(?:an?|this) [\w ]*\b(?:named|called)\b", rest, re.IGNORECASE):
        return Whose("self")
    first, _, after = rest.partition(" ")
    if _VERB.match(first) or is_past(first):
        return Whose("other", _stems(_role(match)))
    own = first.removesuffix("'s").strip(",")
    if own and (own[0].isupper() or is_name_like(own) or _VERB.match(after)):
        return Whose("other", _stems(f"{_role(match)} {own}"))
    return None  # "my dentist appointment …"


def _role(match: re.Match[str]) -> str:
    return KIN_WORDS.get(match["role"].lower(), match["role"].lower())


_DOES_TO_ME = re.compile(
    r" (?:just |finally |has |have |is |now )*\w+(?:ed|ing|s|ut|ot|ave|ook|old|rote|ent|id)?(?: (?:up|down|over|off|out|with|for|to))? (?:my|our|me|us)\b"
    r"(?!.*\b(?:his|her|their|he|she)\b)",
    re.IGNORECASE,
)
_FAMILY = re.compile(r"^the (?P<name>[A-Z]\w+s)\b(?! (?:Street|Road|Avenue|Building|Hotel))", re.MULTILINE)
_AGENT = re.compile(
    r"^(?:my|our|the|another|one of (?:my|our)) (?:\w+ )?(?P<who>(?!computer|router|printer|car|dinner|number|paper|order|water|"
    r"weather|summer|winter|letter|locker|dryer|washer|freezer|heater|charger|sweater|daughter|corner|doctor|other|calendar|"
    r"alarm|apartment|appointment|rent|tent|plant|restaurant|student loan|payment|landlord)\w+(?:er|or|ist|ian|mate|man|woman|guy|"
    r"girl|friend)s?|(?:cook|guy|girl|kid|intern|chef|nurse|tenant|guest|client|host|temp|recruit|hire|couple|family)s?)(?: [A-Z]\w+)*"
    r"(?: (?:below|above|upstairs|downstairs|opposite|next door|(?:across|in|at|from|on) (?:the |my |our )?\w+))? "
    r"(?:pays|takes|goes|uses|gets|parks|keeps|comes|makes|prefers|speaks|owns|rents|found|quit|sold|bought|got|took|gave|joined|started|left|stopped|lost|thinks|wants|likes|loves|hates|married|"
    r"retired|broke|plays|sings|drives|lives|has|hates|can't|cannot|works|wears|eats|drinks|moved|switched|turned|became)\b",
    re.IGNORECASE,
)


_LOWER_NAMED = re.compile(
    r"\w+ (?:(?:at|from|in|down|on|over|next) (?:the |my |our |this )?[\w-]+ (?:team |door |street |class )?)?"
    r"(?:is|was|has|had|'s|got|said|\w+s|\w+ed|just|finally) "
)


def _named(plain: str) -> Whose:
    family = _FAMILY.match(plain) or _FAMILY.match(plain[:1].lower() + plain[1:])
    agent = _AGENT.match(plain)
    if family:
        return Whose("other", _stems(family["name"]))
    if agent and not re.search(r"\b(?:me|us|mine)\b", plain):
        return Whose("other", _stems(agent["who"]))
    match = _NAMED.match(plain)
    first = re.split(r"['’\s]", match["name"].lower())[0] if match else ""
    if match is None or first in _NO_NAMES:
        word = re.split(r"['’\s]", plain)[0]  # "they've" is they
        lower = plain == plain.lower() and (
            bool(_LOWER_NAMED.match(plain)) or is_past(next(iter(plain.split()[1:2]), ""))
        )
        if lower and word not in _NO_NAMES and _is_person(word) and not _SELF_LATER.search(plain):
            return Whose("other", _stems(word))
        return Whose("self" if _SELF_LATER.search(plain) else "thing")
    name = f"{match['name']}{match['more'] or ''}"
    if _DOES_TO_ME.match(plain[match.end() :]):  # "Dr. Achebe doubled my dose"
        return Whose("self")
    if not _is_person(match["name"].split()[0]) and not re.search(r"\. ", match["name"]):
        return Whose("self" if _SELF_LATER.search(plain) else "thing")
    return Whose("other", _stems(name))


_IS_MINE = re.compile(
    r"^[\w.]+(?: [A-Z][\w]+)?(?:'s| is| will be| was) (?:now |going to be )?(?:my|our) (?!(?:\w+ )?\w+'s\b)(?!.*\b(?:his|her|their)\b)",
    re.IGNORECASE,
)
_APPOSED = re.compile(
    r"^(?:my|our|My|Our) (?:[a-z][\w'-]* ){1,3}(?P<name>[A-Z][\w'-]+)(?: (?:just|finally|has|recently|also))? (?P<verb>[\w']+)"
)
_THEIRS = re.compile(r"(?<=\w )(?:his|her|their) \w+", re.IGNORECASE)


def _subject(plain: str) -> Whose:
    """ "Next door fired their lawn guy" is about next door: what stands before the verb."""
    if re.match(r"they\b", plain, re.IGNORECASE):
        return Whose("thing")
    before: list[str] = []
    for word in plain.split()[:5]:
        if before and before not in (["the"], ["The"]) and (_VERB.fullmatch(word) or is_verb_form(word)):
            break
        before.append(word)
    names = _stems(" ".join(before)) - _stems("the a an my our")
    return Whose("other", names) if names and len(before) < 5 else Whose("thing")


def _is_person(word: str) -> bool:
    bare = word.removesuffix("'s")
    return bare.lower() in KIN_WORDS or (len(bare) > 1 and is_name_like(bare))


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(KIN_WORDS.get(word, word)) for word in words(text))


def without_reporter(text: str) -> str:
    """An utterance without its lead-in and who said it: "Lorenzo said dinner is for eight"."""
    return _SAID.sub("", without_lead(text))
