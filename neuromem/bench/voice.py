"""Facts spoken, heard, kept; later a question spoken, heard, answered by voice, and the answer heard.

Real audio through real engines: flite speaks, PocketSphinx hears, the assistant answers. Beside it the
same pairs as text. A pair is right when what is expected begins a word of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..assistant import Assistant
from ..memory import Memory
from ..voice.recognize import Recognizer, load_recognizer
from ..voice.speak import Speaker, load_speaker
from .common import emit, parser, progress, read_jsonl, share, stopwatch
from .mishear import word_error_rate
from .talk import says

__all__ = ["OWN", "main", "measure"]

OWN = [
    {"fact": "My cat is called Tiger.", "question": "What is my cat's name?", "expect_any": ["tiger"]},
    {"fact": "I live in London.", "question": "Where do I live?", "expect_any": ["london"]},
    {"fact": "My brother works in a hospital.", "question": "Where does my brother work?",
     "expect_any": ["hospital"]},
    {"fact": "My teacher is Mister King.", "question": "Who is my teacher?", "expect_any": ["king"]},
    {"fact": "The meeting is on Monday.", "question": "When is the meeting?", "expect_any": ["monday"]},
]  # fmt: skip


def main(argv: list[str]) -> int:
    """Runs the bench."""
    options = parser("voice", "Needs flite.")
    options.add_argument("--spoken", metavar="FILE.jsonl", help="pairs: fact, question, expect_any")
    options.add_argument("--stt", default="pocketsphinx", help="what hears")
    options.add_argument("--tts", default="flite", help="what speaks")
    args = options.parse_args(argv)
    pairs = read_jsonl(args.spoken) if args.spoken else OWN
    emit(measure(pairs, load_speaker(args.tts), load_recognizer(args.stt)), args.json)
    return 0


def measure(pairs: Sequence[dict[str, Any]], speaker: Speaker, recognizer: Recognizer) -> dict[str, Any]:
    """Both ways; every pair in one memory, all facts told before the first question."""
    said = [str(pair[kind]) for kind in ("fact", "question") for pair in pairs]
    heard: list[str] = []
    with stopwatch() as watch, progress("speaking and hearing") as step:
        for number, text in enumerate(said):
            heard.append(_heard(text, speaker, recognizer))
            step(number + 1, len(said))
    spoken, written = _answers(heard), _answers(said)
    rows = [
        {
            "heard": heard[number],
            "asked": heard[len(pairs) + number],
            "answer": spoken[number],
            "right": _right(spoken[number], pair),
            "right_as_text": _right(written[number], pair),
            "text_answer": written[number],
        }
        for number, pair in enumerate(pairs)
    ]
    right = [(row, pair) for row, pair in zip(rows, pairs, strict=True) if row["right"]]
    again = [_right(_heard(str(row["answer"]), speaker, recognizer), pair) for row, pair in right]
    return {
        "bench": "voice",
        "pairs": len(pairs),
        "right": share(bool(row["right"]) for row in rows),
        "right_as_text": share(bool(row["right_as_text"]) for row in rows),
        "answers_heard": share(again),  # of the right ones, spoken and heard back
        "word_error_rate": word_error_rate(said, heard),
        "seconds": watch.ms / 1_000,
        "rows": rows,
    }


def _heard(text: str, speaker: Speaker, recognizer: Recognizer) -> str:
    quiet = np.zeros(4_000, np.int16)
    sound = np.concatenate([quiet, *speaker.speak(text), quiet])
    recognizer.begin()
    recognizer.feed(sound)
    return recognizer.finish()


def _answers(lines: Sequence[str]) -> list[str]:
    """Tells the first half, asks the second."""
    half = len(lines) // 2
    with Memory() as memory, Assistant(memory, "me") as assistant:
        for line in lines[:half]:
            if line.strip():
                assistant.reply(line)
        return [assistant.reply(line).text if line.strip() else "" for line in lines[half:]]


def _right(answer: str, pair: dict[str, Any]) -> bool:
    """Whether an expected term begins a word of the answer."""
    return any(says(answer, str(term)) for term in pair["expect_any"])
