"""Verb forms that rules look for: data only, and how a form is recognized."""

from __future__ import annotations

import re

__all__ = ["BASE_VERBS", "IRREGULAR_PAST", "PAST_OF", "is_past", "is_verb_form"]

IRREGULAR_PAST = frozenset(
    """
    was were did had went came got took gave made said told saw met found lost left bought brought sold
    caught taught thought built sent spent felt kept slept paid heard held read ran sang swam drank drove
    ate flew grew knew threw wrote broke spoke woke chose rode rose fell began became forgot stood sat won
    wore shot shut cut hit hurt put quit split set let led lent lit bit hid dug hung stole stuck struck
    swore tore understood wept withdrew burnt learnt dreamt spilt spelt
    """.split()
)

# base form: its past, where no rule gives it and the stems of the two differ
PAST_OF = dict(
    pair.split()
    for pair in """
    be was,have had,do did,go went,come came,get got,take took,give gave,make made,say said,tell told,see saw,
    meet met,find found,lose lost,leave left,bring brought,buy bought,sell sold,catch caught,teach taught,
    think thought,build built,send sent,spend spent,feel felt,keep kept,sleep slept,pay paid,hear heard,
    hold held,run ran,sing sang,swim swam,drink drank,drive drove,eat ate,fly flew,grow grew,
    know knew,throw threw,
    write wrote,break broke,speak spoke,wake woke,choose chose,ride rode,rise rose,fall fell,begin began,
    become became,forget forgot,stand stood,sit sat,win won,wear wore,shoot shot,lead led,lend lent,light lit,
    bite bit,hide hid,dig dug,hang hung,steal stole,stick stuck,strike struck,swear swore,tear tore,
    understand understood,weep wept,fight fought,draw drew,feed fed,sweep swept,ring rang
    """.replace("\n", " ").split(",")
)

# Verbs that people say of themselves and others, in their base form; "-s" and "-ed" are derived.
BASE_VERBS = frozenset(
    """
    accept ache act add adopt adore agree announce answer apply argue arrange arrive ask attend avoid bake
    bank become begin believe belong bite bleed block book borrow break breathe breed bring build burn buy
    call camp cancel care carry catch celebrate change chase check choose clean clear climb close coach
    collect come commute complain cook cost count cover crash cross cry cut cycle dance date decide
    deliver despise die dig dislike divorce do draw dread dream dress drink drive drop dye earn eat employ
    end enjoy exercise expect explore face fail faint fall fast fear feed feel fight fill find finish fish
    fit fix fly follow forget forgive foster garden get give go graduate grow guard hang happen hate have
    head hear help hide hike hire hit hold hope host hunt hurt inherit injure insist invest invite iron
    jog join juggle jump keep kick kiss knit know land laugh lead learn leave lend let lie like limp
    listen live loathe look lose love make manage marry matter mean meet mend mention miss mix move mow
    need notice offer open order organise organize own pack paint park pass pay phone pick plan plant play
    post practise practice pray prefer prepare pretend promise propose pull push put quit race raise reach
    read receive recommend record recover refuse regret rehearse remember rent repair rescue rest retire
    return ride ring rob row run sail save say scare score see sell send serve set sew share shave shop
    show sing sit ski sleep smell smile smoke sneeze snore solve speak spend split stand start stay steal
    stink stop store study suffer suggest support surf survive swear swim switch take talk teach tell
    thank think throw tidy touch tour trade train transfer travel treat try turn use visit volunteer vote
    wait wake walk want wash waste watch water wear weigh win wish wonder work worry write yell
    """.split()
)

_NOT_PAST = frozenset(
    "need red bed seed feed speed weed shed sled bred purebred crossbred hundred sacred naked indeed".split()
)


def is_past(word: str) -> bool:
    """Whether a word looks like a verb in the past: "moved", "went"."""
    lower = word.lower()
    return lower in IRREGULAR_PAST or (len(lower) > 3 and lower.endswith("ed") and lower not in _NOT_PAST)


def is_verb_form(word: str) -> bool:
    """Whether a word is a form of a common verb, auxiliary or not: "lives", "went", "is", "can't"."""
    lower = word.lower()
    return is_past(lower) or _AUXILIARY.fullmatch(lower) is not None or _base(lower) in BASE_VERBS


def _base(lower: str) -> str:
    if lower in BASE_VERBS:
        return lower
    for ending, to in (("ies", "y"), ("es", ""), ("s", "")):
        stem = lower.removesuffix(ending) + to
        if lower.endswith(ending) and stem in BASE_VERBS:
            return stem
    return ""


_AUXILIARY = re.compile(
    r"(?:am|is|are|was|were|be|been|has|have|had|do|does|did|will|would|can|could|shall|should|"
    r"must|may|might|"
    r"cannot|won'?t|wouldn'?t|can'?t|couldn'?t|shouldn'?t|mustn'?t|isn'?t|aren'?t|ain'?t|wasn'?t|weren'?t|"
    r"hasn'?t|haven'?t|hadn'?t|don'?t|doesn'?t|didn'?t|used|never|gonna|gotta)"
)
