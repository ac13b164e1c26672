"""`neuromem bench assistant`: what the assistant answers to scripts of one user's weeks.

Each script's turns are told, and its questions asked, in the order of their times, through one `Assistant`.
An answer is *right* when it holds an expected text and no forbidden one; where nothing was told it is right
when the assistant says that it does not know (of a language model, when its words do), and no forbidden text.
*expected* and *forbidden* are the shares of answers that hold such a text, whatever else they say. *unsure*
is the share of those that say that it is not known for certain, and then what may be it, *sure* of those that
are said as known.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..assistant import Assistant
from ..assistant.responder import UNSURE
from ..llm import LLM
from ..memory import Memory
from .common import emit, parser, percentiles, progress, share
from .talk import Exchange, read_dialogues, says

__all__ = ["Asked", "ask", "denies", "main"]

UNKNOWN = "unknown"  # the kind of questions that nobody can answer
_DENIED = re.compile(
    r"(?i)\b(?:I|you)(?:'ve)? (?:do not|don't|did not|didn't|have not|haven't|never) "
    r"(?:\w+ )?(?:know|tell|told|say|said|mention|mentioned|have)\b"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what came of it."""

    kind: str
    question: str
    answer: str
    right: bool
    expected: bool
    forbidden: bool
    unsure: bool
    sure: bool
    latency_ms: float


def main(argv: Sequence[str]) -> int:
    """Runs the bench; see the module."""
    options = parser(
        "assistant", "Scripts: user, turns [{at, say}], asks [{at, say, expect_any, must_not, kind}]."
    )
    options.add_argument("--dialogues", metavar="FOLDER", required=True, help="folder of scripts (.json)")
    options.add_argument(
        "--llm", metavar="MODEL", help="gguf:PATH, openai:MODEL[@URL], …; none: the facts alone"
    )
    options.add_argument("--wrong", action="store_true", help="list the answers that are not right")
    args = options.parse_args(argv)
    scripts = read_dialogues(args.dialogues)
    asked: list[Asked] = []
    with progress("asking") as step:
        for number, (user, script) in enumerate(scripts.items()):
            asked += ask(user, script, args.llm)
            step(number + 1, len(scripts))
    emit(_report(asked, args.wrong), args.json)
    return 0


def ask(user: str, script: Sequence[Exchange], llm: str | LLM | None = None) -> list[Asked]:
    """Plays one script; returns its questions."""
    now, asked = 0.0, []
    with Memory(clock=lambda: now) as memory, Assistant(memory, user, llm, name=user) as assistant:
        for exchange in script:
            now = exchange.time
            reply = assistant.reply(exchange.text)
            if not exchange.kind:
                continue
            expected = any(says(reply.text, term) for term in exchange.expected)
            forbidden = any(says(reply.text, term) for term in exchange.forbidden)
            known = reply.known and not (assistant.llm is not None and denies(reply.text))
            good = not known if exchange.kind == UNKNOWN else expected
            asked.append(
                Asked(exchange.kind, exchange.text, reply.text, good and not forbidden, expected, forbidden,
                      reply.text.startswith(UNSURE), known, reply.latency_ms)
            )  # fmt: skip
    return asked


def denies(text: str) -> bool:
    """Whether a language model's answer says that it does not know; what it cites behind a colon does not."""
    return _DENIED.search(text.replace("’", "'").partition(":")[0]) is not None


def _report(asked: Sequence[Asked], wrong: bool) -> dict[str, Any]:
    kinds: dict[str, list[Asked]] = defaultdict(list)
    for each in asked:
        kinds[each.kind].append(each)
    report: dict[str, Any] = {
        "bench": "assistant",
        "all": _shares(asked),
        "by_kind": {kind: _shares(some) for kind, some in sorted(kinds.items())},
        "latency_ms": percentiles([each.latency_ms for each in asked], 50, 95),
    }
    if wrong:
        rows = [{"kind": e.kind, "question": e.question, "answer": e.answer} for e in asked if not e.right]
        report["wrong"] = rows
    return report


def _shares(asked: Sequence[Asked]) -> dict[str, float]:
    return {
        "asked": len(asked),
        "right": share(each.right for each in asked),
        "expected": share(each.expected for each in asked),
        "forbidden": share(each.forbidden for each in asked),
        "unsure": share(each.unsure for each in asked),
        "sure": share(each.sure for each in asked),
    }
