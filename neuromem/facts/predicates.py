"""What is said of a person: the table of `triples.py` for clauses whose subject has been taken off.

Rows are as `relations.py` says: `pattern -> relation | object`, verbs in their base form, the special
before the general.
"""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

__all__ = ["PREDICATES"]

PREDICATES = r"""
# changed and negated
is no longer with <o> -> relationship | split from {o}
(?:have )?(?:split|broke|broken|splitted) (?:up )?(?:from|with|up with) <o> -> relationship | split from {o}
(?:have )?(?:split up|broken up|broke up|separated|got divorced|divorced)(?: .*)? -> relationship | separated
is getting (?:a )?divorced?(?: from <o>)? -> relationship | divorcing {o}
(?:is )?no longer (?:have|own|got) <det><o> -> {o} | gone
no longer (?P<n>drive|smoke|drink|cycle|run|swim|work|teach|play|ski|dance|fly|eat meat|eat fish)(?: <o>)? -> {n:ing} | no longer {o}
no longer (?:eat|have|take) <o> -> diet | no {o}
no longer (?:speak|talk) to <o> -> relationship | not speaking to {o}
(?:do not|no longer) go to (?:the |my )?<o> -> {o} | quit
no longer (?:live|lives) in <o> -> home | not {o}
no longer (?:work|works) (?:at|for|in) <o> -> job | left {o}
is not allergic to <o> -> allergy | not {o}
is not coming(?: <o>)? -> visit | not coming {o}
is not going (?:to|on) <o> -> trip | {o} cancelled
is not (?:really |much of )?(?:a (?:big )?fan of|keen on|fond of|into) <o> -> dislikes | {o}
is not (?P<d><diet>)(?: now| any ?more)?, (?:he |she |i |they )<o> -> diet | {o}
is not (?P<d><diet>)(?: any ?more)? -> diet | not {d}
is not (?:allowed|supposed|meant) to (?:eat|drink) <food> -> diet | no {o}
(?:(?:must|should) not|is not (?:allowed|supposed|meant) to) take <drug> -> medication | no {o}
is not on (?P<n>facebook|instagram|twitter|tiktok|whatsapp|linkedin|snapchat|social media)(?: .*)? -> {n} | none
is not (?:on speaking terms with|speaking to|talking to) <o> -> relationship | not speaking to {o}
is not (?P<o>(?:diabetic|coeliac|celiac|asthmatic|epileptic|deaf|blind|dyslexic|autistic|lactose intolerant|short[- ]sighted)\b.*) -> condition | not {o}
is not (?:married|engaged|single|divorced)(?: .*)? -> marriage | not married
is not (?P<n>moving|retiring|leaving|changing jobs|getting married|getting a \w+)(?P<o> .*)? -> plan | not {n} {o}
is not (?:smoking|vaping)(?: .*)? -> smoking | quit
is not drinking(?: any ?more| at the moment| now| at all| alcohol| this \w+)? -> alcohol | none
is not eating <o> -> diet | no {o}
is not (?P<n>driving|working|running|swimming|playing|cycling|dancing|singing|teaching|training|studying)(?: <o>)? -> {n} | no longer {o}
is not <o> -> status | not {o}
(?:have )?(?:stopped|quit|given up|gave up|packed in|cut out|gone off|kicked|come off) (?:smoking|cigarettes|fags|the cigarettes|tobacco)(?: .*)? -> smoking | quit
(?:have )?(?:stopped|quit|given up|gave up|packed in) drinking (?P<o>(?:<adjective> ){0,2}<drink>\b.*) -> drink | no {o}
(?:have )?(?:stopped|quit|given up|gave up|packed in) (?:drinking|alcohol|booze|the booze|drink|wine|beer)(?: .*)? -> alcohol | quit
(?:have )?(?:stopped|quit|given up|gave up|cut out) (?:eating |having )?(?P<o>meat|dairy|gluten|bread|wheat|fish|pork|beef|eggs|chocolate|crisps|sweets)(?: .*)? -> diet | no {o}
(?:have )?(?:stopped|quit|given up|gave up) (?:taking |having |drinking |eating )?(?P<o>sugar|milk)(?: in <n>)? -> {n} | no {o}
(?:have )?(?:stopped|quit) (?:taking) <o> -> medication | stopped {o}
(?:have )?(?:stopped|quit|given up|gave up) (?P<n>\w+ing)(?: (?:last|this|in|since|when|after|because|years|months|for)\b.*| \w+ (?:ago|back))? -> {n} | quit
(?:have )?(?:stopped|quit|given up|gave up) (?P<n>\w+ing) <o> -> habit | no {o} {n}
(?:have )?(?:quit|given up|gave up|packed in|dropped out of|left|cancelled|stopped|stopped going to|dropped) (?:the|my|our) (?P<n>choir|band|gym|club|team|course|class|committee|orchestra|degree|university|college|allotment|piano|guitar|violin|job|newspaper|paper|subscription)(?: .*)? -> {n} | quit
(?:have )?cancelled <det><o> -> {o} | cancelled
(?:have )?(?:left|quit|resigned from|walked out of) (?!me |my |him |her |us |a |an |the house|home|early|school|it )<det><o> -> employer | left {o}
(?:have )?(?:handed in|given in|given) (?:my|his|her) notice(?: at <o>)? -> employer | leaving {o}
(?:have )?(?:called off|cancelled|postponed) (?:the|my|our|their) <o> -> {o} | called off
(?:have )?sold (?:the|my|our|his|her|their) <o> -> {o} | sold
(?:have )?(?:stopped|quit|given up|gave up) <o> -> {o} | stopped
(?:only eat|eat only|eat nothing but|live on(?! the | a | an | my | our | \w+ (?:street|road|lane|avenue|drive|close|square|hill|island))) <o> -> diet | only {o}
do not eat <o> -> diet | no {o}
(?:must|should) not (?:eat|drink) <food> -> diet | no {o}
can not (?:eat|have|tolerate|take) (?P<o>penicillin|aspirin|ibuprofen|latex|codeine|nuts|peanuts|eggs|dairy|gluten|shellfish|wheat|milk|fish|prawns|soya|lactose|strawberries|tomatoes|almonds|sesame|kiwi|.+) -> allergy | {o}
can not (?:drink|digest|handle|stomach) <o> -> allergy | {o}
can not (?:stand|bear|abide|stick|be (?:doing|dealing|having) with) <o> -> dislikes | {o}
can not (?P<n>run|walk|drive|swim|see|hear|cycle|dance|ski|work)(?: .*)?since <det><o> (?:went|gave out|broke|gave way) -> {n:ing} | stopped, {o}
can not (?P<n>\w+)(?: <o>)? -> {n:ing} | not able {o}
do not (?:like|love|enjoy|fancy|do|rate|care for) <o> -> dislikes | {o}
do not (?:take|have|want|put) (?P<o>sugar|milk|salt|cream|ice) in (?:my |his |her )?<n> -> {n} | no {o}
do not (?:take|have) (?P<o>sugar|milk|cream) -> {o} | none
do not drink(?: (?:alcohol|any ?more|at all|booze))? -> alcohol | none
do not drink <o> -> drink | no {o}
do not smoke(?: .*)? -> smoking | no
do not drive(?: now| any ?more)?(?:, (?:my|his|her) licen[cs]e .*)? -> driving | no licence
do not work (?:at|for|in) <o> -> job | left {o}
do not work(?: .*)? -> job | none
do not live (?:in|at|with|on) <o> -> home | not {o}
do not (?:have|own|got|have got) (?:any )?(?:brothers or sisters|siblings|brothers and sisters)(?: .*)? -> siblings | none
do not (?:have|own|have got|possess) (?:a |an |any )?<o> -> {o} | none
have not (?:got )?(?:any )?(?:brothers or sisters|siblings|brothers and sisters)(?: .*)? -> siblings | none
have not (?:got )(?:a |an |any )?<o> -> {o} | none
have (?:got )?no (?:brothers or sisters|siblings|brothers and sisters)(?: .*)? -> siblings | none
have (?:got )?no <o> -> {o} | none
do not (?:believe in) <o> -> belief | no {o}
do not (?:speak|understand) <o> -> languages | no {o}
do not (?:speak to|talk to|see) <o> -> relationship | not speaking to {o}
do not (?:watch|own) (?:tv|television|telly)(?: .*)? -> television | none
do not (?:wear) <o> -> clothes | no {o}
do not (?P<n>\w+) <o> -> {n:ing} | no {o}
do not (?P<n>\w+) -> {n:ing} | no
will not (?P<n>\w+)(?: again| any ?more) -> {n:ing} | never
will not (?P<n>\w+) <o> -> {n:ing} | no {o}
never (?:drink|touch)(?: alcohol| booze| a drop| drink)? -> alcohol | none
never (?:drink|touch) <o> -> drink | no {o}
never eat <meal> -> breakfast | none
never eat <o> -> diet | no {o}
never (?:learned|learnt) to <o> -> {o} | never learned
never (?:wear) <o> -> clothes | no {o}
never (?P<n>\w+)(?: <o>)? -> {n:ing} | never {o}
have never (?:been|flown|travelled) (?:to|in) <o> -> travel | never {o}
have never (?P<n>\w+)(?: <o>)? -> {n} | never {o}
have (?:gone|switched|changed|moved|cut down|gone down|gone up) from (?P<q>\w+) <n> to <o> -> {n:one} | {o}
(?:have )?(?:switched|swapped|changed) from .+? to <o> -> switched to | {o}
have (?:gone|moved|cut down|gone down|gone up) from <n> to <o> -> {n} | {o}
(?:have )?(?:just )?(?:changed|switched|renamed) (?:my|our|the) (?!mind\b|.*\b(?:{kin}|{pets})\b)(?P<n>(?:[\w-]+ ){0,2}?[\w-]+) to (?!<verb> )<o> -> {n} | {o}
(?:have )?(?:just )?moved (?:my|our|the) (?P<n>(?:[\w-]+ ){0,2}?[\w-]+) to (?P<o>(?:next |this |the )?(?:<weekday>|(?:<month>)\b|<num>\b|tomorrow|tonight|noon|midday|week(?:end)?\b|month\b|year\b|(?:morning|afternoon|evening|spring|summer|autumn|winter)s?\b).*) -> {n} | {o}
(?:have )?(?:switched|swapped|changed|gone over|moved over) to <o> -> switched to | {o}
used to (?:be|work as) (?:a|an) .+?,? (?:but )?now (?:i |he |she )?drive (?:a|an|the) <o> -> job | {o} driver
used to (?:be|work as) (?:a|an) .+?,? (?:but )?now (?:i |he |she )?(?:is|work as) (?:a|an) <o> -> job | {o}
used to (?:be|work as) (?:a|an|the) <o> -> past job | {o}
used to (?:work) (?:at|for|in) <o> -> past job | {o}
(?:was (?:a|an)|worked (?:as (?:a|an)|at|for|in)) <o> for (?P<n>(?:over |about |nearly |almost )?(?:<num>|many|several|a few|most of my|all my) (?:years?|months?|life|career))(?: .*)? -> past job | {o}, {n}
used to live <at> <o> -> past home | {o}
used to (?:have|own|drive) <det><o> -> past {o:thing} | {o}
used to play <det><o> -> past hobby | {o}
used to <o> -> past habit | {o}
# who
(?:is|have been) the (?P<o>(?:youngest|eldest|oldest|middle child|middle one|second|third|only girl|only boy)(?: of \w+| in .*)?) -> siblings | {o}
is (?:one of|the \w+ of) (?P<o><num>)(?: children| kids| siblings| brothers| sisters)? -> siblings | one of {o}
is (?P<o>(?:(?:four|five|six|seven|eight|\w+) (?:weeks|months) )?(?:pregnant|expecting)(?: twins| again| a \w+| her \w+| our \w+)?)(?:,.*)? -> pregnancy | {o}
have (?:a |one |two |three |our )?(?:<w> )?(?:baby |little |older |younger )?(?P<n>boy|girl) (?:called|named) <o> -> {n} name | {o}
is called <o> -> name | {o}
(?:go by|is known as|go under|answer to) (?:the name )?<o> -> nickname | {o}
is (?:the )?(?:godfather|godmother|godparent) (?:to|of) <o> -> godchild | {o}
(?:have )?(?:turned|turn|just turned|reached) (?P<o><num>)(?: .*)? -> age | {o}
is (?:about |nearly |almost |only |just )?(?P<o><num> (?:days|weeks|months)) old(?: .*)? -> age | {o}
is (?:about |nearly |almost |only |just )?(?P<o><num>)(?: years? old| years? of age| months? old)?(?:,? (?:today|tomorrow|now|next|this|on|in)\b.*)? -> age | {o}
will (?:be|turn) (?P<o><num>)(?: years old)?(?P<n> (?:in|on|next|this|tomorrow|at)\b.*)? -> age | {o} {n:whole}
is (?P<o>\d+ (?:metres?|m|feet|foot|ft|cm|centimetres)\b.*|(?:five|six|four) (?:foot|feet|ft)\b.*) -> height | {o}
is (?P<o>(?:one|two|five|six|four|\d) (?:metres?|meters?|foot|feet|ft)(?: .*)?) -> height | {o}
weigh <o> -> weight | {o}
was born (?:on|in) (?P<o>(?:the )?\d.*|(?:<month>)\b.*) -> birthday | {o}
was born (?:and (?:raised|bred|brought up) )?(?:in|near|at|on) <o> -> birthplace | {o}
was adopted(?: .*)? -> family | adopted
was raised by <o> -> raised by | {o}
(?:grew up|was raised|was brought up|spent my childhood) (?:in|on|at|near) <o> -> childhood home | {o}
(?:grew up|was raised|was brought up) <o> -> childhood home | {o}
(?:is|come) from (?:a|an) (?P<o>(?:[\w-]+ )?family of .+|(?:big|large|small|huge) family) -> family | {o}
(?:is|come|came|hail) (?:originally )?from <o> -> origin | {o}
(?:have )?(?:moved|came|emigrated) here from <o> -> origin | {o}
# home
is in (?:a|an) (?P<o>(?:(?!\w*(?:bad|good|big)\b)[\w-]+ ){0,2}(?:flat|house|bungalow|cottage|apartment|studio|bedsit|semi|terrace|maisonette|condo|townhouse|houseboat|caravan|hostel)(?: (?:in|on|near|at|by|above|below|off|behind|outside|over) .+)?) -> home | {o}
(?:once |have |previously |formerly )?lived (?:in|at|on|near|for \w+ years in) <o> -> past home | {o}
(?:live|stay|is living|is staying|is based|reside|have lived|have been living|is) (?:at|on) (?P<o>\d+\w? .+) -> address | {o}
(?:live|is living|stay|is staying|have lived|have been living) (?P<o>(?:just |right )?(?:outside|off|behind|opposite|between|beside|next to|close to|along|across from|round|around|two|ten|five|an hour|a mile|halfway|upstairs|downstairs|abroad)\b.*) -> home | {o}
(?:rent|is renting|own|have bought|bought|is buying|have) (?:a|an|the|our own|my own) (?P<o>(?:[\w-]+ ){0,2}(?:room|flat|house|apartment|cottage|bungalow|studio|bedsit|condo|place|houseboat|terrace|semi|farmhouse|townhouse|loft)(?: (?:in|on|near|at|by|above|outside) .+)) -> home | {o}
is on the (?P<o>[\w-]+) floor(?: .*)? -> floor | {o}
live on the (?P<o>[\w-]+) floor(?: .*)? -> floor | {o}
live with <o> -> lives with | {o}
live alone(?: .*)? -> lives with | nobody
live on (?P<o>(?:the|a|an) .+) -> home | on {o}
(?:live|is living|have lived|have been living|is based|reside|is settled)(?: out| over| down| up)? (?:in|at|on|near|by|over|above|outside|with) <o>(?:,? (?:since|ever since) .+| for (?:\w+ )*(?:years|months|weeks|ages|a while|now)(?: now)?) -> home | {o}
(?:live|is living|have lived|have been living|is based|reside|is settled)(?: out| over| down| up)? (?:in|at|on|near|by|over|above|outside|with) <o> -> home | {o}
(?:have )?(?:just |recently )?(?:moved|relocated|emigrated|moved back|moved house)(?: out| over| down| up| back)? (?:from .+? )?to <o> -> home | {o}
(?:have )?(?:moved|moved in) in with <o> -> lives with | {o}
(?:have )?moved (?:in|into) <o> -> home | {o}
is (?:moving|relocating|emigrating)(?: out| over| down| up| back)? (?:in )?(?:to|with|into) <o> -> moving to | {o}
(?:share|is sharing) (?:the|a|my|our|his|her) (?:flat|house|room|place|apartment) with <o> -> flatmate | {o}
# work
(?:drive|drove) (?:a|an|the) (?P<o>(?:[\w-]+ )??(?:bus|tram|train|taxi|lorry|truck|ambulance|tube|cab|school bus|coach|forklift|delivery van|crane))(?: .*)? -> job | {o} driver
(?:spent|did|served) (?P<n>(?:<num>|a|a few|several|many) (?:years?|months?)) (?:in|with|as) (?P<o>(?:the )?(?:army|navy|air force|police|marines|raf|merchant navy|fire brigade|circus|coastguard|prison service|civil service|church|mines?|theatre|a .+|an .+|[a-z]+ing)) -> past job | {o} {n}
(?:have )?(?:been |was |got |just been )?(?:made|promoted to|appointed|named) (?P<o>(?:head|manager|director|captain|partner|supervisor|team lead(?:er)?|chair|deputy|assistant|senior|chief|foreman|sergeant|professor|principal|editor|treasurer|secretary|lead)\b.*) -> job | {o}
do (?:the )?(?P<o>(?:accounts|books|cleaning|catering|gardening|admin|marketing|reception|security|cooking|washing up|deliveries|lighting|sound|make-?up|hair|nails|it support|payroll)\b.*) -> job | {o}
(?:fix|repair|fit|install|build|design|sell|make|drive|train|coach|paint|restore|bake|write|translate|edit|clean|deliver) (?P<o>.+) for a living(?: .*)? -> job | {o}
(?:work|do) (?P<o>(?:a )?<num>[- ](?:hour|day) (?:shifts?|days?|weeks?)\b.*) -> work hours | {o:whole}
(?:work|is working) (?P<n>(?:<weekday>s?|weekdays|weekends)(?:,? (?:and |to |till )?(?:<weekday>s?|weekends?))*) (?:at|for|in) <o> -> employer | {o}, {n}
(?P<q>start|begin|finish|leave) work (?P<o>(?:at|by|around|about) (?:about |around )?(?:<num>|half|quarter|noon|midday|midnight|lunch\w*|dawn)\b.*) -> work hours | {q} {o}
(?:work|is working) (?P<o>(?:<weekday>s?|weekdays|weekends)(?:,? (?:and |to |till )?(?:<weekday>s?|weekends?))*)(?: .*)? -> work days | {o}
is (?:the )?(?:new )?(?P<o>(?:head|deputy head|assistant head|assistant principal|principal|vice principal|team lead|shift lead|shift manager) .*) -> job | {o}
(?:work|is working|have worked) as (?:a|an|the) <o> -> job | {o}
(?:is|was) (?:both |all |mostly )?(?P<o>(?:(?!(?:of|in|at|to|with|about|on|for|from|by|the|my|our|not|no|like|good|great|big|two|three|four|best)\b)[\w-]+ ){0,2}(?:(?!sisters|brothers|others|lovers|winners|owners|members|beginners|vegetarians|christians)\w{3,}(?:ers|ors|ists|ians|smiths|keepers)|(?:police|fisher|sales|fire|milk|business)(?:men|women)|nurses|chefs|cooks|pilots|clerks|monks|nuns|priests|mechanics|students|accountants|judges|paramedics|guards|vets)(?: in .+| at .+)?) -> job | {o}
(?:work|is working|have worked) (?:for|at) (?:a|an|the) (?P<n>[\w -]+?) (?:called|named) <o> -> employer | {o} {n}
(?:work|do) (?P<o>(?:about |around )?<num> (?:days|hours|shifts|mornings|evenings|nights)(?: (?:a|per|every) week)?)(?: .*)? -> work hours | {o}
(?:work|is working)(?: the)? (?P<o>nights|night shifts|days|shifts|mornings|part[- ]time|full[- ]time|weekends|evenings|earlies|lates|from home)(?: .*)? -> work hours | {o}
(?:do|is on) (?:the )?(?P<o>nights|night shifts?|days|shifts|earlies|lates|early shifts?|late shifts?|day shifts?)(?: .*)? -> work hours | {o}
(?:work|is working|have worked|is employed|have been working) (?:for|at|with|by) <o> -> employer | {o}
have been at (?P<o>(?!home\b|school\b|war\b|sea\b|it\b|this\b|my\b|the (?:house|flat|beach|hospital|park|pool)\b)[\w&' .-]+?) (?:for (?:<num>|a|several|many|almost|nearly|over|about) .+|since .+) -> employer | {o}
(?:work|is working) (?:in|on) <o> -> job | {o}
(?:have |have just |just )?(?:started|start|is starting|began|got taken on|was taken on|was hired|got hired) (?:working )?(?:at|with|by) (?:the )?(?P<o>(?!<num>\b|noon|midnight|dawn|half|quarter|school|the (?:top|bottom|beginning|end)|my |our |a |an )[\w&' .-]+?)(?:,? (?:this|last|next|in|on|today|yesterday|two|three|a) .*| \[.*)? -> employer | {o}
(?:got|have got|landed|got offered|have started|started|start|is starting) (?:a|my|his|her|the) (?:new )?job (?:as (?:a|an) )?(?:at |with |in )?<o> -> job | {o}
is (?:a |an |the )?(?:new )?(?P<n>treasurer|secretary|chair|chairman|chairwoman|captain|president|head|leader|member|founder|director|patron|trustee)(?: of| for) <o> -> role | {n}, {o}
(?:is|have been) (?P<o>unemployed|out of work|retired|made redundant|between jobs|self[- ]employed|freelance|on maternity leave|on sabbatical)(?: .*)? -> job | {o}
(?:is|was) being made redundant(?: <o>)? -> job | redundant {o}
(?:have )?(?:got |been )?(?P<o>retired|promoted)(?: .*)? -> job | {o}
is retiring(?: <o>)? -> plan | retiring {o}
(?:make|is on|take home|bring home|is paid) (?:about |around |roughly |just over |just under )?(?P<o><num>(?: ?(?:k|grand|thousand|hundred|pounds|dollars|euros|quid))*(?: (?:a|an|per) (?:year|month|week|hour))?(?: (?:before|after) tax)?) -> salary | {o}
earn <o> -> salary | {o}
get paid (?:on )?(?P<o>(?:the )?\d.*|(?:every|on|at the|weekly|monthly|fortnightly).*) -> payday | {o}
get paid <o> -> salary | {o}
1:teach <o> to <n> -> volunteering | teaches {o}
teach <o> (?:at|in) (?!english|french|a foreign).+ -> job | {o} teacher
teach <o> -> job | {o} teacher
(?:own|run|have|have got|manage|keep) (?:a|an|my own|his own|her own|their own|the) <det>(?P<o>(?:[\w'-]+ ){0,2}(?:shop|bookshop|business|restaurant|cafe|café|bakery|farm|pub|company|stall|salon|gallery|garage|hotel|studio|firm|agency|nursery|bar|brewery|vineyard|store|startup|practice|guesthouse|launderette|kiosk|workshop|stables))(?: .*)? -> business | {o}
drive (?:a|an|the) (?P<o>[\w -]*(?:bus|tram|train|taxi|lorry|truck|ambulance|tube|cab|school bus|coach|forklift|delivery van|crane))(?: .*)? -> job | {o} driver
# study
(?:studied|read|graduated in|have a degree in|did a degree in|majored in|have got a degree in|got my degree in|trained in) <o> -> degree | {o}
is (?:in|doing) (?:my|his|her|the) (?P<o>(?:first|second|third|fourth|final|last) (?:year|term|semester)(?: of| at| in)? .+) -> studies | {o}
is (?:doing|studying for|finishing|starting|taking) (?:a|an|my|his|her) (?P<o>(?:[\w-]+ )*(?:degree|phd|master's|masters|diploma|course|a-levels|gcses|apprenticeship|mba|doctorate|nvq|certificate)\b.*) -> studies | {o}
have (?:a|an|two) (?P<o>(?:[\w-]+ )*(?:degree|phd|master's|masters|diploma|doctorate|mba|certificate)\b.*) -> degree | {o}
is doing (?P<o>(?:<w> )?(?:maths?|physics|chemistry|biology|bio\w+|law|medicine|nursing|english|history|geography|economics|psychology|sociology|philosophy|politics|engineering|computing|computer science|accounting|accountancy|architecture|theology|linguistics|french|spanish|german|drama|fine art|dentistry|midwifery|teaching) (?:at|in) (?!the moment\b|the minute\b).+) -> studies | {o}
(?:study|is studying|is reading|is doing a degree in|major in) (?:at|in) <o> -> studies | {o}
(?:study|is studying|is doing a degree in|major in) <o> -> studies | {o}
(?:went to|attended) (?:school|university|uni|college) (?:in|at) <o> -> past school | {o}
(?:go to|attend) (?P<o>(?:st|saint)\.? [\w' -]+? (?:on|every|most) sundays?(?: .*)?) -> church | {o}
(?:have )?(?:started|start|is starting|began)(?: at)? (?P<o>(?:big |primary |secondary |high |junior |infant |nursery )?(?:school|kindergarten|nursery|preschool|pre-school|reception|playgroup|sixth form|college|uni|university|(?:first|second|third|fourth|fifth|sixth) grade|year \w+)(?: (?:at|in|on|last|this|next|back|again|near|when|today|yesterday|for|of|with)\b.*)?) -> school | {o}
(?:go to|attend|is at|start at|is starting at|is in) (?P<o>(?:st |saint ).+|.*(?:school|academy|nursery|college|university|kindergarten|primary|secondary).*) -> school | {o}
(?:is |have been )?(?:learning|taking lessons in|teaching myself)(?: how)?(?: to)? <o> -> learning | {o}
(?P<q>failed|passed) (?:my|his|her|the) <n>(?P<o> (?:in|on|with|at|\w+ times|twice|last|first time|this).*)? -> {n} | {q} {o}
(?:have )?(?P<q>failed|passed) (?:my|his|her|the) <n> -> {n} | {q}
(?:got|have got|was|have been|is being|is getting|got myself) (?P<o>laid off|let go|made redundant|sacked|fired|the sack|the boot)(?:(?P<n> <since>)| .*)? -> job | {o} {n}
(?:got|scored|have got) (?P<o><num> (?:per ?cent|out of \S+|points|marks|%)|\d+ ?%|an? [A-F])(?: (?:in|on|for) .*)? -> exam result | {o}
# health
is (?:severely |badly |deathly |very |really |highly )?allergic to <o> -> allergy | {o}
(?:have|have got) (?:a |an )?(?:bad |severe |serious )?(?P<o>[\w ]+) allergy -> allergy | {o}
(?:have|have got) an allergy to <o> -> allergy | {o}
(?:is intolerant to|react badly to|react to|have a reaction to) <o> -> allergy | {o}
(?:is|have been|have become|have gone|have turned|went|became|is now|have been a|is a|is an|have become a|am a)(?: an?)?(?: strict)? (?P<o><diet>(?: since .*| for .*)?) -> diet | {o}
(?:is )?(?:on|following) (?:a |an )?<det>(?P<o>[\w -]*diet(?: food)?)(?: .*)? -> diet | {o}
keep (?P<o>kosher|halal|vegan|vegetarian) -> diet | {o}
(?:have been|is|have stayed|got) (?P<o>(?:sober|teetotal|dry|clean|off the (?:booze|drink)|in recovery)\b.*) -> alcohol | {o}
(?:have been|is) (?P<o>smoke[- ]free\b.*) -> smoking | {o}
(?:is|have been|went|have gone|was put|is back) on (?P<o>(?:anti\w+|beta ?blockers|blood thinners|the pill|painkillers|water tablets|chemo\w*|hrt|steroids|insulin|dialysis|statins|tablets|medication|warfarin|metformin|a drip)\b.*) -> medication | {o}
had (?P<o>(?:my|his|her|a|an|two) .+ (?:out|removed|replaced|done|fixed|transplant|operation|bypass|surgery|op|replacement|transplanted))(?: (?:in|on|last|at|when|as) .*)? -> operation | {o}
(?:had|have had) (?P<o>(?:open[- ]heart |knee |hip |back |eye |heart |brain )?surgery(?: on .*)?)(?: (?:in|last|at|when) .*)? -> operation | {o}
(?:had|have had|suffered) (?:a|an) (?:<w> )?(?P<o>heart attack|stroke|miscarriage|breakdown|seizure|car crash|car accident|bad fall|fall|concussion|accident)(?:(?P<n> <since>)| .*)? -> event | {o} {n}
is (?P<o>(?:deaf|blind|partially sighted|hard of hearing) in (?:one|my|his|her|the) .*) -> condition | {o}
(?:take|is taking|is on|have been put on|have been prescribed|was prescribed) (?P<o>\w*(?:formin|statins?|pril|olol|azole|cillin|mycin|xetine|dipine|zepam|thyroxine|oxin|profen|tamol|codeine|sartan|isone|isolone|insulin|warfarin|aspirin|lithium|prozac|sertraline|steroids)\b.*) -> medication | {o}
(?:take|is taking|is on) (?P<o>.*(?:tablets?|pills?|insulin|medication|a day|daily|every night|every morning|mg|milligrams|drops|inhaler|steroids|injections?|antibiotics)\b.*) -> medication | {o}
use (?:an?|my) (?P<o>inhaler|cpap|nebuliser|wheelchair|walking stick|cane|hearing aid|crutches)(?: .*)? -> medical aid | {o}
(?:have|have got|suffer from|was diagnosed with|have been diagnosed with|live with|get|is diagnosed with) (?:a |an |bad |terrible |severe |mild |chronic |really |very )*(?P<o>(?:type \w+ )?<sick>(?: in (?:my |both |one |his |her |the )(?:\w+ )?<body>s?)?)(?:,.*| (?:in|since|when|every|if|after|before|from|with) .*)? -> condition | {o}
is (?:a |type \w+ |slightly |completely |partially |registered )*(?P<o>diabetic|coeliac|celiac|asthmatic|epileptic|colou?r[- ]blind|deaf|blind|dyslexic|autistic|an?aemic|short[- ]sighted|long[- ]sighted|lactose intolerant|hard of hearing|insomniac|deaf in .*|blind in .*|partially sighted|near[- ]sighted)(?: .*)? -> condition | {o}
(?:have )?(?:just )?(?:hurt|broke|broken|sprained|twisted|fractured|dislocated|tore|torn|pulled|injured|cracked|bruised|ruptured) (?:my|his|her|a|an|two|both)? ?(?P<o>(?:\w+ )?<body>)(?:,? (?:in|on) (?P<n>[A-Z][\w ]+))?(?: .*)? -> injury | {o}, {n}
(?:have|have got) (?:a )?bad (?P<o>(?:\w+ )?<body>)(?: .*)? -> injury | {o}
(?:have|have got) (?:a|an|the|my) (?P<n>[\w ]*(?:appointment|interview|exam|meeting|lesson|check-up|checkup|scan|operation|viva|test|haircut|fitting|deadline)) (?:on |at |with |in )?<o> -> {n} | {o}
is having (?:a|an|my|her|his) (?P<n>[\w ]*(?:operation|scan|surgery|transplant|replacement|bypass)) (?:on |at |in )?<o> -> {n} | {o}
is (?:scared|afraid|terrified|frightened|petrified) of <o> -> fear | {o}
have (?:got )?a (?:phobia|fear) (?:of|about) <o> -> fear | {o}
is (?:(?:four|five|six|\w+) (?:weeks|months) )?pregnant(?: .*)? -> pregnancy | pregnant
is (?:expecting|having) (?:a baby|a boy|a girl|twins|our first|our second|a child|another baby)(?:,? (?:due )?(?:in |on )?<o>)? -> baby due | {o}
(?:had|have had|gave birth to) (?P<o>(?:twins|triplets|a baby|a boy|a girl|a son|a daughter).*) -> children | {o:whole}
have (?:got )?(?P<o>(?:identical |twin |baby |grown[- ]up )?(?:twins|triplets|twin (?:boys|girls|sons|daughters))(?:,? .*)?) -> children | {o}
wear (?:a )?(?:hearing aids?)(?: in)? <o> -> hearing aid | {o}
(?:wear|need|have|got)(?: to wear)? (?P<o>(?:<w> )?(?:glasses|contact lenses|contacts|lenses|spectacles|bifocals))(?: now| these days| all the time| since .*)? -> glasses | {o}
(?:wear|need) (?:<w> )?(?:glasses|contact lenses|contacts|lenses|spectacles),? (?:with |for )?<o> -> glasses | {o}
(?:wear|need) (?P<o>(?:<w> )?(?:glasses|contact lenses|contacts|lenses|spectacles)) -> glasses | {o}
(?:take|wear|is) (?:a )?size (?P<o>[\w.½]+) (?P<n>shoes|shirts?|dress|jeans|trousers|boots|gloves|hat|batteries|ring)(?: .*)? -> {n:one} size | {o}
(?:take|wear) (?:a )?(?:<w> )?(?:size|shoe size) (?P<o>[\w.½]+)(?: .*)? -> size | {o}
(?:take|wear|is|have) (?:a )?size <o> in (?P<n>\w+) -> {n:one} size | {o}
is (?P<o>left|right)[- ]handed(?: .*)? -> handedness | {o}
is (?:a )?(?:leftie|lefty|southpaw)(?: .*)? -> handedness | left
is ambidextrous -> handedness | both
# family and friends
(?:got|is|have got|is newly|have been) (?P<o>engaged(?! to).*) -> relationship | {o}
is engaged to <o> -> fiancé | {o}
(?:have been|was) (?:happily )?married (?P<o>(?:for|since) .+) -> marriage | {o}
have been (?:together|a couple) (?P<o>(?:for|since) .+) -> relationship | together {o}
(?:is|have been|got) married to <o> -> spouse | {o}
(?:married|is marrying) <o> -> spouse | {o}
got (?:married|wed) (?:in |on |at |to )*<o> -> wedding | {o}
is getting married <o> -> wedding | {o}
is (?P<o>divorced|single|widowed|married|engaged|separated|a widow|a widower|a bachelor)(?: .*)? -> marriage | {o}
(?:is|have been) (?:dating|seeing|going out with|with) (?P<o>[A-Z]?[\w' ]+) -> partner | {o}
1:is due (?:in|on|around|at the (?:start|end|beginning) of) (?P<o>(?:early |late |mid-? ?|the )?(?:(?:<month>|\d{4})\b|\d{1,2}(?:st|nd|rd|th)\b|\d{1,2} (?:<month>)\b).*) -> baby due | {o}
have (?:<num>|a|an|another|one) (?:\w+ )?(?P<n>{kin})(?: (?:called|named|who is called))?[,:]? (?!in |who |at |on |and )<o> -> {n} | {o:whole}
have (?P<o>(?:<num>|no|a couple of) (?:\w+ )?(?:grandchildren|grandkids|grandsons|granddaughters))(?: .*)? -> grandchildren | {o}
have (?P<o>(?:<num>|a couple of)(?: (?:small|young|grown[- ]up|little|teenage|adult|lovely|wonderful))?)(?: (?:kids|children))(?: .*)? -> children | {o}
have (?P<o>(?:<num>|a couple of) (?:\w+ )?(?:brothers|sisters|siblings)(?: and (?:<num>|a|an) (?:\w+ )?(?:brothers?|sisters?))?)(?: .*)? -> siblings | {o}
have (?P<o>(?:<num>|a|an|another) (?:\w+ )?(?:{kin}))(?: .*)? -> family | {o}
(?:have|own|keep) (?:a|an|another|<num>) (?:<w> )?(?:<w> )?(?P<n>{pets})s? (?:called|named|whose name is) <o> -> {n:one} name | {o}
have (?:a|an|<num>) (?P<n>[\w -]+?) (?:called|named) <o> -> {n} | {o}
(?:have|own|got|have got|adopted|keep) (?:a|an) (?:<w> ){0,2}(?P<n>{pets}), (?!(?:{pets}|an?|the|too|and|but|so|as|he|she|it|we|i|who|which|that|though|not|no|now|also|just|who|my|our|in|on|at|for|from|of|to|with|when|because|or|if|since|like|out|up|off|last|this|next|every|already|once|again|\w+ly|\w+ing|\w+ed|\d+)\b)(?P<o>(?-i:[A-ZÀ-Þ])[\w'-]*(?: (?!and\b|or\b|is\b|who\b|from\b|in\b)[\w'-]+)?) -> {n} name | {o}
(?:have )?(?:adopted|bought|got|rescued) (?:a|an) (?:<w> )?(?P<n>{pets}) (?:called|named) <o> -> {n} name | {o}
(?:have|have got|own|keep|got|adopted|have adopted|rescued) (?P<o>(?:a |an |<num> )(?:(?!for |of |to |with |in |and )<w> ){0,2}(?:{pets})(?:e?s)?)(?: .*)? -> pet | {o}
# belongings
(?:left|lost|forgot|dropped|mislaid) (?:my|our|his|her) (?P<o>[\w -]+?) (?:on|in|at) (?P<n>(?:the|a) (?:\d+ )?(?:bus|train|tram|ferry|taxi|cab|plane|tube|metro|beach|gym|pub|cafe|café|restaurant|library|station|airport|park|cinema|pool|coach|number \d+)\b.*) -> lost | {o}, {n}
(?:keep|store|hide|hid|put|left|leave|stash) (?:the|my|our|his|her|a|an) (?P<n>[\w -]+?) (?P<q>in|inside|under|behind|on|above|beneath|at|with|next to) <o> -> {n} | {q} {o}
took up <o> -> hobby | {o}
park (?P<q>on|in|at|behind|outside|near|by) <o> -> parking | {o}
bank with <o> -> bank | {o}
(?:have )?(?:lost|left|mislaid) (?:my|our|his|her) (?P<o>.+?) (?:on|in|at) <n> -> lost | {o}, {n}
(?:have )?lost (?:my|our|his|her|the) <o> -> lost | {o}
lent <det><o> to <k> -> @borrowed | {o}
(?:have )?borrowed <det><o> (?:from|off) <n> -> borrowed | {o} from {n}
owe me <o> -> debt | owes 1 {o}
owe <o> -> debt | {o}
(?:is saving|save|is saving up|save up|have been saving)(?: up)? for <o> -> saving for | {o}
(?:is paying|pay) <o> (?:for|in|as|on) (?:the |my |our )?rent -> rent | {o}
(?:is paying|pay) <o> for <n> -> {n} price | {o}
(?:is paying|pay) (?P<o>(?:about |around |just over |just under |nearly |over )?[£$€]?<num>(?: (?:quid|pounds|euros|dollars|bucks|grand|(?:a|per|every) (?:month|week|year|quarter)|monthly|weekly))*) (?:on|towards) (?:the |my |our )?<n> -> {n} | {o}
(?:have|own|drive|have bought|bought|got|have got) (?:a|an|my|our|the) (?:new |second-hand |used |old |lovely |little )*(?P<o>(?:[\w-]+ ){0,2}(?:volvo|toyota|honda|ford|fiat|renault|peugeot|citroen|citroën|skoda|seat|audi|bmw|mercedes|vauxhall|opel|nissan|mazda|subaru|hyundai|kia|tesla|jeep|chevrolet|chevy|dodge|lexus|mini|saab|volkswagen|vw|dacia|jaguar|porsche|land rover|range rover|suzuki|mitsubishi|buick|cadillac|beetle|hatchback|saloon|estate car|pickup|minivan|suv|convertible|campervan|camper van)\b(?: [\w-]+){0,3}) -> car | {o}
(?:have )?(?:traded|swapped|changed) (?:in )?(?:the|my|our) (?P<n>car|van|estate|hatchback|saloon|old car|\w+) (?:in )?for <det><o> -> car | {o}
(?:ride|is riding|own|have) (?:a|an|my) (?P<o>(?:[\w-]+ ){0,2}(?:motorbike|motorcycle|scooter|moped|harley|triumph|ducati|yamaha|kawasaki|vespa)(?: [\w-]+){0,2}) -> motorbike | {o}
gave (?:away )?(?:my|our|the|his|her) (?P<n>[\w -]+?) (?:away )?to <o> -> {n} | given to {o}
(?:have )?(?:moved|transferred|switched) (?:my|our) (?:savings|money|account|accounts|mortgage|banking) to <o> -> bank | {o}
(?:drive|is driving) <det><o> -> car | {o}
(?:ride|is riding) <det><o> -> rides | {o}
have (?:got )?<det>(?:tattoo|tattoos) (?:of |that says |saying )<o> -> tattoo | {o}
(?:have|have got|keep) (?P<o>(?:<num> )?(?:bee)?hives.*|bees.*) -> bees | {o}
collect <o> -> collects | {o}
(?:have )?(?:just )?(?:bought|inherited|was given|have bought|have inherited|purchased) (?:a|an|the|my|some) (?:new )?<o> -> bought | {o}
subscribe to <o> -> subscription | {o}
(?:usually )?(?:vote|voted)(?: for)? <o> -> votes | {o}
# routine
(?:cycle|bike) (?:in)?to (?:work|school|the office)(?: .*)? -> commute | bicycle
(?P<o>walk|run|drive|ride) to (?:work|school|the office)(?: .*)? -> commute | {o:ing}
(?:take|catch|get|commute on|commute by) (?:the )?(?P<o>.*(?:bus|train|tram|tube|metro|ferry|underground|subway)\b.*|<num>(?: \d+)* (?:to|from|into) .+) -> commute | {o}
(?:usually |always )?(?:have|eat) <o> for (?P<n><meal>)(?: .*)? -> {n} | {o}
(?:usually |always )?(?:have|eat) (?P<n><meal>) (?P<o>(?:at|around|about|before|after|late|early)\b.*) -> {n} time | {o}
(?:drink|take|have|like) (?:my |his |her )(?P<n>coffee|tea|steak|eggs) <o> -> {n} | {o}
(?:go|get) to bed <o> -> bedtime | {o}
(?:get|wake) up <o> -> wake-up time | {o}
sleep <o> -> sleep habit | {o}
(?:go|travel|come|get)(?: in| to work| to the office| to school)? by (?P<o>train|bus|bike|bicycle|car|tram|tube|ferry|metro|boat|scooter|moped|underground|subway)(?: .*)? -> commute | {o}
have (?P<o>(?:porridge|cereal|toast|muesli|granola|yog\w+|oatmeal|eggs|a smoothie|bacon|pancakes|fruit|waffles|bagels?)\b.*?) (?:every|most|each) (?:morning|day)(?: .*)? -> breakfast | {o}
sing (?P<n>tenor|alto|bass|soprano|baritone) (?:in|with|for) <o> -> choir | {n}, {o}
volunteer(?: at| for| with| in)? <o> -> volunteering | {o}
(?:do|go|play|attend|go to|practise|practice)(?: my)? (?P<n>[\w-]+|tai chi|band practice|choir practice|football practice|table tennis|pub quiz|book club|chess club|the gym) (?P<o>(?:every|on|each|twice|once|three times|most)\b .+|<weekday>s?(?: .*)?) -> {n} | {o}
(?:go to|attend|worship at) (?P<o>(?:st|saint|our lady|the (?:baptist|methodist|catholic|parish|local))\.? (?!.*(?:school|academy|college|primary|nursery|university|hospital)).*) -> church | {o}
(?:go to|attend|worship at) (?P<n>church|mosque|temple|synagogue|mass)(?: (?:at|in) )?<o> -> {n} | {o}
(?:go to|attend) (?P<n>yoga|pilates|choir|zumba|karate|judo|ballet|the gym|band practice|chess club|book club|spin|swimming) <o> -> {n} | {o}
fast (?:during |in |for )<o> -> religion | fasts in {o}
is (?:a |an )?(?:practising |devout |lapsed )?(?P<o>catholic|muslim|jewish|hindu|buddhist|sikh|quaker|methodist|atheist|agnostic|christian|protestant|orthodox|anglican|lutheran)(?: .*)? -> religion | {o}
1:got (?:my|our) (?P<n>[\w-]+(?: [\w-]+)?) (?:in|on) (?P<o>\d{4}|(?:<month>|<weekday>)\b.*) -> {n} date | {o}
1:swim(?: on)? <o> -> swimming | {o}
1:(?:run|go running|go for a run) (?P<o>(?:on|every|at|twice|three times|\w+ times|each).*) -> running | {o}
have run <o> in <n> -> marathon best | {n}
have (?:played|been playing) <det>(?P<o><instrument>(?: (?:since|for|from) .+)?) -> instrument | {o:whole}
have (?:played|been playing) <det>(?P<o><sport>(?: (?:since|for|from) .+)?) -> sport | {o:whole}
play <det>(?P<o><instrument>)(?: .*)? -> instrument | {o}
play (?P<o>(?:five|seven|six|eleven)[- ]a[- ]side(?: .*)?) -> sport | {o}
play <det>(?P<o>(?:\w+ )?(?:<sport>)(?: .*)?) -> sport | {o}
play (?:for|in) <o> -> team | {o}
sing in <o> -> choir | {o}
(?:do|practise|practice|go) (?P<o>pottery|yoga|karate|judo|pilates|origami|archery|ballet|climbing|running|swimming|fishing|birdwatching|crochet|embroidery|woodwork|photography|calligraphy|salsa|boxing|fencing|kayaking|sailing|skiing|surfing|diving|hiking|painting|magic|stand-up|gardening|crosswords?|sudoku|jigsaws?|triathlons?|parkour|taekwondo|tai chi|zumba)(?: .*)? -> hobby | {o}
breed <o> -> hobby | breeding {o}
(?P<o>(?:restore|collect|build|make|carve|grow|breed|brew|race|paint|fix up|repair|keep) (?:old |vintage |model |antique |classic |wooden |my own |home |miniature )+.+) -> hobby | {o:ing}
(?P<o>knit|sew|crochet|paint|garden|sail|fish|draw|climb|hike|bake|embroider|surf|ski|dance|write poetry|write poems|sing)(?: .*)? -> hobby | {o:ing}
(?P<o>snore|sleepwalk|bite (?:my|his|her) nails|fidget|chew gum)(?: .*)? -> habit | {o}
# tastes
(?:support|follow) (?!.*\b(?:my|the news|him|her)\b)<o> -> football team | {o}
(?:really |absolutely |just )?(?:hate|loathe|detest|despise|dislike) <o> -> dislikes | {o}
(?:really |absolutely |just |still )?(?:love|like|enjoy|adore) <o> -> likes | {o}
is (?:really |absolutely |completely |a bit )?(?:crazy about|mad about|keen on|fond of|into|a (?:big |huge )?fan of|obsessed with|nuts about|mad on|partial to|addicted to) <o> -> likes | {o}
would rather (?P<o>text|call|write|phone|e-?mail) than .* -> contact preference | {o}
(?:would )?(?:rather|prefer|like|want)(?: to)? be called <o> (?:than|to|over|not) .+ -> nickname | {o}
(?:would )?(?:rather|prefer|like|want)(?: to)? be called <o> -> nickname | {o}
would rather <o> -> preference | {o}
prefer (?P<o>window|aisle) seats? -> seat | {o}
would rather (?P<o>sit (?:by|near|at|on) .+) -> seat | {o}
prefer <o> (?:to|over|than) .* -> preference | {o}
prefer <o> -> preference | {o}
think (?:that )?<o> -> opinion | {o}
(?:believe|reckon) (?:that )?<o> -> opinion | {o}
believe in <o> -> belief | {o}
speak <o> -> languages | {o}
is fluent in <o> -> languages | {o}
# plans
would like to be buried <o> -> funeral wish | {o}
would like to be cremated(?: <o>)? -> funeral wish | cremated {o}
(?:want|would love|would like|hope|dream of|have always wanted|am hoping|is hoping)(?: to)? <o> -> wish | {o}
(?:plan|is planning|intend|have decided|is going|is about)(?: to| on) (?!the |a |see )(?P<o>[a-z]+ .+) -> plan | {o}
is (?:meeting|seeing|having (?:lunch|dinner|coffee|drinks) with|catching up with) <o> -> meeting | {o}
is (?:spending|celebrating) (?P<n>christmas|easter|new year|thanksgiving|the summer|the weekend|the holidays|two weeks|a week|a fortnight|a month|next \w+|july|august) (?:in|at|on) <o> -> trip | {o} {n}
is (?:flying|travelling|going|off|heading|driving|sailing|away) (?:over |out |back |up |down |off )?(?:to|in) <o> -> trip | {o}
(?:fly|leave|travel|sail|set off) (?:to|for) <o> -> trip | {o}
is (?:coming|visiting|arriving|staying|landing)(?: over| round| to stay| back| home)? <o> -> visit | {o}
is (?:running|training for|doing) (?P<o>the .+|a .*(?:marathon|triathlon|race|10k|5k).*) -> training | {o}
is (?:reading) <o> -> reading | {o}
is (?:watching) <o> -> watching | {o}
is (?:writing) <o> -> writing | {o}
# what happened
is (?P<o>(?:in|at|on) (?:hospital|intensive care|a care home|prison|jail|rehab|a coma|holiday|the hospital)(?:,? .*)?) -> whereabouts | {o}
is in <o> -> whereabouts | {o}
(?:have )?(?:got |was |have been )(?P<o>(?:elected|mugged|promoted|burgled|sacked|fired|robbed|arrested|knighted|awarded|nominated|made redundant|stung|bitten|evicted|scammed)\b.*) -> event | {o}
(?:have )?(?:died|passed away|passed on(?= <since>| (?:peacefully|suddenly|yesterday|at \d|aged )| on (?:the )?\d)) (?:on |in )?<o> -> death | {o}
(?:have )?(?:died|passed away|passed on) -> death | died
have (?:got )?(?:two|three|four|five|six|seven|eight|a|an|another|some|my) (?P<n>[\w-]+) (?:on|in|at|of|from|by) <o> -> {n} | {o}
1:have (?:got )?<det>(?P<n>[\w -]+?) (?:on|at|with|every|in) <o> -> {n} | {o}
was (?:in|with|at) (?P<n>the (?:army|navy|air force|police|marines|raf|merchant navy|fire brigade|circus|raf))(?P<o>.*) -> past job | {n} {o}
is on the (?P<n>waiting list|committee|board|rota|panel|team)(?: for| of| at)? <o> -> {n} | {o}
1:have (?:got )?(?:an?|the|my|our) (?P<o>(?:[\w-]+ )?[\w-]+) (?P<n>passport|licen[cs]e|visa|permit|garden|balcony|allotment|season ticket|railcard|membership|subscription|scholarship|mortgage|loan|overdraft|pension|accent|beard|birthmark|scar|bike|bicycle|scooter|phone|laptop|tablet|watch|camera|guitar|piano|violin|kitchen|office|shed|garage|attic|basement|sofa|telly|tv|greenhouse|caravan|boat|kayak|canoe|tent|oven|freezer|fridge) -> {n} | {o}
have (?P<n>(?!(?:an?|the|my|his|her|their|been|no|got|not|<num>|good|great|bad|busy|quiet|lovely|free)\b)[\w-]+(?: (?!on\b|every\b)[\w-]+)?) (?P<o>(?:on |every )?<weekday>s?\b.*) -> {n} | {o}
1:have (?:got )?(?P<n>[\w-]+(?: [\w-]+)?) (?P<o>(?:next|this|on|tomorrow|every|at|in)\b .+|tomorrow) -> {n} | {o}
was (?:a|an|the) <o> -> job | {o}
is (?:a|an) (?:<w> )??(?P<o>(?:[\w']+ ){1,3})(?:lover|fan|addict|nut|enthusiast|fanatic)(?: .*)? -> likes | {o}
is an only child(?: .*)? -> siblings | none
is (?:a |an )?(?:<w> )?(?P<o>woman|man|male|female|girl|boy|lady|guy|trans|nonbinary|non-binary)(?: .*)? -> gender | {o}
is (?:a |an )?(?P<o>(?:<w> )?(?:feminist|pacifist|socialist|conservative|liberal|republican|democrat|anarchist|environmentalist|communist|libertarian))(?: .*)? -> politics | {o}
is (?:a|an) (?P<o>(?:\w+[- ])?(?:early bird|night owl|light sleeper|heavy sleeper|morning person))(?: .*)? -> habit | {o}
is (?P<n>half|part|a quarter|quarter)[- ](?P<o>[A-Za-z]\w+)(?: .*)? -> heritage | {n} {o}
is (?:a |an )?(?P<o>british|irish|scottish|english|welsh|french|german|italian|spanish|polish|dutch|greek|turkish|russian|indian|chinese|japanese|korean|american|canadian|australian|brazilian|portuguese|nigerian|swedish|norwegian|danish|finnish|ukrainian|hungarian|czech|romanian|bulgarian|mexican|egyptian|kenyan|ghanaian|glaswegian|scouse)(?: .*)? -> nationality | {o}
is (?:a|an|the) <o> -> job | {o}
"""
