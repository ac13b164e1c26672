"""`neuromem bench rate`: how many exact words so many bits buy, and what coarse or noisy weights cost.

*The curve.* The same codes are stored at falling heights: a code of 1 is `VERBATIM.amplitude` grid steps
high, then that over the square root of two, and so on down to one; whole steps, for most codes are at their
ends, and there a height of 4.5 would store all of them as 4. What a slot then takes is the
empirical entropy of the stored whole numbers (one histogram for a set, so this is what an ideal coder with
one shared table would need; `plain_bits` is a fixed-width integer's) times the units that hold the text.
*At step 0* is the encoder's first guess; the loop is the write loop's own optimizer at that height alone,
kept where the whole text is read back greedily. Below the lowest height at which words are ever read the
decoder is told that one.

*Information* is counted in the literature's form: free-running and exact, 8 bits a byte of the texts read
without a fault, less the share of bytes that come out right with no slot (or with another text's).

*int4*: 15 levels, -7 to 7, clipped. *Noise*: Gaussian on the written int8 weights, read as recall reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ..codec import Codec, default_codec
from ..config import WriteConfig
from ..forgetting import Fidelity
from ..ladder import TEXT_BYTES, UNITS, VERBATIM
from ..owners import Progress
from ..text import split_to_fit
from ..write import write_words
from .codec import drafts_of, values_only
from .common import emit, mean, parser, progress, read_texts, share
from .decoding import control, first_guess, random_slots, speak
from .generated import hard_texts, personal_facts
from .slots import FactBank

__all__ = ["bits_per_unit", "curve", "heights", "main", "noisy"]

TOLD = VERBATIM.amplitude * VERBATIM.threshold  # the lowest height at which words are ever read
INT4_LIMIT = 7
INT4_HEIGHTS = (6.0, 7.0, 8.0, 9.0, 10.0, 12.0)
SIGMAS = (0.05, 0.1, 0.2)

Texts = Sequence[str] | Sequence[bytes]


def main(argv: list[str]) -> int:
    """Runs the bench; always 0."""
    arguments = parser("rate")
    arguments.add_argument("--texts", metavar="FILE", help="one text per line; generated hard texts without")
    arguments.add_argument("--facts", metavar="FILE", help="JSONL with 'fact'; generated facts without")
    arguments.add_argument("--count", type=int, default=200, help="facts, and texts, at most")
    arguments.add_argument("--random", type=int, default=50, help="full slots of random bytes")
    arguments.add_argument("--steps", type=int, default=WriteConfig().max_steps, help="budget of the loop")
    options = arguments.parse_args(argv)
    config = WriteConfig(max_steps=options.steps, seed=options.seed)
    facts = (
        read_texts(options.facts, "fact")
        if options.facts
        else [fact.text for fact in personal_facts(options.count, options.seed)]
    )
    texts = read_texts(options.texts) if options.texts else hard_texts(options.count, options.seed)
    whole = {"facts": facts[: options.count], "texts": texts[: options.count]}
    sets: dict[str, Texts] = {name: fitting(lines) for name, lines in whole.items()}
    sets["random bytes"] = random_slots(options.random, options.seed)
    codec = default_codec()
    report: dict[str, Any] = {
        "bench": "rate", "codec": codec.identity, "units_per_patch": UNITS, "told_at_least": TOLD,
        **{f"{name}, of": len(lines) for name, lines in sets.items()},
    }  # fmt: skip
    with progress("storing") as step:
        report |= {f"{name}: curve": rows for name, rows in curves(codec, sets, config, step).items()}
        report["int4"] = int4(codec, sets, config)
        report["noise"] = [row for name in whole for row in noisy(name, whole[name], options.seed, step)]
    emit(report, options.json)
    return 0


def fitting(texts: Sequence[str]) -> list[str]:
    """The texts, those that are longer than a slot cut as writing cuts them."""
    return [piece for text in texts for piece in split_to_fit(text, TEXT_BYTES)]


def heights() -> list[float]:
    """Grid steps that a code of 1 is high: from the ladder's down to 1 in half-octaves, rounded."""
    steps = math.ceil(2 * math.log2(VERBATIM.amplitude))
    lower = {float(round(VERBATIM.amplitude / 2 ** (step / 2))) for step in range(1, steps + 1)}
    return [VERBATIM.amplitude, *sorted(lower, reverse=True)]


def bits_per_unit(weights: Tensor) -> float:
    """Empirical entropy of whole numbers, bits each: -Σ p·log2 p over one histogram."""
    _, counts = torch.unique(weights, return_counts=True)
    p = counts.double() / counts.sum()
    return -float((p * torch.log2(p)).sum()) + 0.0  # not minus zero


def plain_bits(weights: Tensor) -> int:
    """Bits of a fixed-width integer that holds every one of them, the sign included."""
    return math.ceil(math.log2(2 * int(weights.abs().max()) + 1))


def curves(
    codec: Codec, sets: Mapping[str, Texts], config: WriteConfig, step: Progress | None = None
) -> dict[str, list[dict[str, Any]]]:
    """The curve of each set, with progress."""
    out: dict[str, list[dict[str, Any]]] = {}
    for done, (name, texts) in enumerate(sets.items()):
        out[name] = []
        for index, height in enumerate(heights()):
            out[name].append(curve(codec, texts, height, config))
            if step is not None:
                step(done * len(heights()) + index + 1, len(sets) * len(heights()))
    return out


def curve(codec: Codec, texts: Texts, height: float, config: WriteConfig, limit: int = 127) -> dict[str, Any]:
    """One point of the curve: what is exact at a height, and what it costs.

    Args:
        texts: each within a slot; `str`, or bytes that are no text (each counts as a character).
        limit: highest grid step that a weight takes.
    """
    data = [text.encode() if isinstance(text, str) else text for text in texts]
    told = max(height, TOLD)
    guess = first_guess(codec, data, height).clamp(-limit, limit)
    first = speak(codec, data, guess / height, told)
    stored = write_words(codec, data, height, config, limit, TOLD)
    last = speak(codec, data, stored.weights / height, told)
    merit = control(codec, data, stored.weights / height, told)
    bits, units = bits_per_unit(stored.weights), float(stored.lengths.double().mean()) * UNITS
    exact_bits = sum(8 * len(text) for text, exact in zip(data, last.exact, strict=True) if exact)
    return {
        "height": height,
        "rms": float(stored.weights.double().square().mean().sqrt()),
        "bits_per_unit": bits,
        "plain_bits": plain_bits(stored.weights),
        "bits_per_slot": bits * units,
        "bits_per_character": bits * units / mean(len(text) for text in texts),
        "exact_at_step_0": share(first.exact),
        "exact": share(last.exact),
        "right_bytes_at_step_0": first.right_bytes,
        "right_bytes": last.right_bytes,
        **merit,
        "information_per_unit": exact_bits * (1 - max(merit.values())) / (units * len(data)),
        "steps_mean": float(stored.steps.double().mean()),
    }


def int4(codec: Codec, sets: Mapping[str, Texts], config: WriteConfig) -> list[dict[str, Any]]:
    """Each set in 4-bit weights, at the height at which most are exact at step 0 (one height for all)."""

    def exact(height: float) -> float:
        rates = []
        for texts in sets.values():
            data = [text.encode() if isinstance(text, str) else text for text in texts]
            weights = first_guess(codec, data, height).clamp(-INT4_LIMIT, INT4_LIMIT)
            rates.append(share(speak(codec, data, weights / height, max(height, TOLD)).exact))
        return mean(rates)

    best = max(INT4_HEIGHTS, key=exact)
    rows = {name: curve(codec, texts, best, config, INT4_LIMIT) for name, texts in sets.items()}
    kept = "height plain_bits bits_per_slot exact_at_step_0 exact right_bytes_at_step_0 steps_mean".split()
    return [{"set": name, **{column: row[column] for column in kept}} for name, row in rows.items()]


def noisy(
    name: str, texts: Sequence[str], seed: int = 0, step: Progress | None = None
) -> list[dict[str, Any]]:
    """Exact rates of written facts whose stored weights were disturbed, read as recall reads them.

    Noise of sigma is that much of the RMS of a field's weights. It falls on the weights in use, as in the
    literature, or *everywhere*: on the empty patches of the slot too. *No seal* is the weights alone: wrong
    words are shown then, and none are mended.
    """
    written = {
        sealed: FactBank(drafts_of(texts), config=values_only(), progress=step, sealed=sealed)
        for sealed in (True, False)
    }
    arms = {"": (True, False), ", everywhere": (True, True), ", no seal": (False, False)}
    rows = []
    for sigma in SIGMAS:
        row: dict[str, Any] = {"set": name, "sigma": sigma}
        for suffix, (sealed, everywhere) in arms.items():
            bank = written[sealed].copy()
            bank.disturb(sigma, torch.Generator().manual_seed(seed), everywhere)
            said = [
                (recall.text == text, recall.fidelity is Fidelity.VERBATIM)
                for recall, text in zip(bank.read(), texts, strict=True)
                if recall is not None
            ]
            row[f"exact{suffix}"] = sum(same and verbatim for same, verbatim in said) / max(1, len(texts))
            row[f"wrong words{suffix}"] = sum(verbatim and not same for same, verbatim in said)
        rows.append(row)
    return rows
