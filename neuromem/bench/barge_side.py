"""The other side of `neuromem bench barge`: the voice loop on the default devices, until its input ends."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace

from ..voice import Endpointer, Loop, Microphone, SoundCard, load_detector, load_speaker
from ..voice.audio import Samples

__all__ = ["main"]

SENTENCES = (
    "I remember that you told me about it some weeks ago, on a long and rainy evening by the river. ",
    "You said that the name was given by your sister, who had read it in a book about old ships. ",
)


class _Answer:
    """Two long sentences; see `voice.loop.Answer`."""

    reply = SimpleNamespace(stages={})

    def __init__(self) -> None:
        self._left = list(SENTENCES)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self._left:
            raise StopIteration
        return self._left.pop(0)

    def close(self) -> None:
        """No more of it."""
        self._left = []


class _Assistant:
    """Says the same to everything."""

    def prefetch(self, partial: str) -> None:
        """Nothing is looked up."""

    def stream(self, text: str) -> _Answer:  # noqa: ARG002
        """The same answer."""
        return _Answer()


class _Words:
    """A recognizer that hears something in every utterance."""

    name = "words"

    def begin(self) -> None:
        """Nothing is kept."""

    def feed(self, frame: Samples) -> None:
        """Nothing is kept."""

    def partial(self) -> str:
        """None yet."""
        return ""

    def finish(self) -> str:
        """Always the same."""
        return "something"


class _Cached:
    """Speaks each sentence once through flite: a synthesis must not be what is measured."""

    name = "flite"

    def __init__(self) -> None:
        self._speaker = load_speaker("flite")
        self._sounds = {text.strip(): list(self._speaker.speak(text)) for text in SENTENCES}

    def speak(self, text: str) -> Iterator[Samples]:
        """Its sound."""
        yield from self._sounds.get(text) or self._speaker.speak(text)


def main() -> None:
    """Listens and answers; says "ready" first, and how many turns there were at the end."""
    speaker, source, sink = _Cached(), Microphone(), SoundCard()
    loop = Loop(_Assistant(), source, Endpointer(load_detector()), _Words(), speaker, sink)
    listening = threading.Thread(target=loop.run)
    listening.start()
    print("ready", flush=True)
    sys.stdin.read()
    turns = [turn.heard for turn in loop.turns]
    source.close()
    sink.stop()
    listening.join()
    sink.close()
    print(json.dumps({"turns": len(turns)}), flush=True)


if __name__ == "__main__":
    main()
