"""Words from damaged weights: the decoder's second thoughts, checked against the seal.

A memory keeps a checksum of its words (its *seal*). When what the decoder says first does not match it,
the bytes of which it was least sure are tried with its second choice, likeliest combinations first,
until the words match. That is list decoding with an outer check (Chase, 1972, "A class of algorithms for
decoding block codes with channel measurement information"); among so few candidates a CRC-32 lets
wrong words pass once in some millions of such readings.

Axes: P patches of a value's words, U units, N bytes of a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from .codec import PAD, Codec
from .ladder import UNITS, VERBATIM, in_use, stair
from .layout import seal_of

__all__ = ["mended"]

UNSURE = 14  # bytes that are tried with their second choice
TOLD = (1.0, 0.5, 0.3)  # the decoder is told a coarser grid than there is: noise is like one
TOGETHER = 4  # most of them that differ from the first choice at once


def mended(codec: Codec, values: Tensor, strength: Tensor, seal: int) -> str | None:
    """The words of a memory whose first reading does not match its seal.

    Args:
        values: [parts, V] grid steps at the present strength, as `ladder.worn` gives them.
        strength: [parts] that strength.
        seal: checksum of the whole text, as `layout.seal_of`; 0 is not known.

    Returns:
        The text that matches; None if none of the likeliest does, or a part has lost its words.
    """
    if seal == 0 or not bool((values[:, VERBATIM.units] != 0).any(dim=1).all()):
        return None
    for told in TOLD:
        choices = [_choices(codec, value, at, told) for value, at in zip(values, strength, strict=True)]
        first, second, lead = (np.concatenate(column) for column in zip(*choices, strict=True))
        ends = np.cumsum([len(part[0]) for part in choices])[:-1]
        weak = np.argsort(lead, kind="stable")[:UNSURE]
        for places in _by_cost(weak.tolist(), lead):
            tried = first.copy()
            tried[places] = second[places]
            text = _text(np.split(tried, ends))
            if text is not None and seal_of(text) == seal:
                return text
    return None


@torch.no_grad()
def _choices(
    codec: Codec, value: Tensor, strength: Tensor, told: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[N] the likeliest and the next byte class at each place, and how far (in nats) the first is ahead."""
    patches = value[VERBATIM.units].view(-1, UNITS)
    used = int(in_use(patches).nonzero().max()) + 1
    level = (VERBATIM.amplitude * stair(strength[None].cpu(), VERBATIM.stairs)).to(value.device).expand(used)
    starts = torch.arange(used, device=value.device) == 0
    fields = torch.full((used,), VERBATIM.index, device=value.device)
    logits = codec.decoder(patches[:used] / level[:, None], level * told, fields, starts)
    scores, classes = logits.flatten(0, 1).topk(2, dim=1)
    lead = scores[:, 0] - scores[:, 1]
    return classes[:, 0].cpu().numpy(), classes[:, 1].cpu().numpy(), lead.cpu().numpy()


def _by_cost(weak: Sequence[int], lead: np.ndarray) -> list[list[int]]:
    """Sets of places to change, the likeliest first."""
    sets = [list(places) for size in range(TOGETHER + 1) for places in combinations(weak, size)]
    return sorted(sets, key=lambda places: float(lead[places].sum()))


def _text(parts: Sequence[np.ndarray]) -> str | None:
    """The bytes of all parts, each up to its first PAD; None if they are no text."""
    out = b""
    for part in parts:
        pads = np.flatnonzero(part == PAD)
        out += part[: int(pads[0]) if len(pads) else len(part)].astype(np.uint8).tobytes()
    try:
        return out.decode()
    except UnicodeDecodeError:
        return None
