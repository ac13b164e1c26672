"""What a small speech recognizer makes of a sentence: for training encoders that must not mind.

Lower case, no punctuation, and now and then a word that sounds alike, a mangled name, a word lost or
doubled. The noise with which `evaluate.py` measures is another one (`neuromem.bench.mishear`).
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher

from .generate import recognizer_style

ALIKE = """there their they're|to two too|our are hour|its it's|your you're|no know|new knew|right write
by buy bye|for four|here hear|wear where|week weak|son sun|one won|ate eight|meet meat|see sea
whole hole|which witch|weather whether|would wood|hi high|flour flower|dear deer|mail male|made maid
main mane|pair pear|peace piece|plane plain|road rode|sale sail|scene seen|some sum|steal steel
tail tale|wait weight|waste waist|way weigh|who's whose|what's watts|mum mom|than then|an and|in and
of have|is as|does dose|did it|live leave|color caller|wife life|call cold|name main|dog doc|cat cut
pet bet|work walk|favourite favorite|fish fit|think sink|brother rather|sister sitter|doctor doctors"""
VOWELS = "aeiou"
SOUNDS = {"c": "k", "k": "c", "b": "p", "p": "b", "d": "t", "t": "d", "g": "k", "v": "f", "f": "v", "s": "z",
          "z": "s", "m": "n", "n": "m", "l": "r", "r": "l", "y": "i", "j": "g", "w": "v"}  # fmt: skip


def _table() -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for line in ALIKE.split("\n"):
        for group in line.split("|"):
            words = group.split(" ")
            for word in words:
                out.setdefault(word, []).extend(other for other in words if other != word)
    return out


_ALIKE = _table()


def mangled(word: str, rng: random.Random) -> str:
    """A word of which one sound was misheard."""
    places = [at for at, letter in enumerate(word) if letter in VOWELS or letter in SOUNDS]
    if not places:
        return word
    at = rng.choice(places)
    letter = rng.choice(VOWELS) if word[at] in VOWELS else SOUNDS[word[at]]
    return word[:at] + letter + word[at + 1 :]


class Confusions:
    """Real words that a recognizer may write for one another: those with the same rough consonants."""

    FOLDED = str.maketrans("ckqgbpdtvfszmnlr", "kkkkppttffssnnll", "aeiouhyw'")
    MOST, LEAST = 12_000, 4  # words known, and how often a word must be seen to be known

    def __init__(self, texts: Iterable[str]) -> None:
        counts = Counter(word for text in texts for word in recognizer_style(text).split())
        known = [word for word, count in counts.most_common(self.MOST) if count >= self.LEAST]
        self._like: dict[str, list[str]] = {}
        for word in known:
            if word.isalpha() and len(word) > 1:
                self._like.setdefault(self.sound(word), []).append(word)

    @classmethod
    def sound(cls, word: str) -> str:
        """The consonants, alike ones as one, with a mark for a vowel at the start."""
        start = "a" if word[:1] in VOWELS else ""
        return start + re.sub(r"(.)\1+", r"\1", word.translate(cls.FOLDED))

    def of(self, word: str, rng: random.Random) -> str:
        """A real word in place of another, common ones more often; the word itself if it is unlike all."""
        like = [other for other in self._like.get(self.sound(word), ()) if other != word][:8]
        return rng.choice(like) if like else word


class Neighbours(Confusions):
    """Real words that a recognizer may write for one another, unlike in at most one sound, nearest first."""

    NEAREST, ALIKE = 6, 0.5  # words kept for each; how alike in spelling they must be (Ratcliff/Obershelp)

    def __init__(self, texts: Iterable[str]) -> None:
        super().__init__(texts)
        self._by_part: dict[str, list[str]] = {}
        for sound, words in self._like.items():
            for part in self._parts(sound):
                self._by_part.setdefault(part, []).extend(words)
        self._nearest: dict[str, list[str]] = {}

    @staticmethod
    def _parts(sound: str) -> set[str]:
        """A sound, and what is left of it without one of its signs."""
        return {sound, *(sound[:at] + sound[at + 1 :] for at in range(len(sound)) if len(sound) > 2)}

    def of(self, word: str, rng: random.Random) -> str:
        """A real word in place of another, nearer ones more often; the word itself if it is unlike all."""
        if word not in self._nearest:
            found = {near for part in self._parts(self.sound(word)) for near in self._by_part.get(part, ())}
            ranked = sorted((-self._alike(word, near), near) for near in found - {word})
            self._nearest[word] = [near for alike, near in ranked[: self.NEAREST] if -alike >= self.ALIKE]
        near = self._nearest[word]
        return rng.choices(near, range(len(near), 0, -1))[0] if near else word

    @staticmethod
    def _alike(word: str, near: str) -> float:
        return SequenceMatcher(None, word, near, autojunk=False).ratio()


def heard_badly(text: str, rng: random.Random, rate: float, neighbours: Confusions) -> str:
    """The text in a recognizer's style, with at least one error where it can be misheard.

    Two errors in three are a real word in place of another; the rest are words lost, doubled, heard as
    two, put in, or mangled.

    Args:
        rate: chance of each word, but the one that is surely hit, to be misheard.
    """
    words = recognizer_style(text).split()
    if not words:
        return text
    surely, out = rng.randrange(len(words)), []
    for place, word in enumerate(words):
        out += _heard(word, rng, neighbours) if place == surely or rng.random() < rate else [word]
    return " ".join(out) or text


FILLERS = "a an and are at did do for he her i in is it of on or so that the there to uh um was you".split()


def _heard(word: str, rng: random.Random, neighbours: Confusions) -> list[str]:
    kind = rng.random()
    if kind < 0.66:
        if word in _ALIKE and rng.random() < 0.4:
            return [rng.choice(_ALIKE[word])]
        near = neighbours.of(word, rng)
        return [near if near != word else mangled(word, rng)]
    if kind < 0.74:
        return [mangled(word, rng)]
    if kind < 0.82 and len(word) > 5:
        cut = rng.randint(2, len(word) - 2)
        return [word[:cut], word[cut:]]
    if kind < 0.92:
        return [word, rng.choice(FILLERS)]
    return [] if len(word) < 6 else [word, word]


def misheard(text: str, rng: random.Random, rate: float = 0.12, confusions: Confusions | None = None) -> str:
    """The text in a recognizer's style, each word wrong with chance `rate`."""
    out: list[str] = []
    for word in recognizer_style(text).split():
        if rng.random() >= rate:
            out.append(word)
            continue
        kind = rng.random()
        if word in _ALIKE and kind < 0.8:
            out.append(rng.choice(_ALIKE[word]))
        elif confusions is not None and kind < 0.5:
            out.append(confusions.of(word, rng))
        elif kind < 0.6:
            out.append(mangled(word, rng))
        elif kind < 0.75 and len(word) > 5:  # heard as two words
            cut = rng.randint(2, len(word) - 2)
            out += [word[:cut], word[cut:]]
        elif kind < 0.85:
            out += [word, word]
        # else: the word is lost
    return " ".join(out) or text
