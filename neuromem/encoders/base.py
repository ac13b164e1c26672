"""What an encoder is, and a cache in front of one for queries."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol, cast

import torch
from torch import Tensor

from ..errors import InvalidInput
from ..text import content_words
from ..together import Together

__all__ = [
    "CachedEncoder",
    "Encoder",
    "Span",
    "WordEncoder",
    "WrappedEncoder",
    "checked_texts",
    "ear_of",
    "pick_encoder_device",
    "word_encoder",
]

MOST_TOGETHER = 16  # queries encoded in one batch
Span = tuple[int, int]  # begin and end in characters


class Encoder(Protocol):
    """Turns texts into unit vectors whose cosine says how near their meanings are."""

    @property
    def name(self) -> str:
        """Identity, with a hash of the weights: a bank refuses keys of an encoder of another name."""

    @property
    def width(self) -> int:
        """Entries of a vector."""

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Vectors of texts; the same list gives the same bits.

        Returns:
            [B, width] float32 on the CPU, rows of length 1; [0, width] for no text.

        Raises:
            InvalidInput: `texts` is one string, or holds something else than strings.
        """


class WordEncoder(Encoder, Protocol):
    """An encoder that also tells what the words of a text mean there, in the same pass."""

    @property
    def word_senses(self) -> str:
        """Name of the shipped checkpoint by which its words are compared (`senses.py`); "" for none."""

    def encode_words(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> tuple[Tensor, Tensor]:
        """`encode`, and the words of all texts, one text after the other.

        Args:
            spans: of each text, where its words stand, in order.

        Returns:
            [B, width] as `encode`, bit for bit; [W, H] float32 rows of any length, zero for a word that is
            not read any more.
        """


class WrappedEncoder:
    """An encoder around another one: all is passed on that a subclass does not change."""

    def __init__(self, encoder: Encoder) -> None:
        """
        Args:
            encoder: does the work.
        """
        self.encoder = encoder

    @property
    def name(self) -> str:
        """The encoder's own."""
        return self.encoder.name

    @property
    def width(self) -> int:
        """The encoder's own."""
        return self.encoder.width

    @property
    def alone(self) -> bool:
        """Whether texts go through one by one, with the same bits in whatever company.

        No encoder has to say so, and one around another that encodes in a way of its own must say it itself.
        """
        return type(self).encode is WrappedEncoder.encode and takes_alone(self.encoder)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """[B, width]: as the encoder's own."""
        return self.encoder.encode(texts)


Known = tuple[Tensor, list[str], Tensor]
"""vector [width] of a text, stems of its content words, their states [W, H]"""


class CachedEncoder(WrappedEncoder):
    """An encoder that remembers what was asked or heard lately (LRU, safe across threads).

    `query`, `query_words` and `prepare` fill the cache. `query` joins questions of many threads in one pass
    (`together.py`), unless the encoder says that texts are `alone`: then each thread has its own encoded, at
    the same time. `encode` and `words`, with which memories are written, read the cache only where texts are
    `alone`: a rebuild must give the same bits whatever was asked in between, and those of a text in a batch
    may differ in the last ones.
    """

    def __init__(self, encoder: Encoder, capacity: int = 512) -> None:
        """
        Args:
            encoder: does the work.
            capacity: most queries remembered, >= 0.

        Raises:
            InvalidInput: a negative capacity.
        """
        if capacity < 0:
            raise InvalidInput("capacity", f"{capacity} is negative", "give 0 or more queries")
        super().__init__(encoder)
        self.capacity = capacity
        self._words = word_encoder(encoder)
        self._alone = takes_alone(encoder)
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._lock = threading.Lock()
        self._asked: Together[str, Known] = Together(self._encoded, MOST_TOGETHER)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """[B, width]: as the encoder's own, bit for bit."""
        if not self._alone or isinstance(texts, str):
            return self.encoder.encode(texts)
        known = self.words(checked_texts(list(texts)))
        return torch.stack([vector for vector, *_ in known]) if known else self.encoder.encode([])

    def words(self, texts: Sequence[str]) -> list[Known]:
        """Of each text its vector, and the stems and states of its content words; bits as in one pass."""
        if not self._alone:
            return self._encoded(list(texts))
        with self._lock:
            known = {text: self._known[text] for text in texts if text in self._known}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        known |= zip(new, self._encoded(new), strict=True)
        return [known[text] for text in texts]

    def forget(self) -> None:
        """Drops all of it: deleted words must not linger in RAM."""
        with self._lock:
            self._known.clear()

    def query(self, text: str) -> Tensor:
        """[width]: the vector of one text, from the cache when it is there (a copy: change it freely)."""
        return self._of(text)[0].clone()

    def query_words(self, text: str) -> tuple[list[str], Tensor]:
        """The stems of a text's content words, and what these mean there [W, H]; none if it is no
        `WordEncoder`."""
        return self._of(text)[1:]

    def prepare(self, texts: Sequence[str]) -> None:
        """Encodes in one pass what of these texts is not cached; not if the encoder takes them `alone`."""
        if self._alone:
            return
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._known]
        for start in range(0, len(new), MOST_TOGETHER):
            some = new[start : start + MOST_TOGETHER]
            for text, known in zip(some, self._encoded(some), strict=True):
                self._keep(text, known)

    def _of(self, text: str) -> Known:
        with self._lock:
            known = self._known.get(text)
            if known is not None:
                self._known.move_to_end(text)
        if known is None:
            # else with those of other threads: a batch costs little more than one
            known = self._encoded([text])[0] if self._alone else self._asked(text)
            self._keep(text, known)
        return known

    def _encoded(self, texts: list[str]) -> list[Known]:
        if self._words is None:
            return [(vector, [], torch.zeros(0, 0)) for vector in self.encoder.encode(texts)]
        words = [content_words(text) for text in texts]
        spans = [[(begin, end) for _, begin, end in found] for found in words]
        vectors, states = self._words.encode_words(texts, spans)
        each = torch.split(states, [len(found) for found in words])
        stems = [[stem for stem, *_ in found] for found in words]
        return list(zip(vectors, stems, each, strict=True))

    def _keep(self, text: str, known: Known) -> None:
        with self._lock:
            self._known[text] = known
            self._known.move_to_end(text)
            while len(self._known) > self.capacity:
                self._known.popitem(last=False)


def ear_of(encoder: Encoder) -> Encoder | None:
    """What the encoder has for texts that a speech recognizer wrote; None for most.

    An encoder need not have an `ear`: one of the same width, whose vectors lie in the same space. That of an
    encoder inside another, to which it passes on what it has not itself, does not count: the outer one's
    vectors may lie elsewhere.
    """
    ear: Encoder | None = getattr(encoder, "ear", None) if "ear" in dir(encoder) else None
    return ear


def word_encoder(encoder: Encoder) -> WordEncoder | None:
    """The encoder, if it tells words apart."""
    return cast(WordEncoder, encoder) if hasattr(type(encoder), "encode_words") else None


def takes_alone(encoder: Encoder) -> bool:
    """Whether an encoder says that texts go through one by one, with the same bits in whatever company."""
    return bool(getattr(encoder, "alone", False))


def checked_texts(texts: Sequence[str]) -> list[str]:
    """The texts as a list that can be written as UTF-8: lone surrogates become question marks.

    Raises:
        InvalidInput: `texts` is one string, or holds something else than strings.
    """
    if isinstance(texts, str):
        raise InvalidInput("texts", "is one string", "give a list of strings")
    for text in texts:
        if not isinstance(text, str):
            raise InvalidInput("texts", f"holds {text!r:.40}, no string", "give only strings")
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def pick_encoder_device(device: str) -> torch.device:
    """The torch device of that name.

    Raises:
        InvalidInput: no such kind of device.
    """
    try:
        return torch.device(device)
    except RuntimeError as error:
        raise InvalidInput("device", f"{device!r} is not one", "give cpu, cuda or mps") from error
