"""Builds neuromem/data/words.txt.gz: how many everyday sentences hold each stem.

    python -m training.word_frequencies [--data FOLDER] [--out FILE] [--top 20000]

One line per level: the level (idf in steps of `IDF_STEP` nats, rounded), then its stems; a level marked
"^" holds names, words mostly written with a capital. The file is the same, byte for byte, for the same
input.
"""

from __future__ import annotations

import argparse
import gzip
import math
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from neuromem.text import IDF_STEP, MAX_IDF_LEVEL, stem, stems

LEAVE_OUT = {"disfl_qa"}  # share-alike
HEADER = """\
# Document frequency of English stems over {count} sentences of everyday talk; idf in steps of {step} nats.
# Counted in: ConvAI2, Synthetic-Persona-Chat, SLURP, HWU64, Taskmaster 3-4, Banking77 (CC BY 4.0),
# CLINC150 (CC BY 3.0), Tatoeba English (CC BY 2.0 FR), Letta facts (Apache-2.0),
# Self-dialogue (BSD-3-Clause), Topical-Chat (CDLA-Sharing-1.0).
"""


@dataclass
class Counts:
    """What is counted over the sentences."""

    sentences: int = 0
    held_by: Counter[str] = field(default_factory=Counter)  # stem → sentences that hold it
    capital: Counter[str] = field(default_factory=Counter)  # stem → times with a capital inside a sentence
    small: Counter[str] = field(default_factory=Counter)  # stem → times without one there

    def add(self, line: str) -> None:
        self.sentences += 1
        self.held_by.update({stem for stem in stems(line) if not stem.startswith("#")})
        inside = [word.strip('.,;:!?"()').removesuffix("'s") for word in line.split()[1:]]
        capitals = sum(word[:1].isupper() for word in inside)
        # A line in title case, or without any case, tells nothing about its words.
        if line[:1].isupper() and capitals <= 3 and any(word.islower() for word in inside):
            self.capital.update(stem(word.casefold()) for word in inside if word[:1].isupper())
            self.small.update(stem(word) for word in inside if word.islower())

    def is_name(self, stem: str) -> bool:
        return self.capital[stem] > 1.5 * self.small[stem]


def sources(folder: Path) -> list[Path]:
    """The files of a folder that are counted.

    Raises:
        SystemExit: there are none; a table of nothing would take the place of the shipped one.
    """
    found = [path for path in sorted(folder.glob("*.txt")) if path.stem not in LEAVE_OUT]
    if not found:
        raise SystemExit(f"no texts in {folder}: give --data the folder that holds them (DATA/train)")
    return found


def count_stems(folder: Path) -> Counts:
    """Counts over all sources of a folder, one sentence a line."""
    counts = Counts()
    for path in sources(folder):
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                counts.add(line.strip())
    return counts


def to_text(counts: Counts, top: int) -> str:
    """The table as text: header, then one line per level, commonest first."""
    commonest = sorted(counts.held_by.items(), key=lambda item: (-item[1], item[0]))[:top]
    levels: dict[tuple[int, bool], list[str]] = defaultdict(list)
    for found, count in commonest:
        level = min(MAX_IDF_LEVEL - 1, round(math.log(counts.sentences / count) / IDF_STEP))
        levels[level, counts.is_name(found)].append(found)
    lines = [f"{level}{'^' * name} {' '.join(sorted(levels[level, name]))}" for level, name in sorted(levels)]
    return HEADER.format(count=counts.sentences, step=IDF_STEP) + "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    root = Path(__file__).resolve().parent.parent
    data = Path(os.environ.get("NEUROMEM_DATA", root.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data / "train", help="folder of texts: DATA/train")
    parser.add_argument("--out", type=Path, default=root / "neuromem" / "data" / "words.txt.gz")
    parser.add_argument("--top", type=int, default=20_000)
    options = parser.parse_args()
    counts = count_stems(options.data)
    packed = gzip.compress(to_text(counts, options.top).encode("utf-8"), compresslevel=9, mtime=0)
    options.out.write_bytes(packed)
    print(f"{options.out}: {len(packed)} bytes, {counts.sentences} sentences, {len(counts.held_by)} stems")


if __name__ == "__main__":
    main()
