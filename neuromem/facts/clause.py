"""Canonical clauses: one spelling for what people, and speech recognizers, say in many ways.

"Im", "I'm" and "we are" all begin "… is" here, "doesn't" and "hasn't" become "do not" and "have not",
so that the tables of `relations.py` and `predicates.py` need one row for all of them. The words of the
value keep their case.
"""

from __future__ import annotations

import re

from ..cached import of_texts
from ..text import is_listed_name, is_name_like, normalize
from .relations import KIN, PETS
from .values import NUMBER
from .verbs import BASE_VERBS, is_verb_form

__all__ = ["KIN_WORDS", "ROLES", "base_verb", "canonical", "gerund", "kin_name", "singular"]

KIN_WORDS = {word: name for name, members in KIN.items() for word in members.split()}
ROLES = (
    "neighbour neighbor boss landlord landlady friend mate colleague flatmate roommate housemate teacher "
    "doctor dentist manager "
    "coach coworker physio vet tutor nanny cleaner accountant lawyer barber hairdresser therapist plumber "
    "gardener babysitter"
)
_NAMED_THINGS = KIN_WORDS.keys() | set(PETS.split()) | set(ROLES.split()) | {"boat"}

_LEAD_IN = re.compile(
    r"^(?:(?:well|so|oh|ah|um+|uh+|er+m?|(?:hey|hi|hello)(?: there)?|what'?s up|ok|okay|right|yes|yeah|yep|"
    r"no(?=,|\s(?:i|we|it|he|she|they|my|our|the|that|wait|(?:hang|hold) on|sorry|actually|well|but|so|"
    r"not)\b)|"
    r"nope|(?:hang|hold) on|actually|anyway|also|and|but|look|listen|"
    r"by the way|btw|you know|i mean|sorry|plus|fyi|note|just so you know|for your information|"
    r"(?:please )?(?:remember|note|don't forget|do not forget|never forget|"
    r"always remember)(?: this)?(?: that)?|"
    r"did you know(?: that)?|i(?: have|'ve)? told you(?: that)?|as i said|too|"
    r"(?:starting|as of|from|since) (?:this week|today|now|monday|next week)|these days|nowadays|currently|"
    r"before (?:this|that)|back then|in those days|for a while|guess what|the truth is|to be honest|honestly|"
    r"as you know|like i said|haven't i said\??|good news|bad news|big news|"
    r"in fact|"
    r"this is true|the thing is|it turns out(?: that)?|turns out|apparently)\b[,:;]?\s+)+(?=\S)",
    re.IGNORECASE,
)

_EXPANSIONS = [
    (re.compile(pattern, re.IGNORECASE), to)
    for pattern, to in (
        (r"\bcan'?t\b|\bcannot\b", "can not"),
        (r"\bwon'?t\b", "will not"),
        (r"\bain't\b", "is not"),
        (r"\b(do|does|did|is|are|was|were|have|has|had|would|could|should|must|need)n'?t\b", r"\1 not"),
        (r"\bi'?m\b", "I is"),
        (r"\b(I|we|you|they)'?ve\b", r"\1 have"),
        (r"\b(we|you|they)'re\b|\b(they)re\b|\b(you)re\b", r"\1\2\3 is"),
        (
            r"^were (?=(?:not |all |both )?(?:having|getting|moving|going|expecting|off|at|in|from|on)\b)",
            "we is ",
        ),
        (r"\b(he|she|it|that|there|who|what)'s (?=(?:got|been|gone|had|left|moved|changed)\b)", r"\1 have "),
        (r"\b(he|she|it|that|there|here|who|what)'s\b|^(it|he|she|that|there)s\b", r"\1\2 is"),
        (r"\b(I|we|you|he|she|they)'ll\b", r"\1 will"),
        (r"\b(I|we|you|he|she|they)'d (?=(?:like|love|rather|prefer|be|never|want|hate)\b)", r"\1 would "),
        (r"^(?:i)d (?=(?:like|love|rather|prefer|be|never|want|hate)\b)", "I would "),
        (r"\b(I|we|you|he|she|they)'d\b", r"\1 had"),
        (r"\b(?:am|are)\b", "is"),
        (r"\bwere\b", "was"),
        (r"\bhas\b", "have"),
        (r"\bdoes\b(?= not\b)", "do"),
        (r"\b(is|was|have|do) n't\b", r"\1 not"),
        (rf"\b(at|about|around|for|in|since|after|before) like (?={NUMBER}\b)", r"\1 "),
        (r"\bhave got (?=(?:an?|no|the|my|our|some|any|another|two|three|four|five|six|\d+)\b)", "have "),
        (
            r"\bhave (?:just|recently|already|finally|now|since|always|only|both|actually|also) (?!want)",
            "have ",
        ),
    )
]

_IS_AFTER = re.compile(
    r"(?:called|named|not|an?|the|in|on|at|from|off|my|our|also|always|\d|getting|going|coming|allergic|"
    r"scared|"
    r"left-handed|retiring|moving|learning|expecting|mad|married|engaged|divorced|pregnant|with|"
    r"no longer|afraid|vegan|vegetarian|diabetic|black|white|just|terrified)\b",
    re.IGNORECASE,
)
_HAS_AFTER = re.compile(
    r"(?:got|been|gone|had|left|moved|changed|stopped|started|given|broken|passed|died|taken|become|"
    r"lost|retired|bought|sold|split|quit|turned|put|prescribed)\b",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"\s(?:is|was|have|had|do not|will|can|goes|lives?|works?|starts?|ends?|expires?|runs?|speaks?|comes?|"
    r"costs?|weighs?|"
    r"teaches|plays?|likes?|loves?|hates?|needs?|moved|died|changed|owns|snores|knits|sits|makes)\b",
    re.IGNORECASE,
)
# Only the 's of the subject is in doubt; one further on belongs to an owner.
_POSSESSIVE = re.compile(r"^((?!I |we )(?:[\w-]+ ){0,3}?[\w-]+)'s (?=\w)", re.IGNORECASE)

# What explains or adds to a statement that stands by itself.
_ASIDE = re.compile(
    r",? (?:because|as long as) .*$|, (?:so|which|who|and (?:I|he|she|it|they|we|in|you|no|never)|says|"
    r"don't|do not)\b .*$",
    re.IGNORECASE,
)
_REPORTED = re.compile(
    r"^(?:my|the|our) [\w ]{3,20}? (?:says?|said|thinks?|told me|reckons?)(?: that)? (?=(?:I|we|my) )",
    re.IGNORECASE,
)
# "My sister says she hates tea" is about my sister.
_OF_THEMSELVES = re.compile(
    r"^(?P<who>(?!(?:I|we|he|she|they|it|you) )[\w'-]+(?: [\w'-]+){0,3}?) (?:says?|said|told me|"
    r"tells me|reckons?|mentioned|"
    r"admitted|announced|claims?)(?: that)? (?:he|she|they) ",
    re.IGNORECASE,
)
_TIME_FIRST = re.compile(
    r"^(?P<time>(?:every|each|last|this|next) \w+|on \w+days?|(?:on|in) (?:the )?\d+\w*|in \w+|"
    r"at the weekend|at weekends|"
    r"(?:on )?\w+days?|once a \w+|twice a \w+|when I was (?:a kid|\w+)|as a (?:child|kid)),? (?=(?:I|we|my|"
    r"our) )(?P<rest>.+)$",
    re.IGNORECASE,
)

_ADVERB = re.compile(
    r"^((?:I|we|is|have)? ?)(?:really|always|usually|just|still|also|now|currently|actually|only|mostly|"
    r"recently|finally|"
    r"already|often|sometimes|definitely|normally|generally|both|probably|officially|apparently|secretly|"
    r"basically|once)\s+(?!wanted)",
    re.IGNORECASE,
)


# A statement whose "I" was left out: "Passed my test", "got a dog at last", "been living in Hull".
_NO_SUBJECT = re.compile(
    r"(?=(?:been (?!there)|(?:just |finally |only |recently )?(?:got|went|took|passed|failed|had|"
    r"bought|sold|lost|met|"
    r"found|made|gave up|started|finished|moved|joined|quit|left|broke|saw|adopted|booked|married|used to|"
    r"became|retired|signed up|turned \w+|grew up|ran|won|ate|drove|flew|swam|wrote|taught|caught|built|"
    r"spent|fell|kept|paid|threw|wore|rode|sang|drank|grew|(?!need|called|named)\w{3,}ed) (?:(?:a|"
    r"an|the|my|our|some|from|to|in|"
    r"into|out|up|off|on|"
    r"at|two|three|four|five|six|back|married|engaged|divorced|promoted|fired|sacked|hired|home|over|with|"
    r"smoking|drinking|[a-z]+teen|[a-z]+ty)\b|(?-i:[A-Z]))))",
    re.IGNORECASE,
)


def canonical(text: str) -> str:
    """One clause or sentence in canonical form: no lead-in, contractions or closing punctuation."""
    text = normalize(text, casefold=False).strip(" .!?,;:\"'")
    text = _LEAD_IN.sub("", text)
    text = _IN_LAW.sub(r"\1-in-law", text)
    text = _OURS.sub(_named_ours, text)
    text = _ME_AND.sub(r"\g<who> and I ", text)
    text = _with_subject(text) if _NO_SUBJECT.match(text) else text
    text = _apostrophes(text) if text == text.lower() else text
    for pattern, to in _EXPANSIONS:
        text = pattern.sub(to, text)
    text = _POSSESSIVE.sub(_possessive, text, count=1)
    text = _OF_THEMSELVES.sub(r"\g<who> ", text)
    text = _ASIDE.sub("", _REPORTED.sub("", text))
    text = _TIME_FIRST.sub(r"\g<rest>, \g<time>", text)
    for _ in range(2):
        text = _ADVERB.sub(r"\1", text)
    return text


_IN_LAW = re.compile(r"\b(mother|father|sister|brother|son|daughter|mum|mom|dad) in law\b", re.IGNORECASE)


# "our Kevin's a welder", as of a brother or a son
_OURS = re.compile(r"^our (?P<name>[^\W\d_][\w-]*?)(?P<tail>'s)? (?P<next>[\w']+)", re.IGNORECASE)
_ME_AND = re.compile(r"^me and (?P<who>(?:(?:my|the|our) )?[^\W\d_][\w-]*) (?=[a-z])", re.IGNORECASE)


def _named_ours(match: re.Match[str]) -> str:
    name, after = match["name"], match["next"]
    person = is_listed_name(name) and name.lower() not in _NAMED_THINGS | _NO_PEOPLE
    return match.group()[4:] if person and (match["tail"] or is_verb_form(after)) else match.group()


# what is written with a capital, too, and is had: cars, shops, devices, languages, days, places, bills
_NO_PEOPLE = frozenset(
    "alexa siri cortana google olly mercedes tesla ford honda dyson samsung audi volkswagen toyota nissan "
    "chevrolet chevy jaguar mitsubishi ferrari netflix amazon ikea sainsbury sainsburys morrisons walmart "
    "nintendo wii philips sony hp spotify disney virgin visa paypal barclays hsbc lloyds facebook instagram "
    "youtube uber airbnb lego nokia microsoft tv pc dvd cd usb bbc rolex gucci prada nike pepsi guinness "
    "english french german spanish italian portuguese dutch russian chinese japanese korean arabic turkish "
    "welsh irish gaelic swedish norwegian danish finnish american indian british european asian african "
    "mexican january february april july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays sabbath "
    "christmas easter halloween thanksgiving london paris spain france england germany italy america europe "
    "africa asia york cambridge china yorkshire bill bills carols king queen bishop abbot lord parliament "
    "senate republic".split()
)


def _with_subject(text: str) -> str:
    """ "Passed my test" → "I passed my test"; "been ill" → "I have been ill"."""
    subject = "i" if text == text.lower() else "I"
    have = " have" if text[:5].lower() == "been " else ""
    return f"{subject}{have} {text[0].lower()}{text[1:]}"


def _possessive(match: re.Match[str]) -> str:
    """Tells "Wren's not vegan" and "the cat's gone" from "Mum's birthday is in May"."""
    rest = match.string[match.end() :]
    if _HAS_AFTER.match(rest):
        return f"{match[1]} have "
    clause = rest.split(", ")[0]
    return match.group() if not _IS_AFTER.match(rest) and _FINITE.search(clause) else f"{match[1]} is "


# of a verb's form, and as often something that somebody has: "my dads work"
_ALSO_NOUNS = frozenset(
    "work play show walk run drink answer book call drive dream dress fear garden hand head hope iron "
    "love park plan plant practice race record rest ring share shop sleep smile study swim talk train "
    "travel visit vote wash watch water wish act cost cut face fall fight guard hike host hurt kick kiss "
    "land match move notice offer order paint pay phone post promise return ride score sound store tour "
    "trade turn worry".split()
)


def _apostrophes(text: str) -> str:
    """Puts back the apostrophe of "my cats name is" and "taavis at the academy"."""
    match = re.match(
        r"(?P<det>(?:my|our|the) )?(?P<stem>[\w-]{2,})s (?P<next>called|named|names?|birthday|number|in|at|"
        r"an?|the|not|on|\w+)\b",
        text,
    )
    if match is None or match["stem"].endswith("s"):
        return text
    plural = match["next"] in ("are", "and", "have", "do", "were", "live", "love", "like")
    does = match["next"] in BASE_VERBS and match["next"] not in _ALSO_NOUNS
    known = match["stem"] in _NAMED_THINGS and not (plural or does)
    named = not match["det"] and is_name_like(match["stem"]) and _IS_AFTER.match(match["next"])
    if not (known or named):
        return text
    return f"{match['det'] or ''}{match['stem']}'s{text[match.end('stem') + 1 :]}"


# --- word forms -----------------------------------------------------------------------------------

_BASE = {"goes": "go", "does": "do", "has": "have"} | {
    word: word for word in ("is", "was", "this", "us", "always")
}


@of_texts(4_096)
def base_verb(verb: str) -> str:
    """The base form of a verb in the third person: "teaches" → "teach"; others stay as they are."""
    lower = verb.lower()
    if lower in _BASE:
        return _BASE[lower]
    if lower.endswith("ies") and len(lower) > 4:
        return lower[:-3] + "y"
    if re.search(r"(?:sh|ch|ss|x|zz)es$", lower):
        return lower[:-2]
    return lower[:-1] if lower.endswith("s") and not lower.endswith(("ss", "us", "is")) else verb


def gerund(verb: str) -> str:
    """ "knit" → "knitting", "write poems" → "writing poems"."""
    first, _, rest = verb.strip().partition(" ")
    if first.endswith("e") and not first.endswith(("ee", "ye", "oe")):
        first = first[:-1]
    elif re.fullmatch(r"[^aeiou]*[aeiou][bdgmnprt]", first):
        first += first[-1]
    return f"{first}ing {rest}".strip()


def singular(noun: str) -> str:
    """ "shoes" → "shoe"; a rough rule for the nouns of the tables."""
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    if re.search(r"(?:ss|sh|ch|x)es$", noun):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun


def kin_name(word: str) -> str | None:
    """The one name of a kin word ("mum" → "mother"), or None."""
    return KIN_WORDS.get(word.lower())
