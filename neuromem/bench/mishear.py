"""Questions as a speech recognizer hears them: lower case, no punctuation, one word in ten wrong.

Errors are those that recognizers make: words replaced by real ones that sound or look alike, small words
lost or put in, one word heard as two and two as one; two errors in three are replacements. Each word is
as likely as any other to be hit, until the word error rate asked for is reached over all texts;
`word_error_rate` measures it. Everything follows from the seed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from functools import cache

from ..errors import InvalidInput
from ..text import STOP_WORDS, _table, idf, normalize, stem
from .everyday import SENTENCES

__all__ = ["Recognizer", "distance", "plain", "sound_of", "word_error_rate"]

SHARES = {"replace": 66, "drop": 14, "insert": 12, "split": 4, "merge": 4}
COMMON_LEVEL = 42  # a stem rarer than about one in 36,000 sentences is not guessed
CHOICES = 4  # of the nearest words, one is taken by chance
SMALL = "a an and are at did do for he her his i in is it of on or so that the there to uh was you".split()
ALIKE = """
ad add/aisle isle i'll/allowed aloud/are our or/ate eight/bare bear/be bee/been bean bin/berry bury/
board bored/brake break/buy by bye/cell sell/cereal serial/check cheque/cite sight site/coarse course/
dear deer/desert dessert/die dye/fair fare/fir fur/flew flu/flour flower/for four fore/forth fourth/
grate great/hair hare/hear here/heard herd/hi high/higher hire/him hymn/his is/hole whole/hour our/
in inn and/it's its/key quay/knew new/knight night/know no now/knows nose/lead led/made maid/mail male/
main mane/meat meet/mind mined/morning mourning/none nun/of off have/one won/pair pear/passed past/
patience patients/peace piece/plain plane/poor pour/prince prints/rain reign/read red reed/right write/
road rode/role roll/root route/sail sale/sauce source/scene seen/sea see/seam seem/sew so/some sum/
son sun/stair stare/stake steak/steal steel/tail tale/than then/that's thats/their there they're/
threw through/to too two/tyre tire/waist waste/wait weight/want won't/ware wear where/way weigh/
we're were where/weak week/weather whether/what want/when went/which witch/who's whose/wood would/
you your/
"""  # groups between strokes: homophones and near ones
_SOUNDS = (  # spelling → sound, in this order; after Philips's Metaphone (1990), voiced and unvoiced as one
    ("^[kgp]n", "N"), ("^wr", "R"), ("^x", "S"), ("mb$", "M"), ("x", "KS"),
    ("t?ch|sch|sh|ti(?=on|al)|ci(?=an|al|ou)|ssi(?=on)", "C"), ("dg(?=[ei])|j|g(?=[eiy])", "J"), ("gh", ""),
    ("ph|v|f", "F"), ("th|t|d", "T"), ("c(?=[eiy])|s|z", "S"), ("qu?|c|k|g", "K"), ("b|p", "P"),
    ("m", "M"), ("n", "N"), ("l", "L"), ("r", "R"), ("^[aeiou]+", "A"), ("^h", "H"), ("^w", "W"), ("^y", "Y"),
    ("[^A-Z]", ""), (r"(.)\1+", r"\1"),
)  # fmt: skip
_PLAIN = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_WHOLE = re.compile(  # stems that a stemmer leaves as they are: no silent e, no ending can have gone
    r"(?:[clnrsm]k|ll|ss|ff|[mls]p|nd|[sc]h|ft|ld|[rl][mdnt]|xt|ct|[oeywx]|[eo]r|[aeiou]{2}[kptnmrdl]"
    r"|^[^aeiou]*[aeiou][kptnmrdlbg])$"
)


def plain(text: str) -> list[str]:
    """The words of a text as a recognizer writes them: lower case, no sign but an apostrophe in a word."""
    return _PLAIN.findall(normalize(text))


def word_error_rate(said: Sequence[str], heard: Sequence[str]) -> float:
    """Substitutions, deletions and insertions per word said, over all texts; by edit distance of words."""
    errors = sum(distance(plain(one), plain(other)) for one, other in zip(said, heard, strict=True))
    return errors / max(1, sum(len(plain(text)) for text in said))


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein's distance of two lists of words, or of two words (Levenshtein, 1966)."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        corner, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (left != right))
    return row[-1]


@cache
def sound_of(word: str) -> str:
    """A rough phonetic key: words that sound alike share it, or differ by one sign."""
    for spelling, sound in _SOUNDS:
        word = re.sub(spelling, sound, word)
    return word


class Recognizer:
    """Mishears. It knows common English words, and those of the texts that it is given."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """
        Args:
            texts: their words, too, may be heard in place of others.
        """
        given = {word for text in (*texts, *SENTENCES) for word in plain(text) if word.isascii()}
        self.words = frozenset(word for word in given | _common_words() if word.isalpha())
        self._by_sound: dict[str, list[str]] = {}
        for word in sorted(self.words):
            for key in _nearly(sound_of(word)):
                self._by_sound.setdefault(key, []).append(word)
        self._nearest: dict[str, list[str]] = {}

    def hear(self, texts: Sequence[str], rate: float = 0.1, seed: int = 0) -> list[str]:
        """The texts misheard.

        Args:
            texts: what is said.
            rate: word errors per word, over all texts together: 0 to 0.5.

        Raises:
            InvalidInput: a rate out of range.
        """
        if not 0 <= rate <= 0.5:
            raise InvalidInput("rate", f"{rate!r} is out of range", "give 0 to 0.5 errors a word")
        rng = random.Random(seed)
        said = [plain(text) for text in texts]
        heard = [[[word] for word in words] for words in said]  # what each word is heard as
        places = [(text, index) for text, words in enumerate(said) for index in range(len(words))]
        left = round(rate * len(places))
        for text, index in rng.sample(places, len(places)):
            if left <= 0:
                break
            if heard[text][index] == [said[text][index]]:
                left -= self._err(said[text], heard[text], index, rng)
        return [
            " ".join(word for place in places for word in place) or " ".join(words)
            for places, words in zip(heard, said, strict=True)
        ]

    def _err(self, said: list[str], heard: list[list[str]], at: int, rng: random.Random) -> int:
        """Mishears the word at a place, if it can be misheard; returns how many errors that makes."""
        kind, word, following = rng.choices(*zip(*SHARES.items(), strict=True))[0], said[at], at + 1
        if kind == "insert":
            heard[at] = [word, rng.choice(SMALL)]
            return 1
        if kind == "drop" and word in STOP_WORDS and len(said) > 1:
            heard[at] = []
            return 1
        if kind == "split" and (halves := self._halves(word)):
            heard[at] = list(rng.choice(halves))
            return 2
        intact = heard[following : at + 2] == [said[following : at + 2]]
        if kind == "merge" and intact and (joined := self._whole(word + said[following])):
            heard[at : at + 2] = [[joined], []]
            return 2
        if near := self.like(word):
            heard[at] = rng.choices(near, range(len(near), 0, -1))
            return 1
        return 0

    def like(self, word: str) -> list[str]:
        """The words nearest to one in sound and spelling, nearest first; none if it is unlike all."""
        if word not in self._nearest:
            found = {near for key in _nearly(sound_of(word)) for near in self._by_sound.get(key, ())}
            order = sorted(found - {word}, key=lambda near: (_cost(word, near), near))
            self._nearest[word] = order[:CHOICES] if any(map(str.isalpha, word)) else []
        return self._nearest[word]

    def _whole(self, word: str) -> str:
        """A word if it is one, else the nearest; nothing if it is unlike all."""
        return word if word in self.words else next(iter(self.like(word)), "")

    def _halves(self, word: str) -> list[tuple[str, str]]:
        cuts = ((word[:at], word[at:]) for at in range(2, len(word) - 1))
        return [cut for cut in cuts if self.words.issuperset(cut)]


def _nearly(sound: str) -> set[str]:
    """A sound and what is left of it without any one of its signs: alike sounds share one of these."""
    return {sound, *(sound[:at] + sound[at + 1 :] for at in range(len(sound)) if len(sound) > 2)}


def _cost(word: str, near: str) -> float:
    """How unlikely one word is heard as another: unlike in spelling, in sound, and rare."""
    if near in _homophones().get(word, ()):
        return 0.0
    return distance(word, near) + 1.5 * distance(sound_of(word), sound_of(near)) + idf(stem(near)) / 8


@cache
def _homophones() -> dict[str, set[str]]:
    out: dict[str, set[str]] = {}
    for group in ALIKE.split("/"):
        for word in group.split():
            out.setdefault(word, set()).update(group.split())
    return out


@cache
def _common_words() -> frozenset[str]:
    """Common words: function words, homophones, and those stems of the table that are words as they stand."""
    levels, names = _table()
    stems = {stem for stem, level in levels.items() if level <= COMMON_LEVEL and stem.isascii()} - names
    whole = {_spelled(stem) for stem in stems if len(stem) > 2}
    unmarked = {word.replace("'", "") for word in STOP_WORDS if "'" in word}  # as in "dont"
    return frozenset(whole | (STOP_WORDS - unmarked) | set(_homophones())) - {"", *"stuv"}


def _spelled(stem: str) -> str:
    """A word of a stem, its ending given back; nothing where that is in doubt."""
    if re.search("[^aeiou]i$", stem):
        return stem[:-1] + "y"
    if re.search("[^aeiouylrw]l$|[^e]v$|[^o]u$|([aeio][aeiou])s$|[^y]nc$|rs$|dg$", stem):
        return stem + "e"
    return stem if _WHOLE.search(stem) and not stem.endswith("eon") else ""  # "someon", "anyon"
