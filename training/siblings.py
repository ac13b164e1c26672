"""Questions for the sibling of what was told: the brother's work where the sister's is known.

Nothing answers them, though nearly every word of what was told fits. A reader that has not met such questions
says the sister's work: words that go together in talk (brother, sister; garage, front door) lie close to each
other in any embedding.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Sequence

from neuromem.text import stems

__all__ = ["asked_of_sibling"]

GROUPS = [
    group.split(",")
    for line in """
mother,father,sister,brother,aunt,uncle,cousin,grandmother,grandfather,niece,nephew
mum,dad,sister,brother,gran,grandad,aunt,uncle|wife,brother,sister,son,daughter,flatmate
husband,brother,sister,son,daughter|son,daughter,nephew,niece,grandson,granddaughter,godson
boyfriend,sister,brother,cousin|girlfriend,sister,brother,cousin
boss,landlord,doctor,dentist,lawyer,accountant,teacher,neighbour,colleague,hairdresser,therapist,trainer,flatmate,tenant
plumber,electrician,gardener,cleaner,builder,postman,roofer,glazier,locksmith,painter
vet,dentist,doctor,optician,midwife,physio
dog,cat,rabbit,parrot,hamster,horse,tortoise,goldfish,pony,budgie|puppy,kitten,foal,lamb
hens,ducks,geese,bees,goats,sheep|garage,gate,safe,shed,front door,cellar,locker,office,alarm,letterbox
wifi,email,bank,laptop,phone,router,tablet
birthday,anniversary,wedding,funeral,graduation,christening,retirement,name day
dentist,hospital,hair,vet,physio,blood test,scan|exam,interview,driving test,audition,recital,deadline
car,bike,van,scooter,boat,caravan,motorbike,trailer,tractor
keys,glasses,wallet,umbrella,purse,headphones,gloves,charger
drill,ladder,saw,hammer,spanner,lawnmower,wheelbarrow,tent,suitcase
table,sofa,bed,lamp,desk,wardrobe,armchair,bookcase,rug
rent,mortgage,electricity,gas,insurance,council tax,internet,heating
loan,deposit,fine,fee,pension,bonus,refund
ibuprofen,metformin,aspirin,insulin,paracetamol,ramipril,iron,vitamin d,warfarin,statins,antihistamines
hip,knee,shoulder,ankle,wrist,elbow,neck|heart,liver,kidneys,lungs,thyroid
breakfast,lunch,dinner,supper,brunch|monday,tuesday,wednesday,thursday,friday,saturday,sunday
january,february,march,april,june,july,august,september,october,november,december
kitchen,bathroom,bedroom,attic,hall,living room,nursery,study,balcony,porch
passport,visa,driving licence,id card,birth certificate,railcard|flight,train,bus,ferry,tram
phone number,passport number,locker number,seat number,room number,flight number,account number,house number
french,spanish,german,italian,polish,japanese,arabic,welsh,portuguese,turkish,swedish
piano,violin,guitar,cello,flute,drums,trumpet,clarinet,accordion,harp,ukulele
football,tennis,swimming,rugby,cricket,hockey,judo,climbing,rowing,badminton,fencing
coffee,tea,beer,wine,milk,juice,cocoa,cider|bread,cheese,honey,eggs,rice,fish,soup,cake,jam
peanuts,shellfish,milk,wheat,pollen,strawberries,penicillin,latex,cats,wasps
coat,jacket,shoes,boots,dress,suit,hat,scarf,jumper,trousers,ring,watch
school,university,gym,choir,book club,nursery,library,church,surgery,bakery,market,allotment
morning,evening,afternoon,night|summer,winter,spring,autumn|upstairs,downstairs|left,right
italy,france,spain,greece,portugal,norway,japan,canada,ireland,turkey,india,kenya,poland
london,paris,rome,berlin,lisbon,oslo,dublin,madrid,vienna,prague,athens,glasgow,york,leeds
hotel,campsite,hostel,cottage,cabin|oven,fridge,boiler,dishwasher,washing machine,kettle,freezer,toaster
red,blue,green,yellow,white,black|roses,tulips,tomatoes,potatoes,beans,apples,pears,lemons,herbs
novel,poem,song,film,painting,podcast,album|dance,cook,paint,knit,sew,draw,sing,swim
""".strip().splitlines()
    for group in line.split("|")
]


def asked_of_sibling(
    question: str, told: Sequence[str], names: Collection[str], others: Sequence[str], rng: random.Random
) -> str:
    """A question with one word in another's place, of which nothing was told; "" where there is none.

    Args:
        told: all that was said. names: first names in it. others: first names to choose from.
    """
    held = {stem for text in told for stem in stems(text)}
    found = [
        (match.start(), match.end(), group)
        for group in GROUPS
        for word in group
        for match in re.finditer(rf"\b{word}\b", question, re.IGNORECASE)
    ]
    found += [
        (match.start(), match.end(), list(others))
        for name in names
        for match in re.finditer(rf"\b{re.escape(name)}\b", question, re.IGNORECASE)
    ]
    rng.shuffle(found)
    for begin, end, group in found:
        strange = [word for word in group if not held & set(stems(word)) and stems(word)]
        if strange:
            return f"{question[:begin]}{_as(question[begin:end], rng.choice(strange))}{question[end:]}"
    return ""


def _as(old: str, new: str) -> str:
    """A word written as the one whose place it takes."""
    return new[:1].upper() + new[1:] if old[:1].isupper() and old[1:].islower() else new
