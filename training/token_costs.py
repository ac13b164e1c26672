"""Builds neuromem/data/token_costs.txt.gz: how many tokens common English words cost at most.

    python -m training.token_costs VOCABULARY.gguf… [--data FOLDER] [--out FILE] [--top 8000]

Each word is counted with each vocabulary, small and capitalized, at the beginning, after a space and after a
line break, before a space, a mark and the end; the worst case is kept. The vocabularies are GGUF files
(llama.cpp has them, without weights, as `models/ggml-vocab-*.gguf`), read by llama-cpp-python. One line per
cost: the cost, then its words.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from neuromem.tokens import Count

from .word_frequencies import sources

HEADER = """\
# The most tokens that a common English word costs, with the blank before it, in any of these vocabularies:
# {names}.
# The commonest words of: ConvAI2, Synthetic-Persona-Chat, SLURP, HWU64, Taskmaster 3-4, Banking77
# (CC BY 4.0), CLINC150 (CC BY 3.0), Tatoeba English (CC BY 2.0 FR), Letta facts (Apache-2.0),
# Self-dialogue (BSD-3-Clause), Topical-Chat (CDLA-Sharing-1.0).
"""
WORD = re.compile(r"(?<![\w'])[A-Za-z]+(?:'[a-z]+)?(?![\w'])")


def common_words(folder: Path, top: int) -> list[str]:
    """The commonest words of a folder's texts, in small letters."""
    counts: Counter[str] = Counter()
    for path in sources(folder):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                counts.update(word.lower() for word in WORD.findall(line))
    return [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top]]


def counter(path: Path) -> Count:
    """Counts a text's tokens with a GGUF file's vocabulary, nothing added."""
    import llama_cpp

    model: Any = llama_cpp.Llama(model_path=str(path), vocab_only=True, verbose=False)

    def count(text: str) -> int:
        return len(model.tokenize(text.encode("utf-8"), add_bos=False, special=False))

    return count


def cost_of(word: str, count: Count) -> int:
    """The most tokens that a word adds to a text, with the blank before it."""
    worst = 0
    for form in {word, word.capitalize()}:
        for before in ("", "a", "a\n", "a."):
            blank = " " if before in ("a", "a.") else ""
            for after, tokens in (("", 0), (" a", 1), (".", 1), ("!", 1), (",", 1), ("\n", 1)):
                # of a mark and a short word after it, one token each is counted for them, not for the word
                found = count(f"{before}{blank}{form}{after}") - count(before) - tokens
                worst = max(worst, found)
    return worst


def costs_of(words: Sequence[str], counts: Iterable[Count]) -> dict[str, int]:
    """The cost of each word in the worst vocabulary."""
    costs = dict.fromkeys(words, 1)
    for count in counts:
        for word in words:
            costs[word] = max(costs[word], cost_of(word, count))
    return costs


def to_text(costs: Mapping[str, int], names: Sequence[str]) -> str:
    """The table as text; words that cost as much as their bytes are left out."""
    lines: dict[int, list[str]] = defaultdict(list)
    for word, cost in costs.items():
        if cost < len(word) + 1:
            lines[cost].append(word)
    rows = [f"{cost} {' '.join(sorted(lines[cost]))}" for cost in sorted(lines)]
    return HEADER.format(names=", ".join(names)) + "\n".join(rows) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    root = Path(__file__).resolve().parent.parent
    data = Path(os.environ.get("NEUROMEM_DATA", root.parent / "shared" / "data"))
    parser.add_argument("vocabularies", type=Path, nargs="+", help="GGUF files")
    parser.add_argument("--data", type=Path, default=data / "train", help="folder of texts: DATA/train")
    parser.add_argument("--out", type=Path, default=root / "neuromem" / "data" / "token_costs.txt.gz")
    parser.add_argument("--top", type=int, default=8_000)
    options = parser.parse_args()
    paths = sorted(options.vocabularies)
    costs = costs_of(common_words(options.data, options.top), map(counter, paths))
    names = [path.stem.removeprefix("ggml-vocab-") for path in paths]
    packed = gzip.compress(to_text(costs, names).encode("utf-8"), compresslevel=9, mtime=0)
    options.out.write_bytes(packed)
    print(f"{options.out}: {len(packed)} bytes, {len(costs)} words, {len(names)} vocabularies")


if __name__ == "__main__":
    main()
