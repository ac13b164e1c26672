"""The cues by which `keep.py` tells what is worth keeping: data only.

A row is a name, a weight and a regular expression, searched in the normalized lower-case text. The
weights were fitted by logistic regression on labelled utterances (with and without the turns before
them), statements about people and commands to assistants, then rounded; above zero speaks for keeping.
"""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

from .clause import KIN_WORDS

__all__ = ["BIAS", "IN_ASKED", "IN_TEXT", "IN_TOLD", "SHAPES"]

BIAS = -2.0

# Weights of what is not a pattern: length in words, names, whether a triple was read (`triples.py`).
SHAPES = {
    "words_1": 0.1,
    "words_2_3": -0.5,
    "words_7_up": 0.3,
    "words_11_up": 0.2,
    "comma": 1.0,
    "name": 0.8,
    "capital": 1.2,
    "triple": 1.9,
    "contentless": -0.9,
    "answer": 1.0,
    "short_answer": 0.1,
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
question      -2.2  ^(?:and |so |but |ok(?:ay)? |well |hey |right )*(?:what|who|whose|where|why|how|which|when (?:is|are|do|does|did|will|can|was)|what's|who's|where's|how's|is (?:it|there|that|this|he|she|the|my)|are (?:you|we|they|there|the)|am i|was (?:it|he|she|that|there)|were (?:you|they)|do (?:you|i|we|they)|does|did (?:you|i|he|she|they|we)|can (?:you|i|we|it)|could (?:you|i|we)|would (?:you|it)|will (?:you|it|i|there|the)|have you|has (?:it|he|she|the)|shall (?:i|we)|should (?:i|we)|isn't|isnt|aren't|don't you|any idea)\b
tag_question  -1.1  \b(?:isn't it|don't i|don't you|doesn't it|aren't they|won't you|wouldn't it|right|innit|do you think)\??$
command       -2.8  ^(?:(?:please|ok|okay|now|and|then|just|actually|hey|alexa|siri|google|computer|can you|could you|no|yes|about the song) )*(?:set|play|turn|switch|stop|cancel|pause|resume|skip|next|add|delete|remove|send|open|close|show|read|find|search|look up|book|order|translate|spell|count|repeat|tell|give me|make (?:it|me|that|a)|do (?:it|that|another|a)|start|begin|redo|undo|scrap|forget|call it|hang up|go (?:back|on|to)|put (?:on|the|that)|bring me|say|sing|remind|wake me|dim|lock|unlock|mute|volume|louder|quieter|shorter|longer|bigger|again|explain|summari[sz]e|write|draw|define|calculate|convert|schedule|check|change|let me|let's|wish me|wait|hold on|hang on|hurry|guess|imagine|suppose|pretend|recommend|suggest|email|text|message|dial|call (?!me\b)|create|get rid of|pay (?:my|the)|post|alert|transfer|provide|mark|secure|reserve|compute|arrange|activate|increase|decrease|raise|lower|show)\b
request       -2.3  \b(?:i|we)(?:'d| would| really)? (?:want|need|like|wanna|gotta|must|got to|have to)(?: you)?(?: to)? (?:hear|know|see|play|listen|book|schedule|set|turn|order|update|edit|transfer|redeem|check|find|add|watch|buy tickets|make (?:a|an) (?:list|reservation|appointment|call))\b|\b(?:olly|alexa|siri)\b
greeting      -0.8  ^(?:hey|hi|hello|hiya|morning|good (?:morning|evening|night|afternoon|day)|night|bye|goodbye|see you|sleep tight|cheers|later|ciao|and goodbye|how are you|sweet dreams|welcome)\b
thanks        -0.2  ^(?:thanks|thank you|ta\b|cheers|much obliged|you're (?:a|the) |lovely|perfect|great|brilliant|nice|cool|awesome|good|fine|excellent|super|wonderful|amazing|lush)\b
reply         -0.5  ^(?:ok|okay|right|sure|yes|yeah|yep|nope?|nah|no|true|exactly|indeed|fair|got it|thought|righto|close enough|alright|never mind|nevermind|maybe|perhaps|dunno|not (?:really|today|telling)|i see|i know|of course|same|probably|possibly|beats me|over my)\b
reaction      -1.3  ^(?:wow|ugh|oh|ooh|ah|ha|haha|hmm+|um+|er+m?|oops|ow|woo|yay|blimey|gosh|damn|dear|shame|typical|spooky|weird|terrible|awful|so |too |that's|thats|how |liar|whatever|no way|really|come on|about time|why |because |lucky|well,? |imagine|if |what |poor )\b
hypothetical  -1.3  \b(?:if i (?:were|was|had|could|won|ever)|what if|hypothetically|suppose|imagine|i'd (?:buy|emigrate|never dare|fly|be a)|would be (?:nice|fun|great)|let's say|in another life|pretend)\b
joking        -1.0  \b(?:just kidding|kidding|joking|ha ha|haha|lol|duh|obviously|walk into a bar|silly|joke|mate|one day|who knows|whatever)\b
quoted        -1.0  ^["'].*["'][.!]?(?:, .{{0,12}})?$
hedged        -1.8  \b(?:apparently|people say|most people|they say|used to say|i don't believe|i reckon he|reckons|according to|on the radio|on tv|in the news|i heard|i read|says? you|were (?:her|his) words)\b
you           -2.2  \b(?:you|you're|your|yourself|youre)\b
transient     -1.3  \b(?:one sec|hang on|hold on|someone's at the door|let me (?:think|check|look|see)|right now|here in my hand|ran out of|dropped a|stubbed|just now|at the door|i forgot what|forgotten what|where was i|thinking|oh wait)\b
i_am          +1.1  \b(?:i'm|im|i am|we're|we are|i've|ive|we've|i was|we were)\b
my            +0.3  \b(?:my|our|mine|ours)\b
i_do          +0.6  \b(?:i|we) (?!(?:think|thought|guess|know|mean|see|said|forgot|like this|wish|reckon|hope|suppose|wonder|bet)\b)\w+
i_mind        -0.7  \b(?:i think|i thought|i guess|i know|i mean|i see|i forgot|i wonder|i bet|i hope)\b
lasting       +1.2  \b(?:always|never|every|each|since|until|till|usually|any ?more|from now on|no longer|used to|these days|now|not any|still|twice|as of)\b
kin           +1.0  \b(?:{_KIN}|boss|neighbour|landlord|flatmate|boyfriend|girlfriend|friend|ex|in-laws|colleague|teacher|coach|surgeon)(?:'?s)?\b
health        +1.0  \b(?:allerg\w+|diabet\w+|asthma\w*|pill|pills|tablet\w*|dose|milligrams?|injection|surgeon|surgery|operat\w+|hospital|doctor|dr|clinic|vet|dentist|dementia|cancer|vegan|vegetarian|dairy|coeliac|pregnant|stroke|scan|therap\w+|physio|broken?|broke|cracked|sprained|lung|blood|migraines?|flu|fever|medicine|thyro\w+|glasses|hearing)\b
life          +0.8  \b(?:born|died|married|marrying|engaged|divorc\w+|wedding|moved|moving|retir\w+|quit|sold|bought|lease|rent|job|school|university|degree|army|boss|hired|fired|redundant|promot\w+|passed|failed|adopted|birthday|anniversary|funeral|visa|baby|twins|pregnant|password|pin|locker|code|address|plate|number|account|called|named|nickname|lives?|works?|hobby|choir|club|routine|shift\w*|inherit\w*|crash\w*|accident|notice|interview|ceremony|expecting|placement|landlord|graduat\w+)\b
taste         +0.6  \b(?:love|loves|hate|hates|like|likes|prefer\w*|favou?rite|can't stand|cant stand|enjoy\w*|don't do|allergic|mad about|crazy about|afraid of|scared of|fan of|anything but|no romance)\b
digits        +1.0  \d
number_word   +1.1  \b(?:{_SPELT})\b
date          +0.3  \b(?:{_MONTHS}|(?:{_DAYS})s?|\w+ of (?:may|{_MONTHS})|in may|\d(?:st|nd|rd|th)|tomorrow|nineteen \w+|ninety-\w+|in \d{{4}}|weekday|weekend|summer|winter|autumn|spring|new year)\b
remember      +1.4  \b(?:remember (?:that|this|it|my|to)|don't forget|note that|save it|for the record)\b
negation      +0.8  \b(?:not|no|never|don't|dont|isn't|doesn't|can't|cant|wrong|instead|without)\b
he_she        +0.8  ^(?:and |well |yes |no |oh )?(?:he|she|they|it|he's|she's|they're|they've|it's|its|his|her|hes|shes|this is)\b
place         +0.1  \b(?:in|at|from|to|on|near|under|behind|above) (?:the |a |an |my |our )?\w{{3,}}
repeat        -1.0  ^(\w+)[ ,]+\1\b
"""

# Cues in the turns before: the assistant's last words, and the user's before them.
IN_ASKED = r"""
asks_wh       +0.3  \b(?:what|which|where|when|who|whose|whom|how|why|since when)\b[^.!]*\?$
asks_you      +0.9  \b(?:your|yours|you|they|she|he|it|her|his|its)\b[^.!]*\?$|any \w+.*\?$
asks_task     -0.7  \b(?:shall i|should i|what shall i|what should i|how\?|what genre|which (?:do you prefer|song|one)|can i help|anything else|what's its name|at what speed|would you like|about what|is this a story|what would (?:you do|be on it))\b
served        -0.7  ^(?:done|playing|ok|here(?:'s| is| are)|timer|alarm|calling|sorted|start|stopped|off it is|set|turning|it's \d|it is|the \w+ is|you're welcome|opening|restarting|hi|hello|good (?:night|morning)|yes\.|no\.|noted|i'm here|added|repeat|it depends|i can't|i'm unable|i don't know\.)
sorry         +0.5  \b(?:i'm sorry|oh no|oh dear|congratulations|lovely|wonderful|how nice|good luck|terrible|wow)\b
"""
IN_TOLD = r"""
tells_own     +0.1  \b(?:i'm|i've|my|i|we|we've|our|mum|dad|he|she)\b
tells_task    -0.3  ^(?:play|set|turn|read|tell|find|what's|what is|what does|how|who|is|are|can you|could you|open|close|start|count|spell|translate|define|explain|next|set|make|message|remind me|recommend|write|sort|do|say something|shopping|weather|vacuum|show|call|send|repeat|name|correct|why|imagine|once upon|pretend|suppose|let's say|good night|thanks|hey|order|drink)\b
made_up       -2.1  \b(?:story|book|film|film|movie|game|joke|riddle|pretend|suppose|imagine|let's say|once upon|the hero|the princess|series|song|poem|translate|once,? a|simon says|on the radio|novel|character|recipe|lottery|quiz)\b
tells_short   -0.6  ^\W*\w+\W*(?:\w+\W*)?$
"""
