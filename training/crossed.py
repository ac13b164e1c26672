"""Questions of one user asked of another, to whom nobody has told the answer.

What is asked of a dialogue and answered nowhere in it was written with a careless reader in mind; real
questions of that kind are plainer: an anniversary, a registration, of which no word has been said.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from neuromem.assistant.asked import ROLE_WORDS, is_follow_up
from neuromem.facts.clause import KIN_WORDS
from neuromem.text import idf, stems

from .talks import Ask, Talk, names_in_talk, swapped

__all__ = ["crossed"]

TELLING = 5.0  # nats from which a word says what is asked for …
NAME = 11.0  # … and from which it is hardly anything but a name
LATER_S = 86_400.0  # after the last turn
TRIES = 40  # questions that are looked at for one that fits
PERSONS = frozenset(stems(" ".join([*KIN_WORDS, *ROLE_WORDS])))
# what is told without these words, or says only which of several is meant
WEAK = frozenset(
    stems(
        """
        date job number profession present trade final end former age occupation place current size
        subject home hour month business result past latest craft field line school career night
        next earlier leave arrive move list town part post position fee count plan cost animal work
        employer passion ambition hobby dream life city country price pay wage salary rate figure
        sum total amount length duration time year week start begin new old second first third real
        true main little origin native birthplace companion mr mrs dr lady woman man madam mister
        title sport pet food kind sort workplace per put change give two three four set ask came
        house money future newest original share special family read talk word must head close due
        found gave lost given earn name call
        """
    )
)
_LEANS = re.compile(
    r"\b(?:he|she|him|his|her|hers|they|them|their|it|its|that|there|then|this|those)\b", re.IGNORECASE
)
_WORD = re.compile(r"[\w’'-]+")
_CAPITAL = re.compile(r"(?<=[\w,] )[A-ZÀ-ÞİŞĞÇÖÜ][\w’'-]+")


def crossed(talks: Sequence[Talk], known: set[str], count: int, seed: int) -> list[Talk]:
    """Each talk with questions of others, named as its own people are; nothing in it has their words.

    Args:
        known: first names. count: questions a talk, if so many fit.
    """
    rng = random.Random(seed)
    asked = [
        (wording, names)
        for talk in talks
        for names in [names_in_talk(talk, known)]
        for ask in talk.asks
        if ask.expected and ask.kind != "inferred"
        for wording in ask.wordings
        if stands_alone(wording)
    ]
    out = []
    for talk in talks:
        held = {stem for _, text in talk.turns for stem in stems(text)}
        own = names_in_talk(talk, known)
        told = Talk(talk.name, talk.user, talk.turns, [])
        for wording, names in rng.sample(asked, min(len(asked), TRIES)):
            question = _renamed(wording, names, own, rng)
            if question and len(told.asks) < count and _is_strange(question, own, held):
                time = talk.turns[-1][0] + LATER_S
                told.asks.append(Ask(time, "unknown", [question], [], [], []))
        out.append(told)
    return out


def stands_alone(wording: str) -> bool:
    """Whether a question needs nothing that was said before."""
    return not (is_follow_up(wording) or _LEANS.search(wording))


def _renamed(wording: str, names: Sequence[str], own: Sequence[str], rng: random.Random) -> str:
    """A question of people of the other talk; empty where it names what is no person."""
    words = {_bare(word).casefold() for word in _WORD.findall(wording)}
    named = [name for name in names if name.casefold() in words or f"{name.casefold()}s" in words]
    things = {_bare(word) for word in _CAPITAL.findall(wording)} - {"I", *named}
    if things or len(own) < len(named):
        return ""
    return swapped(wording, dict(zip(named, rng.sample(list(own), len(named)), strict=True)))


def _bare(word: str) -> str:
    return word.removesuffix("'s").removesuffix("’s")


def _is_strange(question: str, own: Sequence[str], held: set[str]) -> bool:
    """Whether no word of what a question asks for has been told, whoever it asks about."""
    persons = PERSONS | set(stems(" ".join(own)))
    asked = {stem for stem in stems(question) if stem not in persons and idf(stem) >= TELLING}
    return any(idf(stem) < NAME for stem in asked - WEAK) and not asked & held
