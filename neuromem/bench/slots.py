"""A bank of facts without a log: written by the real write loop, read as recall reads.

Time is moved by the state that the bank itself goes by (when each slot was last rehearsed), so every
reading goes through the int8 weights, their shrinkage and the frozen decoder.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from uuid import UUID

import torch

from ..bank import SlotBank
from ..codec import Codec, default_codec
from ..config import Config
from ..encoders import Encoder, load_encoder
from ..forgetting import days_until, initial_stability
from ..keys import Keys
from ..ladder import FIELDS, UNITS
from ..layout import DAY_MS, seal_of
from ..owners import Progress
from ..recall import Hit, Recall, read
from ..writer import Draft, Writer, WriteReport

__all__ = ["START_MS", "FactBank"]

START_MS = 1_800_000_000_000  # when everything is written, Unix milliseconds
BATCH = 256
STABILITY_DAYS = 10.0  # of all slots, where strength is set by hand


class FactBank:
    """Facts written into slots; each is known by its place in the list."""

    def __init__(
        self,
        drafts: Sequence[Draft],
        importances: Sequence[float] | None = None,
        config: Config | None = None,
        encoder: str | Encoder = "hash",
        progress: Progress | None = None,
        sealed: bool = True,
    ) -> None:
        """
        Args:
            drafts: facts. importances: of each, 0 to 1; 0.5 when None.
            encoder: makes the keys; the values do not depend on it.
            sealed: as memories are; without the seal (a checksum) wrong words are shown, not refused or
                mended, so that the weights alone are measured.
        """
        config = config or Config()
        keys = Keys(load_encoder(encoder), config.bank, config.recall)
        self.codec: Codec = default_codec()
        self.bank = SlotBank(keys.width, config.bank, config.forgetting)
        self.ids = [str(UUID(int=index + 1)) for index in range(len(drafts))]
        self.reports: list[WriteReport] = []
        writer = Writer(self.codec, keys, config.write)
        for start in range(0, len(drafts), BATCH):
            chunk = range(start, min(start + BATCH, len(drafts)))
            for index, written in zip(
                chunk, writer.write([drafts[i] for i in chunk], self.bank), strict=True
            ):
                importance = 0.5 if importances is None else importances[index]
                rows = self.bank.allocate(len(written.rows.floor), START_MS)
                state = self._state(importance) | {"seal": seal_of(drafts[index].text) if sealed else 0}
                self.bank.store(self.ids[index], rows, written.rows, state)
                self.reports.append(written.report)
            if progress is not None:
                progress(chunk.stop, len(drafts))

    def _state(self, importance: float) -> dict[str, float | int]:
        times = dict.fromkeys(("written_ms", "heard_ms", "rehearsed_ms"), START_MS)
        stability = float(initial_stability(importance, self.bank.forgetting))
        return {"stability": stability, "difficulty": 5.0, "importance": importance, **times}

    def copy(self) -> FactBank:
        """The same facts in slots of their own."""
        twin = copy.copy(self)
        twin.bank = copy.deepcopy(self.bank)
        return twin

    def set_strength(self, strength: float) -> None:
        """Puts every slot's last rehearsal so far back that its strength at `START_MS` is this."""
        rows = self.bank.used.nonzero().flatten()
        days = float(days_until(strength, STABILITY_DAYS, self.bank.forgetting))
        self.bank.stability[rows] = STABILITY_DAYS
        self.bank.rehearsed_ms[rows] = START_MS - int(days * DAY_MS)

    def age(self, days: Sequence[float]) -> None:
        """Makes each fact, at `START_MS`, so many days old, with the stability that it was written with."""
        for memory_id, age in zip(self.ids, days, strict=True):
            self.bank.rehearsed_ms[self.bank.rows_of(memory_id)] = START_MS - round(age * DAY_MS)

    def disturb(self, sigma: float, generator: torch.Generator, everywhere: bool = False) -> None:
        """Adds Gaussian noise to the stored values, and rounds to the grid.

        Args:
            sigma: deviation, over the RMS of the weights in use of the same field.
            everywhere: on empty patches too, not only on the weights in use.
        """
        rows = self.bank.used.nonzero().flatten()
        values = self.bank.value[rows].float()
        for field in FIELDS:
            patches = values[:, field.units].view(len(rows), field.patches, UNITS)
            in_use = (patches != 0).any(dim=2, keepdim=True)
            if not in_use.any():
                continue
            rms = patches[in_use.expand_as(patches)].square().mean().sqrt()
            noise = torch.randn(patches.shape, generator=generator) * sigma * rms
            patches += noise if everywhere else noise * in_use
        self.bank.value[rows] = torch.round(values).clamp(-127, 127).to(torch.int8)

    def sleep(self, now_ms: int) -> None:
        """What a sleep at a time does: shrinks, and frees what is forgotten."""
        for memory_id in self.bank.shrink(now_ms):
            self.bank.free(memory_id)

    @torch.no_grad()
    def read(self, now_ms: int = START_MS) -> list[Recall | None]:
        """What each fact says at a time; None where its slots were freed."""
        held = [memory_id for memory_id in self.ids if self.bank.rows_of(memory_id)]
        said: dict[str, Recall] = {}
        for start in range(0, len(held), BATCH):
            hits = [Hit(memory_id, 0.0, 0.0, 0.0) for memory_id in held[start : start + BATCH]]
            said |= {recall.id: recall for recall in read(self.bank, self.codec, hits, now_ms)}
        return [said.get(memory_id) for memory_id in self.ids]
