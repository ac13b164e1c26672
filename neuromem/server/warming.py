"""The models, loaded and run once, so that the first request does not pay for it."""

from __future__ import annotations

from ..memory import Memory

__all__ = ["warm"]

WORDS = "My dog's name is Potola", "what is my dog called?"


def warm(memory: Memory, *, reading: bool = False) -> None:
    """Tells and asks a memory in RAM that has the same models. A second call costs milliseconds.

    Args:
        reading: the rules that find facts in talk, too; a search does without them.
    """
    with Memory(None, memory.config, memory.engine.keys.encoder) as other:
        other.add(WORDS[0], "anybody", infer=reading)
        for recall in other.search(WORDS[1], "anybody"):
            _ = recall.gist
