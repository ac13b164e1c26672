"""Which slot of somebody's life a gist fills, and whether a new value there replaces the old one.

Relations are an open vocabulary; the names of `relations.py` and `predicates.py` are folded here into
canonical slots ("moved to", "lives in" → home). A person has one home and one age, but many allergies:
only what is known to be single-valued replaces by itself. A noun that is not known ("1|bike|red") says
nothing of how many there are, and takes a word of change (`changes.py`) to be replaced.
"""

# ruff: noqa: E501 - a pattern is one line

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from ..cached import of_texts
from ..text import is_name_like, normalize, stems
from .clause import KIN_WORDS
from .gist import Gist

__all__ = ["DOING", "Slot", "slot_of", "synonyms"]


@dataclass(frozen=True, slots=True)
class Slot:
    """Whose, what, and whether there is one value at a time."""

    subject: str  # "1" is the speaker
    name: str
    single: bool

    @property
    def key(self) -> str:
        """The slot in one string: ``"1|home"``."""
        return f"{self.subject}|{self.name}"


# name of a slot: relations that fill it
_SAME = {
    "home": "home, lives in, live in, moved to, living in, town, home town now, lives, residence, relocated to",
    "address": "address, home address, street, house number",
    "job": "job, occupation, profession, work as, job title, position",
    "employer": "employer, works for, works at, work for, work at, workplace, company",
    "work hours": "work hours, shift, work schedule, working hours",
    "age": "age, years old",
    "phone number": "phone number, phone, mobile, cell, telephone",
    "email": "email, e-mail, mail address",
    "partner": "partner, dating, spouse, wife, husband, girlfriend, boyfriend, fiancé, fiancée",
    "flatmate": "flatmate, roommate, housemate",
    "car": "car, drives, drive, vehicle",
    "doctor": "doctor, gp, physician",
    "watching": "watching",
    "reading": "reading",
    "saving for": "saving for, saving up for",
    "training": "training, training for",
    "likes": "likes, like, love, enjoys, fan of",
    "dislikes": "dislikes, dislike, hates, hate",
    "allergy": "allergy, allergic to, allergies",
}
_CANONICAL = {name.strip(): slot for slot, names in _SAME.items() for name in names.split(",")}

_SINGLE = frozenset(
    "home,address,job,employer,work hours,age,phone number,email,partner,car,doctor,dentist,boss,landlord,"
    "landlady,accountant,therapist,physio,barber,hairdresser,tutor,coach,lawyer,vet,best friend,flatmate,"
    "watching,reading,saving for,height,weight,salary,rent,payday,bedtime,wake-up time,floor,seat,diet,"
    "school,studies,religion,nationality,blood type,birthday,birthplace,name,last name,middle name,"
    "first name,maiden name,nickname,gender,lives with,favourite,bin day,commute,smoking,alcohol,"
    "relationship,shoe size,dress size,ring size,star sign,number plate,postcode,resting heart rate,"
    "blood pressure,cholesterol,credit score,mortgage,bank,gym,drink order,coffee order,locker,desk,"
    "ringtone,screen name,handle,username,time zone,pregnancy,baby due,due date,deadline".split(",")
)
# the last word of a single-valued relation: "alarm code", "swim lesson time", "nanny cam password"
_SINGLE_LAST = frozenset(
    "code pin password passcode passphrase combination combo number size price cost fee budget weight height "
    "age birthday email address username extension limit goal target score rate pressure level time date day "
    "start end expiry deadline schedule location colour color breed salary rent".split()
)
_MULTI = frozenset(
    "likes,dislikes,allergy,languages,hobby,instrument,condition,medication,siblings,children,pet,bought,"
    "collects,event,wish,plan,trip,visit,volunteering,opinion,preference,belief,injury,fear,habit,sport,"
    "past job,past home,past hobby,past habit,status,whereabouts,role,degree,subscription,team".split(",")
)
_OCCUPATION = re.compile(
    r"(?:\w{3,}(?:er|or|ist|ian|ant|ent|man|woman|eer|ess|tary|grapher|smith|wright|keeper|nurse|chef)"
    r"|nurse|chef|cook|vet|gp|judge|pilot|clerk|guard|monk|nun|priest|midwife|au pair|head|chief|mechanic|"
    r"intern|apprentice|student|freelance|self-employed|retired|unemployed|promoted|barista|principal|"
    r"paramedic|coach|guide|host|model|tailor|butcher|surgeon|critic|spy|valet|temp)\b",
    re.IGNORECASE,
)
_NO_OCCUPATION = re.compile(
    r"\b(?:mother|father|parent|grand\w+|daughter|sister|brother|lover|fan|person|owner|owl|riser|sleeper|"
    r"eater|drinker|smoker|believer|member|beginner|twin|child|vegetarian|vegan|christian|winner|\w+ mum|"
    r"loner|introvert|extrovert|morning|breed\w*|beagle|terrier|retriever)\b",
    re.IGNORECASE,
)
_DWELLING = re.compile(
    r"\b(?:house|flat|apartment|studio|loft|condo|cabin|cottage|bungalow|farm|farmhouse|van|trailer|dorm|"
    r"mansion|duplex|townhouse|boat|houseboat|basement|attic|tent|villa|mobile home|suburbs?|country|"
    r"countryside|village|town|city|neighbou?rhood|street|floor)\b",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(?:my|our|the|a|an|new|old|current)\s+")


@of_texts(4_096)
def slot_of(gist: Gist) -> Slot | None:
    """The canonical slot of a gist; None for keywords, which name none.

    >>> slot_of(Gist("1", "lives in", "Porto"))
    Slot(subject='1', name='home', single=True)
    """
    if not gist.is_triple or not gist.relation:
        return None
    subject = normalize(gist.subject)
    subject = KIN_WORDS.get(subject, subject)
    relation = _ARTICLE.sub("", normalize(gist.relation))
    relation = _CANONICAL.get(relation, relation).replace("favorite", "favourite")
    if relation.endswith(" name") and relation.removesuffix(" name") in _PEOPLE:
        relation = relation.removesuffix(" name")
    name, single = _by_value(relation, gist.object)
    return Slot(subject, name, single)


@functools.cache
def synonyms(name: str) -> frozenset[str]:
    """Stems of the words by which a slot goes."""
    return frozenset(stems(_SAME.get(name, "") + " " + name))


_PEOPLE = frozenset(
    "doctor,dentist,boss,landlord,landlady,accountant,therapist,physio,barber,hairdresser,tutor,coach,lawyer,vet,"
    "best friend,flatmate,mentor,mechanic,plumber,electrician,teacher,principal,manager,supervisor,agent,nanny,"
    "babysitter,sitter,cleaner,gardener,trainer,counselor,advisor,adviser,pediatrician,surgeon,midwife,stylist,"
    "handyman,roommate,housemate,lab partner,partner in crime,captain,president,mayor,pastor,priest,banker,broker,"
    "realtor,assistant,secretary,driver,instructor,professor,neighbor upstairs".split(",")
)
_THINGS = frozenset("car,phone,phone number,desk,locker,bank,gym,commute,school".split(","))
DOING = _PEOPLE | _THINGS  # of which much else is said than who or which it is
_STATE = re.compile(
    r"(?:at|in|on|with|by|from|under|out|off|not|away|back|always|never|going|coming|leaving|sick|late|dead|broken|"
    r"very|so|too|really|\w+(?:ing|ed)|\w{2,}[^s\W]s (?!\d)\w+)\b",
    re.IGNORECASE,
)


_OUTING = re.compile(
    r"(?:\w+ )?(?:play|movie|show|concert|game|film|exhibit\w*|match|opera|musical|ballet|band|doctor|specialist|\w+ologist|"
    r"therapist|dentist|counselor|results?|progress|friends?|family)\b",
    re.IGNORECASE,
)


def _by_value(relation: str, value: str) -> tuple[str, bool]:
    """The slot's name, told apart by the kind of value, and whether it is single-valued."""
    if not value.strip():  # of a faded memory only the relation may be left
        return relation, False
    if relation in _PEOPLE or relation.split()[-1] in _PEOPLE:
        named = bool(re.match(r"(?:dr|mr|mrs|ms|prof)\b|[A-Z]", value, re.IGNORECASE)) or is_name_like(
            value.split()[0]
        )
        return relation, named and not _STATE.match(value)
    if relation == "partner" and _OUTING.match(value):
        return "outing", False
    if relation in _THINGS and _STATE.match(value):
        return f"{relation} state", False
    if relation == "home" and _DWELLING.search(value) and not re.search(r"\b[A-Z]\w+", value):
        return "dwelling", True  # a flat and the town it is in are both home
    if relation == "job" and (_NO_OCCUPATION.search(value) or not _OCCUPATION.match(value.split()[-1])):
        return "job", bool(_OCCUPATION.match(value)) and not _NO_OCCUPATION.search(value)
    if relation in _MULTI:
        return relation, False
    last = relation.split()[-1]
    single = relation in _SINGLE or relation.startswith("favourite ") or last in _SINGLE_LAST
    return relation, single
