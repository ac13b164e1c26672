"""The tables that turn clauses into triples: data only, read by `triples.py`.

A row is `pattern -> relation | object`. A pattern is a regular expression over a clause or predicate
in canonical form (`clause.py`: no contractions, verbs of the third person in their base form, `is` for
am/are), from its beginning to its end; `<o>` captures the object, other `<macro>`s are below. In the
relation and object `{o}`, `{n}` stand for captured groups. `1:` before a pattern means that only the
speaker may be its subject. The first row that fits wins, so the special comes before the general.
"""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

__all__ = ["KIN", "MACROS", "PETS", "RELATION_NAMES", "THINGS", "WHOLE"]

KIN = {
    "mother": "mum mom mam mummy mommy mother ma",
    "father": "dad daddy father papa pa pop",
    "grandmother": "gran grandma granny nan nana nanna grandmother",
    "grandfather": "grandad granddad grandpa grandfather gramps",
    "brother": "brother bro",
    "sister": "sister sis",
    "wife": "wife missus",
    "husband": "husband hubby",
    "partner": "partner",
    "girlfriend": "girlfriend",
    "boyfriend": "boyfriend",
    "fiancé": "fiance fiancé",
    "fiancée": "fiancee fiancée",
    "son": "son boy",
    "daughter": "daughter girl",
    "parents": "parents folks",
    "children": "children kids",
    "grandchildren": "grandchildren grandkids",
    "child": "child kid",
    "aunt": "aunt auntie aunty",
    "mother-in-law": "mother-in-law mum-in-law mom-in-law",
    "father-in-law": "father-in-law dad-in-law",
    "sister-in-law": "sister-in-law",
    "brother-in-law": "brother-in-law",
    "son-in-law": "son-in-law",
    "daughter-in-law": "daughter-in-law",
}
KIN |= {
    name: name
    for name in (
        "uncle cousin niece nephew grandson granddaughter twin stepmother stepfather stepson "
        "stepdaughter stepbrother"
        " stepsister godmother godfather godson goddaughter ex sons daughters brothers sisters "
        "twins"
        " stepdad stepmum grandparents baby"
    ).split()
}
PETS = (
    "dog cat horse pony rabbit bunny hamster goldfish fish parrot budgie canary tortoise turtle "
    "snake lizard gecko guinea"
    " pig hen chicken duck goat sheep donkey puppy kitten ferret rat mouse gerbil cockatiel bird "
    "llama alpaca cow pup"
    " terrier spaniel labrador poodle collie greyhound pug beagle tom mare retriever dachshund "
    "corgi husky alsatian"
    " whippet bulldog chihuahua rottweiler dalmatian boxer shepherd setter lurcher cockapoo "
    "labradoodle mongrel tabby"
    " siamese persian pigeon parakeet cockatoo macaw chinchilla hedgehog frog newt axolotl "
    "stallion foal lamb calf"
)

MACROS = {
    "<o>": r"(?P<o>.+?)",
    "<n>": r"(?P<n>.+?)",
    "<w>": r"[\w'-]+",
    "<ow>": r"(?P<o>[\w'-]+)",
    "<det>": r"(?:(?:a|an|the|my|our|some|his|her|their)\s)?",
    "<at>": r"(?:in|at|for|with|near|on|over|above|by)",
    "<when>": r"(?:on |in |at |next |this |every |tomorrow|tonight|the )",
    "<prescriber>": r"(?:(?:the|my|our) (?:[\w-]+ )?(?:doctors?|gp|consultant|nurse|specialist|psychiatrist|"
    r"cardiologist|neurologist|oncologist|hospital|clinic|surgery|paediatrician)|(?:dr|doctor)\.? [\w'-]+)",
    "<drug>": r"(?P<o>.*(?:\w(?:formin|statins?|pril|olol|azole|cillin|mycin|xetine|dipine|zepam|thyroxine|oxin|"
    r"profen|tamol|codeine|sartan|isone|isolone|gabalin|pentin|triptans?|taline|amide|idone|zole|mab)|insulin|"
    r"warfarin|aspirin|lithium|prozac|xanax|valium|morphine|tramadol|steroids|statins|anti\w+|beta ?blockers|"
    r"blood thinners|painkillers|sleeping (?:pills|tablets)|tablets?|pills?|medication|medicines?|meds|drops|"
    r"inhalers?|injections?|chemo\w*|dialysis|hrt|iron|vitamins?|supplements|the drip|oxygen)\b.*)",
    "<food>": r"(?P<o>(?!(?:and|or|so|too|as|much|more|less|late|early|out|alone|any ?more|like|before|after|at|in|"
    r"on|for|from|with|when|while|if|until|it|that|this|them)\b).+)",
    "<drink>": r"(?:coffees?|teas?|cola|coke|pepsi|milk|juices?|soda|pop|squash|lemonade|energy drinks?|soft drinks?|"
    r"fizzy drinks?|fizz|red bull|monster|caffeine|hot chocolate|cocoa|decaf|espressos?|lattes?|cappuccinos?|water|"
    r"smoothies|milkshakes|shakes|cordial|tonic|mate|kombucha|kefir)",
    "<adjective>": r"(?!(?:and|or|during|with|without|so|as|to|before|after|by|once|while|over|about|from)\b)[\w'-]+",
    "<sick>": r"(?:asthma|diabetes|epilepsy|arthritis|eczema|migraines?|hay fever|coeliac "
    "disease|celiac disease|anxiety|depression"
    r"|dementia|cancer|tinnitus|psoriasis|gout|adhd|autism|dyslexia|high blood pressure|low blood "
    r"pressure|anaemia|anemia|ibs"
    r"|insomnia|sciatica|vertigo|shingles|parkinson'?s|alzheimer'?s|crohn'?s|fibromyalgia|lupus|"
    r"osteoporosis|scoliosis|rosacea|emphysema|bronchitis|ptsd|ocd|bipolar|narcolepsy|pcos|afib|a "
    r"heart condition|heart failure|ms|me|copd|angina|glaucoma|reflux|endometriosis|hepatitis"
    r"|[\w' -]*\b(?:disease|syndrome|disorder|condition|intolerance|deficiency|pressure|murmur|phobia))",
    "<body>": r"(?:leg|arm|knee|ankle|wrist|toe|foot|shoulder|collarbone|rib|ribs|back|hip|"
    "finger|thumb|nose|neck|elbow|hand|hamstring"
    r"|achilles|jaw|skull|tooth|tailbone)",
    "<diet>": r"(?:strict |pure )?(?:vegetarian|veggie|veg|vegan|plant[- ]based|pescatarian|gluten[- ]free|dairy[- ]free|"
    "teetotal|teetotaller|lactose intolerant|halal"
    r"|kosher|flexitarian|keto|low[- ]carb|only-fish vegetarian)",
    "<meal>": r"(?:breakfast|lunch|dinner|supper|tea|brunch)",
    "<since>": r"(?:(?:in|on|last) (?:the )?(?:\d{4}|spring|summer|autumn|winter|fall|year|month|week|"
    "<month>|<weekday>)s?)(?: .*)?",
    "<instrument>": r"(?:guitar|bass|piano|violin|viola|cello|drums|flute|clarinet|trumpet|saxophone|sax|harp|"
    r"accordion|banjo|ukulele|trombone|oboe|organ|fiddle|bagpipes|recorder|harmonica|tuba|double bass|mandolin|"
    r"keyboards?|bassoon|horn|french horn|sitar|tabla|oud|lute|cornet|euphonium|piccolo|concertina|dulcimer|"
    r"zither|bongos|marimba|xylophone|bouzouki|didgeridoo|tin whistle|synth)",
    "<sport>": r"(?:football|soccer|handball|water polo|pickleball|padel|croquet|curling|hurling|camogie|"
    r"gaelic football|ice hockey|rounders|dodgeball|backgammon|mahjong|petanque|bingo|tennis|golf|rugby|cricket|chess|squash|badminton|hockey|netball|"
    "basketball|darts|bridge|poker|snooker"
    r"|volleyball|bowls|table tennis|ping pong|pool|baseball|softball|lacrosse|polo|dominoes|"
    r"cards|scrabble|go)",
    "<vehicle>": r"(?:car|van|bike|motorbike|boat|scooter|motorcycle|caravan|campervan|truck|lorry)",
}

# What a noun is called as a relation.
RELATION_NAMES = {
    "gp": "doctor",
    "wi-fi": "wifi",
    "wi-fi password": "wifi password",
    "blood group": "blood type",
    "mobile": "phone number",
    "mobile number": "phone number",
    "phone": "phone",
    "number": "phone number",
    "telephone number": "phone number",
    "cell": "phone number",
    "cell number": "phone number",
    "email address": "email",
    "e-mail": "email",
    "home address": "address",
    "zip code": "postcode",
    "zip": "postcode",
    "postal code": "postcode",
    "plate": "number plate",
    "license plate": "number plate",
    "licence plate": "number plate",
    "registration": "number plate",
    "oldest friend": "best friend",
    "closest friend": "best friend",
    "best mate": "best friend",
    "oldest mate": "best friend",
    "upstairs neighbour": "neighbour",
    "next-door neighbour": "neighbour",
    "downstairs neighbour": "neighbour",
    "physiotherapist": "physio",
    "roommate": "flatmate",
    "housemate": "flatmate",
    "manager": "boss",
    "line manager": "boss",
    "occupation": "job",
    "profession": "job",
    "hobbies": "hobby",
    "pay": "salary",
    "wage": "salary",
    "wages": "salary",
    "surname": "last name",
    "family name": "last name",
    "favorite color": "favourite colour",
    "hometown": "home town",
    "date of birth": "birthday",
    "star sign": "star sign",
    "bins": "bin day",
    "bin": "bin day",
    "team": "football team",
    "name day": "name day",
}

# Whole clauses whose subject is not where it usually stands.
WHOLE = r"""
(?:we|i) (?:have )?(?:called|named|christened) (?:the|our|my) (?P<n>{pets}) <o> -> {n} name | {o}
(?:we|i) (?:have )?(?:called|named|christened) (?:the|our|my) (?P<n>baby|son|daughter|boy|girl|boat|car|house) <o> -> {n} name | {o}
<o> makes? my (?:<w> )*(?:swell|itch|tingle|burn|close|puff)(?: .*)? -> allergy | {o}
<o> (?:make|makes) me (?:sneeze|itch|wheeze|swell|ill|sick|poorly|come out|come up|break out)(?: .*)? -> allergy | {o}
<o> (?:give|gives|bring|brings) me (?:hives|a rash|reflux|heartburn|migraines?|a migraine|headaches?|an upset stomach)(?: .*)? -> allergy | {o}
<o> (?:could|would|might|nearly|almost|can) (?:kill|killed|hospitali[sz]e|hospitali[sz]ed) me(?: .*)? -> allergy | {o}
(?:it is |today is )?(?:my|our) birthday(?: is)? (?:is )?(?:on |in )(?P<o>.+) -> birthday | {o}
it is (?P<k>my (?:<w> )?{kin})'s birthday (?:on |in )?<o> -> @birthday | {o}
home (?:for me |now )?is <o> -> home | {o}
(?:the )?(?P<q>code|pin|password|combination|key code) (?:for|to|of|on) (?:the |my |our )?<n>(?::| is(?: now)?) <o> -> {n} {q} | {o}
(?:my|our) (?:trip|holiday|flight|visit|weekend|break|journey) (?:to|in) <o> is (?:off|cancelled|called off|not happening) -> trip | {o} cancelled
(?:my|our) (?:trip|holiday|flight|visit|weekend|break|journey) (?:to|in) <n> is <o> -> trip | {n} {o}
(?:you(?: can|'ll|will)?|we) find (?:the |my |our )?<n> (?P<q>in|under|behind|inside|above|below|on|next to|beside|at) (?:the |my |our |a )?<o> -> {n} | {q} {o}
(?!(?:it|this|that|he|she|they|there|what|who|which|you|that one) )<o> (?:is|was) (?:so |really |just |absolutely |completely |totally |simply )*(?:disgusting|revolting|horrible|vile|gross|foul|the worst|my pet hate|my idea of hell)(?: .*)? -> dislikes | {o}
(?!(?:it|this|that|he|she|they|there|what|who|which|you|that one) )<o> (?:is|was) (?:my thing|my passion|my great love|my guilty pleasure|my weakness|the best thing ever) -> likes | {o}
<o> is (?:my|our) (?P<k>{kin})'s (?P<n>favou?rites?(?: \w+)?) -> @{n} | {o}
no (?P<o>sugar|milk|salt|ice|cream|butter|mayo|onions?|garlic|cheese)(?: for me)? (?:in|on|with) (?:my )?(?P<n>tea|coffee|\w+)(?: for me)?(?:,? (?:thanks|please))? -> {n} | no {o}
<o> (?:bring|brings) me out in .+ -> allergy | {o}
<prescriber>(?: have| has| had)?(?: just| now)? (?:put|started) me (?:back )?on (?!.*\b(?:diet|list|leave|rota|hold|shifts?|nights?|days?|rest|scales|spot|phone|speaker|couch|bed|ward|probation)\b)<o> -> medication | {o}
<prescriber>(?: have| has| had)?(?: just| now)? (?:taken|took|weaned) me off (?!.*\b(?:list|rota|case|ward|hook)\b)<o> -> medication | no {o}
they(?: have| has| had)?(?: just| now)? (?:put|started) me (?:back )?on <drug> -> medication | {o}
they(?: have| has| had)?(?: just| now)? (?:taken|took|weaned) me off <drug> -> medication | no {o}
(?:they|<prescriber>)(?: have| has| had)?(?: just| now)? prescribed (?:me )?<o> -> medication | {o}
<o> (?:set|sets) off my (?:asthma|allerg\w+|eczema|hay fever|migraines?|sinuses)(?: .*)? -> allergy | {o}
<o> (?:do|does) not (?:agree|sit well) with me(?: .*)? -> allergy | {o}
<o> (?:upset|upsets) my (?:stomach|tummy|gut)(?: .*)? -> allergy | {o}
(?:my|our) (?:flat|place|apartment|unit|room|home|studio) is (?:up )?on the (?P<o>[\w-]+) floor(?: .*)? -> floor | {o}
<o> (?:scare|scares|frighten|frightens|terrify|terrifies) me(?: .*)? -> fear | {o}
(?:you|they|people) can (?:ring|call|reach|phone|text) me (?:on|at) <o> -> phone number | {o}
(?:you can |please )?(?:e-?mail|write to|write) me (?:on|at) <o> -> email | {o}
(?:everyone|everybody|people|most people|friends|they|folks?|(?:the|my|our) (?:[\w-]+ )?[\w-]+)(?: (?:else|here|at \w+|in (?:my|the|our) \w+|there|who knows me))?(?: always| all| usually| just| mostly)? (?:calls?|knows?) me(?: as)? <o> -> nickname | {o}
(?:<n>) and I (?:have )?(?:split up|broke up|broken up|separated|parted|got divorced)(?: .*)? -> relationship | split from {n}
<n> and I is (?:getting married|engaged)(?: .*)? -> fiancé | {n}
(?:please |just |better )?(?:only )?(?:call|ring|phone|text|reach|contact|message) me (?P<o>(?:only )?(?:after|before|between|during|in the|at the|any ?time|when|by) .+?)(?: please)? -> contact preference | {o}
(?:please )?(?:do not|never) (?:call|ring|phone|text|contact|message) me <o> -> contact preference | not {o}
(?:just |please )?call me <o> -> nickname | {o}
the (?P<n>birthday|age|job|name|address|phone number|email|height|weight|allergy|home town|nickname) of (?:my|our) (?P<k>{kin}) is <o> -> @{n} | {o}
(?:the |my |our )?(?:(?:licen[cs]e|number) plates?|registration|reg|plates?)(?: number)? (?:of|on|for) (?:my|our|the) [\w -]+? is <o> -> number plate | {o}
the (?P<q>(?!(?:rest|most|all|some|half|one|time|back|side|top|bottom|love|thing|part|best|worst|first|last|middle|both|kind|sort|state)\b)[\w-]+(?: [\w-]+)?) (?:of|for) (?:my|our) (?P<n>[\w-]+(?: [\w-]+)?) is <o> -> {n} {q} | {o}
it is <o> (?:that )?my (?P<k>{kin}) lives? in(?:, not .*)? -> @home | {o}
it is <o> (?:that )?(?:i|we) live in(?:, not .*)? -> home | {o}
(?:my|our) (?P<o>{kin}) (?:raised|brought up) me -> raised by | {o}
(?!(?:it|this|that|he|she|they|here|there|one|what|who|i|we|my|our) )(?P<o>[\w' .-]+?) is (?:my|our) (?!.*\b(?:is|was|have)\b)<n> -> {n} | {o}
there is no <o> (?:at home|in the house|at ours|here)?(?: any ?more)? -> {o} | none
there is (?:a|an) <o> (?:at home|in the house|at ours) -> {o} | yes
(?:the |our )?(?:bins|rubbish|recycling|trash|garbage)(?: collection| pick-?up| day)?(?: go(?:es)? out| (?:is|are|get|gets) (?:collected|emptied)| is)?(?: out)?(?: on)? <o> -> bin day | {o}
(?:the |our |my )(?:house|flat|home|place) (?:goes|is going|go) on the market <o> -> plan | sell house {o}
(?:the |my |our )?(?P<n>(?:(?!is\b)[\w-]+ ){1,4}?(?:number|code|pin|password|postcode|reference|combination))(?: is)?(?: now)? (?P<o>\S*\d\S*|<num>(?: \d+)*) -> {n} | {o}
(?:the |my |our )?(?P<n>[\w -]*?(?:meeting|appointment|lesson|lessons|class|classes|rehearsal|practice|interview|session|training|exam|party|wedding|match|game|dinner)) (?:has |was |got |is )?(?:been )?(?:moved|changed|switched|shifted|postponed|put back|brought forward|rescheduled) (?:from .+? )?(?:to|until|till) <o> -> {n} | {o}
"""

# My X, our X, the X, or a person's X: what is said of a thing. `{n}` is the thing.
THINGS = r"""
is not .+?,? (?:it is|she is|he is|but|they is) <o> -> {n} | {o}
is (?:a|an) (?:<w> )?(?:chap|man|woman|guy|bloke|lady|girl|lad|fella|person|gentleman) (?:called|named) <o> -> {n} | {o}
is (?:a|an) (?:.+ )?(?:called|named) <o> -> {n} name | {o}
answer to (?:the name )?(?:of )?<o> -> {n} name | {o}
is (?:playing up|broken|broken down|on the blink|leaking|out of order|kaput|knackered)(?P<o>)(?: .*)? -> {n} | broken
is (?:off|cancelled|called off|not happening)(?: .*)? -> {n} | cancelled
is number <o> -> {n} number | {o}
(?:is|was) (?:called|named|known as) <o> -> {n} | {o}
(?:have |is |was |got )?(?:been )?(?:changed|moved|switched|swapped|gone up|gone down|went up|reset)(?: from .+?)? to <o> -> {n} | {o}
(?:(?:have |is )?(?:been )?(?:changed|new|different)(?: now)?,? (?:it is|now|to)(?: now)?) <o> -> {n} | {o}
(?:sit|live|hang|hide) (?P<q>in|on|under|behind|at|inside|by|next to|above|below) <o> -> {n} location | {q} {o}
is (?:kept |hidden |stored |hanging |always |parked )(?P<q>on|at|by) (?:a |an |the |my |our )?<o> -> {n} | {q} {o}
is (?:kept |hidden |stored |hanging |always |parked )?(?P<q>in|under|behind|inside|above|below|beneath|next to|beside|between) (?:a |an |the |my |our )?<o> -> {n} | {q} {o}
(?:got|was|have been|have got|is being|got badly) (?P<o>(?:burgled|flooded|broken into|robbed|damaged|stolen|nicked|towed|written off|repossessed|vandali[sz]ed|keyed|clamped|struck|destroyed|demolished)\b.*) -> event | {n} {o}
is (?:coming|calling|visiting|arriving)(?: round| over| out)?(?: on| in| at)* <o> -> {n} | {o}
is (?:with|at|by|from) <o> -> {n} | {o}
is on the market <o> -> {n} | for sale {o}
is (?:due|booked|scheduled|set|planned|fixed)(?: for| on| in| at)* <o> -> {n} | {o}
is (?:on|in|for) <o> -> {n} | {o}
(?:expire|run out|is up|is valid until|run until)(?: on| in| at)* <o> -> {n} expiry | {o}
(?:is )?(?:guaranteed|under guarantee|under warranty)(?: until| till| to)* <o> -> {n} guarantee | {o}
(?:start|begin|open|reopen) (?P<o>at (?:<num>|half|quarter)\b.*) -> {n} start | {o}
(?:end|finish|close) (?P<o>at (?:<num>|half|quarter)\b.*) -> {n} end | {o}
(?:end|finish|is over|break up|close)(?: on| in| at)* <o> -> {n} end | {o}
(?:start|begin|open|reopen)(?: on| in| at| again on)* <o> -> {n} start | {o}
(?:come|visit|call|go out|take place|meet|happen|fall|run)(?: on| in| at)* <o> -> {n} | {o}
(?:land|depart|leave|take off|board|arrive|check in|sail)(?:s)?(?: on| in| at)* <o> -> {n} | {o}
(?:cost|cost me|cost us|set me back) <o> -> {n} price | {o}
weigh <o> -> {n} weight | {o}
(?:say|read) <o> -> {n} | {o}
is no longer <o> -> {n} | not {o}
is not <o> -> {n} | not {o}
was <o> -> {n} | {o}
is <o> -> {n} | {o}
"""
