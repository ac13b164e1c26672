"""What an assistant shows a language model when a dialogue's questions are asked: prompts to train on.

    python -m training.responder_prompts --out runs/responder/prompts.jsonl --most 300

Each dialogue is told to an `Assistant`, turn by turn, whose model knows the right answers; what it was shown
is kept, a line a question. An interrupted run goes on with the next dialogue.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neuromem import Memory
from neuromem.assistant import Assistant
from neuromem.llm.base import Message, Reply, Stream

from .talks import Ask, Talk, read_talks

__all__ = ["UNKNOWN", "Prompter", "played", "read_prompts"]

UNKNOWN = "I don't know that."
NOTED = "All right."


class Prompter:
    """A language model that says what it was told to, and keeps what it was shown."""

    name, context_tokens = "prompter", None

    def __init__(self) -> None:
        self.answer = NOTED
        self.shown: list[dict[str, str]] = []

    def count(self, text: str) -> int | None:  # noqa: ARG002 - as every model
        """Not known."""
        return None

    def generate(self, messages: Sequence[Message], **_: Any) -> Reply:
        """The answer, whole."""
        self.shown = [dict(message) for message in messages]
        return Reply(self.answer)

    def stream(self, messages: Sequence[Message], **_: Any) -> Stream:
        """The answer, in one piece."""
        reply = self.generate(messages)
        return Stream(lambda _: iter([reply.text]))


def played(talk: Talk, rng: random.Random) -> Iterator[dict[str, Any]]:
    """Tells a dialogue and asks its questions, each in one of its wordings.

    Yields:
        of each question its kind, the terms an answer holds or must not hold, the words of the turns that
        answer it, the last of them first, and the messages that a model is given.
    """
    events: list[tuple[float, int, str | Ask]] = [(at, n, text) for n, (at, text) in enumerate(talk.turns)]
    events += [(ask.time, len(talk.turns) + n, ask) for n, ask in enumerate(talk.asks)]
    now, model = 0.0, Prompter()
    with Memory(clock=lambda: now) as memory, Assistant(memory, "me", model, name=talk.user) as assistant:
        for at, _, event in sorted(events, key=lambda each: each[:2]):
            now = at
            if isinstance(event, str):
                model.answer = NOTED
                assistant.reply(event)
                continue
            told = [talk.turns[turn] for turn in reversed(event.evidence)]
            model.answer = UNKNOWN
            if event.expected and told:
                model.answer = (
                    f"You told me on {datetime.fromtimestamp(told[0][0], UTC):%Y-%m-%d}: {told[0][1]}"
                )
            assistant.reply(rng.choice(event.wordings))
            yield {
                "talk": talk.name, "kind": event.kind,
                "expected": event.expected, "forbidden": event.forbidden,
                "evidence": [text for _, text in told], "messages": model.shown,
            }  # fmt: skip


def read_prompts(path: Path) -> list[Mapping[str, Any]]:
    """What was kept; nothing where there is no such file."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Plays dialogues in an order of chance."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("runs/responder/prompts.jsonl"))
    parser.add_argument(
        "--dialogues", type=Path, nargs="+", default=[Path(__file__).with_name("dialogues")], help="folders"
    )
    parser.add_argument("--most", type=int, default=300, help="dialogues")
    parser.add_argument("--held", action="store_true", help="of those held out, instead of the others")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    taught, held = read_talks(args.dialogues)
    talks = held if args.held else taught
    random.Random(args.seed).shuffle(talks)
    known = {row["talk"] for row in read_prompts(args.out)}
    left = [talk for talk in talks[: args.most] if talk.name not in known]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    for number, talk in enumerate(left, 1):
        rows = list(played(talk, random.Random(f"{args.seed} {talk.name}")))
        with args.out.open("a", encoding="utf-8") as file:
            file.writelines(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
        spent = time.monotonic() - started
        ahead = spent / number * (len(left) - number) / 60
        print(
            f"{number}/{len(left)} dialogues, {spent / number:.1f} s each, {ahead:.0f} min left", flush=True
        )


if __name__ == "__main__":
    main()
