"""The cues by which `keep.py` tells what is worth keeping: data only.

A row is a name, a weight and a regular expression, searched in the normalized lower-case text. The
weights were fitted by logistic regression on labelled utterances (with and without the turns before
them), statements about people and commands to assistants, then rounded; above zero speaks for keeping.
"""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

from .clause import KIN_WORDS

__all__ = ["BETWEEN_PEOPLE", "BIAS", "IN_ASKED", "IN_TEXT", "IN_TOLD", "QUESTIONS", "SHAPES", "UNREAL"]

BIAS = -2.4

# Weights of what is not a pattern: length in words, names, whether a triple was read (`triples.py`).
SHAPES = {
    "words_1": 0.2,
    "words_2_3": -0.6,
    "words_7_up": 0.5,
    "words_11_up": 0.1,
    "comma": 1.0,
    "name": 0.6,
    "capital": 2.3,
    "triple": 2.6,
    "contentless": -1.3,
    "answer": 2.0,
    "short_answer": -0.5,
    "own_words": 1.2,
}

# The same cues in talk between two people, summed over the sentences of a turn: fitted on which turns of
# such talk hold what is asked for later. There are no commands in it, and "you" is no assistant.
BETWEEN_PEOPLE = {
    "date": 1.0,
    "i_am": 0.6,
    "kin": 0.5,
    "i_do": 0.4,
    "my": 0.4,
    "words_7_up": 0.4,
    "past": 0.3,
    "digits": 0.3,
    "health": 0.3,
    "capital": 0.2,
    "dropped": 0.2,
    "greeting": 0.2,
    "triple": 0.2,
    "can_not": 0.1,
    "comma": 0.1,
    "name": 0.1,
    "negation": 0.1,
    "number_word": 0.1,
    "place": 0.1,
    "taste": 0.1,
    "words_11_up": 0.1,
    "contentless": -0.1,
    "words_2_3": -0.1,
    "command": -0.2,
    "encourage": -0.2,
    "hypothetical": -0.2,
    "joking": -0.2,
    "remember": -0.2,
    "you": -0.2,
    "i_mind": -0.3,
    "reply": -0.3,
    "thanks": -0.3,
    "reaction": -0.7,
}

_KIN = "|".join(
    sorted(KIN_WORDS.keys() - {"boy", "girl", "ma", "pa", "pop", "baby", "twin"}, key=len, reverse=True)
)
_MONTHS = "january|february|march|april|june|july|august|september|october|november|december|christmas|easter"
_DAYS = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_SPELT = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand"

# Cues in the words themselves.
IN_TEXT = rf"""
question_mark -0.5  \?["']?$
question      -3.9  ^(?:and |so |but |ok(?:ay)? |well |hey |right )*(?:what|who|whose|where|why|how|which|when (?:is|are|do|does|did|will|can|was)|what's|who's|where's|how's|is (?:it|there|that|this|he|she|the|my)|are (?:you|we|they|there|the)|am i|was (?:it|he|she|that|there)|were (?:you|they)|do (?:you|i|we|they)|does|did (?:you|i|he|she|they|we)|can (?:you|i|we|it)|could (?:you|i|we)|would (?:you|it)|will (?:you|it|i|there|the)|have you|has (?:it|he|she|the)|shall (?:i|we)|should (?:i|we)|isn't|isnt|aren't|don't you|any idea)\b
tag_question  -2.9  \b(?:isn't it|don't i|don't you|doesn't it|aren't they|won't you|wouldn't it|right|innit|do you think)\??$
command       -3.5  ^(?:(?:please|ok|okay|now|and|then|just|actually|hey|alexa|siri|google|computer|can you|could you|no|yes|about the song) )*(?:set|play|turn|switch|stop|cancel|pause|resume|skip|next|add|delete|remove|send|open|close|show|read|find|search|look up|book|order|translate|spell|count|repeat|tell|give me|make (?:it|me|that|a)|do (?:it|that|another|a)|start|begin|redo|undo|scrap|forget(?: (?:it|that|this|about (?:it|that)))?$|call it|hang up|go (?:back|on|to)|put (?:on|the|that)|bring me|say|sing|remind|wake me|dim|lock|unlock|mute|volume|(?:louder|quieter|shorter|longer|bigger|warmer|cooler|brighter|slower|faster|higher|lower)(?! than)|again|explain|summari[sz]e|write|draw|define|calculate|convert|schedule|check|change|let me|let's|wish me|wait(?! (?:her|his|my|its|it's|i|i'm|we|she|he|they|the|that's|no)\b)|(?:hold|hang) on(?=[.!]*$| to\b| a (?:sec|second|minute|moment|bit)\b)|hurry|guess(?! what\b)|imagine|suppose|pretend|recommend|suggest|email|text|message|dial|call (?!me\b)|call me (?:an?|the)\b|create|get rid of|pay (?:my|the)|post|alert|transfer|provide|mark|secure|reserve|compute|arrange|activate|increase|decrease|raise|lower|show)\b
request       -4.3  \b(?:i|we)(?:'d| would| really)? (?:want|need|like|wanna|gotta|must|got to|have to)(?: you)?(?: to)? (?:hear|know|see|play|listen|book|schedule|set|turn|order|update|edit|transfer|redeem|check|find|add|watch|buy tickets|make (?:a|an) (?:list|reservation|appointment|call))\b|\bi(?:'d| would| really)? (?:want|need|like|wish)(?: to)? (?:(?:have|get|make|start|cook|see) )?(?:an?|the|some|this|my|more|new) (?:[\w-]+ ){{0,3}}(?:timer|alarm|reservation|playlist|list|tickets?|reminder|emails?|volume|weather|forecast|taxi|cab|uber|suggestions?|recommendations?|ideas?|help|song|music|radio|station|directions|number for|recipes?|balance|statement|checks)\b|\b(?:olly|alexa|siri)\b
greeting      -0.8  ^(?:hey|hi|hello|hiya|morning|good (?:morning|evening|night|afternoon|day)|night|bye|goodbye|see you|sleep tight|cheers|later|ciao|and goodbye|how are you|sweet dreams|welcome)\b
thanks        -0.3  ^(?:thanks|thank you|ta\b|cheers|much obliged|you're (?:a|the) |lovely|perfect|great|brilliant|nice|cool|awesome|good|fine|excellent|super|wonderful|amazing|lush)\b
reply         -0.6  ^(?:ok|okay|right|sure|yes|yeah|yep|nope?|nah|no|true|exactly|indeed|fair|got it|thought|righto|close enough|alright|never mind|nevermind|maybe|perhaps|dunno|not (?:really|today|telling)|i see|i know|of course|same|probably|possibly|beats me|over my)\b
reaction      -2.4  ^(?:wow|ugh|oh(?! (?:that's|it's|she's|he's|they're|and) (?:my|our|where|at|in|from))|ooh|ah|ha|haha|hmm+|um+|er+m?|oops|ow|woo|yay|blimey|gosh|damn|dear|shame|typical|spooky|weird|terrible|awful|so |too |that'?s(?! (?:my|our|where|when|how|why|what|because) )|how |i(?:'ve| have) (?:heard|seen|read|had) (?:that|this|it)\b|liar|whatever|no way|really|come on|about time|why |because |lucky|well,? |imagine|if |what |poor )\b
hypothetical  -1.8  \b(?:if i (?:were|was|had|could|won|ever)|what if|hypothetically|suppose|imagine|i'd (?:buy|emigrate|never dare|fly|be a)|would be (?:nice|fun|great)|let's say|in another life|pretend)\b
joking        -1.4  \b(?:just kidding|kidding|joking|ha ha|haha|lol|duh|obviously|walk into a bar|silly|joke|mate|one day|who knows|whatever)\b
quoted        -1.8  ^["'].*["'][.!]?(?:, .{{0,12}})?$
hedged        -4.3  \b(?:apparently|people say|most people|they say|used to say|i don't believe|i reckon he|reckons|i reckon (?:it|he|she|they|that)|once upon a time|according to|on the radio|on tv|in the news|i heard (?!from)|i read (?:that|somewhere|in|about|it)|says? you|were (?:her|his) words)\b
you           -3.0  \b(?:you|you're|your|yourself|youre)\b
transient     -3.0  \b(?:one sec|(?:hang|hold) on(?=[.!]*$| a (?:sec|second|minute|moment|bit)\b)|someone's at the door|let me (?:think|check|look|see)|right now|here in my hand|ran out of|dropped a|stubbed|just now|at the door|i forgot what|forgotten what|where was i|thinking|oh wait)\b
i_am          +1.4  \b(?:i'm|im|i am|we're|we are|i've|ive|we've|i was|we were)\b
my            +0.5  \b(?:my|our|mine|ours)\b
i_do          +0.5  \b(?:i|we) (?!(?:think|thought|guess|know|mean|see|said|forgot|like this|wish|reckon|hope|suppose|wonder|bet)\b)\w+
i_mind        -1.0  \b(?:i think|i thought|i guess|i know|i mean|i see|i forgot|i wonder|i bet|i hope)\b
lasting       +1.5  \b(?:always|never|every|each|since|until|till|usually|for good|(?:gave|given|giving) up|went off|gone off|no more|packed in|any ?more|from now on|no longer|used to|these days|now|not any|still|twice|as of)\b
kin           +1.5  \b(?:{_KIN}|boss|neighbour|landlord|flatmate|boyfriend|girlfriend|friend|ex|in-laws|colleague|teacher|coach|surgeon)(?:'?s)?\b
health        +2.0  \b(?:allerg\w+|diabet\w+|asthma\w*|pill|pills|tablet\w*|dose|milligrams?|injection|surgeon|surgery|operat\w+|hospital|doctor|dr|clinic|vet|dentist|dementia|cancer|vegan|vegetarian|dairy|coeliac|pregnant|stroke|scan|therap\w+|physio|broken?|broke|cracked|sprained|lung|blood|migraines?|flu|fever|medicine|thyro\w+|glasses|hearing)\b
life          +1.5  \b(?:born|died|married|marrying|engaged|divorc\w+|wedding|moved|moving|retir\w+|quit|sold|bought|lease|rent|job|school|university|degree|army|boss|hired|fired|redundant|promot\w+|passed|failed|adopted|birthday|anniversary|funeral|visa|baby|twins|pregnant|password|pin|locker|code|address|plate|number|account|called|named|nickname|lives?|works?|hobby|choir|club|routine|shift\w*|inherit\w*|crash\w*|accident|notice|interview|ceremony|expecting|placement|nicked|stolen|stole|robbed|burgled|mugged|broke into|broken into|knocked down|evicted|sacked|laid off|landlord|graduat\w+)\b
taste         +0.9  \b(?:love|loves|hate|hates|like|likes|prefer\w*|favou?rite|can't stand|cant stand|enjoy\w*|don't do|allergic|mad about|crazy about|afraid of|scared of|fan of|anything but|no romance|i'd rather|i'd prefer|id rather|would rather)\b
digits        +1.5  \d
number_word   +1.2  \b(?:{_SPELT})\b
date          +0.8  \b(?:(?:\w+teen|twent|thirt|fif|six|seven|eigh|nin|ten|twelf|eleven|four)(?:th|ieth)|{_MONTHS}|(?:{_DAYS})s?|\w+ of (?:may|{_MONTHS})|in may|\d(?:st|nd|rd|th)|tomorrow|nineteen \w+|ninety-\w+|in \d{{4}}|weekday|weekend|summer|winter|autumn|spring|new year)\b
remember      +2.9  \b(?:remember (?:that|this|it|my|to)|don't forget|note that|save it|for the record)\b
negation      +0.7  \b(?:not|no|never|don't|dont|isn't|doesn't|can't|cant|wrong|instead|without)\b
he_she        +1.1  ^(?:and |well |yes |no |oh )?(?:he|she|they|it|he's|she's|they're|they've|it's|its|his|her|hes|shes|this is)\b
place         +0.4  \b(?:in|at|from|to|on|near|under|behind|above) (?:the |a |an |my |our )?\w{{3,}}
dropped_verb  +0.8  ^(?:(?:also|and|just|finally|only|recently|yesterday|today)[,]? )?(?:(?!need|need|feed|seed|red)\w{{3,}}ed|ate|ran|drove|flew|swam|wrote|taught|caught|built|spent|fell|kept|paid|won|threw|wore|rode|sang|drank|grew|met|sold|bought|went|took|lost|broke|swapped) (?:an?|the|my|our|his|her|out|up|off|at|in|on|to|for|with|from|back|over|two|three|four|five|six|some|into|through|another)\b
dropped       -1.1  ^(?:(?:also|and|just|oh|well|so|finally|only|recently|still|yep|yeah|yes|no|hey|hi)[,!]? )*(?:been (?!there)|got (?!it\b|you\b|ya\b)|went |took |passed |failed |had |bought |sold |lost (?!in )|met |found (?!it\b)|made |gave |started |finished |moved |joined |quit |left |ended |signed |broke |hurt |saw |came |adopted |booked |working |trying |thinking |planning |researching |learning |saving |volunteering |expecting |taking |doing |having |getting |going |looking |feeling |loving |love |loved |hoping |used to |born |married |allergic |retired |turned |can't (?!hear|see|wait|believe|complain)|don't (?!know|worry|care|be|forget|tell|do|say|you|i)|never (?!mind|heard|fear|say))
past          -0.3  \b(?:i|we|he|she|they|it|(?:my|our) \w+) (?:\w+ly |just |finally |also |once |never )?(?:was|were|had|did|went|came|took|gave|saw|met|found|lost|left|bought|sold|caught|taught|built|spent|felt|kept|ran|won|began|broke|spoke|chose|grew|wrote|got|made|(?!need)\w{{2,}}ed)\b
correction    +1.1  \b(?:it's|its|it is|that's|is|was|at|on|i meant?|make that|no wait|sorry) (?:\w+ ){{0,4}}not (?:the |an? |my |on |at |in )?\w+|^(?:no|oh|wait|sorry|actually)[, ]+(?:no |wait |sorry |actually |i mean |it's |its |my |her |his |the )+
opinion       +1.5  \bi (?:do |really |honestly |firmly )?(?:think|believe|reckon) (?!(?:it|that|that's|so|you|you're|i|i'm|i'll|we|we're|this|these|he|he's|she|she's|they|they're|there|there's|the (?:first|second|last|next) one)\b)[\w'-]+ (?:.+ )?(?:should|shouldn't|ought|is|are|isn't|aren't|tastes?|needs?|belongs?)\b
can_not       +0.9  \b(?:i|we|he|she|they) (?:can't|cant|cannot|can not|couldn't|never|don't|dont) (?!know|think|care|mind|remember|wait|hear|believe|understand|see\b|get it|want to talk|tell)\w+
standing      +1.9  \b(?:from (?:now|here|today) on(?:wards)?|in future|in the future|going forward|always|whenever|every time)\b.*\b(?:your|you|me|call|keep|use|say|answer|speak|remind|tell)\b|\b(?:don't|dont|never) (?:call|ring|wake|remind|ask) me\b
household     +1.5  ^(?:nobody|no one|everyone|everybody|both of us|all of us|none of us|one of us|half) (?:of us |else )?(?:in|at|from) (?:my|our) (?:house|household|family|flat|home|office|street|class|team|village|building)\b
reach_me      +4.5  ^(?:you|they|people|he|she|anyone)(?:'ll| can| could| will)? (?:can )?(?:always |only |usually )?(?:reach|ring|call|phone|text|e-?mail|find|get) me (?:on|at|under|by|in)\b
encourage     -1.0  \b(?:good luck|keep (?:it up|going|up|at it)|proud of you|you got this|go for it|congrat\w*|take care|stay (?:safe|strong|positive)|can't wait|cant wait|happy for you|glad (?:you|to hear|it)|sounds (?:like|good|great|fun|lovely|nice|amazing|awesome|perfect)|good to (?:see|hear)|great to (?:see|hear)|nice to (?:see|hear|meet)|let me know|keep me posted|no problem|any time|you're right|that's (?:great|so|really|awesome|amazing|cool|nice)|i (?:totally |completely |definitely )?(?:agree|understand|hear you))\b
repeat        -1.8  ^(\w+)[ ,]+\1\b
"""

# Cues in the turns before: the assistant's last words, and the user's before them.
IN_ASKED = r"""
asks_wh       +0.4  \b(?:what|which|where|when|who|whose|whom|how|why|since when)\b[^.!]*\?$
asks_you      +1.0  \b(?:your|yours|you|they|she|he|it|her|his|its)\b[^.!]*\?$|any \w+.*\?$
asks_task     -0.8  \b(?:shall i|should i|what shall i|what should i|how\?|what genre|which (?:do you prefer|song|one)|can i help|anything else|what's its name|at what speed|would you like|about what|is this a story|what would (?:you do|be on it))\b
asks_any      +2.9  \b(?:do|are|have|did|were|has|is|does|any) (?:you|your|he|she|they|it|any)?\b[^.!?]*\b(?:any|taking|have|allerg\w+|live|work|like|own|play|speak|eat|drink|smoke|drive|wear|use|sleep|cook|married|pets?|kids|children|plans?|often|favou?rite)\b[^.!?]*\?$
asks_story    -5.2  \b(?:what(?:'s| is| was) (?:it|that|the \w+) about|what happens|who(?:'s| is) (?:our|the|your) (?:hero|character)|(?:our|the) hero|what do(?:es)? (?:they|it) say|which (?:one )?do you mean|who's there|knock knock|what(?:'s| is) the (?:joke|story|plot|punchline|sentence|phrase)|the sentence|should it say|how does it (?:go|end|start)|your (?:guess|move|turn)|guess again|to translate)\b
served        -0.3  ^(?:done|playing|ok|here(?:'s| is| are)|timer|alarm|calling|sorted|start|stopped|off it is|set|turning|it's \d|it is|the \w+ is|you're welcome|opening|restarting|hi|hello|good (?:night|morning)|yes\.|no\.|noted|i'm here|added|repeat|it depends|i can't|i'm unable|i don't know\.)(?!.*\?$)
pasted        -4.0  \b(?:paste (?:it|the|your|in)|please paste)\b
sorry         +1.5  \b(?:i'm sorry|oh no|oh dear|congratulations|lovely|wonderful|how nice|good luck|terrible|wow)\b
"""
# What is only played, or would be if things were other than they are.
_PRETENDED = (
    r"^(?:(?:ok|okay|so|hey|come on|now|please|right|can we|can you|could you|shall we|i want to|let's|lets) )*"
    r"(?:role-? ?play|pretend|suppos(?:e|ing) (?:i|we|you|that)\b|imagine (?:i|we|you|that|if|an?)\b|"
    r"say (?:i|we) (?:won|had|were|was)|what if (?:i|we)\b|act (?:as|like)|"
    r"if (?:i|we) (?:won|were|was|had|could|ruled|owned|lived)|if only)\b"
)
IN_TOLD = rf"""
tells_own     -0.1  \b(?:i'm|i've|my|i|we|we've|our|mum|dad|he|she)\b
tells_task    -0.9  ^(?:play|set|turn|read|tell|find|what's|what is|what does|how|who|is|are|can you|could you|open|close|start|count|spell|translate|define|explain|next|set|make|message|remind me|recommend|write|sort|do|say something|shopping|weather|vacuum|show|call|send|repeat|name|correct|why|imagine|once upon|pretend|suppose|let's say|good night|thanks|hey|order|drink)\b
made_up       -4.1  {_PRETENDED}|\b(?:how (?:do|would) (?:i|you) say|in (?:french|spanish|german|italian|japanese|chinese|latin)|sentence|story|book|film|film|movie|game|joke|riddle|pretend|suppose|imagine|let's say|once upon|the hero|the princess|series|song|poem|translate|once,? a|simon says|on the radio|novel|character|villain|protagonist|narrator|screenplay|recipe|lottery|quiz)\b
pretended     -3.0  {_PRETENDED}
wrote         -3.5  \b(?:my|the|our) (?:\w+ )?(?:character|villain|hero|heroine|protagonist|narrator|npc)\b|\b(?:d&d|dnd|dungeon master)\b
technical     -3.5  \b(?:compile[sd]?|compiler|syntax|stack trace|unit tests?|javascript|python|typescript|segfault\w*)\b
reported      -2.5  ^(?:it says (?:here|in)|apparently|they say|(?:i|there's|theres|there is) (?:heard |read )?(?:a rumou?r|somewhere))\b
tells_short   +0.3  ^\W*\w+\W*(?:\w+\W*)?$
"""

# Questions by their form, however they are punctuated; searched in the normalized text.
_WHO = r"(?:i|you|he|she|it|they|we|there|this|that|these|those|my|your|our|his|her|their|the|an?|any|anyone|anybody|some\w*|[a-z]+'s)"
QUESTIONS = (
    # what's …, whos …, what do …, which floor is …, how many … are, on which day …
    r"^(?:(?:and|so|but|ok|okay|well|hey|right|then|also|oh|um|now|hi|hello|please|alexa|siri|"
    r"google)[,]? )*(?:"
    r"(?:what|where|who|when|how|why)(?:'?s|'re|'d|'ll)\b|(?:wear|wot|witch) (?:is|are|was|do|does|did)\b|"
    r"(?:what|where|who|whom|how|why|when|which|whose) (?:is|are|was|were|do|does|did|am|can|"
    r"could|will|would|should|shall|has|have|had|might)\b|"
    r"(?:what|which|whose|witch) (?:[\w'-]+ ){1,4}?(?:is|are|was|were|do|does|did|am|can|could|"
    r"will|would|should|has|have)\b|"
    r"how (?:many|much|long|often|far|old|big|tall|come|about|well|soon|late|early)\b|what about\b|"
    r"(?:on|in|at|to|from|for|with|about|of|by|until|since|around|during|under|after|before) (?:what|which|whose|whom|witch)\b|"
    r"which (?!(?:is|was|means|makes|made|i|we)\b)[a-z]|(?:what|when|where|how) dose\b|"
    r"(?:went|wend|wen) (?:do|is|are|does|did|will|can|should|must) [a-z]|when [a-z]+ did\b|"
    r"(?:would|could|will|can|should) (?!(?:rather|like|love|be|have|not|do|never|only|always|just|probably|really|definitely)\b)[a-z']+ [a-z]|"
    r"did (?!(?:my|our|an?|the|some|it|well|this|that|not|two|three|\d+)\b)[a-z']+ [a-z]|"
    r"(?:is|are|was|were) [a-z]+ (?:and [a-z]+ )?(?:\w{2,}ing|\w+er than)\b|"
    rf"(?:is|are|am|was|were|does|can|could|will|would|should|shall|has|isn't|aren't|wasn't|"
    rf"doesn't|won't|wouldn't|isnt|doesnt) {_WHO}\b|"
    r"(?:do|did|have|had|don't|didn't|haven't|dont|didnt) (?:i|you|he|she|it|they|we|your|their|"
    r"his|any\w*)\b|"
    r"is (?:[a-z]+ ){1,2}(?:a|an|the|in|on|at|from|still|coming|going|my|allergic|married|older|"
    r"younger|better)\b|"
    r"(?:do you know|can you tell|tell me|remind me|any idea|i wonder|wonder|i was wondering)\b)",
    # …, what do i need; and want to know …; any thoughts
    r", (?:what|how) (?:[\w']+ ){0,4}(?:is|are|would|might|could|should|do|does|did|can|will)\b(?!.*, )",
    r"(?:,| and| but) (?:what|how|where|when|which|who|why)(?:'s| is| are| do| does| can| should| "
    r"would) (?:i|you|we|it|the|my|that|they|he|she)\b",
    r"\b(?:wanna know|want to know|need to know|like to know|any (?:thoughts|ideas|suggestions|"
    r"advice|tips))\b",
)

# What is not so: conditions, wishes against the facts, make-believe, advice and questions passed on.
UNREAL = (
    r"^(?:(?:and|but|so|well|oh|okay|ok|now|hey)[,]? )*(?:if (?:i|we|he|she|they|it|you|my \w+|"
    r"our \w+) (?:had|were|was|could|won|lived|"
    r"ever|owned|got|didn't|wasn't|weren't|knew|spoke|worked|became)\b|(?:i|we) (?:really |just "
    r")?wish (?!to |for )|wish (?:i|we|he|she|it)\b|"
    r"if only\b|imagin(?:e|ing) (?!my\b)|suppos(?:e|ing) (?!to\b)|let's (?:say|pretend|imagine|"
    r"suppose)|what if\b|pretend\b|"
    r"say (?:i|we) (?:had|were|was|lived|won|wanted)|picture this|hypothetically|in (?:a perfect|"
    r"another|an ideal) (?:world|life))",
    r"\b(?:would|'d|could|might) (?:\w+ ){1,8}?if (?:i|we|he|she|they) (?:had|were|was|could|won|"
    r"lived|ever|didn't)\b",
    r"\b(?:he|she|they|everyone|everybody|people|someone) (?:keeps? |kept |always )?(?:says?|"
    r"saying|said|thinks?|thought|"
    r"told me|tells me|reckons?|suggests?|suggested|insists?|insisted)(?: that)? (?:i|we) "
    r"(?:should(?:n't)?|could|ought|must|might|need to|"
    r"look|looked|have to|had to|ought to)\b",
    r"\b(?:he|she|they|someone|everyone|(?:my|our|the) \w+|[a-z]+) (?:asked|asks|wondered|wonders|"
    r"was wondering|were wondering|"
    r"wanted to know|wants to know|is asking|keeps asking)(?: me| us| him| her| them)? (?:if|"
    r"whether|what|where|when|who|how|why|which)\b",
)
