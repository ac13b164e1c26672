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
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .codec import PAD, SURE, Codec, starts_of, to_patches
from .config import WriteConfig
from .courtesy import give_way
from .ladder import FIELDS, GIST_FIELDS, PATCH_BYTES, VALUE_UNITS, VERBATIM, Field, halve, octaves, stair

__all__ = ["NEVER", "StoredWords", "Values", "write_values", "write_words"]

NEVER = 2.0  # floor of words that could not be made exact at any strength
MARGIN = 0.15  # probability by which a checked character must be surer than `SURE`
HIGHEST = 1.25  # code that a gradient step may reach, if the grid does; the encoder's own end at 1
PATIENCE = 4  # steps without progress after which an already readable field is left as it is


@dataclass(frozen=True, slots=True)
class Values:
    """Values for the bank: proven field by field."""

    value: Tensor  # [B, V] int8
    floor: Tensor  # [B] float32
    fields: Tensor  # [B, fields] True where the field was wanted and is proven
    steps: Tensor  # [B] int64
    chance: Tensor  # [B] float64: the decoder's that the words are right, as they are read at strength 1


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


@dataclass(frozen=True, slots=True)
class Plan:
    """How high each field is stored, and where it has to be read."""

    amplitude: Tensor  # [fields] grid steps that a code of 1 is high
    strengths: Tensor  # [fields, L] strengths at which it is checked, falling
    sure: float = SURE + MARGIN  # probability that each byte must exceed; 0: it need only be the likeliest
    limit: int = 127  # highest grid step that a weight takes
    told: float = 0.0  # the decoder is told no lower height than this


def _ladder() -> Plan:
    """The plan by which slots are written."""
    checks = [check_strengths(field) for field in FIELDS]
    most = max(len(strengths) for strengths in checks)
    # shorter lists are padded with strength 1, which is checked anyway
    padded = [functional.pad(strengths, (0, most - len(strengths)), value=1.0) for strengths in checks]
    return Plan(torch.tensor([field.amplitude for field in FIELDS]), torch.stack(padded))


LADDER = _ladder()


def write_values(
    codec: Codec, texts: Sequence[bytes], gists: Sequence[Sequence[bytes]], config: WriteConfig
) -> Values:
    """Writes each text, and the four segments of its gist, into a value.

    Args:
        texts: B byte strings of at most `TEXT_BYTES`.
        gists: B times (subject, relation, initial, rest), each within its field; all empty for none.
    """
    count = len(texts)
    values = Values(
        torch.zeros(count, VALUE_UNITS, dtype=torch.int8),
        torch.full((count,), NEVER),
        torch.zeros(count, len(FIELDS), dtype=torch.bool),
        torch.zeros(count, dtype=torch.int64),
        torch.zeros(count, dtype=torch.float64),
    )
    wanted = _wanted(texts, gists)
    closable = torch.tensor([_has_room(field, text) for _, field, text in wanted], dtype=torch.bool)
    tries = torch.where(closable, config.max_steps // 2, config.max_steps)
    job = _Job(codec, wanted, LADDER)
    job.store(values, job.optimize(config, tries))
    left = [place for place in job.unproven() if closable[place]]
    if left:
        again = _Job(codec, [wanted[place] for place in left], LADDER, closed=True)
        again.store(values, job.steps[left] + again.optimize(config, config.max_steps - tries[left]))
    return values


Wanted = tuple[int, Field, bytes]
"""A text to write: whose it is (its place in the batch), the field that it goes to, its bytes."""


def _wanted(texts: Sequence[bytes], gists: Sequence[Sequence[bytes]]) -> list[Wanted]:
    """The words of each text and, where there is a gist, all its fields: an empty one is written too, so
    that the gist is known to be complete."""
    wanted: list[Wanted] = []
    for item, (text, gist) in enumerate(zip(texts, gists, strict=True)):
        wanted.append((item, VERBATIM, text))
        if any(gist):
            wanted += [(item, field, piece) for field, piece in zip(GIST_FIELDS, gist, strict=True)]
    return wanted


def _has_room(field: Field, text: bytes) -> bool:
    """Whether a text that fills its last patch can be closed with an empty one.

    Few texts end with a patch, and the decoder knows it: after some letters it says "end" whatever the
    last unit of the code is. With an empty patch behind them they are letters like any other.
    """
    return bool(text) and len(text) % PATCH_BYTES == 0 and len(text) < field.capacity_bytes


class StoredWords(NamedTuple):
    """Words on a grid of any height: what `write_words` gives."""

    weights: Tensor  # [P, U] int8 of the patches of all texts, one after the other
    lengths: Tensor  # [B] patches of each text
    steps: Tensor  # [B] int64


def write_words(
    codec: Codec,
    texts: Sequence[bytes],
    height: float,
    config: WriteConfig,
    limit: int = 127,
    told: float = 0.0,
) -> StoredWords:
    """Writes words alone, at one height, to be read greedily at strength 1: for measuring what bits buy.

    Args:
        texts: B byte strings of at most `TEXT_BYTES`.
        height: grid steps that a code of 1 is high (slots: `VERBATIM.amplitude`).
        limit: highest grid step that a weight takes; 7 is int4.
        told: least height that the decoder is told, for heights that it was never trained on.
    """
    fields = len(FIELDS)
    plan = Plan(torch.full((fields,), height), torch.ones(fields, 1), 0.0, limit, told)
    job = _Job(codec, _wanted(texts, [()] * len(texts)), plan)
    steps = job.optimize(config, torch.full((len(texts),), config.max_steps))
    return StoredWords(job.on_grid(job.best).to(torch.int8).cpu(), job.lengths, steps)


class _Job:
    """All fields of one batch, optimized together; finished ones drop out."""

    def __init__(self, codec: Codec, wanted: Sequence[Wanted], plan: Plan, closed: bool = False) -> None:
        self.codec, self.plan, self.wanted = codec, plan, wanted
        self.levels = plan.strengths.shape[1]
        device = codec.device
        self.field_of = torch.tensor([field.index for _, field, _ in wanted], dtype=torch.int64)
        patches, self.lengths = to_patches([piece for _, _, piece in wanted], closed)
        self.patches = patches.to(device)
        self.owner = torch.arange(len(wanted)).repeat_interleave(self.lengths)  # [P] its row in S
        self.amplitude = plan.amplitude[self.field_of[self.owner]].to(device)
        self.highest = (plan.limit / self.amplitude).clamp(1, HIGHEST)[:, None]  # [P, 1]
        self.fields = self.field_of[self.owner].to(device)
        self.starts = starts_of(self.lengths)
        with torch.no_grad():
            self.codes = codec.encoder(self.patches)
        self.best = self.codes.clone()
        self.passed = torch.zeros(len(wanted), dtype=torch.int64)  # levels passed from the top, at best
        self.front = self.passed.clone()  # … at present
        self.steps = torch.zeros(len(wanted), dtype=torch.int64)
        self.chance = torch.zeros(len(wanted), dtype=torch.float64)  # at strength 1, at best
        self.chance_now = self.chance.clone()  # … at present
        pads = (self.patches == PAD).long()
        self.shown = pads.cumsum(dim=1) <= 1  # bytes that are read: up to the end of the text

    def optimize(self, config: WriteConfig, budget: Tensor) -> Tensor:
        """Checks, steps, checks again, until all is proven or its budget [S] is spent. [S] steps taken."""
        generator = torch.Generator().manual_seed(config.seed)
        momentum, energy = torch.zeros_like(self.codes), torch.zeros_like(self.codes)
        active = torch.arange(len(self.wanted))
        stale = torch.zeros(len(self.wanted), dtype=torch.int64)
        for step in range(config.max_steps + 1):
            give_way()
            passed = self.front[active] = self._check(active)
            better = passed > self.passed[active]
            self._keep(active[better])
            self.passed[active] = torch.maximum(passed, self.passed[active])
            stale[active] = torch.where(better, 0, stale[active] + 1)
            resting = (self.passed[active] > 0) & (stale[active] > PATIENCE)
            active = active[(self.passed[active] < self.levels) & ~resting & (step < budget[active])]
            if len(active) == 0:
                break
            self.steps[active] = step + 1
            rows = self._rows(active)
            gradient = self._gradient(rows, generator)
            momentum[rows] = 0.9 * momentum[rows] + 0.1 * gradient
            energy[rows] = 0.98 * energy[rows] + 0.02 * gradient**2
            update = (momentum[rows] / (1 - 0.9 ** (step + 1))) / (
                (energy[rows] / (1 - 0.98 ** (step + 1))).sqrt() + 1e-12
            )
            moved = self.codes[rows] - config.learning_rate * update
            self.codes[rows] = moved.clamp(-self.highest[rows], self.highest[rows])
        return self.steps

    def _rows(self, which: Tensor) -> Tensor:
        """Patches of some fields, in order."""
        chosen = torch.zeros(len(self.wanted), dtype=torch.bool)
        chosen[which] = True
        return chosen[self.owner].nonzero().flatten()

    def _keep(self, which: Tensor) -> None:
        rows = self._rows(which)
        self.best[rows] = self.codes[rows]
        self.chance[which] = self.chance_now[which]

    def on_grid(self, codes: Tensor, rows: Tensor | slice = slice(None)) -> Tensor:
        """Codes [.., U] of patches `rows`, over and over, as they are stored: whole grid steps."""
        amplitude = self.amplitude[rows]
        steps = torch.round(codes * amplitude.repeat(len(codes) // len(amplitude))[:, None])
        return steps.clamp(-self.plan.limit, self.plan.limit)

    def _worn(self, codes: Tensor, rows: Tensor, strength: Tensor) -> tuple[Tensor, Tensor]:
        """Codes [.., U] as the bank gives them back at strengths [..], stored, halved, shrunk and rounded;
        and the heights [..] that the decoder is told."""
        height = self.amplitude[rows].repeat(len(codes) // len(rows)) * strength
        halvings, fraction = octaves(strength)
        shrunk = torch.round(halve(self.on_grid(codes, rows), halvings).float() * fraction[:, None])
        return shrunk / height[:, None], height.clamp(min=self.plan.told)

    @torch.no_grad()
    def _check(self, active: Tensor) -> Tensor:
        """[A] how many check levels, from the top, each active field passes without a gap."""
        rows = self._rows(active)
        count = self.levels
        strength = self.plan.strengths[self.fields[rows].cpu()].T.flatten().to(self.codes.device)  # [L·P]
        codes, heights = self._worn(self.codes[rows].repeat(count, 1), rows, strength)
        logits = self.codec.decoder(
            codes, heights, self.fields[rows].repeat(count), self.starts[rows].repeat(count).to(codes.device)
        )
        chances = logits.softmax(dim=2)
        right = chances.gather(2, self.patches[rows].repeat(count, 1)[:, :, None])[:, :, 0]
        told = torch.where(self.shown[rows], right[: len(rows)].double().log(), 0.0).sum(dim=1).cpu()
        every = torch.zeros(len(self.wanted), dtype=torch.float64).index_add_(0, self.owner[rows], told)
        self.chance_now[active] = every[active].exp()
        sure = right.amin(dim=1) > self.plan.sure
        if self.plan.sure < 0.5:  # what is less likely than that may still be no greedy choice
            sure &= (right == chances.amax(dim=2)).all(dim=1)
        good = torch.ones(count, len(self.wanted), dtype=torch.float32)
        owner = self.owner[rows].repeat(count, 1).view(count, -1)
        good.scatter_reduce_(1, owner, sure.cpu().float().view(count, -1), "amin")
        return good[:, active].cumprod(dim=0).sum(dim=0).long()

    def _gradient(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """[P, U] of the decoder's cross-entropy, at the level that fails and at one beyond it.

        While the first level fails, there is nothing beyond it to keep: all of the gradient goes there.
        """
        grid = self.plan.strengths[self.fields[rows].cpu()]  # [P, L]
        levels = [self.front.clamp(max=self.levels - 1)]
        if self.levels > 1:
            chance = torch.rand(len(self.front), generator=generator)
            beyond = levels[0] + (chance * (self.levels - levels[0])).long()
            levels.append(torch.where(self.front == 0, levels[0], beyond))
        count = len(levels)
        strength = torch.cat([grid.gather(1, level[self.owner[rows], None])[:, 0] for level in levels])
        strength = strength.to(self.codes.device)
        leaf = self.codes[rows].clone().requires_grad_(True)
        copies = leaf.repeat(count, 1)
        codes, heights = self._worn(copies.detach(), rows, strength)
        straight = copies + (codes - copies).detach()
        starts = self.starts[rows].repeat(count).to(copies.device)
        logits = self.codec.decoder(straight, heights, self.fields[rows].repeat(count), starts)
        loss = functional.cross_entropy(
            logits.flatten(0, 1), self.patches[rows].repeat(count, 1).flatten(), reduction="sum"
        )
        gradient: Tensor = torch.autograd.grad(loss, leaf)[0]
        return gradient

    def proven(self, place: int) -> bool:
        """Whether a field may be stored: words that are read somewhere, gists that are read everywhere."""
        passed, field = int(self.passed[place]), self.wanted[place][1]
        return passed == self.levels or (field is VERBATIM and passed > 0)

    def unproven(self) -> list[int]:
        """Fields that may not."""
        return [place for place in range(len(self.wanted)) if not self.proven(place)]

    def store(self, values: Values, steps: Tensor) -> None:
        """Puts the proven fields, rounded, into their places of `values`, and the steps [S] they took."""
        stored = torch.split(self.on_grid(self.best).to(torch.int8).cpu(), self.lengths.tolist())
        for place, ((item, field, _), codes) in enumerate(zip(self.wanted, stored, strict=True)):
            values.steps[item] = max(int(values.steps[item]), int(steps[place]))
            if self.proven(place):
                first = field.units.start
                values.value[item, first : first + codes.numel()] = codes.flatten()
                values.fields[item, field.index] = True
                if field is VERBATIM:
                    values.chance[item] = self.chance[place]
                    values.floor[item] = floor_of(field, int(self.passed[place]))
