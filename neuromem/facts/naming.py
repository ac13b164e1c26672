"""How people, places and things are named in a sentence: the words and patterns of `mentions.py`, data only.

In a pattern `NAME` and `NAMES` stand for a name, or several, as they are written in text with capitals or
without.
"""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import re

from ..text import STOP_WORDS
from .clause import KIN_WORDS, ROLES
from .relations import PETS

__all__ = [
    "APPOSED",
    "BARE_KIN",
    "CALLED_IT",
    "COUNTED_THINGS",
    "GIVEN",
    "GROUP",
    "GROUP_WORDS",
    "HE",
    "HEADS",
    "KIN_OR_ROLE",
    "NAMED",
    "NAMED_THING",
    "NAMES_SPOKEN",
    "NAMES_WRITTEN",
    "NAME_SPOKEN",
    "NAME_WRITTEN",
    "NOT_A_NAME",
    "NUMBER",
    "NUMBERED_GROUP",
    "OBJECT",
    "PET_WORDS",
    "PLACES",
    "SHE",
    "SOMEBODYS",
    "TITLE",
    "TITLED_SPOKEN",
    "TITLE_GENDER",
]

SHE = frozenset(
    "mother grandmother sister wife girlfriend fiancée daughter aunt niece granddaughter "
    "stepmother godmother "
    "goddaughter stepsister stepdaughter stepmum mother-in-law sister-in-law woman girl lady "
    "landlady nanny mare "
    "hen cow queen waitress actress".split()
)
HE = frozenset(
    "father grandfather brother husband boyfriend fiancé son uncle nephew grandson stepfather "
    "godfather godson "
    "stepbrother stepson stepdad father-in-law brother-in-law man boy guy bloke lad gentleman landlord tom "
    "fella waiter actor".split()
)
PEOPLE = frozenset(
    "woman girl lady man boy guy bloke lad gentleman person fella chap kid baby toddler teenager student "
    "pupil nurse builder neighbour lodger tenant subtenant guest visitor client customer patient "
    "girlfriend boyfriend assistant trainer instructor surgeon midwife carer colleague classmate "
    "schoolmate cousin teammate mate buddy pal tutor mentor supervisor mayor governor minister senator "
    "councillor priest vicar pastor rabbi imam monk nun bishop postman postwoman mailman milkman "
    "policeman policewoman officer detective sheriff judge solicitor attorney notary clerk receptionist "
    "secretary principal headmaster headmistress headteacher professor lecturer librarian janitor "
    "caretaker concierge porter guard driver pilot captain sergeant soldier sailor mechanic electrician "
    "carpenter joiner painter decorator roofer plasterer tiler handyman locksmith chimney-sweep sweep "
    "florist baker butcher grocer fishmonger waiter waitress barman bartender barista chef cook tailor "
    "seamstress cobbler jeweller optician pharmacist chemist paramedic physiotherapist psychologist "
    "psychiatrist paediatrician pediatrician dermatologist cardiologist oncologist orthodontist hygienist "
    "dietitian nutritionist osteopath chiropractor acupuncturist masseuse counsellor counselor babysitter "
    "childminder au-pair nanny godmother godfather farmer gardener landscaper groom jockey vet walker "
    "sitter groomer artist singer drummer guitarist bassist pianist violinist organist conductor "
    "choirmaster accompanist author writer editor journalist reporter photographer architect engineer "
    "programmer developer designer scientist researcher analyst consultant advisor adviser agent broker "
    "realtor banker auditor bookkeeper intern apprentice trainee successor predecessor partner ex rival "
    "opponent referee goalkeeper striker president chairman chairwoman treasurer director".split()
)
PLACES = frozenset(
    "bakery shop restaurant cafe café pub bar gym school nursery college university company firm hotel "
    "library museum salon studio clinic surgery pharmacy church market supermarket store bookshop garage "
    "practice charity club band choir group team office cinema theatre park deli bistro pizzeria diner "
    "bookstore brewery winery farm startup agency hospital bank kennels kindergarten".split()
)
GROUP_WORDS = frozenset(
    "parents grandparents children kids twins brothers sisters sons daughters cousins neighbours friends "
    "in-laws nephews nieces grandchildren grandkids dogs cats hens rabbits chickens goats fish horses "
    "kittens puppies colleagues flatmates roommates boys girls folks budgies guinea-pigs".split()
)
PET_WORDS = frozenset(PETS.split()) - {"tom"} | {
    "labrador",
    "retriever",
    "corgi",
    "dachshund",
    "husky",
    "alsatian",
}
HEADS = PEOPLE | PLACES | PET_WORDS | set(ROLES.split()) | (KIN_WORDS.keys() - {"ma", "pa", "pop", "mam"})
HEAD = "|".join(sorted(map(re.escape, HEADS), key=len, reverse=True))
PERSON_HEAD = "|".join(sorted(map(re.escape, PEOPLE | set(ROLES.split())), key=len, reverse=True))
DETERMINER = r"(?P<det>my|our|your|his|her|their|a|an|the|this|another)"
CAPITAL = r"(?-i:[A-Z][\w'’.-]*[\w])"
NAME_WRITTEN = (
    r"(?P<name>(?:(?:Mr|Mrs|Ms|Miss|Dr|Mister|Doctor|Father|Professor|Prof|Coach|Captain|Pastor|Officer|Judge|Rabbi|Reverend|Nurse|Chef)\.? )?"
    rf"{CAPITAL}(?: (?:& |de |van |von |of )?{CAPITAL})*)"
)
NAME_SPOKEN = r"(?P<name>(?:(?:mr|mrs|ms|miss|missus|dr|mister|doctor|father|professor|coach|captain|pastor|officer|judge|rabbi|reverend|nurse|chef) )?[^\W\d_][\w'-]+(?: & \w+)?)"
MORE = r"(?:[\w'-]+ ){0,2}?"
TITLE = re.compile(
    r"(?P<title>father|coach|captain|pastor|officer|judge|rabbi|reverend|nurse|chef|mr|mister|mrs|ms|missus|miss|dr|doctor|prof|professor)\b",
    re.IGNORECASE,
)
TITLE_GENDER = {"mr": "he", "mister": "he", "mrs": "she", "ms": "she", "miss": "she", "missus": "she"}
TITLED_SPOKEN = (
    r"(?<!the )(?<!an )(?<!a )(?<!my )(?<!our )(?<!his )(?<!her )\b(?P<name>(?:mr|mister|mrs|missus|ms|miss|dr|doctor|professor|"
    r"officer|coach|judge|nurse|chef|rabbi|sergeant|detective|principal|senator|mayor|captain|uncle|auntie|aunty|aunt|reverend|pastor|matron|madame|sir) (?P<last>[^\W\d_][\w'-]{2,}))"
)  # of text without capitals
NUMBER = r"(?:two|three|four|five|six|both|\d)"
# languages and peoples, which are spoken or come from somewhere, and are nobody
PEOPLES = frozenset(
    "english french german spanish italian portuguese dutch norwegian swedish danish finnish icelandic polish czech "
    "slovak hungarian romanian bulgarian greek turkish russian ukrainian serbian croatian bosnian albanian latvian "
    "lithuanian estonian irish scottish welsh gaelic british american canadian australian mexican brazilian chilean "
    "cuban colombian peruvian chinese mandarin cantonese japanese korean vietnamese thai indonesian malay tagalog "
    "filipino hindi urdu bengali punjabi tamil telugu gujarati marathi nepali indian pakistani arabic hebrew persian "
    "farsi kurdish armenian georgian egyptian moroccan nigerian ghanaian kenyan ethiopian somali swahili yoruba igbo "
    "hausa zulu xhosa afrikaans amharic latin esperanto swiss austrian belgian european african asian catholic "
    "muslim jewish hindu buddhist christian methodist anglican orthodox".split()
)
NOT_A_NAME = (
    PEOPLES
    | STOP_WORDS
    | {
        "called",
        "named",
        "today",
        "yesterday",
        "tomorrow",
        "now",
        "last",
        "next",
        "back",
    }
)

NAMED = (
    # my boss is a woman called Ingrid
    rf"\b(?:my|our) [\w' -]{{2,30}} (?:is|was|'s) an? (?:\w+ )?(?P<head>{HEAD}) (?:called|named) NAME",
    # a new guy on my team called Imran
    rf"\b(?:a|an|another|this) {MORE}(?P<head>{PERSON_HEAD}) (?:on|in|at|from|of|by|down|next) (?:(?:my|our|the|\w+) ){{1,3}}?"
    r"[\w'-]+ (?:called|named) NAME",
    # my dog's name is Potola; our cat is called Fig; my sister, she is named Ada
    rf"\b{DETERMINER} {MORE}(?P<head>{HEAD})(?:'?s)? (?:name(?:'s| is)?|(?:is |was )?(?:called|"
    rf"named)) NAME",
    # a woman called Ingrid; a bakery on our corner called Crumb & Sons
    rf"\b{DETERMINER} {MORE}(?P<head>{HEAD})\b[\w' -]{{0,40}}? (?:called|named) NAME",
    # a lodger in our attic, his name is Pavel
    rf"\b{DETERMINER} {MORE}(?P<head>{HEAD})\b[\w' -]{{0,30}}?,?(?: and)? (?P<whose>his|her|its|their) name(?:'s|s| is) NAME",
    # our new mayor is Ottavia Brandt; my daughter's teacher is Mr. Lindqvist
    rf"\b{DETERMINER} (?:[\w'-]+ ){{0,3}}?(?P<head>{HEAD})(?:'s| is| was| will be)(?: now| still)? NAME(?!')\b",
    # a dentist on Mill Road, Dr. Osei; a café by the station, the Copper Kettle
    rf"\b{DETERMINER} {MORE}(?P<head>{HEAD})\b(?:(?! an? )[\w' -]){{1,30}}?, (?:the )?NAME$",
    # I named my bike Rocinante
    rf"\b(?:named|naming|call|called|christened|nicknamed) {DETERMINER} {MORE}(?P<head>[\w-]+) NAME$",
    # a greyhound named Comet; a sloop down at the pier called Second Wind; a kayak, its name is Otter
    rf"\b{DETERMINER} {MORE}(?P<head>[\w-]+)(?: (?:on|in|at|from|of|by|down|near)(?: [\w']+){{1,5}}?)?,? (?:who is |that is |who's )?"
    r"(?:named|called|nicknamed|by the name of|(?:who|that|which) goes by|we call) NAME",
    rf"\b{DETERMINER} {MORE}(?P<head>[\w-]+)\b[\w' -]{{0,30}}?,?(?: and)? (?P<whose>his|her|its|their) name(?:'s|s| is) NAME",
)
# what is named so without a capital may be any words: "a boat called second wind"
GIVEN = re.compile(r"(?:named|called|nicknamed|by the name of|goes by|name is|name's|names)$", re.IGNORECASE)
# a tutor for Milo, a carer for my mum
SOMEBODYS = rf"\b(?:a|an|another) {MORE}(?P<head>{PERSON_HEAD}) (?:for|to) (?:(?P<mine>my|our) (?P<kin>{'|'.join(KIN_WORDS)})|NAME)\b"
# I bought a boat, the Petrel
NAMED_THING = rf"\b(?:a|an|my|our) {MORE}(?P<thing>[a-z][\w-]+)(?: (?:on|in|at|over|near|by|from|across) (?:the |my |our )?[\w']+){{0,2}}, (?P<label>(?:the )?{CAPITAL}(?: {CAPITAL})?)$"

APPOSED = (
    # Roderick's fiancée, Amaryllis
    rf"\b[\w-]+'s {MORE}(?P<head>{HEAD}),? NAME\b(?!'s \w)",
    rf"\b{DETERMINER} {MORE}(?P<head>{HEAD}),? NAME\b(?!'s \w)",
    rf"\bNAME(?:,|'s| is|, is| was) (?P<det>my|our|an?) {MORE}(?P<head>{HEAD})\b(?!'s)",
)
CALLED_IT = r"\b(?:call(?:ed|s|ing)?|nicknamed?|nam(?:ed|e|ing)|christened) (?P<who>him|her|it) (?:the )?NAME"
GROUP = (
    rf"\b(?:{DETERMINER} )?(?:{NUMBER} )?(?:\w+ )?(?P<head>{'|'.join(sorted(GROUP_WORDS))})"
    r"(?:,|:| -| called| named| are| next door| from \w+| at \w+)?,? (?P<names>NAMES)"
)
# two bosses, Greta and Milan
NUMBERED_GROUP = (
    rf"\b{NUMBER} (?:[\w-]+ )?(?P<head>[\w-]+[^s\W]s)(?:,|:| -| called| named),? (?P<names>NAMES)"
)
NAMES_WRITTEN = rf"{CAPITAL}(?:, {CAPITAL})*,? (?:and|&) {CAPITAL}"
NAMES_SPOKEN = r"[\w'-]+(?:, [\w'-]+)* and [\w'-]+"
KIN_OR_ROLE = rf"\b{DETERMINER} {MORE}(?P<head>{'|'.join((HEAD, *sorted(GROUP_WORDS)))})\b(?!-)"
BARE_KIN = (
    r"(?<!my )(?<!our )(?<!your )(?<!his )(?<!her )\b"
    r"(?P<head>mum|mom|dad|mummy|daddy|grandma|grandpa|gran|nana|granny)\b"
)
# two spare keys
COUNTED_THINGS = (
    rf"\b{NUMBER} (?P<np>(?:[\w-]+ )?(?!(?:year|month|week|day|night|hour|minute|second|time|pound|euro|dollar|mile|"
    r"kilometre|metre|pint|cup|step)s\b)[\w-]+[^s\W]s)\b"
)
OBJECT = rf"\b{DETERMINER} (?P<np>[\w'-]+(?: [\w'-]+){{0,3}})"
