"""The word lists and patterns by which `grounding.py` compares a statement with what was said: data only."""

from __future__ import annotations

import re

from ..text import stem

__all__ = [
    "ANSWERS",
    "BASE_FORMS",
    "EMPTY",
    "FIRST_PERSON",
    "INVERTED",
    "JOINT",
    "MOOD",
    "MOOD_KEPT",
    "NEGATIONS",
    "OPEN",
    "POLITE",
    "REVERSED",
    "SELF",
    "SUBJECTS",
    "THINKS",
    "THIRD_PERSON",
]

# Forms that no stemmer brings together, the first of each group the one to compare by.
_FORMS = """
be been, become became, begin began begun, break broke broken, bring brought, build built, buy bought,
catch caught, choose chose chosen, come came, draw drew drawn, drink drank drunk, drive drove driven,
eat ate eaten, fall fell fallen, feel felt, fight fought, find found, fly flew flown, forget forgot forgotten,
give gave given, go went gone, grow grew grown, hear heard, hide hid hidden, hold held, keep kept,
know knew known, lead led, learn learnt, leave left, lend lent, lose lost, make made, mean meant, meet met,
pay paid, ride rode ridden, ring rang rung, rise rose risen, run ran, say said, see saw seen, sell sold,
send sent, sing sang sung, sit sat, sleep slept, speak spoke spoken, spend spent, stand stood,
steal stole stolen, swim swam swum, take took taken, teach taught, tell told, think thought,
throw threw thrown, understand understood, wake woke woken, wear wore worn, win won, write wrote written,
child children, person people, wife wives, knife knives, foot feet, tooth teeth, mouse mice, man men,
woman women, die dying, name call
"""


def _base_forms() -> dict[str, str]:
    groups = [group.split() for group in _FORMS.replace("\n", " ").split(",")]
    known = {form: stem(group[0]) for group in groups for form in group[1:]}
    return known | {stem(form): base for form, base in known.items()}


BASE_FORMS = _base_forms()

SELF = frozenset(("user", "speaker"))  # what models call whoever speaks
FIRST_PERSON = frozenset("i me my mine myself we us our ours ourselves im ive".split())
THIRD_PERSON = frozenset("he she it they him her his hers its them their theirs".split())
OPEN = THIRD_PERSON | frozenset(
    "this that these those there here then one ones both too same also so either neither another".split()
)
SUBJECTS = frozenset("i we he she they it you that which who".split())
ANSWERS = frozenset(
    "yes yeah yep yup sure right exactly correct true indeed i do am did have no nope nah not don't".split()
)
INVERTED = frozenset(
    "do does did is are am was were can could should would will shall have has had what who whose where when "
    "why how which isn't aren't don't doesn't didn't wasn't won't".split()
)

NEGATIONS = frozenset(
    "not no never none nobody nothing nowhere neither nor without cannot dont doesnt didnt isnt arent wasnt "
    "werent cant wont wouldnt couldnt shouldnt hasnt havent hadnt aint".split()
)
EMPTY = frozenset(("longer", "anymore"))  # all that is in them is the "no" before them
THINKS = frozenset("think believe suppose reckon feel guess imagine".split())  # "I don't think I do"
REVERSED = re.compile(
    r"\b(?:stop(?:s|ped|ping)?|quit\w*|g[ai]ve(?:n|s)? up|giving up|used to|former\w*|refus\w*|avoid\w*|"
    r"almost|nearly|fail(?:s|ed)?|forg[oe]t to|den(?:y|ies|ied)|instead of|rather than|unlike)\b"
)

# Where one clause ends and the next begins.
JOINT = re.compile(
    r"[,;:.!?()]+\s|\s(?=(?:but|and|because|so|although|though|while|whereas|or)\b)|\s-\s", re.IGNORECASE
)

# What is wished, planned or supposed, and the words that still say so.
MOOD = re.compile(
    r"\b(?:if|would|could|might|should|wish\w*|hop(?:e|es|ing)|imagine|suppose|pretend\w*|maybe|perhaps|"
    r"unless|dream(?:t|ed|ing)?|considering|thinking (?:of|about)|want(?:s|ed)? to|wanna|going to|gonna|will|"
    r"plan\w*|intend\w*|try(?:ing)? to|needs? to|about to|ought)\b|'ll\b|\b\w+'d\b(?! (?:better|been))"
)
POLITE = re.compile(
    r"(?:\bwould|'d) (?:\w+ly )?(?:like|love|prefer|hate|rather)\b"  # "I'd like" supposes nothing
)
MOOD_KEPT = re.compile(
    r"\b(?:if|would|could|might|may|should|wish\w*|hop(?:e|es|ing)|imagin\w+|suppos\w+|pretend\w*|maybe|perhaps|"
    r"possibly|unless|dream\w*|consider\w*|think\w*|want\w*|wanna|going|gonna|will|plan\w*|intend\w*|try\w*|"
    r"needs?|must|have to|about to|ought|"
    r"(?:mov|leav|start|gett|fly|travell?|visit|com|return|retir|marry|hav|meet|beginn)ing)\b|'ll\b|'d\b"
)
