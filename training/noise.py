"""What a small speech recognizer makes of a sentence: for training encoders that must not mind.

Lower case, no punctuation, and now and then a word that sounds alike, a mangled name, a word lost or
doubled. The noise with which `evaluate.py` measures is another one (`neuromem.bench.mishear`).
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable

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
