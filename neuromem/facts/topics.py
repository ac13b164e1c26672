"""Sides of a life that have one answer at a time, by the words in which they are told.

"i usually get an iced latte" and "switched over to matcha" share no word, but both say what somebody
drinks. Of a *settled* side (a bank, a bedtime) any new answer replaces the old; of the others (drinks,
sports, shows) one may have many, and it takes a word like "switched to".
"""

# ruff: noqa: E501 - a row of a table is one line

from __future__ import annotations

import functools

from ..text import stem

__all__ = ["SETTLED", "members_of", "topics_of"]

_TABLE = """
home       live lives living lived moved relocated unpacked settled house apartment flat condo downtown neighborhood home lease tenant residing resident suburb place bedroom farmhouse townhouse duplex studio loft bungalow cottage
site       office headquarters relocated floor building suite premises storefront warehouse studio located based workspace
job        job work works working employed employer hired promoted promotion manager assistant principal teach teacher nurse engineer clerk cashier director supervisor intern boss career position role shift freelancer consultant analyst accountant waiter waitress bartender barista developer designer driver desk salesman selling cook kitchens receptionist company firm laid fired retired
hours      shift shifts nights days graveyard hours schedule overnight swing rota nine-to-five weekends weekdays earlies lates mornings evenings afternoons
bedtime    bed bedtime asleep sleep lights-out snooze
waking     wake waking alarm up early riser
bank       bank banking account credit union teller checking savings
doctor     doctor gp physician dr clinic checkup practitioner
dentist    dentist dental orthodontist hygienist teeth
school     school academy elementary kindergarten college university class preschool grade enrolled transferred campus daycare nursery
car        car drive drives driving minivan pickup truck sedan suv van motorcycle scooter convertible wagon hatchback jeep coupe hybrid tesla honda toyota ford subaru prius vehicle
computer   computer laptop desktop tablet macbook chromebook pc imac ipad workstation netbook
phone      phone iphone android smartphone galaxy pixel flip mobile handset
commute    commute bus train ferry subway tram bike biking cycle cycling carpool tube metro walk scooter lightrail
gym        gym fitness crossfit workout pilates membership club
diet       vegan vegetarian pescatarian keto gluten diet carnivore paleo dairy meat plant-based
weight     weigh weighs weight pounds kilos scale lbs kg pound
size       size waist
hair       hair haircut bangs blonde brunette dyed bob pixie buzz curls chopped platinum shaved buzzed highlights curly bald ponytail
partner    dating boyfriend girlfriend fiance fiancee husband wife married engaged partner single seeing divorced relationship
rent       rent landlord lease
savings    saving savings fund payment
email      email inbox mail
drink      coffee latte espresso cappuccino americano tea matcha chai cocoa decaf soda juice smoothie kombucha mocha macchiato brew drink drinks beer wine cider water lemonade alcohol whiskey vodka
sport      tennis bowling golf soccer football basketball volleyball hockey swimming swim running run jogging yoga pilates boxing karate judo badminton softball baseball cricket rugby cycling skiing surfing skating pickleball racquetball fencing archery
show       show series watching season episode sitcom drama documentary competition anime netflix
book       book novel reading biography memoir thriller mystery trilogy audiobook read
music      guitar piano violin drums cello flute ukulele bass saxophone trumpet clarinet banjo
language   spanish french german italian japanese mandarin korean portuguese arabic russian duolingo
dinner     dinner supper eat eating
lunch      lunch sandwich salad wrap burrito bento
breakfast  breakfast cereal oatmeal granola toast eggs porridge yogurt pancakes bagel
class      major majoring studying degree course
game       game playing chess xbox playstation switch minecraft puzzle
"""
SETTLED = frozenset(
    "home site job hours bedtime waking bank doctor dentist school car computer phone commute gym diet weight "
    "size hair partner rent savings email".split()
)


_KINDS = """
alcohol drinking booze: wine beer whiskey whisky vodka gin cocktail cocktails liquor rum tequila drink
meat: chicken beef steak bacon pork burger burgers ham sausage lamb turkey
dairy: milk cheese yogurt butter cream ice
caffeine: coffee espresso latte tea cola soda energy
sugar sweets: sugar candy dessert soda chocolate cookies
carbs gluten: bread pasta rice bagel toast
smoking tobacco cigarettes: smoke cigarettes vape vaping pack
seafood: fish shrimp tuna salmon crab lobster sushi
television tv: show shows series netflix
"""


@functools.cache
def _kinds() -> dict[str, frozenset[str]]:
    out: dict[str, frozenset[str]] = {}
    for line in _KINDS.strip().splitlines():
        names, _, members = line.partition(": ")
        out |= {stem(name): frozenset(stem(word) for word in members.split()) for name in names.split()}
    return out


def members_of(kinds: frozenset[str]) -> frozenset[str]:
    """Stems of what belongs to the kinds among some stems: wine and beer to alcohol."""
    return frozenset().union(*(_kinds().get(kind, frozenset()) for kind in kinds))


@functools.cache
def _stems() -> dict[str, frozenset[str]]:
    rows = (line.split() for line in _TABLE.strip().splitlines())
    return {name: frozenset(stem(word) for word in members) for name, *members in rows}


def topics_of(found: frozenset[str]) -> frozenset[str]:
    """Sides of life that stems of an utterance belong to.

    >>> sorted(topics_of(frozenset({"latt", "oat"})))
    ['drink']
    """
    return frozenset(name for name, members in _stems().items() if members & found)
