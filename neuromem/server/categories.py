"""What a memory is about: the categories whose descriptions its key lies nearest to.

Nothing is encoded for it but the descriptions, once: a memory's key is its words' embedding, and it is in the
bank. So categories cost a write nothing, hold for whatever told the memory, and follow the project's when
those are changed; those that a call brings along are kept with its memories.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..bank import SlotBank
from ..errors import InvalidInput
from ..keys import Keys

__all__ = ["DEFAULT", "Categories", "definitions"]

DEFAULT: Mapping[str, str] = {
    "personal_details": "personal details: name, age, birthday, phone number, home address, "
    "the city where someone lives or has moved to, languages spoken, place of birth",
    "family": "family, parents, siblings, children, spouse, relatives",
    "professional_details": "work, job, career, employer, profession, studies, colleagues, meetings, "
    "the office",
    "sports": "sports, fitness, running, playing matches",
    "travel": "travel, trips, vacations, flights, hotels, sightseeing",
    "food": "food, drinks, meals, cooking, restaurants, diet",
    "music": "music, songs, bands, concerts, instruments",
    "health": "health, illness, allergies, medication, doctors, sleep",
    "technology": "technology, computers, software, passwords, phones, programming, gadgets",
    "hobbies": "hobbies, pastimes, games, crafts, gardening, reading, collecting",
    "fashion": "fashion, clothes, shoes, style, jewellery",
    "entertainment": "entertainment, movies, television shows, books, video games, theatre",
    "milestones": "milestones, weddings, graduations, births, anniversaries, promotions, achievements",
    "user_preferences": "preferences, likes and dislikes, favourite things",
    "misc": "",  # what is near to nothing else
}
MISC = "misc"
MOST = 2
NEAR, APART = 0.1, 0.05  # least cosine with a description; how much less than the best the second may have
MOST_DEFINED, MOST_CHARACTERS = 100, 2_000
FIELD = "custom_categories"


def definitions(given: Any) -> dict[str, str] | None:
    """Categories as mem0's users give them, name → description; None when none are given.

    Raises:
        InvalidInput: they are no list of {name: description}, or too many.
    """
    if given is None or given == []:
        return None
    if not isinstance(given, list):
        raise InvalidInput(FIELD, "is not a list", 'give one such as [{"pets": "animals at home"}]')
    found: dict[str, str] = {}
    for place, item in enumerate(given):
        pairs = {item: ""} if isinstance(item, str) else item
        if not isinstance(pairs, dict) or not all(isinstance(text, str) for text in pairs.values()):
            raise InvalidInput(f"{FIELD}[{place}]", "is no category", 'give {"name": "description"}')
        found |= pairs
    if any(not name.strip() or len(name) + len(text) > MOST_CHARACTERS for name, text in found.items()):
        raise InvalidInput(FIELD, "has one without a name or too long", f"use 1 to {MOST_CHARACTERS} letters")
    if len(found) > MOST_DEFINED:
        raise InvalidInput(FIELD, f"has {len(found)} categories", f"give at most {MOST_DEFINED}")
    return found


class Categories:
    """Sorts memories by their keys. Safe across threads."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._lock = threading.Lock()
        self._vectors: dict[tuple[tuple[str, str], ...], Tensor] = {}
        self.defined: Mapping[str, str] = DEFAULT  # in force for memories that brought none along

    @property
    def version(self) -> int:
        """Another one when other categories are in force."""
        return hash(tuple(self.defined.items()))

    def of(
        self, bank: SlotBank, ids: Sequence[str], among: Mapping[str, str] | None = None
    ) -> list[tuple[str, ...]]:
        """For each memory the names of the nearest, at most two; the bank's owner must be held.

        Args:
            among: categories to choose from; None: those in force.
        """
        chosen = self.defined if among is None else among
        names = [name for name in chosen if name != MISC or chosen[name]]
        rest = (MISC,) if MISC in chosen else ()
        if not ids or not names:
            return [rest] * len(ids)
        width = self._keys.encoder.width
        rows = torch.tensor([bank.rows_of(memory_id)[0] for memory_id in ids])
        keys = bank.key[rows.to(bank.device)][:, :width].cpu().float()
        cosines = torch.nn.functional.normalize(keys, dim=1) @ self._vectors_of(chosen, names).T
        best = cosines.topk(min(MOST, len(names)), dim=1)
        out = []
        for values, places in zip(best.values.tolist(), best.indices.tolist(), strict=True):
            least = max(NEAR, values[0] - APART)
            near = tuple(names[place] for value, place in zip(values, places, strict=True) if value >= least)
            out.append(near or rest)
        return out

    def _vectors_of(self, chosen: Mapping[str, str], names: Sequence[str]) -> Tensor:
        """[C, width] unit vectors of the descriptions of `names`."""
        texts = tuple((name, chosen[name]) for name in names)
        with self._lock:
            if texts not in self._vectors:
                if len(self._vectors) > 64:
                    self._vectors.clear()
                said = [text or name.replace("_", " ") for name, text in texts]
                self._vectors[texts] = self._keys.encoder.encode(said)
            return self._vectors[texts]
