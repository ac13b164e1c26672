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
job        job work works working employed employer hired promoted promotion manager assistant principal teach teacher nurse engineer clerk cashier director supervisor intern boss career position role shift freelancer consultant analyst accountant waiter waitress bartender barista developer designer driver desk salesman selling cook kitchens receptionist company firm laid fired retired librarian carpenter electrician plumber mechanic welder roofer mason chef cook baker butcher barber hairdresser stylist tailor florist farmer gardener landscaper janitor custodian cleaner housekeeper security guard firefighter paramedic ambulance police officer detective soldier sailor pilot attendant conductor trucker courier mailman dispatcher operator technician programmer coder architect surveyor lawyer attorney paralegal judge banker auditor bookkeeper broker realtor agent insurance marketing recruiter editor writer journalist reporter photographer translator interpreter professor tutor lecturer coach trainer therapist counselor psychologist dentist surgeon veterinarian vet pharmacist optician midwife nanny babysitter caretaker server hostess dishwasher foreman contractor plant factory warehouse foundry refinery brewery freelance freelancing startup apprentice apprenticeship internship residency livelihood occupation profession trade cashier clerk temp
hours      shift shifts nights days graveyard hours schedule overnight swing rota nine-to-five weekends weekdays earlies lates mornings evenings afternoons
bedtime    bed bedtime asleep sleep lights-out snooze
waking     wake waking alarm up early riser
bank       bank banking account credit union teller checking savings
doctor     doctor gp physician dr clinic checkup practitioner
dentist    dentist dental orthodontist hygienist teeth
school     school primary grammar comprehensive secondary sixth grader freshman sophomore senior junior academy elementary kindergarten college university class preschool grade enrolled transferred campus daycare nursery homeschool homeschooled montessori charter magnet preschool kindergarten seminary bootcamp conservatory
car        car drive drives driving minivan pickup truck sedan suv van motorcycle scooter convertible wagon hatchback jeep coupe hybrid tesla honda toyota ford subaru prius vehicle chevy chevrolet chrysler buick cadillac dodge jeep nissan mazda kia hyundai volvo saab volkswagen vw bmw audi mercedes lexus acura fiat mini porsche civic corolla camry accord focus escort mustang outback forester crossover roadster moped vespa
computer   computer laptop desktop tablet macbook chromebook pc imac ipad workstation netbook thinkpad surface notebook mainframe linux windows
phone      phone iphone android smartphone galaxy pixel flip mobile handset
commute    commute bus train ferry subway tram bike biking cycle cycling carpool tube metro walk scooter lightrail rideshare uber lyft trolley streetcar monorail skateboard drive driving shuttle vanpool rail
gym        gym fitness crossfit workout pilates membership club
diet       vegan vegetarian pescatarian keto gluten diet carnivore paleo dairy meat plant-based pescetarian flexitarian omnivore raw whole30 atkins fasting lactose intermittent mediterranean low-carb vegan meatless halal kosher
weight     weigh weighs weight pounds kilos scale lbs kg pound
size       size waist
hair       hair haircut bangs blonde brunette dyed bob pixie buzz curls chopped platinum shaved buzzed highlights curly bald ponytail braids dreads dreadlocks mohawk mullet afro perm bangs redhead auburn dye gray grey shoulder-length
partner    dating boyfriend girlfriend fiance fiancee husband wife married engaged partner single seeing divorced relationship knot hitched eloped wed newlywed honeymoon vows proposed proposal engagement breakup ex widow widowed spouse
rent       rent landlord lease
savings    saving savings fund payment
email      email inbox mail
drink      coffee latte espresso cappuccino americano tea matcha chai cocoa decaf soda juice smoothie kombucha mocha macchiato brew drink drinks beer wine cider water lemonade alcohol whiskey vodka cortado lager ale stout ipa merlot chardonnay gin rum bourbon scotch tequila sake seltzer sparkling oolong earl rooibos horchata lemonade kefir
sport      tennis bowling golf soccer football basketball volleyball hockey swimming swim running run jogging yoga pilates boxing karate judo badminton softball baseball cricket rugby cycling skiing surfing skating pickleball racquetball fencing archery lacrosse rowing wrestling gymnastics climbing bouldering triathlon marathon snowboarding curling squash handball polo equestrian ballet zumba spin aerobics kickboxing taekwondo capoeira frisbee dodgeball kickball softball
show       show series watching season episode sitcom drama documentary competition anime netflix
book       book novel reading biography memoir thriller mystery trilogy audiobook read
music      guitar piano violin drums cello flute ukulele bass saxophone trumpet clarinet banjo violin viola trombone tuba oboe harp harmonica accordion mandolin keyboard organ piccolo bagpipes percussion marimba xylophone fiddle bassoon instrument
language   spanish french german italian japanese mandarin korean portuguese arabic russian duolingo dutch swedish norwegian danish finnish polish russian turkish hindi urdu bengali tamil thai vietnamese greek hebrew swahili farsi tagalog ukrainian czech hungarian romanian welsh irish latin asl
dinner     dinner supper eat eating supper takeout pizza tacos pasta
lunch      lunch sandwich salad wrap burrito bento
breakfast  breakfast cereal oatmeal granola toast eggs porridge yogurt pancakes bagel
class      major majoring studying degree course biology chemistry physics history economics philosophy psychology sociology anthropology nursing engineering accounting law literature english math mathematics geology astronomy journalism thesis dissertation minor major
game       game playing chess xbox playstation switch minecraft puzzle
pet        dog cat puppy kitten hamster gerbil rabbit bunny parrot parakeet cockatiel goldfish turtle tortoise gecko iguana snake ferret guinea pony horse hound terrier poodle collie beagle
church     church mass service parish congregation synagogue temple mosque chapel worship
provider   provider internet cable cell carrier plan streaming subscription subscribe netflix hulu spotify verizon comcast
insurance  insurance insurer premium deductible coverage policy
roommate   roommate housemate flatmate sublet
position   goalie striker midfielder defender quarterback pitcher catcher shortstop outfielder guard forward center linebacker position
store      groceries grocery supermarket shopper shopping
"""
SETTLED = frozenset(
    "home site job hours bedtime waking bank doctor dentist school car computer phone commute gym diet weight "
    "size hair partner rent savings email church provider insurance roommate position store".split()
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
