"""`neuromem bench NAME`: what a user runs to check our claims on their own machine.

Each bench is a module here with `main(argv) -> int`. All run with no data beside the repository (on
facts of their own making), and on files when given; `--json` prints exactly one JSON object.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from ..errors import InvalidInput

__all__ = ["NAMES", "run"]

NAMES: dict[str, str] = {
    "codec": "how exactly words survive in slots: at step 0, after the write loop, by strength",
    "forgetting": "whether each rung of the ladder is right, and how facts fade day by day",
    "recall": "how well facts are found: LoCoMo and BEAM files, question pairs, exact cues",
    "updates": "whether what is current comes first when facts change; nobody's words reach another",
    "context": "what prompts hold, how long they are, how much of the last one they begin with",
    "voice": "facts spoken, heard, asked for by voice and answered, beside the same as text",
    "assistant": "what the assistant answers to scripts of one user's weeks, by kind of question",
    "barge": "how soon the assistant is silent when the user speaks, on real sound devices",
    "turns": "what a turn of the assistant costs; whether turn 5,000 costs what turn 50 did",
    "constant": "whether turn 10,000 costs what turn 100 did, in time, memory and tokens",
    "rate": "how many exact words so many bits buy; 4-bit and noisy weights",
    "calibration": "whether the confidence of a reading is the chance that it is right",
    "encoders": "what encoding costs beside sentence-transformers; what shorter vectors find",
    "speed": "lookup against FAISS, add, search, open, start",
    "serve": "what a server answers 32 clients at once, beside mem0's own library",
    "ablation": "what the steps of the write loop gain over none",
    "durability": "acknowledged facts lost by kill -9 at random moments",
    "modem": "what bytes sent as sound survive, and how fast they go, beside a public library",
    "sound": "what a memory in sound survives, how fast it is written and read, and how large it is",
    "holographic": "how many gists one vector can hold and still tell apart",
    "interference": "whether new facts change old slots, and whether rebuilds are byte-identical",
}


def run(name: str, argv: Sequence[str]) -> int:
    """Runs one bench.

    Args:
        name: one of `NAMES`. argv: its own arguments, such as ``["--json"]``.

    Returns:
        0, or 1 when a bench that has a bar of its own (a lost fact, a lie) found it broken.

    Raises:
        InvalidInput: no such bench. NeuromemError: as the bench meets it. SystemExit: bad arguments.
    """
    if name not in NAMES:
        raise InvalidInput("bench", f"{name!r} is not known", f"choose one of {', '.join(NAMES)}")
    main = import_module(f".{name}", __name__).main
    status: int = main(list(argv))
    return status
