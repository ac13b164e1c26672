"""Trains the zstd dictionary that the event log compresses its records with.

A record is a hundred bytes or so: too short for a compressor to learn anything from it alone. The
dictionary is trained on sentences wrapped as the events that hold them, and is a pure function of
its input: the same text gives the same bytes.

    python -m training.train_log_dictionary            # reads $NEUROMEM_DATA/train
    python -m training.train_log_dictionary --data DIR --output neuromem/data/log.zdict

Each source's licence permits it (CC BY, Apache-2.0, BSD-3-Clause). A store keeps its own copy of
the dictionaries it was written with, so a new one never makes an old log unreadable.
"""

from __future__ import annotations

import argparse
import os
import random
import uuid
from pathlib import Path
from typing import Any

from neuromem.records import Event, encode_event

ROOT = Path(__file__).resolve().parent.parent
SOURCES = (  # disfl_qa repeats the same questions with slips of the tongue: it is left out
    "banking77",
    "clinc150",
    "convai2_persona_valid",
    "convai2_utts_valid",
    "hwu64",
    "letta_facts",
    "self_dialogue",
    "slurp",
    "spc_personas",
    "spc_utts",
    "taskmaster3-4",
    "tatoeba_eng",
)
DICTIONARY_BYTES = 32 * 1024
LINES_PER_SOURCE = 6_000
HELD_OUT = 10  # every tenth event is kept to measure with
FIRST_DAY = 1_700_000_000.0  # Unix seconds
LEVEL = 6  # LogConfig.compression_level


def read_lines(data: Path, rng: random.Random) -> list[str]:
    """An equal share of each source, shuffled: the largest must not drown the others.

    Raises:
        SystemExit: a source is not there.
    """
    lines: list[str] = []
    for source in SOURCES:
        path = data / f"{source}.txt"
        if not path.is_file():
            raise SystemExit(f"{path} not found: give --data the folder of texts (DATA/train)")
        text = path.read_text(encoding="utf-8").splitlines()
        lines += rng.sample(text, min(LINES_PER_SOURCE, len(text)))
    rng.shuffle(lines)
    return lines


def wrap(lines: list[str], rng: random.Random) -> list[bytes]:
    """The payloads of the events that a memory would append for these lines."""
    payloads = []
    for at, line in enumerate(lines):
        time = FIRST_DAY + rng.random() * 3e7
        number = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        other = lines[at - 1]
        said = {"role": "user", "content": line}
        bodies: tuple[tuple[str, dict[str, Any]], ...] = (
            ("add", {"id": number, "text": line, "metadata": {}}),
            ("add", {"id": number, "text": line, "gist": "1||", "role": "user", "infer": True}),
            ("turn", said),
            ("turn", {"role": "assistant", "content": line}),
            ("add", {"messages": [said, {"role": "assistant", "content": other}]}),
            ("add", {"messages": [{"name": line.split()[0], **said}], "infer": False}),
            ("update", {"id": number, "text": line}),
            ("supersede", {"id": number, "superseded_by": number[::-1], "text": line}),
            ("rehearse", {"ids": [number], "query": line}),
            ("delete", {"id": number}),
            ("sleep", {"now": time, "slots": at}),
        )
        weights = (20, 15, 15, 15, 10, 5, 5, 5, 5, 3, 2)
        kind, body = rng.choices(bodies, weights)[0]
        payloads.append(encode_event(Event(kind, time, body)))
    return payloads


def train(data: Path) -> tuple[bytes, list[bytes]]:
    """The dictionary's bytes, and the held-out payloads."""
    import zstandard

    rng = random.Random(0)
    payloads = wrap(read_lines(data, rng), rng)
    held_out = payloads[::HELD_OUT]
    samples: list[bytes | bytearray | memoryview[int]] = [
        payload for at, payload in enumerate(payloads) if at % HELD_OUT
    ]
    trained = zstandard.train_dictionary(DICTIONARY_BYTES, samples, k=256, d=8, dict_id=1, level=LEVEL)
    return trained.as_bytes(), held_out


def ratio(dictionary: bytes, payloads: list[bytes]) -> float:
    """Bytes before / bytes after, each payload compressed alone."""
    import zstandard

    compressor = zstandard.ZstdCompressor(
        LEVEL, dict_data=zstandard.ZstdCompressionDict(dictionary), write_dict_id=False
    )
    return sum(map(len, payloads)) / sum(len(compressor.compress(payload)) for payload in payloads)


def main() -> None:
    default = os.environ.get("NEUROMEM_DATA") or ROOT.parent / "shared" / "data"
    parser = argparse.ArgumentParser(description="Train the event log's zstd dictionary.")
    parser.add_argument(
        "--data", type=Path, default=Path(default) / "train", help="folder of texts: DATA/train"
    )
    parser.add_argument("--output", type=Path, default=ROOT / "neuromem" / "data" / "log.zdict")
    arguments = parser.parse_args()
    dictionary, held_out = train(arguments.data)
    arguments.output.write_bytes(dictionary)
    gain = ratio(dictionary, held_out)
    print(f"{arguments.output}: {len(dictionary)} bytes; ratio {gain:.2f} on {len(held_out)} new events")


if __name__ == "__main__":
    main()
