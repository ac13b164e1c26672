"""The outer code, across packets: of m packets any k give all k back, PAR2-style.

The library zfec does the arithmetic (a systematic Vandermonde code over GF(256), after Rizzo 1997). It
works byte by byte, so one call on long blocks protects many groups at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..needed import needed

__all__ = ["Erasure"]


class Erasure:
    """k blocks of data, m - k of parity.

    Args:
        data: k, from 1. total: m, up to 256.

    Raises:
        MissingDependency: zfec is not installed.
    """

    def __init__(self, data: int, total: int) -> None:
        zfec = needed("zfec", "a sound archive")
        self.data, self.total = data, total
        self._encoder, self._decoder = zfec.Encoder(data, total), zfec.Decoder(data, total)

    def parity(self, blocks: Sequence[bytes]) -> list[bytes]:
        """The m - k blocks of parity of k blocks of one length."""
        if self.total == self.data:
            return []
        return list(self._encoder.encode(list(blocks), list(range(self.data, self.total))))

    def rebuild(self, blocks: Mapping[int, bytes]) -> list[bytes] | None:
        """All k blocks of data, from k or more by their place (parity from place k on); None from fewer."""
        if len(blocks) < self.data:
            return None
        places = sorted(blocks)[: self.data]
        if places == list(range(self.data)):
            return [blocks[place] for place in places]
        # zfec wants a block of data in its own place
        order = [place if place < self.data else -1 for place in range(self.data)]
        spare = [place for place in places if place >= self.data]
        order = [place if place in blocks else spare.pop() for place in order]
        return list(self._decoder.decode([blocks[place] for place in order], order))
