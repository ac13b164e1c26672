"""`neuromem bench codec`: how exactly words survive in slots.

*Step 0* is the encoder's first guess, rounded to int8 and read back greedily. *After the loop* is the
whole pipeline: facts written, split and flagged by the writer, stored in a bank, read back through
its weights at each strength. A *lie* is a text that is reported verbatim and differs from what was
written: there must be none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import torch

from ..codec import Codec, default_codec
from ..config import Config, WriteConfig
from ..facts import gist_of, parse_gist
from ..forgetting import Fidelity
from ..ladder import TEXT_BYTES, VERBATIM
from ..text import split_to_fit
from ..writer import Draft
from .common import emit, mean, parser, percentiles, progress, read_jsonl, read_texts, share
from .generated import hard_texts, nasty_strings, personal_facts
from .slots import FactBank

__all__ = ["main", "measure", "step_zero"]

STRENGTHS = (1.0, 0.7, 0.5, 0.42, 0.35)


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if anything lied."""
    arguments = parser("codec")
    arguments.add_argument("--texts", metavar="FILE", help="one text per line, or JSONL with 'text'")
    arguments.add_argument("--facts", metavar="FILE", help="JSONL with 'fact'")
    arguments.add_argument("--gists", metavar="FILE", help="JSONL with 'text' and 'gist'")
    arguments.add_argument(
        "--count", type=int, default=400, help="generated texts of each kind, without files"
    )
    options = arguments.parse_args(argv)
    sets: dict[str, list[Draft]] = {}
    if options.texts:
        sets["texts"] = drafts_of(read_texts(options.texts))
    if options.facts:
        sets["facts"] = drafts_of(read_texts(options.facts, "fact"))
    if options.gists:
        rows = read_jsonl(options.gists)
        sets["gists"] = [Draft(row["text"], parse_gist(row["gist"]).segments()) for row in rows]
    if not sets:
        facts = personal_facts(options.count, options.seed)
        sets["generated facts"] = drafts_of([fact.text for fact in facts])
        sets["generated hard texts"] = drafts_of(hard_texts(options.count, options.seed))
    strange = nasty_strings(options.seed)
    with progress("writing") as step:
        measured = {name: measure(drafts, progress=step) for name, drafts in sets.items()}
        nasty = FactBank(drafts_of(list(strange.values())), config=values_only(), progress=step)
    lies = sum(int(result["lies"]) for result in measured.values())
    strings = _nasty(strange, nasty)
    lies += sum(row["shown"] == "LIE" for row in strings.values())
    codec = default_codec()
    report = {
        "bench": "codec", "codec": codec.identity, "lies": lies, "bytes_per_slot": nasty.bank.bytes_per_slot,
        "value_bytes": nasty.bank.value.shape[1], "text_bytes_per_slot": TEXT_BYTES,
        "sets": measured, "nasty_strings": strings,
    }  # fmt: skip
    emit(_flat(report), options.json)
    return int(lies > 0)


def drafts_of(texts: Sequence[str]) -> list[Draft]:
    """Facts with the gist that neuromem makes of them."""
    return [Draft(text, gist_of(text).segments()) for text in texts]


def values_only() -> Config:
    """Settings under which no time goes into keys."""
    return Config(write=WriteConfig(key_steps=0))


def measure(drafts: Sequence[Draft], config: Config | None = None, progress: Any = None) -> dict[str, Any]:
    """Everything about one set of texts; rates from 0 to 1."""
    texts = [draft.text for draft in drafts]
    written = FactBank(drafts, config=config or values_only(), progress=progress)
    by_strength: dict[str, float] = {}
    lies = 0
    for strength in STRENGTHS:
        written.set_strength(strength)
        shown = written.read()
        by_strength[f"{strength:g}"] = share(
            recall is not None and recall.fidelity is Fidelity.VERBATIM and recall.text == text
            for recall, text in zip(shown, texts, strict=True)
        )
        lies += sum(
            recall is not None and recall.fidelity is Fidelity.VERBATIM and recall.text != text
            for recall, text in zip(shown, texts, strict=True)
        )
    reports = written.reports
    steps = [float(report.steps) for report in reports]
    ms = [report.ms for report in reports]
    stored = sum(report.slots for report in reports) * written.bank.bytes_per_slot
    return {
        "texts": len(texts),
        "exact_at_step_0": share(step_zero(written.codec, texts)),
        "exact": by_strength["1"],
        "exact_unsplit": share(
            report.exact and report.slots == len(split_to_fit(text, TEXT_BYTES))
            for report, text in zip(reports, texts, strict=True)
        ),
        "lies": lies,
        "truthful": 1 - lies / (len(texts) * len(STRENGTHS)),
        "lowest_strength_mean": mean(min(report.floor, 1.0) for report in reports),
        "steps_mean": mean(steps), **{f"steps_{p}": v for p, v in percentiles(steps, 50, 99).items()},
        "ms_per_fact": mean(ms),
        "slots_per_fact": mean(report.slots for report in reports),
        "text_bits_per_weight": _ratio(reports, "text_bits", "value_bits") * 8,
        "text_bits_per_stored_byte": sum(report.text_bits for report in reports) / stored,
        "exact_by_strength": by_strength,
    }  # fmt: skip


def _ratio(reports: Sequence[Any], over: str, under: str) -> float:
    return mean(getattr(r, over) for r in reports) / max(1.0, mean(getattr(r, under) for r in reports))


@torch.no_grad()
def step_zero(codec: Codec, texts: Sequence[str]) -> list[bool]:
    """Whether each text is read back greedily from the rounded first guess, no steps taken."""
    pieces = [split_to_fit(text, TEXT_BYTES) for text in texts]
    flat = [piece.encode() for parts in pieces for piece in parts]
    exact: list[bool] = []
    for start in range(0, len(flat), 512):
        chunk = flat[start : start + 512]
        codes, lengths = codec.encode(chunk)
        on_grid = torch.round(codes * VERBATIM.amplitude) / VERBATIM.amplitude
        levels = torch.full((len(codes),), VERBATIM.amplitude, device=codes.device)
        fields = torch.full((len(codes),), VERBATIM.index, device=codes.device)
        said, _ = codec.read(on_grid, levels, fields, lengths)
        exact += [one == other for one, other in zip(said, chunk, strict=True)]
    results = iter(exact)
    return [all(list(islice(results, len(parts)))) for parts in pieces]


def _nasty(strange: dict[str, str], written: FactBank) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    first = step_zero(written.codec, list(strange.values()))
    readings = zip(strange.items(), written.read(), written.reports, first, strict=True)
    for (name, text), recall, report, at_zero in readings:
        verbatim = recall is not None and recall.fidelity is Fidelity.VERBATIM
        shown = "exact" if verbatim and recall and recall.text == text else "LIE" if verbatim else "flagged"
        out[name] = {
            "bytes": len(text.encode()), "slots": report.slots, "step_0": "exact" if at_zero else "inexact",
            "shown": shown, "fidelity": str(recall.fidelity if recall else Fidelity.FORGOTTEN),
            "steps": report.steps, "lowest_strength": report.floor,
        }  # fmt: skip
    return out


def _flat(report: dict[str, Any]) -> dict[str, Any]:
    """The sets with the rates by strength as a table of their own."""
    by_strength = {name: result.pop("exact_by_strength") for name, result in report["sets"].items()}
    return report | {"exact_by_strength": by_strength}
