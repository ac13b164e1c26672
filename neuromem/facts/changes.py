"""What an utterance says about change: what it gives up, what it moves, what it takes back.

General cues of English, written and spoken, each a row of a table: "swapped the minivan for a pickup",
"swim lessons got moved to Sunday", "not the town hall", "forget the jet ski", "scratch that". What is
meant is found by comparing with what is held (`supersede.py`); here it is only read off the words.
"""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from ..text import normalize

__all__ = ["Change", "change_of"]

READ_CHARS = 300  # a longer statement is judged by its beginning


@dataclass(frozen=True, slots=True)
class Change:
    """The cues of change in one utterance.

    `kinds` holds any of "ends" (something named is given up), "moves" (something named has a new value),
    "corrects" (what was just said was wrong), "retracts" (it is to be forgotten), "parts" (a relationship is
    over), "now" (as of now it is so), "again" (the same once more), "done" (a plan was carried out), "mind"
    (another opinion), "yearly" (this time, this year), "adds" (beside what was).
    """

    kinds: frozenset[str]
    old: tuple[str, ...] = ()  # words for what is given up
    topic: tuple[str, ...] = ()  # words for what has a new value
    bare: bool = False  # nothing but the retraction is said

    def __bool__(self) -> bool:
        return bool(self.kinds - {"adds", "again"})

    def has(self, *kinds: str) -> bool:
        """Whether any of these kinds of change is in it."""
        return not self.kinds.isdisjoint(kinds)


_NP = r"(?:(?:my|the|our|that|those|these|his|her|their|a|an|all|any) )*(?P<old>[\w'&./@-]+(?: [\w'&./@-]+){0,5}?)"
_TOPIC = r"(?:(?:my|the|our|that|his|her|their|me|us)\b ?)*(?P<topic>(?:[\w'&-]+(?: [\w'&-]+){0,6}?)?)"
_STOP = (
    r"(?=$|\s*[.,;:!?—]| (?:and|but|so|because|cause|since|now|instead|anymore|any more|i|i'm|im|i've|ive|we|we're|it's|"
    r"its|it|these|nowadays|from|today|yesterday|last|this|next|altogether|completely|entirely|for good|already|"
    r"finally|yesterday|sorry|after|when|while|though|who|which|that|in favou?r|to|for|with|at|in|on)\b)"
)
_DAYS_ETC = r"(?:it's|its|it is|is|now|to|that's)"
_PAST = (
    r"(?:(?:has|have|had|'s|'ve|been|got|gets|was|is|were|are|just|now|recently|finally|officially|all) ?)*"
)

# kind | pattern; `<old>` is what is given up, `<topic>` what has a new value
_ROWS = rf"""
ends     \b(?:swapped|traded|traded in|exchanged|replaced|ditched|subbed|substituted)(?: out| in| away)? <np>(?: out| in)? (?:for|with|by|in for)\b
ends     \b(?:switched|changed|moved|went|gone|converted|upgraded|downgraded|transferred|relocated|cut(?: back| down)?) (?:over )?from <np> (?:to|into|over to)\b
ends     \b(?:instead of|rather than|in place of|in lieu of|as opposed to|to replace|replacing|(?:not|wasn't|isn't|weren't|aren't) (?:at|in|on|under|with|by|near|behind|from|to|for|inside)) <np><stop>
ends     \w not (?:a|an|the|my) <np>(?=$|[.,;!])
ends     (?:^|[,;.—] ?|\b(?:and|but|so|mean|meant|is|was|are|it's|hall|it) )(?:isn't|wasn't|aren't|not) (?!really|sure|so|that|too|very|only|just|any|going|yet|bad|good|much|all|because|to|been|a fan|as|at all|my fault|gonna|exactly|quite|even|here|there|well|feeling|happy|able|allowed|know|kidding|coming)<np><stop>
ends     \b(?:gave up|given up|giving up|quit|quitting|dropped out of|dropped|got rid of|getting rid of|threw out|threw away|gave away|gave back|sold|selling|cancell?ed|cancell?ing|closed(?: my account (?:at|with))?|finished(?: with)?|finishing|left (?=(?:my |the |our )?(?:job|company|firm|position|post|team|band|club|choir|gym|group|course|class|bank|agency|studio|practice|school|church|party|league|union|committee|board|role)\b)|leaving|retired|retiring|ditched|ditching|done with|through with|over with|finished with|beat|bored of|moved on from|moved out of|moved away from|broke up with|split up with|split with|stopped|returned|donated|scrapped|totaled|totalled|junked|unsubscribed from|resigned from|off of|canceled on|left behind|aged out of|graduated from|withdrew from|stepped down as|grew out of|outgrew|swore off|came off|got off|went off|gone off|shelved|no longer (?:use|have|own|work (?:at|for|as|in)|live (?:in|at|on|with)|do|drive|eat|drink|play|take|go to|like|want|see|need|in|at|on|with|a|an|the|my)|no more|cut out|laid off from|fired from|got fired from|let go from)(?: using| eating| drinking| playing| taking| doing| going to| watching| reading| seeing| wearing| attending| practicing| being| smoking| working (?:at|for|as)| living in)? <np><stop>
ends     \b(?:don't|dont|doesn't|doesnt|do not|does not|can't|cant|cannot|never|won't|wont|not)\b(?: \w+)?? (?:use|have|own|work (?:at|for|as|in)|live (?:in|at|on|with)|do|drive|eat|drink|play|take|go to|like|want|see|need|watch|read|wear|bring|bringing|doing|going to|eating|drinking|using|taking|seeing|dating|attending|coming to|working (?:at|for|as)|living in|playing|make|stand) <np> (?:any ?more|any longer|now|these days|after all)\b
ends     \b(?:i'm|im|i am|we're|we are|he's|she's|is|are) (?:not|no longer) (?:bringing|doing|going to|going with|eating|drinking|using|taking|seeing|dating|attending|coming to|working (?:at|for|as|on|in)|living (?:in|at|with)|playing|wearing|making|allergic to|joining|staying (?:at|in)|flying (?:to|from|with)|meeting|serving|having|buying|getting|studying|learning|training for|watching|reading|on|at|in|with|a|an|the) <np><stop>
ends     ^(?:the |my |our |that )?<np> (?:is|are|was|were|'s|has been|have been|got|is all|is now) (?:(?:off|gone|dead|over|history|closed down|no more|no longer|cancell?ed|called off|sold|out of business|obsolete|outdated|discontinued|deactivated|disconnected|totaled|totalled|shut down|kaput)\b|(?:reassigned|transferred|let go|fired|promoted|out|away|closed|broken|retired|retiring|on leave|on maternity leave|leaving|moving away|sick|busy|done|finished)\b.{{0,30}}?[,;—]? ?(?:so|and|;) )
ends     \b(?:shaved|cut|chopped|took|tore|turned|called|broke|laid|swore|wrote) <np> (?:off|down|out)\b
ends     \b(?:shaved(?: off)?|chopped(?: off)?|uninstalled|deleted|removed|dismantled|demolished|totaled|totalled|wrecked|crashed|pawned|let (?=[\w ]+ (?:lapse|go|expire)))(?: my| the| our)* <np>(?= (?:off|and|lapse|go|expire)|[.,;]|$)
ends     \b(?:i'm|im|i am|we're|we are|he's|she's|it's|he is|she is|it is|they're|isn't|is|are|was) (?:actually )?not (?:actually |really )?(?:a |an |the |that )?(?!sure|so|that|too|very|only|just|any|going|yet|bad|good|much|all|because|to|been|as|at all|my fault|gonna|exactly|quite|even|here|there|well|feeling|happy|able|allowed|know|kidding|coming|mine|true|right|in|on|at)<np><stop>
ends     \b(?:got|had|have) <np> (?:off|out|removed|pulled|fixed|taken (?:off|out)|cut off|towed)\b
ends     \b(?:the )?old <np> (?:is|was|got|'s|has been|doesn't|died|broke|closed|no longer|won't)\b
ends     ^(?:so )?<np> broke(?! down| up)\b.{{0,30}}?[,;—]? ?(?:so|and|;) (?:i|we) (?:\w+ )??(?:bought|got|picked up|ordered|upgraded)\b
ends     ^(?:so )?<np> (?:died|passed away|broke down|closed (?:down|up(?: shop)?)|went (?:under|out of business)|folded|shut down|fell through|got cancell?ed|gave out|gave up the ghost|packed (?:it )?(?:up|in)|conked out|kicked the bucket|wore out|fell apart|burn(?:ed|t) out|(?:was|got) (?:stolen|nicked|totall?ed|written off|wrecked)|bit the dust|(?:quit|retired|resigned|graduated|moved away|moved|left|dropped|sold|switched|transferred|took a)\b.{{0,30}}?[,;—]? ?(?:so|and|;) )
ends     \b(?:quit|stopped|gave up|given up|giving up|quitting) (?P<old>\w+ing)\b
ends     \b(?:finished|completed|wrapped up|sick of|tired of|fed up with|done with|through with|enough of) <np><stop>
parts    ^(?P<old>[\w'-]+(?: [\w'-]+)?) and (?:i|me) (?:have |are |just |finally |recently |'ve )*(?:split|broke up|broken up|separated|parted|divorced|got divorced|getting divorced|called (?:it|things|everything|the (?:wedding|engagement)) (?:off|quits)|called off (?:the|our) \w+|ended (?:it|things)|aren't together|are no longer together|are over|are done|are through)
parts    \b(?:broke up|broken up|split up|split|separated|divorced|ended (?:it|things)|called it (?:off|quits)|called off the (?:engagement|wedding)|parted ways|through) (?:with|from) <np><stop>
parts    \b(?:we|i)(?:'ve|'re| have| are|'m| am)? (?:just |finally |recently |now |officially )*(?:split up|broke up|broken up|separated|divorced|got divorced|single(?: again| now)|widowed|called it quits)\b
parts    \b(?:dumped|divorced|left|ditched|finished things with|ended (?:it|things) with|is done with|walked out on) <np><stop>
parts    \b(?P<old>[\w'-]+) (?:left me|dumped me|moved out|broke up with me|divorced me|ended it)\b
moves    (?:^|[,;.] ?|\b(?:that|so|and|because|turns out|says?|heard) )<topic> <past>(?:moved|changed|pushed(?: back)?|bumped|switched|rescheduled|postponed|delayed|raised|lowered|set|reset|updated|upped|cut|put back|brought forward|shifted|transferred|increased|decreased|reduced|extended|renamed|repainted|relocated|upgraded|revised|adjusted|doubled|tripled|quadrupled|halved)(?: (?:up|down|back|over|forward|again|out|ahead))*(?:,? (?:from .+?))?,? (?:to|until|till|into)\b
moves    ^<topic> <past>(?:moved|pushed(?: back)?|rescheduled|postponed|delayed)(?: back| up| again)* for\b
moves    \b(?:moved(?! on\b)|changed|pushed(?: back)?|bumped|switched|rescheduled|postponed|delayed|raised|lowered|set|reset|updated|upped|shifted|transferred|increased|decreased|reduced|extended|renamed|repainted|relocated|adjusted|dropped|cut|reassigned|doubled|tripled|quadrupled|halved)(?: up| down| back| over| forward)* <topic>(?: (?:up|down|back|over|again|forward))*,? (?:from .+? )?(?:to|until|till)\b
moves    \b(?:changed|reset|updated|redid|switched|swapped out|renewed) <topic>[,;:.—]? ?(?:it's|it is|its|to|now|the new one|new one)\b
moves    (?:^|[,;.] ?|\b(?:and|got|have) )(?:a |the |my |our )?(?:brand )?new (?!year)<topic>(?: as of [\w ]+?| now| is| starting [\w ]+?)?(?: is|:| are|,|$)
moves    \b(?:moved|put|shifted|relocated|transferred|switched) (?!on\b|to\b|in\b|out\b|over\b)<topic> (?:over |down |up |back |out )?(?:in|into|onto|under|inside|behind)\b
moves    ^<topic> (?:just |finally |has |have |is )*(?:hit|reached|reaches|dropped to|fell to|rose to|jumped to|climbed to|stands? at|sits? at|came (?:back|in|out) (?:at|as)|grew to|shrank to)\b
moves    \b(?:renamed|rechristened|rebranded|retitled) (?:the|our|my|his|her)? ?(?P<topic>[\w-]+(?: [\w-]+)?)
moves    \b(?:that makes|makes it|makes that|bringing (?:it|us|the total) to|now (?:there are|we have|i have|we've got|i've got|it's|at)|brings (?:it|us|the total) to|up to|down to|for a total of)\b
moves    \b(?:make (?:that|it)) \w
moves    \b(?:had|got|have) <topic> (?:changed|reset|moved|switched|updated|redone|replaced|rescheduled)\b
moves    ^<topic> (?:has |have |'s |just |got |was |is )*(?:changed|different)[,;:]? {_DAYS_ETC}\b
moves    \b(?:my|the|our|his|her|their) new (?!year)<topic> (?:is|are|'s|will be|number is)\b
moves    ^<topic> (?:is|are|'s) (?:now|currently|officially) \w
moves    ^<topic> (?:is|are|'s|ends? in|it's|starts?|opens?|closes?|comes?|costs?|leaves?|meets?|it ends in) .{{1,60}}? (?:now|these days|from now on|from here on(?: out)?|going forward|nowadays|as of \w+|until further notice|this (?:semester|term|season))$
moves    ^<topic> (?:has |have )?(?:went|gone|is|are|was|are up|'s)(?: gone)? (?:up|down) (?:to|at)\b
moves    \b(?:send|use|call|text|email|write|reach|mail|forward|ship|deliver) <topic> (?:to|at|on|instead) .*(?:from (?:here|now) on|instead|now|going forward)\b
corrects ^(?:(?:oh|ah|um|uh|hey|ok|okay|well|and|so|but) )*(?:no+|actually|make that|make it|never ?mind|nope|nah|wait|no wait|wait no|hold on|sorry|oops|whoops|correction|autocorrect|typo|my bad|my mistake|scratch that|strike that|hang on|not quite|ugh|er+|i misspoke|i lied|i take (?:that|it) back|let me (?:correct|rephrase)\w*)\b
corrects \b(?:i mean|i meant|i should have said|i misspoke|misspoke|miscounted|misread|misheard|misremembered|mistyped|miscalculated|mixed (?:that |them |it |those )?up|(?:got|had) (?:it|that|the \w+) wrong|(?:at|on|from|read) the wrong|the wrong (?:flyer|page|date|day|one|line|number|list|time)|^(?:the|our) \w+ (?:says?|said)|was (?:wrong|mistaken|off)|were wrong|i was wrong|that's wrong|that is wrong|that was wrong|that's not (?:right|true|correct)|not true|my mistake|my bad|typo|autocorrect|sorry(?=[,.! ]*$)|correction|to correct|turns out|turned out|it turns out|after all|'s actually|(?:is|are|was|were|i'm|we're) actually|changed (?:our|my) minds?|(?:i )?(?:double[- ]?|just )?checked|messed up|mixed (?:\w+ )?up|(?:tests?|results?|doctors?|vet|papers?|ticket|email|receipt|website|schedule|label|invite|invitation|calendar|dna|x-ray|ultrasound|scan|box|bottle|manual|map|sign|recipe|contract|letter|text|flyer|app) (?:\w+ )?(?:says?|said|shows?|showed)|looked it up|found out|as it happens|in fact|(?:the|my) \w+ (?:came back|results|called)|(?:said|says|told (?:me|us)) (?:it's|it is|he's|she's|they're|i'm) (?:actually |really )?|actually(?= (?:it|the|my|he|she|they|we|is)\b)|contrary to what|should be|supposed to be|not what i said)\b
corrects \b(?:found (?:it|them|him|her|my|the|out)|it was (?:in|at|on|under|behind) .* all along|the whole time|all along|false alarm|turned up|showed up|resurfaced)\b
mind     \b(?:changed my mind|change of heart|come around (?:on|to)|came around (?:on|to)|warmed (?:up )?to|(?:has|have|is|are) (?:really |finally |kind of )?(?:grown|growing) on (?:me|us)|grew on (?:me|us)|won me over|grown to|grew to|never thought i'?d|didn'?t use to|used to (?:hate|love|like|dislike)|started to (?:like|love|hate|enjoy)|(?:now|actually) (?:i )?(?:like|love|hate|enjoy)|can'?t stand .* any ?more|over my fear|don'?t mind|(?:doesn'?t|don'?t|didn'?t|no longer) (?:bothers?|scares?|faze|fazes|upsets?|frightens?) me|got over|have come to|a fan now|converted|fallen (?:in|out of) love)\b
retracts ^(?:(?:oh|um|uh|hey|ok|okay|well|please|no|wait|sorry|and|so|actually|just) )*(?:forget|scratch|never ?mind|ignore|disregard|strike|erase|delete|drop|discard|unremember|cancel|scrap|don'?t remember|stop remembering|take back)\b(?: about| the thing about| the part about| what i (?:just )?(?:said|told you)(?: about| earlier about)?| everything(?: i said)? about| all that about| the bit about| when i said| my (?:note|comment) about)*(?: <np>)?<stop>
retracts \b(?:that'?s|that is|that was|it'?s|it is|it was|what i said (?:is|was)) (?:not true|wrong|not right|a lie|false|incorrect|a mistake|no longer true|not the case|outdated)\b
done     \b(?:paid off|made the (?:last|final)|got (?:my|our|the)|came out (?:great|well|nice|good|fine|perfect)|turned out (?:great|well|nice|good)|(?:is|are|all|got|finally) (?:painted|built|installed|fixed|repaired|planted|signed|booked|assembled|cleaned|organized|framed|ready|up and running|done|finished|over with)|we got (?:the|it|in)|i got (?:the|it|in)|got in(?:to)?|heard back|got accepted|accepted|landed|they said yes|it's ours|came through|got approved|approved|i did it|we did it|did it|finally|finished|completed|done|made it|went through|got it done|accomplished|passed|it's official|crossed the finish|pulled it off|at last|ran it|happened)\b
again    \b(?:again|another|once more|one more time|another time|as usual|same as always|same old|the usual|yet again)\b
yearly   \b(?:this time|this time around|this year|this season|this round|this month|this semester|this term|this summer|this winter|this spring|this fall|this (?:christmas|easter|thanksgiving|halloween|birthday|holiday|ramadan|diwali|passover|hanukkah))\b
turns    \b(?:switched(?: over)? to|switching to|moved on to|moved over to|moving on to|gone over to|went over to|upgraded to|downgraded to|graduated to|took up|taken up|instead|gone back to|went back to|converted to|changed (?:over )?to|turned to|swapped to|started|made the switch)\b
now      \b(?:now|nowadays|these days|from now on|from here on(?: out)?|from \w+ on|going forward|at the moment|as of|effective|starting (?:this|next|today|tomorrow|in|on|monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july|august|september|october|november|december)|since (?:last|this)|new (?:rule|job|place|car|number|phone|boss|plan|schedule|routine|address|name|password|code|favou?rite|gym|doctor|hours|school|apartment|house|role|position|team|roommate|landlord|dentist|barber|diet|apartment|plan|hobby|bike|laptop|computer|job title|shift)|instead|no longer|any ?more|officially|currently|lately|finally settled|all settled|all unpacked|settled in(?:to)?|switched(?: over)? to|moved on to|moved (?:in)?to|moved over to|moving on to|upgraded to|downgraded to|graduated to|promoted|transferred|transfer|relocated|(?:changed|switched) (?:jobs|doctors|schools|majors|banks|gyms|careers|dentists|plans|teams|departments|shifts|\w+s)|took up|taken up|gone back to|went back to|back to|became|become|turned (?:vegan|vegetarian|\d+)|went (?:vegan|vegetarian|keto|gluten)|got (?:promoted|hired|a job|the job|married|engaged|divorced|laid off|fired|transferred|moved)|landed|accepted|started (?:a|at|as|my|with|working|using|taking|seeing|going|playing|reading|watching|learning|drinking|eating)|just (?:moved|started|got|switched|bought|signed|joined|became|turned|adopted|changed)|signed up for|joined|ended up with|went with|settled on|decided on|going with|is handling|taking over|took over|takes over|filling in|down to|up to|total(?: now)?|in total|altogether|to (?:my|our) name|as of this \w+|new (?:best|record|pr|high|low)|personal best|weighed in|clocked in|came in at|measured|tested at|stepped on the scale|caved|turned \w+ (?:on|last|this|today|yesterday)|got (?:reassigned|bumped)|left (?:\w+ )?behind|closed on (?:a |an |the |our |my )?(?:new |first )?(?:house|condo|home|place|apartment|townhouse)|for good|permanently|got (?:put|moved|bumped|assigned|switched|stuck) (?:on|to|in|with)|(?:put|made|moved|switched|bumped|assigned|transferred|promoted|demoted) me|onto|replaced|renamed)\b
adds     \btoo(?=$|[.,!])|\b(?:also|as well|another|other|an? (?:second|third|fourth)|extra|additional|besides|in addition|plus|both|on top of|along with|one more|more of)\b
"""
_HEDGE = re.compile(
    r"\b(?:if|might|maybe|perhaps|thinking (?:of|about)|considering|planning (?:to|on)|wants? to|wanna|wish|wished|would|could|should|"
    r"hope to|hoping to|almost|nearly|about to|tempted to|dream of|wonder(?:ing)? (?:if|whether)|was going to|were going to|"
    r"wanted to|can'?t wait to|never|what if|whether|afraid of|unless|until|by the time|when i|before i|i'?d)(?: \w+){0,3} ?$",
    re.IGNORECASE,
)


_MACROS = {"np": _NP, "stop": _STOP, "topic": _TOPIC, "past": _PAST}
_MACRO = re.compile(r"(?<!\?P)<(np|stop|topic|past)>")


@functools.cache
def _table() -> tuple[tuple[str, re.Pattern[str]], ...]:
    rows = []
    for line in _ROWS.strip().splitlines():
        kind, _, pattern = line.partition(" ")
        pattern = _MACRO.sub(lambda match: _MACROS[match[1]], pattern.strip())
        rows.append((kind, re.compile(pattern, re.IGNORECASE)))
    return tuple(rows)


_IS = re.compile(
    r"\b((?!it|he|she|that|there|what|who|here|how|let|where)\w{2,})'s(?= (?:off|over|gone|dead|out|closed|done|history|sold|"
    r"cancell?ed|now|at|on|in|only|actually|not|been|moved|moving|changed|called|finished|ready|painted|fixed|going)\b)",
    re.IGNORECASE,
)
_PRONOUNS = frozenset(
    "it that this them him her me us you one ones these those something everything anything all things stuff what i we he she "
    "they my the a an to so up out off over on now and or there here i'm i've i'd we've we're they're had got have".split()
)


@functools.lru_cache(maxsize=512)
def change_of(text: str) -> Change:
    """The cues of change in one utterance; cached.

    >>> change_of("Swapped the minivan for a pickup.").old
    ('minivan',)
    >>> sorted(change_of("scratch that").kinds)
    ['corrects', 'retracts']
    """
    plain = _IS.sub(r"\1 is", normalize(text[:READ_CHARS], casefold=False).strip(" .!"))
    kinds: set[str] = set()
    old: list[str] = []
    topic: list[str] = []
    for kind, pattern in _table():
        for match in pattern.finditer(plain):
            if _HEDGE.search(plain[: match.start()]) and kind not in ("corrects", "retracts", "adds", "mind"):
                continue
            groups = match.groupdict()
            if _UNREAL.search(groups.get("topic") or ""):
                continue
            kinds.add(kind)
            _append(old, groups.get("old"))
            _append(topic, _DETERMINER.split(groups.get("topic") or "")[-1])
    if "ends" in kinds and not old:
        kinds.discard("ends")
    bare = "retracts" in kinds and _is_bare(plain)
    return Change(frozenset(kinds), tuple(old), tuple(topic), bare)


_DETERMINER = re.compile(r"\b(?:my|our|the|his|her|their|i've|we've) ", re.IGNORECASE)
_UNREAL = re.compile(
    r"\b(?:if|might|would|could|may|should|wish|maybe|unless|when|once|whether|suppose|imagine)\b",
    re.IGNORECASE,
)
_NO_BEGINNING = frozenset(
    "in on at for from last this next to with by of after before since as when while because".split()
)


def _append(phrases: list[str], phrase: str | None) -> None:
    phrase = (phrase or "").strip(" .,;:!?")
    first = phrase.lower().partition(" ")[0]
    if not phrase or first in _NO_BEGINNING or all(word in _PRONOUNS for word in phrase.lower().split()):
        return
    if phrase not in phrases:
        phrases.append(phrase)


_RETRACTION_ALONE = re.compile(
    r"^(?:(?:oh|um|uh|hey|ok|okay|well|please|no|wait|sorry|and|so|actually|just|can you|could you|i take it back|i was wrong|"
    r"my bad|my mistake)[, ]*)*"
    r"(?:(?:forget|scratch|never ?mind|ignore|disregard|strike|erase|delete|drop|discard|unremember|cancel|scrap|"
    r"don'?t remember|stop remembering|take back)\b.*|(?:that'?s|that is|that was|it'?s|it is|it was|what i said (?:is|was)) "
    r"(?:not true|wrong|not right|a lie|false|incorrect|a mistake|no longer true|not the case|outdated)\b(?P<after>.*))$",
    re.IGNORECASE,
)
_SAYS_NEW = re.compile(
    r"[,;.—:]\s*(?!please|thanks|thank|sorry|it was|that was|i was|my mistake|my bad|ok|okay|i said|i told|forget|never)(?=\w)|"
    r"\b(?:i'm|im|i am|we're|i've|it's|its|it is|i (?:can't|can|will|do|don't|have|want|need|like|signed|got|went|am|bought|"
    r"moved|decided|chose)|we (?:have|will|do|are)|make (?:it|that)|put me|go with|my \w+ (?:is|are)|the \w+ (?:is|are)|there is|"
    r"there's|found (?:my|it|the|them|him|her)|they(?:'re| are| were)|(?:it|he|she) (?:was|is) (?:in|at|on|under|behind|with))\b",
    re.IGNORECASE,
)


def _is_bare(plain: str) -> bool:
    """Whether a retraction says nothing new: "forget what I said about the jet ski"."""
    match = _RETRACTION_ALONE.match(plain)
    if match is None:
        return False
    said_about = re.sub(
        r"(?:what|when|everything|all|the (?:thing|part|bit)) ?i (?:just )?(?:said|told you)(?: (?:about|earlier))?", "", plain,
        flags=re.IGNORECASE,
    )  # fmt: skip
    return not _SAYS_NEW.search(said_about[6:])
