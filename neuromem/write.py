"""The write loop for values: a few gradient steps that earn their place, then proof.

The codec's encoder gives a first guess of the codes. The guess is rounded to the grid as
the bank will round it, shrunk as forgetting will shrink it, and read back greedily by the frozen
decoder at a list of strengths down to the end of each field's rung. What is not exact, or not sure,
at any of them is improved by gradient steps on the codes alone (straight-through rounding, as in
quantization-aware training, arXiv 1308.3432). A field is stored only if it was read back exactly;
the words are claimed only down to the strength at which they were (`floor`).

The same input, seed and device give the same bits. (How the *key* of a slot is written: `keys.py`.)

Axes: B pieces of text, S fields to write (each a text of its own), P patches of all of them, U units,
L levels at which a field is checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from .codec import SURE, Codec, starts_of, to_patches
from .config import WriteConfig
from .ladder import FIELDS, GIST_FIELDS, UNITS, VALUE_UNITS, VERBATIM, Field, halve, octaves, stair

__all__ = ["NEVER", "Values", "write_values"]

NEVER = 2.0  # floor of words that could not be made exact at any strength
MARGIN = 0.15  # probability by which a checked character must be surer than `SURE`
PATIENCE = 12  # steps without progress after which an already readable field is left as it is


@dataclass(frozen=True, slots=True)
class Values:
    """Values for the bank: proven field by field."""

    value: Tensor  # [B, V] int8
    floor: Tensor  # [B] float32
    fields: Tensor  # [B, fields] True where the field was wanted and is proven
    steps: Tensor  # [B] int64


def check_strengths(field: Field) -> Tensor:
    """[L] every strength at which the field is ever read, falling from 1 to the end of its rung."""
    lowest = stair(torch.tensor([field.threshold]), field.stairs)
    count = round(-field.stairs * float(torch.log2(lowest))) + 1
    return torch.exp2(-torch.arange(count).double() / field.stairs).float()


def floor_of(field: Field, passed: int) -> float:
    """The strength down to which a field is read at its first `passed` stairs and no lower one."""
    checks = check_strengths(field)
    if passed >= len(checks):
        return field.threshold
    return float(checks[passed]) * (1 + 1e-5)  # just above the stair that fails


CHECKS = {field.index: check_strengths(field) for field in FIELDS}
LEVELS = max(len(checks) for checks in CHECKS.values())
GRID = torch.stack(
    [functional.pad(checks, (0, LEVELS - len(checks)), value=1.0) for checks in CHECKS.values()]
)
"""[fields, L]; shorter lists are padded with strength 1, which is checked anyway."""


def write_values(
    codec: Codec, texts: Sequence[bytes], gists: Sequence[Sequence[bytes]], config: WriteConfig
) -> Values:
    """Writes each text, and the four segments of its gist, into a value.

    Args:
        texts: B byte strings of at most `TEXT_BYTES`.
        gists: B times (subject, relation, initial, rest), each within its field; all empty for none.
    """
    job = _Job(codec, texts, gists)
    steps = job.optimize(config)
    return job.values(len(texts), steps)


class _Job:
    """All fields of one batch, optimized together; finished ones drop out."""

    def __init__(self, codec: Codec, texts: Sequence[bytes], gists: Sequence[Sequence[bytes]]) -> None:
        self.codec = codec
        wanted: list[tuple[int, Field, bytes]] = []
        for item, (text, gist) in enumerate(zip(texts, gists, strict=True)):
            wanted.append((item, VERBATIM, text))
            if any(gist):  # an empty field is written too: so the gist is known to be complete
                wanted += [(item, field, piece) for field, piece in zip(GIST_FIELDS, gist, strict=True)]
        device = codec.device
        self.items = [item for item, _, _ in wanted]
        self.field_of = torch.tensor([field.index for _, field, _ in wanted], dtype=torch.int64)
        patches, self.lengths = to_patches([piece for _, _, piece in wanted])
        self.patches = patches.to(device)
        self.owner = torch.arange(len(wanted)).repeat_interleave(self.lengths)  # [P] its row in S
        amplitude = torch.tensor([field.amplitude for field in FIELDS])
        self.amplitude = amplitude[self.field_of[self.owner]].to(device)
        self.fields = self.field_of[self.owner].to(device)
        self.starts = starts_of(self.lengths)
        with torch.no_grad():
            self.codes = codec.encoder(self.patches)
        self.best = self.codes.clone()
        self.passed = torch.zeros(len(wanted), dtype=torch.int64)  # levels passed from the top, at best
        self.front = self.passed.clone()  # … at present
        self.steps = torch.zeros(len(wanted), dtype=torch.int64)

    def optimize(self, config: WriteConfig) -> Tensor:
        """Checks, steps, checks again, until everything is proven or the budget is spent. [S] steps taken."""
        generator = torch.Generator().manual_seed(config.seed)
        momentum, energy = torch.zeros_like(self.codes), torch.zeros_like(self.codes)
        active = torch.arange(len(self.items))
        stale = torch.zeros(len(self.items), dtype=torch.int64)
        for step in range(config.max_steps + 1):
            passed = self.front[active] = self._check(active)
            better = passed > self.passed[active]
            self._keep(active[better])
            self.passed[active] = torch.maximum(passed, self.passed[active])
            stale[active] = torch.where(better, 0, stale[active] + 1)
            open_ = (self.passed[active] < LEVELS) & ~((self.passed[active] > 0) & (stale[active] > PATIENCE))
            active = active[open_]
            if len(active) == 0 or step == config.max_steps:
                break
            self.steps[active] = step + 1
            rows = self._rows(active)
            gradient = self._gradient(rows, generator)
            momentum[rows] = 0.9 * momentum[rows] + 0.1 * gradient
            energy[rows] = 0.98 * energy[rows] + 0.02 * gradient**2
            update = (momentum[rows] / (1 - 0.9 ** (step + 1))) / (
                (energy[rows] / (1 - 0.98 ** (step + 1))).sqrt() + 1e-12
            )
            self.codes[rows] = (self.codes[rows] - config.learning_rate * update).clamp(-1, 1)
        return self.steps

    def _rows(self, which: Tensor) -> Tensor:
        """Patches of some fields, in order."""
        chosen = torch.zeros(len(self.items), dtype=torch.bool)
        chosen[which] = True
        return chosen[self.owner].nonzero().flatten()

    def _keep(self, which: Tensor) -> None:
        rows = self._rows(which)
        self.best[rows] = self.codes[rows]

    def _on_grid(self, codes: Tensor, rows: Tensor, strength: Tensor) -> Tensor:
        """Codes [.., U] as the bank gives them back at strengths [..]: stored, halved, shrunk, rounded."""
        amplitude = self.amplitude[rows].repeat(len(codes) // len(rows))[:, None]
        stored = torch.round(codes * amplitude).to(torch.int8)
        halvings, fraction = octaves(strength)
        shrunk = torch.round(halve(stored, halvings).float() * fraction[:, None])
        return shrunk / (amplitude * strength[:, None])

    @torch.no_grad()
    def _check(self, active: Tensor) -> Tensor:
        """[A] how many check levels, from the top, each active field passes without a gap."""
        rows = self._rows(active)
        strength = GRID.to(rows.device)[self.fields[rows].cpu()].T.flatten().to(self.codes.device)  # [L·P]
        codes = self._on_grid(self.codes[rows].repeat(LEVELS, 1), rows, strength)
        levels = strength * self.amplitude[rows].repeat(LEVELS)
        logits = self.codec.decoder(
            codes, levels, self.fields[rows].repeat(LEVELS), self.starts[rows].repeat(LEVELS).to(codes.device)
        )
        right = logits.softmax(dim=2).gather(2, self.patches[rows].repeat(LEVELS, 1)[:, :, None])[:, :, 0]
        sure = right.amin(dim=1) > SURE + MARGIN  # so it is the greedy choice
        good = torch.ones(LEVELS, len(self.items), dtype=torch.float32)
        owner = self.owner[rows].repeat(LEVELS, 1).view(LEVELS, -1)
        good.scatter_reduce_(1, owner, sure.cpu().float().view(LEVELS, -1), "amin")
        return good[:, active].cumprod(dim=0).sum(dim=0).long()

    def _gradient(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """[P, U] of the decoder's cross-entropy, at the level that fails and at one beyond it."""
        grid = GRID[self.fields[rows].cpu()]  # [P, L]
        front = self.front.clamp(max=LEVELS - 1)
        beyond = front + (torch.rand(len(front), generator=generator) * (LEVELS - front)).long()
        strength = torch.cat([grid.gather(1, at[self.owner[rows], None])[:, 0] for at in (front, beyond)])
        strength = strength.to(self.codes.device)
        leaf = self.codes[rows].clone().requires_grad_(True)
        doubled = leaf.repeat(2, 1)
        levels = strength * self.amplitude[rows].repeat(2)
        straight = doubled + (self._on_grid(doubled.detach(), rows, strength) - doubled).detach()
        starts = self.starts[rows].repeat(2).to(doubled.device)
        logits = self.codec.decoder(straight, levels, self.fields[rows].repeat(2), starts)
        loss = functional.cross_entropy(
            logits.flatten(0, 1), self.patches[rows].repeat(2, 1).flatten(), reduction="sum"
        )
        gradient: Tensor = torch.autograd.grad(loss, leaf)[0]
        return gradient

    def values(self, count: int, steps: Tensor) -> Values:
        """The proven fields, rounded, in their places."""
        value = torch.zeros(count, VALUE_UNITS, dtype=torch.int8)
        floor = torch.full((count,), NEVER)
        proven = torch.zeros(count, len(FIELDS), dtype=torch.bool)
        item_steps = torch.zeros(count, dtype=torch.int64)
        stored = torch.round(self.best * self.amplitude[:, None]).to(torch.int8).cpu()
        at = 0
        for index, (item, length) in enumerate(zip(self.items, self.lengths.tolist(), strict=True)):
            field = FIELDS[int(self.field_of[index])]
            passed = int(self.passed[index])
            item_steps[item] = max(int(item_steps[item]), int(steps[index]))
            if passed == LEVELS or (field is VERBATIM and passed > 0):
                first = field.units.start
                value[item, first : first + length * UNITS] = stored[at : at + length].flatten()
                proven[item, field.index] = True
                if field is VERBATIM:
                    floor[item] = floor_of(field, passed)
            at += length
        return Values(value, floor, proven, item_steps)
