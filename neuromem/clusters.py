"""Clusters: memories that are alike, side by side.

Star clustering (Aslam, Pelekhov, Rus 2004): every memory knows those that are at least so alike; the one with
the most of them becomes the heart of a cluster and takes them all, then the next of what is left. So every
member is alike to the heart, no chain of neighbours joins what has nothing in common, and the same bank gives
the same clusters. What counts as alike is measured against what strangers have with this encoder
(`strangers.py`).

Axes: M memories, K key width.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from .alike import slot_in
from .bank import SlotBank
from .order import order_of
from .strangers import Strangeness
from .text import idf, stems, words

__all__ = ["Cluster", "clusters_of", "name_of"]

ALIKE_SPREADS = 4.0  # standard deviations above the mean of strangers from which two memories are alike
BLOCK = 1_024  # memories compared with all at a time
MOST_ALIKE = 64  # of the nearest of a memory that can join it

Cluster = list[str]
"""Ids of memories, the heart first, then in order of time."""


def clusters_of(bank: SlotBank, strangers: Strangeness) -> list[Cluster]:
    """The clusters of two memories and more that hold now, largest first; kept until the bank changes.

    What was superseded is in none.
    """
    return bank.kept(f"clusters among {strangers}", lambda: _clusters(bank, strangers))


def _clusters(bank: SlotBank, strangers: Strangeness) -> list[Cluster]:
    order = order_of(bank)
    heads = torch.from_numpy(order.rows[order.heads].copy())
    heads = heads[(bank.until_ms[heads.to(bank.device)] == 0).cpu()]
    alike = _alike(bank, heads, strangers.mean + ALIKE_SPREADS * strangers.spread)
    degree = np.array([len(near) for near in alike], dtype=np.int64)
    free = np.ones(len(alike), dtype=bool)
    ids, out = bank.ids_of(heads), []
    for heart in np.argsort(-degree, kind="stable"):
        if not free[heart] or not degree[heart]:
            continue
        members = [place for place in alike[heart].tolist() if free[place]]
        free[[heart, *members]] = False
        if members:
            out.append([ids[heart], *(ids[place] for place in sorted(members))])
    return sorted(out, key=lambda cluster: -len(cluster))


def _alike(bank: SlotBank, heads: Tensor, least: float) -> list[np.ndarray]:
    """[M] places of the memories that are at least so alike to each; of many, the nearest."""
    at = heads.to(bank.device)
    keys = bank.key[at].float() * bank.inverse_norm[at][:, None]
    out: list[np.ndarray] = []
    for start in range(0, len(keys), BLOCK):
        cosines = keys[start : start + BLOCK] @ keys.T
        cosines[torch.arange(len(cosines)), torch.arange(start, start + len(cosines))] = -1.0
        near = (cosines >= least).cpu().numpy()
        for row, mask in enumerate(near):
            places = np.flatnonzero(mask)
            if len(places) > MOST_ALIKE:
                nearest = torch.argsort(cosines[row, places], descending=True, stable=True)[:MOST_ALIKE]
                places = np.sort(places[nearest.cpu().numpy()])
            out.append(places)
    return out


def name_of(texts: Sequence[str], gists: Sequence[str]) -> str:
    """What most members of a cluster have in common: a slot of a life, or a content word; "" for nothing.

    Args:
        texts: of the members. gists: theirs, as `Recall.gist` has them. Of equally common names the slot
            comes first, then the most telling word, then the alphabet.
    """
    slots = Counter(slot.name for gist in gists for slot in [slot_in(gist)] if slot is not None)
    said = Counter(stemmed for text in texts for stemmed in set(stems(text)))
    best_slot = max(slots, key=lambda name: (slots[name], name), default="")
    best = max(said, key=lambda stemmed: (said[stemmed], idf(stemmed), stemmed), default="")
    if slots[best_slot] >= max(2, said[best]):
        return best_slot
    forms = Counter(word for text in texts for word in words(text) if best in stems(word))
    return max(forms, key=lambda word: (forms[word], word), default="")
