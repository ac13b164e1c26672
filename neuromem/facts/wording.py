"""What kind of statement a wording is: a plan, a tie, a feeling, a habit, a measurement.

Patterns only, each with the one question it answers; `supersede.py` asks them.
"""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re

from ..text import normalize, stems
from .frames import CALENDAR, frame_of
from .verbs import PAST_OF, is_past, is_verb_form
from .whose import without_lead

__all__ = [
    "FEELINGS",
    "does_the_same",
    "drops_it",
    "feels",
    "hesitates",
    "is_at_theirs",
    "is_event",
    "is_first_person",
    "is_fragment",
    "is_fresh",
    "is_lasting",
    "is_late_once",
    "is_of_old",
    "is_of_pronoun",
    "is_only_tried",
    "is_plan",
    "is_surely_wrong",
    "is_this_time",
    "is_tie",
    "is_to_a_date",
    "leans_back",
    "mends",
    "moves_it",
    "moves_on",
    "names_a_thing",
    "of_someone_else",
    "points_back",
    "same_feast",
    "tells_a_state",
]

FEELINGS = frozenset(
    stems(
        "hate love like dislike stand trust enjoy detest loathe adore prefer afraid scared terrified petrified "
        "nervous anxious fear phobia favorite fan"
    )
)
_FEELS = r"\b(?:hates?|loves?|likes?|dislikes?|can'?t stand|enjoys?|detests?|loathes?|adores?|prefers?|afraid|scared|fan|favou?rite|don'?t care for|not into|into|terrified|fond|allergic|can'?t|never)\b"
_TIE = r"\b(?:dating|date|seeing|boyfriend|girlfriend|husband|wife|partner|fianc\w+|engaged|married|marrying|wedding|relationship|in love|together|anniversary|living with|live with|couple)\b"
_PLAN = r"\b(?:gonna|going to|want to|wanna|plan(?:ning)? (?:to|on)|will|hope to|hoping to|would (?:like|love) to|need to|have to|i'?ll|trying to|working on|training for|about to|thinking of|supposed to|signed up|looking for|saving|paying off|waitlist\w*|learning|applying|waiting|scheduled|booked)\b"
_FRESH = r"\b(?:(?:scale|meter|gauge|thermometer|monitor|odometer|tracker|fitbit|watch|app|results?|bloodwork|labs?) (?:said|says|reads?|shows?|showed|had|puts?|has|came)|tied the knot|got (?:hitched|married|engaged|divorced|promoted|hired|fired|laid off)|eloped|first day (?:of|at|as)|(?:made|named|elected|voted|appointed|picked|crowned) [\w' ]{2,30}? (?:captain|president|chair|manager|leader|head|coach|director|the \w+$)|went in\b|installed|hooked up|moved (?:in|to|out|into)|switched|signed (?:on|up|with)|joined|enrolled|promoted|landed|adopted|quit|retired|sold|traded|swapped|replaced|broke up|split up|as of|from now on|new (?:best|record|pr|high|low)|personal best|weighed in|clocked|measured|tested at|stepped on|came in at|new [\w ]+? (?:is|as of)|finally|closed on|moved in(?:to)?|leased|bought|got an?)\b"
_LASTING = r"\b(?:usually|always|every|normally|i'?m|i am|we'?re|is|are|my go[- ]to|i (?!\w+ed\b)\w+|we (?!\w+ed\b)\w+|has|have|got)\b"
_DOES = r"(?:my |our |the )?[\w'-]+(?: (?:and )?[\w'-]+)?? (?:always |only |usually |mostly )?([a-z]{2,}[^s\W]s)\b"
_BEGINS = r"(?:i|we|he|she) (?:have |has |just |never |always |also |once )*([\w']+)"
_WRONG = r"\b(?:sorry|mixed|misspoke|misremembered|misread|misheard|miscounted|mistyped|miscalculated|i mean|i meant|correction|no wait|wait no|scratch|strike that|(?:got|had) (?:it|that) wrong|mistake)\b"
_MENDS = r"\b(?:(?:i|we|had|got|was|were|have|it'?s|that'?s)(?: \w+){0,3} wrong|muddled|mixed (?:up|it|them|that|those)|mistak\w*|mis(?:read|heard|spoke|remembered|counted|typed|took|calculated|understood)|nope|after all|actually|sorry|i mean|meant|correction|scratch|strike|turns out)\b"
_SOMEONE = r"\b(?:his|her|their|he|she|he's|she's)\b"
_STATE = r"\b(?:is|are|'s|was) (?:at|in|on|out|off|away|with|by|under|from|not|so|too|very|\w+ing|(?!called|named)\w+ed)\b|\b(?:has|needs|got|wants)\b"
_IS = r"\b(?:is|are|was|were|am|i'?m|called|named)\b|'s\b"
_TO_A_DATE = rf"\b(?:moved|changed|pushed|switched|bumped|postponed|rescheduled)\b.{{0,30}}? (?:to|until|till) (?:the )?(?:{CALENDAR})"
_MOVES_ON = r"\bmov(?:ed|ing) (?:on|over|me|it|the|my|that)\b"
_MOVES_IT = r"\b(?:moved|changed|pushed|bumped|switched|rescheduled|postponed|delayed|raised|lowered|upped|increased|decreased|reduced|doubled|tripled|halved|cut|dropped|extended|shifted|set|put|brought)(?: (?:up|down|back|forward))? (?:it|that|them|this)(?: (?:up|down|back|forward|over|again|out))* (?:to|until|till)\b"
_DONE = r"^(?:(?:i|we|he|she|they) )?(?:had to |ended up )?(?:overslept|slept|forgot|missed|skipped|was late|ran late|went|ate|had|took|grabbed|drove|rode|walked|ordered|made|did|tried|wore|used|watched|played|sat|stayed|met|ran|swam|filled|cooked|got)\b.*\binstead\b"
_DROPS_IT = r"^(?:(?:i|we)(?:'ve| have)? )?(?:just |finally |ended up )?(?:(?:shaved|cut|chopped|tossed|threw|gave|sent|took|traded|turned|handed|let) (?:it|them|that) (?:off|out|away|back|in|up|go)|(?:sold|returned|cancel\w+|quit|ditched|dropped|scrapped|donated|deleted|removed|dumped|replaced|got rid of|gave up|gave up on) (?:it|them|that))\b"
_OF_OLD = r"\b(?:when (?:i|we|he|she|they) (?:was|were|lived|worked|had|went)|as an? (?:child|kid|teenager|boy|girl|student|baby)|back (?:when|then|in)|growing up|used to|before (?:that|i|we|he|she|the|my)\b.*\b(?:was|were|lived|worked|drove|had|came|got)|(?:years|decades|ages) ago|in my (?:teens|twenties|thirties|youth|childhood))\b"
_MINE = r"\b(?:i|we|my|our|me|us)\b"
_FEAST = r"\b(new year|christmas|easter|thanksgiving|hanukkah|diwali|eid|ramadan|passover|halloween|valentine|birthday|anniversary|fourth of july|memorial day|labor day|spring break|reunion|prom|super bowl|mother's day|father's day)"


_BY = r"(?:he|she|they|it|we|i|the \w+|[\w']+)"
_TRIED = (
    r"^(?:(?:i|we|he|she|they|mum|mom|dad|\w+) )?(?:have |has |'ve )?(?:only |just |even |also )?(?:tried|tested|sampled|had a go (?:at|on|with|of))\b(?! to\b)|"
    r"\b(?:pattern|recipe|leaflet|label|instructions|manual|packet|box|tin|website|form|book) (?:asks?|calls?|wants?) (?:for )?|"
    r"\b(?:offered|was pushing|were pushing|tried to (?:sell|give|talk|get|persuade)|wanted (?:me|us) to (?!have\b)|would rather (?:i|we)|kept telling (?:me|us) to)\b"
)
_TAKEN = (
    r"\b(?:now|since|instead|ever since|from (?:now|here) on|for good|these days|(?:never|not) (?:going|looked|look) back|convert(?:ed)?|sold on|hooked|"
    r"so|went|for me|put me|accepted|agreed|said yes|took (?!(?:one|a) (?:bite|sip|look))|taken|going with|bought|buying|ordered|got (?:the|it|one|a|an|my|our)|"
    r"switch\w*|kept|keeping|keep|stuck|sticking|start\w*|sign\w*|chose|settled|works?|worked|better|fits?|perfect|loved?|adore|brilliant|starting|"
    r"replac\w*|swap\w*|moved?|moving|used to|do it|did it|doing|decided)\b"
)
_CAME = (
    r"(?:was|were|got|came|turned|showed|arrived|made|rolled|walked|sat|left|let|opened|started|finished|had)"
)
_LATE = (
    rf"\bit was\b.{{3,40}}\b(?:before|by the time) {_BY}(?: {_BY})? {_CAME}\b|"
    rf"\b(?:didn't|did not|never) (?:get|come|arrive|turn up|show up|make it|start|leave|open|finish)\b.{{0,40}}\b(?:till|until|before)\b|"
    rf"\b(?:was|were|came|arrived|ran|running|got (?:in|here|there|home)|turned up|showed up|started|left)\b.{{0,30}}\b(?:late|behind time)\b"
)
_LATE_ALWAYS = (
    r"\b(?:now|from now on|every|always|usually|these days|nowadays|each|moved|changed|starts|begins|"
    r"most (?:days|weeks)|is|are|has|have|(?:he|she|it|we|they)'(?:s|re|ve))\b"
)


_LEAD_IN = re.compile(
    r"^(?:(?:typo|correction|no|make (?:that|it)|scratch that|strike that|turns out|apparently|i (?:\w+ )?(?:mis\w+|checked|double-checked|looked|"
    r"asked|read|got|had|mixed|wrote|was)\b[^,.;:]{0,40}?|the [\w' ]{2,30}? (?:called|said|says|confirmed|emailed|texted|corrected me|told (?:me|us))"
    r"(?: back)?|according to [\w' ]{2,24}|my (?:mistake|bad|\w+ (?:says|said)))(?:[,.;:]| and| that| it's(?= )|(?= (?:it|they|he|she|that|this)\b)))+ *(?:and |but |so )?",
    re.IGNORECASE,
)
_LEANS = r"(?:it|it's|its|that|that's|this|they|they're|he|he's|she|she's|those|these|there's|the (?:right|correct|real|actual) (?:one|\w+))\b"
_POINTS = r"\b(?:he|she|it|its|they|him|her|hers|his|them|their|theirs|there(?!'s| (?:is|are|was|were|will|has|have)\b)|(?:that|this|the (?:other|new|old)) one)\b"
_SAYS = r"\b(?:i|we|my|our)\b"


def _has(pattern: str, text: str) -> bool:
    return re.search(pattern, text, re.IGNORECASE) is not None


def feels(text: str) -> bool:
    """A feeling or taste: "I can't stand olives"."""
    return _has(_FEELS, text)


def is_tie(text: str) -> bool:
    """A relationship: "I'm dating …", "my wife"."""
    return _has(_TIE, text)


def is_plan(text: str) -> bool:
    """Something still to be done: "I'm gonna run", "saving for"."""
    return _has(_PLAN, text)


def is_fresh(text: str) -> bool:
    """Something told of one day that is so from then on: "weighed in at 160 today", "got an iPhone"."""
    return _has(_FRESH, text)


def is_event(text: str) -> bool:
    """Something done on one occasion, for a reason or "instead": "overslept and went to the noon service instead"."""
    return _has(_DONE, without_lead(text)) and not _has(
        r"\b(?:now|from now on|these days|for good|took up|switched|moved)\b", text
    )


def is_lasting(text: str) -> bool:
    """How somebody lives, not what once happened or how a thing is."""
    frame = frame_of(text)
    began = re.match(_BEGINS, normalize(text))
    happened = began is not None and is_past(began[1]) and began[1] not in ("was", "were", "had")
    person = frame.whose.kind in ("self", "other", "pronoun")
    does = re.match(_DOES, normalize(without_lead(text)))
    told = _has(_LASTING, text) or (does is not None and is_verb_form(does[1]))
    return person and not happened and not frame.once and told


def is_of_old(text: str) -> bool:
    """It tells how it was long ago: "when I was little we lived over a bakery"."""
    return _has(_OF_OLD, text) and not _has(r"\b(?:now|these days|nowadays|still)\b", text)


def hesitates(text: str) -> bool:
    """It begins as a second thought does: "uh, six", "hmm, no"."""
    return _has(r"^(?:uh+|um+|erm?|ah|oh|hm+|ooh|argh|ugh|well|so|no|wait)\b", text)


def is_this_time(text: str) -> bool:
    """It was so on one occasion of several: "brunch was at the hotel this time"."""
    return _has(r"\bthis (?:time|once|one time)\b(?! of)", text) and _has(
        r"\b(?:was|were|\w+ed|had|went)\b", text
    )


def is_only_tried(text: str) -> bool:
    """Something was tried, offered or asked for, and nothing says that it was taken: "tried the oat milk once"."""
    plain = without_lead(text)
    return _has(_TRIED, plain) and not _has(_TAKEN, plain)


def is_late_once(text: str) -> bool:
    """Somebody or something came late on one day: "it was gone eleven before he was home"."""
    return _has(_LATE, text) and not _has(_LATE_ALWAYS, text)


def is_of_pronoun(text: str) -> bool:
    """It begins with a pronoun that stands for somebody or something spoken of before."""
    return _has(r"^(?:he|she|it|they|his|her|its|their|that|this)\b", without_lead(text))


def is_at_theirs(text: str) -> bool:
    """It speaks of what others have at theirs: "changed the hint on its computers"."""
    return _has(r"\b(?:on|at|in|of|for) (?:its|their) \w", text) and not _has(_MINE, text)


def is_surely_wrong(text: str) -> bool:
    """A correction that leaves no doubt of it: "sorry, I meant four"."""
    return _has(_WRONG, text)


def mends(text: str) -> bool:
    """It says itself that something was wrong: "I'd got it muddled", "she's coming after all"."""
    return _has(_MENDS, text)


def of_someone_else(text: str) -> bool:
    """It speaks of a he or she: "we bumped her curfew"."""
    return _has(_SOMEONE, text)


def is_first_person(text: str) -> bool:
    """It begins with "I" or "we"."""
    return re.match(r"(?:i|we)\b", normalize(text)) is not None


def tells_a_state(text: str) -> bool:
    """How or where something is, not who or which: "my dentist is on vacation"."""
    return _has(_STATE, text)


def names_a_thing(text: str) -> bool:
    """It says what something is: "the mayor is Ottavia"."""
    return _has(_IS, text)


def is_to_a_date(text: str) -> bool:
    """An appointment gets another date: "moved me to February 24"; nobody moves house."""
    return _has(_TO_A_DATE, text)


def moves_on(text: str) -> bool:
    """Something is moved, or turned to; again nobody moves house."""
    return _has(_MOVES_ON, text)


def moves_it(text: str) -> bool:
    """What was just spoken of has a new value: "the doctor doubled it to forty"."""
    return _has(_MOVES_IT, text)


def leans_back(text: str, lately: bool = True) -> bool:
    """It cannot be understood without what was said before: "it's called Silver Sage", "typo, 6:30".

    Args:
        lately: a mere fragment counts.
    """
    plain = without_lead(text)
    for _ in range(2):
        plain = _LEAD_IN.sub("", plain)
    main = plain.rpartition(" so ")[2]
    return re.match(_LEANS, plain, re.IGNORECASE) is not None or (lately and is_fragment(main))


def points_back(text: str) -> bool:
    """It has a word for somebody or something that was named before it: "I moved her there", "typo, 6:30"."""
    return _has(_POINTS, text) or leans_back(text)


def is_fragment(text: str) -> bool:
    """A few words without a subject: "sorry, four"."""
    plain = without_lead(text)
    return len(plain.split()) <= 4 and not _has(_SAYS, plain)


def drops_it(text: str) -> bool:
    """What was just spoken of is given up: "shaved it off", "got rid of them"."""
    return _has(_DROPS_IT, text) and not is_plan(text)


def same_feast(one: str, other: str) -> bool:
    """Both tell of one occasion that comes back every year."""
    feasts = [re.search(_FEAST, text, re.IGNORECASE) for text in (one, other)]
    return feasts[0] is not None and feasts[1] is not None and feasts[0][1].lower() == feasts[1][1].lower()


_ANY_DEED = frozenset(
    stems("have had do did get got go went make made take took put say said tell told keep kept am")
)


def does_the_same(text: str, habit: str) -> bool:
    """It tells by the verb of a habit what was done: "jogged on the treadmill" of "I jog along the canal"."""
    told = re.search(r"\b(?:i|we) (?:always |usually |mostly |normally |only )?(\w+)", normalize(habit))
    deed = frozenset(stems(told[1])) - _ANY_DEED if told else frozenset()
    if told is None or not deed:
        return False
    return not (deed | frozenset(stems(PAST_OF.get(told[1], "")))).isdisjoint(stems(text))
