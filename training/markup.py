"""Texts that are no sentences: markdown, source code, data, odd bytes, runs of one character.

What assistants write is full of them, and a memory must hold it as exactly as a sentence. Source code is
Python's own standard library (PSF licence); markup is put around the sentences of the corpora.
"""

from __future__ import annotations

import json
import random
import sysconfig
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from .generate import TEXT_BYTES, clip

BULLETS = ("- ", "* ", "  - ", "1. ", "2. ", "- [ ] ", "- [x] ", "• ", "> ", "\t", "    ")
RUNS = "-=*_#.~ \n\t" * 4 + "".join(map(chr, range(33, 127))) + "─│═║╭╮╯╰█▓░▏•·…—–★☆→←"
LANGUAGES = ("python", "js", "sql", "bash", "json", "html", "")
TAGS = "p li td h2 b i div span a code option title".split()


@lru_cache(maxsize=1)
def sources() -> tuple[str, ...]:
    """The files of the standard library, tests left out, in order of their paths."""
    library = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(
        file for file in library.rglob("*.py") if not {"site-packages", "test", "tests"} & set(file.parts)
    )
    texts = (file.read_text(encoding="utf-8", errors="replace") for file in files)
    return tuple(text for text in texts if len(text) > 1_000)


def code(rng: random.Random) -> str:
    """Some lines of source code, or a piece cut anywhere out of them."""
    text = rng.choice(sources())
    at = rng.randrange(len(text) - 200)
    if rng.random() < 0.7:
        at = text.find("\n", at) + 1
    piece = text[at : at + rng.randint(8, TEXT_BYTES)]
    if rng.random() < 0.5:
        piece = piece[: piece.rfind("\n") + 1] or piece
    return clip(piece.replace("\n", "\r\n") if rng.random() < 0.05 else piece) or "pass\n"


def markdown(rng: random.Random, texts: Sequence[str]) -> str:
    """Sentences with lists, headings, emphasis, tables, fences and blank lines, cut anywhere."""
    out = [_marked(rng, rng.choice(texts)) for _ in range(rng.randint(1, 4))]
    text = rng.choice(("\n", "\n\n", "\n", "\r\n", "\n\t", "\n    ")).join(out)
    if rng.random() < 0.3:
        text += rng.choice(("\n", "\n\n", " \n"))
    start = rng.randrange(len(text)) if rng.random() < 0.3 else 0
    return clip(text[start:]) or "\n"


def _marked(rng: random.Random, text: str) -> str:
    words = text.split() or ["it"]
    at = rng.randrange(len(words))
    kind = rng.random()
    if kind < 0.3:
        return rng.choice(BULLETS) + text
    if kind < 0.42:
        return "#" * rng.randint(1, 5) + " " + " ".join(words[:6]).title()
    if kind < 0.6:
        sign = rng.choice(("**", "*", "`", "_", "~~", '"', "***"))
        words[at] = f"{sign}{words[at]}{sign}"
        return " ".join(words)
    if kind < 0.68:
        return "| " + " | ".join(words[:5]) + " |" + ("\n|" + "---|" * min(5, len(words)))
    if kind < 0.76:
        return f"```{rng.choice(LANGUAGES)}\n{code(rng)[:60]}\n```"
    if kind < 0.84:
        return json.dumps({words[0]: words[at], "n": rng.randint(0, 9_999)}, indent=rng.choice((None, 2)))
    if kind < 0.92:
        tag = rng.choice(TAGS)
        return f"<{tag}>{' '.join(words[:8])}</{tag}>"
    return text


def sprinkled(rng: random.Random, texts: Sequence[str]) -> bytes:
    """A sentence in which some bytes are others: control characters or anything at all."""
    data = bytearray(rng.choice(texts).encode())
    low, high = rng.choice(((0, 32), (0, 256), (33, 127)))
    for _ in range(rng.randint(1, max(1, min(12, len(data) // 8)))):
        data[rng.randrange(len(data))] = rng.randrange(low, high)
    return bytes(data)


def repeated(rng: random.Random, texts: Sequence[str]) -> str:
    """A run of one character or one short pattern, alone or in a sentence."""
    unit = rng.choice(RUNS) if rng.random() < 0.6 else rng.choice(texts)[: rng.randint(1, 6)]
    run = unit * rng.randint(2, TEXT_BYTES // max(1, len(unit.encode())))
    if rng.random() < 0.5:
        text = rng.choice(texts)
        at = rng.randint(0, len(text))
        run = text[:at] + run[: rng.randint(2, 60)] + text[at:]
    return clip(run)


def full(text: str) -> str:
    """A text cut so that it fills its last patch of eight bytes, if it can."""
    data = text.encode()
    whole = data[: len(data) // 8 * 8].decode(errors="ignore")
    return whole if whole and len(whole.encode()) % 8 == 0 else text
