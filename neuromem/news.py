"""News: where a value is asked for, what is newer goes before what it may have replaced.

"The webinar's been moved to the 22nd" has fewer words of "when is the webinar?" than what was said when it
was planned, so it is found, but below. Of two statements of one speaker on one matter, both of which answer a
question for a value of now (a time, a price, a number), the newer goes first if it speaks of change.

Axes: C candidates, S content words of the question, P pairs.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch

from .bank import SlotBank
from .facts.asked import Asked
from .linear import matmul
from .marks import ASSISTANT, NEWS, OTHER, OWN

__all__ = ["asks_value", "is_of_now", "newer_first", "newer_pairs"]

SHARED = 0.4  # share of the question's content words that both must hold
ENOUGH = 0.5  # share of the older one's score that the newer one must have
_VALUE = re.compile(
    r"\bhow (?:many|much|long|old|far|often|big|tall|high|fast|soon)\b"
    r"|\bwhen(?:'s| (?:is|are|do|does|should|will|can|must))\b"
    r"|\bwh(?:at|ich)\b.*\b(?:times?|dates?|days?|deadline|budget|rate|prices?|costs?|fees?|salary|rent|numbers?"
    r"|total|amount|percentage|percent|average|scores?|goals?|targets?|limit|quota|size|length|weight|height|age"
    r"|speed|distance|count|balance|version|duration)\b"
)

Array = np.ndarray[Any, Any]


def asks_value(folded: str) -> bool:
    """Whether a question, case-folded, asks for a value of some kind.

    >>> asks_value("when is the webinar?"), asks_value("why is it late?")
    (True, False)
    """
    return bool(_VALUE.search(folded))


def is_of_now(asked: Asked) -> bool:
    """Whether a question is about how things are, not about what was or happened."""
    return not (asked.past or asked.any or asked.did)


def newer_pairs(bank: SlotBank, rows: Array, traits: Array, held: Array, like: float) -> Array:
    """[P, 2] which candidate may be replaced, and by which; the newer ones in order of time.

    Args:
        rows: [C] first rows of candidates. traits: [C] of theirs, as `SlotBank.traits`.
        held: [S, C] content words of the question that each holds.
        like: cosine of keys from which two statements clearly have something in common.
    """
    at = torch.from_numpy(rows)
    time, speaker, subject = (
        getattr(bank, name)[at].cpu().numpy() for name in ("written_ms", "speaker", "subject")
    )
    news = ((traits & NEWS) > 0) & (speaker != ASSISTANT)
    keys = (bank.key[at].float() * bank.inverse_norm[at][:, None]).cpu().numpy()
    words = held.astype(np.float32)
    later = np.flatnonzero(news)
    pairs = (time[:, None] < time[later]) & (speaker[:, None] == speaker[later])
    # what became of Rosa's appointment is no news of mine
    other = (traits & OTHER) > 0
    subject = np.where(subject == OWN, 0, subject)
    pairs &= ~other[later] | (other[:, None] & (subject[:, None] == subject[later]))
    pairs &= matmul(keys, keys[later].T) >= like
    pairs &= matmul(words.T, words[:, later]) >= SHARED * max(1, len(words))
    older, place = np.nonzero(pairs)
    newer = later[place]
    return np.stack([older, newer], axis=1)[np.lexsort((older, newer, time[newer]))]


def newer_first(scores: Array, pairs: Array, step: float) -> Array:
    """[C] scores; the newer of each pair stands `step` above the older, if it answers well enough itself."""
    out = scores.copy()
    for older, newer in pairs.tolist():
        if ENOUGH * out[older] <= out[newer] <= out[older]:
            out[newer] = out[older] + step
    return out
