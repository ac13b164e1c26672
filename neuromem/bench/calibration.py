"""`neuromem bench calibration`: whether the confidence of a reading is the chance that it is right.

Written facts are worn (lower strengths) and disturbed (Gaussian noise on the stored weights), and read as
recall reads; but for the seal, which tells wrong words from right ones without asking how sure the decoder
is. What is shown is right when it is exactly what the rung should say. The confidence of a reading
is the least probability of any byte shown; the *expected calibration error* is the mean distance between
confidence and the share that is right, over ten bins of equal width, weighted by their readings [1].

Beside the raw figure stands that of a monotone map with two numbers, p = sigmoid(slope · logit(c) + offset)
(Platt's), fitted on generated texts only.

[1] Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv 1706.04599.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..codec import default_codec
from ..facts import gist_of, parse_gist
from ..forgetting import Fidelity
from ..owners import Progress
from ..writer import Draft
from .codec import values_only
from .common import emit, parser, progress, read_texts
from .forgetting import Expected
from .generated import hard_texts, personal_facts
from .slots import FactBank

__all__ = ["Map", "Readings", "calibration_error", "fit", "main", "read_damaged"]

SIGMAS = tuple(step * 0.05 for step in range(9))  # of the RMS of a field's weights: 0 to 0.4
STRENGTHS = (1.0, 0.5, 0.36)
BINS = 10
EDGE = 1e-6  # confidences are kept this far from 0 and 1, where the logit ends


@dataclass(frozen=True, slots=True)
class Readings:
    """What was shown: how sure, and whether right. All tensors have N entries."""

    confidence: Tensor  # float64
    right: Tensor  # float64, 0 or 1
    sigma: Tensor  # noise under which it was read


@dataclass(frozen=True, slots=True)
class Map:
    """A monotone map of confidences."""

    slope: float
    offset: float

    def __call__(self, confidence: Tensor) -> Tensor:
        """[N] → [N], both in (0, 1)."""
        return torch.sigmoid(self.slope * _logit(confidence) + self.offset)


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
    both = _joined(measured.values())
    better = fit(fitted_on)
    report: dict[str, Any] = {
        "bench": "calibration", "codec": default_codec().identity,
        "readings": len(both.right), "fitted_on": len(fitted_on.right),
        "slope": better.slope, "offset": better.offset,
        "ece": calibration_error(both.confidence, both.right),
        "ece_mapped": calibration_error(better(both.confidence), both.right),
    }  # fmt: skip
    for name, part in measured.items():
        report[f"{name}: ece"] = calibration_error(part.confidence, part.right)
        report[f"{name}: ece_mapped"] = calibration_error(better(part.confidence), part.right)
    report["bins"] = _bins(both.confidence, both.right)
    report["bins_mapped"] = _bins(better(both.confidence), both.right)
    report["by_noise"] = _by_noise(both, better)
    emit(report, options.json)
    return 0


def _facts(count: int, seed: int) -> list[str]:
    return [fact.text for fact in personal_facts(count, seed)]


def read_damaged(texts: Sequence[str], seed: int = 0, step: Progress | None = None) -> Readings:
    """Writes texts with the gists that neuromem makes, and reads them under each noise and strength."""
    expected = [Expected(text, parse_gist(str(gist_of(text)))) for text in texts]
    drafts = [Draft(fact.text, fact.gist.segments()) for fact in expected]
    written = FactBank(drafts, config=values_only(), progress=step, sealed=False)
    rows: list[tuple[float, bool, float]] = []
    generator = torch.Generator().manual_seed(seed)
    for sigma in SIGMAS:
        for strength in STRENGTHS:
            bank = written.copy()
            bank.disturb(sigma, generator)
            bank.set_strength(strength)
            rows += [
                (recall.confidence, recall.text == fact.words(recall.fidelity), sigma)
                for recall, fact in zip(bank.read(), expected, strict=True)
                if recall is not None and recall.fidelity is not Fidelity.FORGOTTEN
            ]
    table = torch.tensor(rows, dtype=torch.float64).reshape(-1, 3)
    return Readings(*table.unbind(dim=1))


def _joined(parts: Iterable[Readings]) -> Readings:
    columns = zip(*((part.confidence, part.right, part.sigma) for part in parts), strict=True)
    return Readings(*(torch.cat(column) for column in columns))


def _logit(confidence: Tensor) -> Tensor:
    return torch.logit(confidence.double().clamp(EDGE, 1 - EDGE))


def fit(readings: Readings, steps: int = 30) -> Map:
    """The map with the greatest likelihood, found by Newton's method with a little ridge."""
    x = torch.stack([_logit(readings.confidence), torch.ones_like(readings.confidence)], dim=1)  # [N, 2]
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


def _by_noise(readings: Readings, better: Map) -> list[dict[str, Any]]:
    rows = []
    for sigma in torch.unique(readings.sigma).tolist():
        inside = readings.sigma == sigma
        rows.append({
            "sigma": sigma, "readings": int(inside.sum()), "right": float(readings.right[inside].mean()),
            "confidence": float(readings.confidence[inside].mean()),
            "mapped": float(better(readings.confidence[inside]).mean()),
        })  # fmt: skip
    return rows
