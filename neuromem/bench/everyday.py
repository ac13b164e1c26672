"""A crowd of everyday facts: what else a life holds, beside the facts that are asked for.

Hand-written sentences on many subjects, with alternatives in brackets. They have the length and tone of what
people tell, but are about other people and things than somebody's own pets, family, health, home and
dates, so that none is a second answer to a question about those. Everything follows from the seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection

from ..errors import InvalidInput
from ..text import stem, words

__all__ = ["everyday_facts"]

MOST = 20_000  # the subjects with the fewest alternatives are told some fifty times by then
PEOPLE = """
Agnetha Alaric Amadou Anneliese Aurelio Balthasar Beatrix Benedikta Bronagh Calixte Celestine Chidera
Clemency Conall Corisande Dagmar Damaris Desislava Dinesh Donatella Ekaterini Eleazar Elspeth Emeka
Esperanza Eudora Fabrizio Faustine Feodora Fintan Florentyna Gaspard Genevra Giancarlo Gudrun Gwendal
Halvard Henrike Hortensia Hyacinth Iolanthe Isidora Itziar Ivarsson Jacobina Jocasta Kasimira Katarzyna
Kwabena Ladislav Leocadia Leopoldine Lioba Lucasta Magdalena Malachy Marguerite Matthias Meinhard
Melisande Mordecai Nasrin Nikephoros Norberto Oluwaseun Ophelia Orsolya Osvaldo Parvaneh Perpetua
Philippa Quirina Radoslav Rainer Raimunda Roderick Rosalba Saoirse Seraphina Severin Shirin Sigismund
Soledad Sunil Tancred Theodora Thorgrim Titilayo Umberto Urszula Valdemar Venetia Vivek Wilhelmina
Wolfram Xanthippe Yevgenia Yolande Zacharias Zbigniew Zenobia
""".split()
WHO = (
    "[my neighbour|the caretaker|our accountant|my colleague|the new intern|my tailor|the florist|the ranger|"
    "my old flatmate|the organist|our team leader|the piano tuner|our client|the bus driver|the beekeeper|"
    "my running mate|the librarian] "
)
PLACES = """
Ambleford Aschberg Bellacorte Birkholm Bramwick Castelmora Corbeaux Dunsallow Eastmere Elverum Fairlight
Fernhollow Garmouth Gravesend Halvering Harrowgate Hollinside Innisfree Karlshaven Kingsbarrow Lambourne
Larkspur Lindenau Marchwood Mirepoix Montclair Netherby Northolt Oakhampton Ostrava Pennerley Portavon
Quayside Ravensworth Rosendal Salcombe Sandviken Selwyn Stonebridge Tarbert Thornaby Trevisa Ullapool
Valdorno Vesterby Wexcombe Whitmore Zelenice
""".split()

# [a|b|c] is one of them, {who} a role and a name, {name} a name, {place} a town
SENTENCES = """
The [ferry|night bus|cable car|tram] to {place} [runs|leaves] every [twenty minutes|half hour|two hours|other day] in [winter|summer|term time].
{who} restores [wind-up gramophones|church organs|fairground horses|wooden canoes|typewriters|stained glass|pinball machines].
The [bakery|chemist|ironmonger|launderette|post office] in {place} closes on [Tuesdays|Wednesday afternoons|the last Friday of the month].
{name} painted the [boathouse|bandstand|village hall|bus shelter] [turquoise|mustard yellow|brick red|dove grey].
The tomatoes in the greenhouse [split after the rain|ripened late|were eaten by slugs|went to the food bank].
{who} swears by [nettle tea|cold showers|gravel paths|cast iron pans|paper maps|fountain pens|bamboo socks].
There is a [kingfisher|heron|family of otters|pair of swans|peregrine falcon] by the [weir|lock|mill pond|old quarry] at {place}.
The [quarterly report|tender|grant proposal|audit|staff survey] is due [at noon on Thursday|before the board meets|in two weeks].
{name} proofreads [crossword books|legal contracts|cookery columns|patents|hymn sheets] from a [caravan|converted barn|basement].
The lift in the [library|town hall|car park|south tower] has been out of order since [Easter|the flood|the lightning strike|last month].
I saw [a comedy about beekeepers|a documentary on glaciers|an opera in a warehouse|a silent film with live music] in {place}.
{who} plays [the bassoon|the hurdy-gurdy|slide guitar|the theremin|the spoons|the cornet] in a [wedding|swing|brass|folk] band.
The [roof|gutter|chimney|weathercock] of the [chapel|schoolhouse|bowling club|museum] was [repaired|struck by lightning|covered in moss].
Our [running club|film society|debating team|knitting circle] gathers behind the [brewery|swimming baths|railway arches|cricket pavilion].
{name} won [a ham|a hot-air balloon ride|a wheelbarrow|a year of cheese|a tandem] in the [raffle|tombola|village fete|radio quiz].
The motorway near {place} is [closed for resurfacing|down to one lane|flooded again|full of caravans].
{who} collects [beer mats|toy tractors|sea glass|railway timetables|snow globes|vintage thimbles|lighthouse stamps].
The [projector|coffee machine|shredder|label printer] in meeting room [two|five|seven] [jams|overheats|needs a new bulb|hums].
{name} translated a [cookbook|ghost story|guide to mushrooms|manual for submarines] from [Estonian|Basque|Hungarian|Catalan].
The [cherry|plum|quince|walnut] trees along the canal were [planted|pruned|cut down|netted] by [volunteers|the council|students].
A [removal van|crane|cement mixer|hay wagon] blocked the [high street|level crossing|school gate] for [an hour|most of the day].
{who} once met [an astronaut|a chess grandmaster|the king of Norway|a lion tamer|a famous conductor] on a [sleeper train|ski lift|ferry].
The market at {place} sells [smoked eel|buckwheat honey|second-hand saddles|goat's cheese|hand-dyed wool] on [Saturdays|the first Sunday].
My [fern|orchid|cactus|lemon tree|bonsai] likes the [bathroom window|landing|draughty corner] and [dislikes tap water|grows like mad].
The [hockey|rowing|curling|netball|handball] team from {place} lost by [one point|six goals|a whisker] in the [final|replay].
{name} is building a [harpsichord|sauna|kayak|dry-stone wall|telescope] out of [driftwood|scrap|salvaged oak|a kit].
The [painter|tiler|electrician|locksmith] charges [extra at weekends|by the metre|a flat fee] and comes from {place}.
{who} voted against the [bypass|wind farm|new stadium|one-way system|cycle lane].
The [novel|podcast|radio play|box set] about [lighthouse keepers|forgers|Arctic whalers|a travelling circus] drags in the middle.
{name} makes [marmalade|damson gin|kimchi|rye bread|elderflower cordial] for the [harvest supper|church bazaar|street party].
The [museum|castle|aquarium|planetarium] in {place} is free for [pensioners|students|residents|under-twelves].
A [badger|fox|hedgehog|tawny owl] has been [digging up|sleeping under|patrolling] the [bowling green|compost heap|cemetery wall].
{who} repairs [bicycles|umbrellas|clarinets|hearing aids|zips] on the [corner of the square|ground floor|pier].
The [photocopies|name badges|minutes|seating plans] for the conference are in the [blue crate|boot of the hire car|stationery room].
I learnt to [throw pots|splice rope|juggle clubs|bind books|read runes] from a [retired sailor|monk|video|teacher in {place}].
{name} moved the stall to [the covered arcade|the station forecourt|aisle nine] because of the [wind|pigeons|rent].
The [soufflé|paella|lasagne|rhubarb crumble] at the [harbour café|canteen|Lantern Inn] is [far too salty|worth the queue|only for two].
{who} has walked [every canal towpath|the whole coast|the length of the Apennines|from {place} to the sea].
The [fuse box|stopcock|gas meter|thermostat] of the [community centre|rehearsal room|sports hall] is behind the [stage|bar|trophies].
Tickets for the [jazz festival|air show|puppet theatre|ice gala] go on sale [at nine|on Monday|in spring] and cost [twelve|thirty] crowns.
{name} got stuck in the [revolving door|maze|car wash|photo booth] at {place}.
The [hedge|lawn|ivy|wisteria] at the office [needs trimming|was cut too short|hides a wasps' nest].
{who} writes [limericks|obituaries|crime novels|greeting cards|software for lifts] [before dawn|on trains|by hand].
A [meteorite|Roman coin|mammoth tooth|unexploded shell] was found [under the car park|on the beach|in a ditch] at {place}.
The [violas|altos|tenors|trumpets] came in [a bar late|too loud|flat] at the [dress rehearsal|carol concert].
{name} sells [vintage radios|oysters|garden gnomes|handmade brooms|sheepskins] from a [van|barge|website|market barrow].
The [river|reservoir|fjord|estuary] near {place} [froze over|burst its banks|turned green|is safe for bathing].
My [rucksack|tent|thermos|hiking pole] [leaks|lost a strap|was made in Finland|survived the glacier].
{who} thinks [decaf|football|modern art|small talk|daylight saving] is [a swindle|overrated|underrated|the end of civilisation].
The [heating|air conditioning|Wi-Fi|lighting] in coach [B|D|F] of the express to {place} never works.
{name} coaches [under-tens rugby|water polo|fencing|synchronised swimming|chess] at the [leisure centre|academy].
The [seed catalogue|parish magazine|tax leaflet|bus timetable] arrived [soaked|twice|a month late] again.
A [film crew|wedding party|school trip|choir from Iceland] took over the [hotel|quay|gardens] at {place}.
{who} drives a [milk float|snow plough|hearse|library van|steam roller] [for a living|at weekends|in all weathers].
The recipe wants [three eggs|a pinch of mace|blood oranges|buttermilk|smoked paprika] and [an hour in the oven|a night in the fridge].
{name} inherited [a windmill|forty accordions|a vineyard|a barber's chair|a suit of armour] from a [stranger|great-aunt|landlord].
The [printer's ink|floor wax|window putty|varnish] smells of [almonds|fish|liquorice] and takes [two days|a week] to dry.
I queued for [two hours|a whole morning] to see [the tall ships|a Viking hoard|the new panda|a total eclipse] in {place}.
{who} commutes by [kayak|folding bike|horse|unicycle|hydrofoil] from {place}.
The [telescope|barometer|grandfather clock|sundial] in the [reading room|observatory|square] is [ten minutes slow|two hundred years old].
{name} studied [moss|tax law|puppetry|naval history|acoustics|dialects] under a [tyrant|Nobel laureate|poet].
The strike at the [foundry|airport|paper mill|docks] ended after [nine days|a handshake|three rounds of talks].
The [swimming pool|ice rink|squash court|climbing wall] is [closed for cleaning|half price on Mondays|booked by the scouts].
{who} hates [wind chimes|slow walkers|cloudy cider|jingles|paper straws|small print].
A [blue|striped|scarlet|tartan] [scarf|umbrella|mitten|beret] was left on the [number nine bus|park bench|tram to {place}].
{name} patented a [folding ladder|silent whisk|left-handed ruler|solar lantern|bird feeder] in the [eighties|nineties].
The [wasps|mice|woodworm|moths] got into the [costume store|archive|hay loft|vestry].
The stew at {place} is made with [juniper|barley|prunes|dark ale|wild garlic] and served in [a loaf|clay bowls|tin mugs].
{who} is writing a thesis on [potholes|bird song|medieval ink|queues|fog|tidal mills].
The [new signs|parking meters|benches|street lamps] in {place} were [vandalised|paid for by a lottery|designed by students].
My [spreadsheet|camera roll|chess rating|playlist|typing speed] [crashed|doubled|is a mess|needs sorting] since [April|the update].
{name} was stung by [a jellyfish|three hornets|a weever fish] while [paddling|picking pears|filming] near {place}.
The [vicar|mayor|headmaster|coroner] of {place} [resigned|retired|was re-elected|opened the fair] on [Monday|a foggy night].
{who} bakes [baguettes|pretzels|cinnamon knots|soda bread] for the [hospice|regatta|night shift].
There were [forty|nine|two hundred] [runners|llamas|cyclists|drummers] in the [parade|relay|procession] through {place}.
The [warranty|lease|permit|insurance] of the [forklift|minibus|marquee|kiln] expires [next March|at midnight on Sunday|in a year].
{name} dreams of [opening a tea room|sailing round the Horn|breeding alpacas|living off-grid] [in {place}|one day|after the exam].
A [loose tile|burst pipe|power cut|false alarm] [emptied|flooded|darkened] the [cinema|archive|courthouse] during the [trailer|hearing].
The [goalkeeper|umpire|coxswain|referee] from {place} [slipped|fainted|swore|proposed to a fan] in the [second half|fog|warm-up].
{who} keeps [bees on the roof|a diary in Latin|koi in a bathtub|hawks|a flag for every holiday].
The [copper|slate|thatch|solar panels] for the [pavilion|boathouse|stables] came from {place} by [barge|rail|ox cart].
I prefer the [aisle|matinee|back row|north route|quiet coach] because of the [legroom|light|scenery|ushers].
{name} forgot the [passphrase|punchline|sheet music|sandwiches|life jackets] on the way to {place}.
The [moon|comet|northern lights|space station] [rose|was visible|vanished] over {place} at [ten past four|dusk|half past nine].
{who} fasts on [Fridays|the first of the month], except for [melon|broth|oat biscuits].
The [satnav|weather app|translator|smart speaker] keeps [rebooting|mishearing|sending people to] {place}.
{name} swapped [a saxophone for a goat|a canoe for a sofa|stamps for a scooter|a sofa bed for skis] with [a cousin|a plumber|a priest].
The [glass factory|salt mine|silk mill|cider press] at {place} gives tours [in clogs|by candlelight|for groups of six].
There is a [crack|draught|leak|smell of gas] in the [vestibule|orangery|engine room|control tower] that [nobody reports|worries {name}].
{who} ranks [airports|biscuits|fonts|bridges|hand dryers] in a [notebook|blog|shed].
The [pumpkins|leeks|marrows|dahlias] of {name} took [first prize|a rosette|no prize] at the {place} show.
The [ski lift|funicular|paddle steamer|zip wire] at {place} carries [eighty|six|four hundred] people an hour.
{name} speaks at the [symposium|rotary club|book fair] about [peat|zeppelins|scurvy|ball bearings|soap].
An [otter|elk|emu|iguana] escaped from the [zoo|circus|petting farm] near {place} and was caught [in a bakery|by a postman|at dawn].
The [ladder|jigsaw|pressure washer|wallpaper table] from the tool library must go back [on the ninth|by Friday|clean].
{who} lost the [toss|bet|receipt|spare oar|master copy] in [Prague|the sand dunes|a taxi|{place}].
The [choirbooks|fossils|love letters|war posters] in the {place} archive were [digitised|nibbled by mice|sold|misfiled].
{name} upholstered [a pew|a theatre seat|a camel saddle|an ottoman] in [velvet|sailcloth|orange tweed].
The [pigeons|gulls|starlings|jackdaws] of {place} steal [chips|earrings|windscreen wipers|ice cream].
A new [noodle bar|bookshop|barber|vet|climbing hall] is opening opposite the [law courts|fire station|tannery] in {place}.
{who} was an extra in [a vampire film|a soap opera|an advert for gravy|a western].
The [bell|siren|foghorn|loudspeaker] at {place} [sounds|failed|was tested] at [noon|low tide|six sharp].
The [geology|pottery|Welsh|first-aid] course needs [two more people|a bigger room|a new tutor] before [autumn|it can start].
{name} owes the [library|tennis club|cafeteria] [eleven crowns|a deposit|an apology] for the [broken net|lost atlas|spilt soup].
The [sledge|surfboard|hammock|trampoline] at the youth hostel in {place} is [for guests only|torn|brand new].
{who} predicts [a hard frost|a hung parliament|higher rents|a dry spring|a housing crash].
The [yeast|plaster|film|glue] must be kept [below eight degrees|in the dark|upright|away from children].
{name} and {name} founded a [ukulele orchestra|repair café|credit union|seed bank] in {place}.
""".strip().splitlines()  # noqa: E501

_CHOICE = re.compile(r"\[([^\[\]]+)\]")


def everyday_facts(count: int, seed: int = 0, without: Collection[str] = ()) -> list[str]:
    """Distinct sentences, the subjects in turn, so that no subject is more frequent than it must be.

    Args:
        count: how many, 0 to 20,000.
        without: texts none of whose names of people and places may occur in the crowd.

    Raises:
        InvalidInput: a count out of range.
    """
    if not 0 <= count <= MOST:
        raise InvalidInput("crowd", f"{count} is out of range", f"give 0 to {MOST:,} facts")
    rng = random.Random(seed)
    taken = {stem(word) for text in without for word in words(text)}
    people = [name for name in PEOPLE if stem(name.casefold()) not in taken]
    places = [name for name in PLACES if stem(name.casefold()) not in taken]
    found: dict[str, None] = {}
    while len(found) < count:
        for sentence in rng.sample(SENTENCES, len(SENTENCES)):
            found.setdefault(_filled(sentence, people, places, rng))
    return list(found)[:count]


def _filled(sentence: str, people: list[str], places: list[str], rng: random.Random) -> str:
    text = _chosen(sentence.replace("{who}", WHO + "{name}"), rng)
    for blank, options in (("{name}", people), ("{place}", places)):
        for name in rng.sample(options, text.count(blank)):
            text = text.replace(blank, name, 1)
    return text[0].upper() + text[1:]


def _chosen(text: str, rng: random.Random) -> str:
    return _CHOICE.sub(lambda match: rng.choice(match[1].split("|")), text)
