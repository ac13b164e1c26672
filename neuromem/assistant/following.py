"""Questions that lean on the one before: "Who is the father?" – "Emil." – "And what does he do?"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..facts import naming
from ..facts.clause import KIN_WORDS
from ..facts.relations import PETS
from .asked import ROLE_WORDS, is_follow_up, kind_of, names_in

__all__ = ["Before", "Follow", "follow"]

WITHIN_S = 900.0  # a question later than that leans on nothing
MOST = 240  # characters of the question before that are kept

_PERSON = re.compile(r"\b(?P<word>he|she|him|her|his|hers)\b(?P<short>['’]s\b)?", re.I)
_OWNS = frozenset(("his", "her", "hers"))
_ROLE = "|".join(sorted(map(re.escape, ROLE_WORDS | {"captain", *PETS.split()}), key=len, reverse=True))
_PHRASE = re.compile(
    r"\b(?:my|our|the|(?!(?:What|Who|Where|When|How|That|It)\b)[A-Z][\w-]+['’]s|mum['’]?s|dad['’]?s) "
    r"(?:\w+ ){0,2}?"
    rf"(?P<role>{_ROLE})\b(?!['’]s \w)",
    re.I,
)
_PROPER = re.compile(
    r"(?:(?:Mr|Mrs|Ms|Miss|Dr|Doctor|Captain|Uncle|Aunt|Auntie|Sister|Father)\.? )?"
    r"[A-ZÀ-ÞİŞĞÇÖÜ][\w’'-]+(?: [A-ZÀ-Þ][\w-]+)?"
)


_PLACED = re.compile(r"\b(?:from|in|at|to|near|of|on) $", re.I)  # what comes next is a place


@dataclass(frozen=True, slots=True)
class Before:
    """The question before, and what was answered."""

    question: str  # its pronouns resolved
    answer: str  # the statement that answered it, pronouns resolved; "" where nothing was known
    seq: int  # place in the log of the turn that answered; -1 for none
    time: float  # Unix seconds
    asks: bool = True  # False: it was told, not asked


@dataclass(frozen=True, slots=True)
class Follow:
    """A question with what it leans on."""

    text: str  # persons that it calls "he" or "she" put into words, where one can be told
    before: Before | None = None  # None: it stands by itself

    @property
    def query(self) -> str:
        """What to recall with."""
        return self.text if self.before is None else f"{self.before.question} {self.text}"


def follow(text: str, before: Before | None) -> Follow:
    """A question in the light of the one before."""
    if before is None or not is_follow_up(text):
        return Follow(text)
    match = _PERSON.search(text)
    if match is None or _names_first(text[: match.start()]):
        return Follow(text, before)
    gender = _gender_of(match["word"])
    name = _meant(before, gender)
    return Follow(_put(text, name, gender) if name else text, before)


def _names_first(text: str) -> bool:
    """Whether a question has named somebody before its pronoun."""
    return bool(names_in(text)) or _PHRASE.search(text) is not None


def _meant(before: Before, gender: str) -> str:
    """Whom a pronoun means: who was the answer, else who was asked about; "" where that is not clear."""
    asked_for = kind_of(before.question) in ("who", "name")
    new = names_in(f"so {before.answer}") - names_in(f"so {before.question}")
    answered = [
        match[0] for match in _PROPER.finditer(before.answer)
        if _bare(match[0]).lower() in new and not _PLACED.search(before.answer[: match.start()])
    ]  # fmt: skip
    phrases = [match for match in _PHRASE.finditer(before.question) if _gender(match["role"]) in ("", gender)]
    if asked_for and len(set(answered)) == 1:
        return answered[0]
    if phrases:
        return str(phrases[-1][0])
    named = [
        name for name in _PROPER.findall(before.question) if _bare(name).lower() in names_in(before.question)
    ]
    return named[0] if named else answered[0] if len(set(answered)) == 1 else ""


def _bare(name: str) -> str:
    return re.sub(r"['’]s?$", "", name)


def _gender(role: str) -> str:
    kin = KIN_WORDS.get(role.lower(), role.lower())
    return "she" if kin in naming.SHE else "he" if kin in naming.HE else ""


def _gender_of(pronoun: str) -> str:
    return "she" if pronoun.lower() in ("she", "her", "hers") else "he"


def _put(text: str, name: str, gender: str) -> str:
    """The question with its pronouns of that gender in words."""
    name = _bare(name)

    def word(match: re.Match[str]) -> str:
        if _gender_of(match["word"]) != gender:
            return match[0]
        plain = match["word"].lower()
        owns = plain in _OWNS and (plain == "his" or match.string[match.end() :].lstrip()[:1].isalpha())
        return name + ("'s" if owns or match["short"] else "")

    return _PERSON.sub(word, text)
