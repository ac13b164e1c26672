"""Our own answers must not come back as something newly said.

What a search returned, an agent may put into its prompt as a list, and send that prompt back as part of the
talk. Blocks under headings that are known are taken out by `neuromem.echo`; this knows the lines of lists
that were returned lately, whatever stands above them. In RAM, as hashes: it is about minutes.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from ..echo import without_injected, without_marked
from ..text import normalize

__all__ = ["Echoes"]

OWNERS, LINES = 2_000, 256  # remembered at most, of each the last returned
_ITEM = re.compile(r"\s*(?:[-*•]|\d{1,4}[.)])\s+(.*\S)\s*")
_DATE = re.compile(r"^\d{4}-\d\d-\d\d: ")


class Echoes:
    """What was returned to whom, lately. Safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: OrderedDict[str, OrderedDict[int, None]] = OrderedDict()

    def note(self, owner: str, texts: Iterable[str]) -> None:
        """Texts were returned by a search of an owner's memory."""
        with self._lock:
            lines = self._lines.setdefault(owner, OrderedDict())
            self._lines.move_to_end(owner)
            for text in texts:
                mark = _mark(text)
                lines[mark] = None
                lines.move_to_end(mark)
            while len(lines) > LINES:
                lines.popitem(last=False)
            while len(self._lines) > OWNERS:
                self._lines.popitem(last=False)

    def without(self, owner: str, content: Any, *, guess: bool = True) -> Any:
        """A message's content without what memories have put into it; "" or [] when nothing else is left.

        Args:
            guess: also what only looks like it: lists under a memory's heading, none of which was returned.
        """
        if isinstance(content, str):
            return self._without(owner, content, guess)
        if not isinstance(content, list):
            return content
        parts = []
        for part in content:
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                part = part | {"text": self._without(owner, part["text"], guess)}
                if not part["text"].strip():
                    continue
            parts.append(part)
        return parts

    def _without(self, owner: str, text: str, guess: bool) -> str:
        with self._lock:
            returned = set(self._lines.get(owner, ()))
        echoed = any(_returned(line, returned) for line in text.split("\n")) if returned else False
        bare = without_injected(text) if guess or echoed else without_marked(text)
        if bare == text.strip():
            bare = text  # nothing was put in: as it is, to the space
        if not echoed:
            return bare
        return "\n".join(line for line in bare.split("\n") if not _returned(line, returned)).strip()


def _returned(line: str, returned: set[int]) -> bool:
    item = _ITEM.fullmatch(line)
    return item is not None and _mark(_DATE.sub("", item[1])) in returned


def _mark(text: str) -> int:
    return hash(normalize(text).strip(" .!"))
