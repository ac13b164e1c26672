"""`neuromem bench calibration`: whether the confidence of a reading is the chance that it is right.

Written facts are disturbed (Gaussian noise on the stored weights) and worn (lower strengths, down to each
rung), and read as recall reads; but for the seal, which tells wrong words from right ones without asking
how sure the decoder is. What is shown is right when it is exactly what the rung should say. The *raw*
chance is the decoder's own, that of all bytes shown together; *confidence* is what `confidence.py` makes
of it, and what users are shown. The *expected calibration error* is the mean distance between confidence
and the share that is right, over ten bins of equal width, weighted by their readings [1].

A map for each kind of reading is fitted anew on generated texts and printed beside the one in use: the
numbers in `confidence.py` are those of a run with `--count 400`. What is measured was never fitted on.

[1] Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv 1706.04599.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from ..codec import default_codec
from ..confidence import DAMAGED_GIST, EDGE, GIST, WORDS, Map
from ..facts import gist_of, parse_gist
from ..forgetting import Fidelity
from ..ladder import VERBATIM
from ..owners import Progress
from ..writer import Draft
from .codec import values_only
from .common import emit, parser, progress, read_texts
from .forgetting import Expected
from .generated import hard_texts, personal_facts
from .slots import FactBank

__all__ = ["Readings", "calibration_error", "fit", "main", "read_damaged"]

SIGMAS = tuple(step * 0.05 for step in range(9))  # of the RMS of a field's weights: 0 to 0.4
STRENGTHS = (1.0, 0.5, 0.36, 0.25, 0.15, 0.08, 0.04)
BINS = 10
KINDS = {"words": WORDS, "gist": GIST, "gist_of_damaged_words": DAMAGED_GIST}


@dataclass(frozen=True, slots=True)
class Readings:
    """What was shown: how sure, and whether right. All tensors have N entries."""

    raw: Tensor  # float64, the decoder's chance of all bytes shown
    confidence: Tensor  # float64, what users see
    right: Tensor  # float64, 0 or 1
    sigma: Tensor  # noise under which it was read
    kind: Tensor  # place in `KINDS`

    def __getitem__(self, which: Tensor) -> Readings:
        """Those of a mask [N]."""
        return Readings(*(getattr(self, each.name)[which] for each in fields(self)))


def main(argv: list[str]) -> int:
    """Runs the bench; always 0."""
    arguments = parser("calibration")
    arguments.add_argument("--texts", metavar="FILE", help="one text per line; generated hard texts without")
    arguments.add_argument("--facts", metavar="FILE", help="JSONL with 'fact'; generated facts without")
    arguments.add_argument("--count", type=int, default=200, help="generated facts, and texts, to fit on")
    options = arguments.parse_args(argv)
    seed = options.seed
    sets = {
        "facts": read_texts(options.facts, "fact") if options.facts else _facts(options.count, seed + 1),
        "texts": read_texts(options.texts) if options.texts else hard_texts(options.count, seed + 1),
    }
    with progress("reading") as step:
        fitted_on = read_damaged(_facts(options.count, seed) + hard_texts(options.count, seed), seed, step)
        measured = {name: read_damaged(texts, seed, step) for name, texts in sets.items()}
    everything = _joined(measured.values())
    report: dict[str, Any] = {
        "bench": "calibration", "codec": default_codec().identity,
        "readings": len(everything.right), "fitted_on": len(fitted_on.right), **_errors(everything),
    }  # fmt: skip
    for name, part in measured.items():
        report |= {f"{name}: {figure}": value for figure, value in _errors(part).items()}
    report["kinds"] = [
        {"kind": kind, **_errors(everything[everything.kind == place]), **_maps(fitted_on, place, used)}
        for place, (kind, used) in enumerate(KINDS.items())
    ]
    report["bins_raw"] = _bins(everything.raw, everything.right)
    report["bins"] = _bins(everything.confidence, everything.right)
    report["by_noise"] = _by_noise(everything)
    emit(report, options.json)
    return 0


def _errors(readings: Readings) -> dict[str, float]:
    return {
        "ece_raw": calibration_error(readings.raw, readings.right),
        "ece": calibration_error(readings.confidence, readings.right),
    }


def _maps(fitted_on: Readings, place: int, used: Map) -> dict[str, float]:
    fresh = fit(fitted_on[fitted_on.kind == place])
    return {
        "slope": used.slope, "offset": used.offset, "fresh_slope": fresh.slope, "fresh_offset": fresh.offset
    }  # fmt: skip


def _facts(count: int, seed: int) -> list[str]:
    return [fact.text for fact in personal_facts(count, seed)]


def read_damaged(texts: Sequence[str], seed: int = 0, step: Progress | None = None) -> Readings:
    """Writes texts with the gists that neuromem makes, and reads them under each noise and strength."""
    expected = [Expected(text, parse_gist(str(gist_of(text)))) for text in texts]
    drafts = [Draft(fact.text, fact.gist.segments()) for fact in expected]
    written = FactBank(drafts, config=values_only(), progress=step, sealed=False)
    rows: list[tuple[float, ...]] = []
    generator = torch.Generator().manual_seed(seed)
    for sigma in SIGMAS:
        disturbed = written.copy()
        disturbed.disturb(sigma, generator)
        for strength in STRENGTHS:
            bank = disturbed.copy()
            bank.set_strength(strength)
            for recall, fact, report in zip(bank.read(), expected, written.reports, strict=True):
                if recall is None or recall.fidelity is Fidelity.FORGOTTEN or report.slots > 1:
                    continue  # several slots have several chances
                kind = _kind(recall.fidelity, strength >= max(VERBATIM.threshold, report.floor))
                raw = list(KINDS.values())[kind].raw(recall.confidence)
                right = recall.text == fact.words(recall.fidelity)
                rows.append((raw, recall.confidence, right, sigma, kind))
    table = torch.tensor(rows, dtype=torch.float64).reshape(-1, len(fields(Readings)))
    return Readings(*table.unbind(dim=1))


def _kind(fidelity: Fidelity, has_words: bool) -> int:
    """The place in `KINDS` of a reading; `has_words`: the slot is strong enough to say its words."""
    if fidelity is Fidelity.VERBATIM:
        return 0
    return 2 if has_words else 1


def _joined(parts: Iterable[Readings]) -> Readings:
    columns = zip(*([getattr(part, each.name) for each in fields(part)] for part in parts), strict=True)
    return Readings(*(torch.cat(column) for column in columns))


def _logit(chance: Tensor) -> Tensor:
    return torch.logit(chance.double().clamp(EDGE, 1 - EDGE))


def fit(readings: Readings, steps: int = 30) -> Map:
    """The map with the greatest likelihood, found by Newton's method with a little ridge."""
    x = torch.stack([_logit(readings.raw), torch.ones_like(readings.raw)], dim=1)  # [N, 2]
    weights = torch.tensor([1.0, 0.0], dtype=torch.float64)
    for _ in range(steps):
        p = torch.sigmoid(x @ weights)
        gradient = x.T @ (readings.right - p)
        curvature = x.T @ (x * (p * (1 - p))[:, None]) + 1e-3 * torch.eye(2, dtype=torch.float64)
        weights = weights + torch.linalg.solve(curvature, gradient).clamp(-1, 1)
    return Map(float(weights[0]), float(weights[1]))


def calibration_error(confidence: Tensor, right: Tensor) -> float:
    """Expected calibration error of confidences [N] in [0, 1] against 0 or 1 [N]; NaN of nothing."""
    rows = _bins(confidence, right)
    total = sum(row["readings"] for row in rows)
    distance = sum(row["readings"] * abs(row["confidence"] - row["right"]) for row in rows)
    return float(distance / total) if total else float("nan")


def _bins(confidence: Tensor, right: Tensor) -> list[dict[str, Any]]:
    """Bins of equal width that hold anything."""
    place = (confidence * BINS).long().clamp(0, BINS - 1)
    rows = []
    for index in torch.unique(place).tolist():
        inside = place == index
        rows.append({
            "from": index / BINS, "readings": int(inside.sum()),
            "confidence": float(confidence[inside].mean()), "right": float(right[inside].mean()),
        })  # fmt: skip
    return rows


def _by_noise(readings: Readings) -> list[dict[str, Any]]:
    rows = []
    for sigma in torch.unique(readings.sigma).tolist():
        inside = readings[readings.sigma == sigma]
        rows.append({
            "sigma": sigma, "readings": len(inside.right), "right": float(inside.right.mean()),
            "raw": float(inside.raw.mean()), "confidence": float(inside.confidence.mean()),
        })  # fmt: skip
    return rows
