"""Training text: permissive corpora, generated text, markup and code, random bytes; and the pieces of gists.

The corpora are plain files, one sentence of at most 160 bytes a line, one file per source, so that
a licence can be left out by leaving out its file. Nothing of a benchmark is read here;
`leaked` removes every line that shares a long run of words with a held-out file.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from . import markup
from .generate import TEXT_BYTES, clip, generate, recognizer_style
from .state import written

SOURCES = (
    "banking77 clinc150 convai2_persona_valid convai2_utts_valid hwu64 letta_facts self_dialogue slurp "
    "spc_personas spc_utts taskmaster3-4 tatoeba_eng topical_chat_valid_test"
).split()  # disfl_qa is share-alike and left out
LEAK_WORDS = 8  # a training line sharing so many words in a row with a held-out text is dropped


@dataclass(frozen=True)
class Corpus:
    """Texts to train on, and as many of each kind held out for validation."""

    real: list[str]
    generated: list[str]
    held_real: list[str]
    held_generated: list[str]


@lru_cache(maxsize=1)
def _profanities() -> frozenset[str]:
    """The single words of better-profanity's list, in lower case."""
    from better_profanity.utils import get_complete_path_of_file, read_wordlist

    words = read_wordlist(get_complete_path_of_file("profanity_wordlist.txt"))
    return frozenset(word.lower() for word in words)


def is_clean(text: str) -> bool:
    """Whether no word of a text is on the list of profanities."""
    return _profanities().isdisjoint(recognizer_style(text).split())


def source_text(data: Path, name: str) -> str:
    """The text of a source.

    Args:
        data: the folder with train/ and lists/.

    Raises:
        SystemExit: there is no such file.
    """
    path = data / "train" / f"{name}.txt"
    if not path.is_file():
        raise SystemExit(f"{path} not found: give --data the folder with train/ and lists/")
    return path.read_text(encoding="utf-8")


def real_texts(data: Path) -> list[str]:
    """The lines of all sources, without profanity, and without what a dev set holds; prints what went in."""
    real: dict[str, None] = {}
    for name in SOURCES:
        lines = source_text(data, name).split("\n")
        real.update(dict.fromkeys(line for line in lines if line))
        print(f"{name:28} {len(lines):8,} lines")
    clean = [text for text in real if is_clean(text)]
    print(f"{'profane':28} {len(real) - len(clean):8,} lines left out")
    texts, dropped = without_leaks(clean, data)
    print(
        f"{'in all':28} {len(texts):8,} unique, {dropped} dropped: {LEAK_WORDS} words shared with a dev set"
    )
    return texts


def load_corpus(data: Path, generated: int, seed: int, cache: Path, held: int = 1_000) -> Corpus:
    """Reads, generates (cached by seed and count), removes leaks, shuffles, splits; prints what went in."""
    texts = real_texts(data)
    made = _generated(data, generated, seed, cache)
    print(f"{'generated':28} {len(made):8,}")
    rng = random.Random(seed)
    rng.shuffle(texts)
    return Corpus(texts[held:], made[held:], texts[:held], made[:held])


def _generated(data: Path, count: int, seed: int, cache: Path) -> list[str]:
    recipe = hashlib.sha256((Path(__file__).with_name("generate.py")).read_bytes()).hexdigest()[:8]
    file = cache / f"generated-{count}-{seed}-{recipe}.json"
    if not file.is_file():
        made = generate(
            data, count, seed, lambda n: print(f"\rgenerating {n:,}/{count:,}", end="", flush=True)
        )
        print()
        written(file, lambda draft: draft.write_text(json.dumps(made), encoding="utf-8"))
    texts: list[str] = json.loads(file.read_text(encoding="utf-8"))
    return texts


def _runs(text: str) -> Iterable[str]:
    words = recognizer_style(text).split()
    return (" ".join(words[i : i + LEAK_WORDS]) for i in range(len(words) - LEAK_WORDS + 1))


def without_leaks(texts: list[str], data: Path) -> tuple[list[str], int]:
    """Drops texts that share a run of `LEAK_WORDS` words with any dev set below `data`."""
    held: set[str] = set()
    for file in sorted(data.rglob("*")):
        if file.suffix in (".jsonl", ".txt", ".json") and "dev" in (*file.parts[-3:], file.stem):
            for line in file.read_text(encoding="utf-8").split("\n"):
                held.update(_runs(line))
    kept = [text for text in texts if not any(run in held for run in _runs(text))]
    return kept, len(texts) - len(kept)


class Sample(NamedTuple):
    """One text to learn."""

    data: bytes
    field: int  # index of the field of the value that holds it: 0 words, 1 to 4 pieces of gists
    lowest: float = 0.0  # strength below which nobody could read it


class Sampler:
    """Endless batches of samples: words for the verbatim field, pieces of gists for the others.

    The stream is a pure function of the seed and the batch number, so a resumed run sees what an
    uninterrupted one would have seen.
    """

    def __init__(self, corpus: Corpus, seed: int) -> None:
        self.corpus, self.seed = corpus, seed

    def batch(self, number: int, size: int) -> list[Sample]:
        """Batch `number` of `size` samples."""
        rng = random.Random(self.seed * 1_000_003 + number)
        return [self._sample(rng) for _ in range(size)]

    def _sample(self, rng: random.Random) -> Sample:
        chance, real = rng.random(), self.corpus.real
        if chance < 0.20:
            text = rng.choice(real)
            return Sample((markup.full(text) if rng.random() < 0.15 else text).encode(), 0)
        if chance < 0.25:
            return Sample(recognizer_style(rng.choice(real)).encode() or b"a", 0)
        if chance < 0.33:
            return Sample(self._with_strange_string(rng).encode(), 0)
        if chance < 0.53:
            return Sample(rng.choice(self.corpus.generated).encode(), 0)
        if chance < 0.62:  # nothing to guess from: no redundancy is left on a coarse grid
            return Sample(
                rng.randbytes(rng.randint(1, 160) if rng.random() < 0.6 else rng.randint(1, 24)), 0, 0.6
            )
        if chance < 0.84:
            return self._no_sentence(rng)
        text = rng.choice(self.corpus.real if rng.random() < 0.5 else self.corpus.generated)
        return Sample(*gist_piece(rng, text))

    def _no_sentence(self, rng: random.Random) -> Sample:
        chance, real = rng.random(), self.corpus.real
        if chance < 0.35:
            return Sample(markup.markdown(rng, real).encode(), 0)
        if chance < 0.65:
            return Sample(markup.code(rng).encode(), 0)
        if chance < 0.86:
            return Sample(markup.sprinkled(rng, real), 0, 0.5)
        return Sample(markup.repeated(rng, real).encode(), 0)

    def _with_strange_string(self, rng: random.Random) -> str:
        text = rng.choice(self.corpus.real)
        at = rng.randint(0, len(text))
        kind = rng.random()
        if kind < 0.4:
            junk = "".join(chr(rng.randint(33, 126)) for _ in range(rng.randint(1, 20)))
        elif kind < 0.8:
            junk = strange_word(rng)
        else:
            junk = "".join(rng.choices(SYMBOLS, k=rng.randint(1, 4)))
        return clip(text[:at] + junk + text[at:], TEXT_BYTES)


PLAIN = "abcdefghijklmnopqrstuvwxyz"
LETTERS = PLAIN * 2 + "àáâãäåæçèéêëìíîïñòóôõöøùúûüýăąćčďđęěğıłńňőřśșşšťțţůűźżž"
SYMBOLS = "²³×–—½¼¾°€£µ…“”‘’«»⭐✓→•·§±&%#@+=/|"


def strange_word(rng: random.Random) -> str:
    """A word that nobody has seen: a name, mostly."""
    letters = PLAIN if rng.random() < 0.4 else LETTERS
    word = "".join(rng.choices(letters, k=rng.randint(2, 9)))
    return word.capitalize() if rng.random() < 0.8 else word


def gist_piece(rng: random.Random, text: str) -> tuple[bytes, int]:
    """One of the four lower fields of a gist, made of words of a text.

    The pieces are those of `neuromem.facts.Gist.segments`: ``1``, ``|dog name``, ``|P``, ``otola``,
    and for keywords ``Thermion``, `` serial``, `` b``, ``oiler 24``.
    """
    words = text.split() or ["thing"]
    at = rng.randrange(len(words))
    if rng.random() < 0.3:
        words[at] = strange_word(rng)
    mark = "|" if rng.random() < 0.75 else " "
    kind = rng.choice((1, 1, 1, 2, 3, 3, 4, 4))
    if kind < 4 and rng.random() < 0.08:
        return b"", kind  # a gist may be complete before its last field
    if kind == 4:
        piece = "1" if rng.random() < 0.4 else " ".join(words[at : at + rng.randint(1, 2)])
        return clip(piece, 16).encode(), 4
    if kind == 3:
        piece = " ".join(words[at : at + rng.randint(1, 3)])
        return clip(mark + (piece.lower() if rng.random() < 0.8 else piece), 24).encode(), 3
    if kind == 2:
        return clip(mark + words[at][:1], 8).encode(), 2
    piece = " ".join(words[at : at + rng.randint(1, 5)])[1:]
    return clip(piece, 32).encode() or b"s", 1
