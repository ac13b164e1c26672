"""What is said of memories in somebody else's prompt: the lines of `context`, within its share, marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..cached import of_texts
from ..config import ContextConfig
from ..context.lines import Told, is_faint, lines_within, says_something
from ..echo import CLOSE, KNOWN, OPEN, RECALLED, RECALLED_FAINT, marked
from ..tokens import Count, byte_bound, word_bound

__all__ = ["Block", "Blocks"]


@dataclass(frozen=True, slots=True)
class Block:
    """What is put into a prompt, marked; empty where nothing is known."""

    known: str = ""  # the conscious set, which stays the same for long: it goes with the system text
    recalled: str = ""  # what answers this question
    lines: int = 0  # memories in both
    tokens: int = 0

    @property
    def whole(self) -> str:
        """Both in one, for a prompt without a system text."""
        return "\n".join(filter(None, (self.known, self.recalled)))


class Blocks:
    """Makes blocks of at most ``config.memories`` tokens."""

    def __init__(self, config: ContextConfig) -> None:
        estimate = {"words": word_bound, "bytes": byte_bound}[config.estimate]
        self._config = config
        self._count: Count = of_texts(1_024)(estimate)
        self._marks = self._count(f"\n{OPEN}\n\n{CLOSE}\n")

    def of(self, conscious: Sequence[Told], recalled: Sequence[Told]) -> Block:
        """The block of what is known and what was recalled, both best first."""
        config = self._config
        spare = config.memories - self._marks
        facts = [memory for memory in conscious if says_something(memory)]
        known, known_tokens = lines_within(
            KNOWN, facts, min(config.conscious, spare), self._count, exact=False
        )
        spare -= known_tokens + (self._marks if known else 0)
        ids = {memory.id for memory, _ in known}
        rest = [memory for memory in recalled if memory.id not in ids and says_something(memory)]
        found, found_tokens = lines_within(RECALLED_FAINT, rest, spare, self._count, exact=True)
        told = sorted(known, key=lambda item: (item[0].created_at, item[0].id))  # keeps a KV cache's prefix
        heading = RECALLED_FAINT if any(is_faint(memory) for memory, _ in found) else RECALLED
        return Block(
            known=_marked(KNOWN, [line for _, line in told]),
            recalled=_marked(heading, [line for _, line in found]),
            lines=len(known) + len(found),
            tokens=known_tokens + found_tokens + self._marks * (bool(known) + bool(found)),
        )


def _marked(heading: str, lines: Sequence[str]) -> str:
    return marked("\n".join([heading, *lines])) if lines else ""
