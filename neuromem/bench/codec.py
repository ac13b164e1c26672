"""`neuromem bench codec`: how exactly words survive in slots.

*Step 0* is the encoder's first guess, rounded to int8 and read back greedily. *After the loop* is the
whole pipeline: facts written, split and flagged by the writer, stored in a bank, read back through
its weights at each strength. A *lie* is a text that is reported verbatim and differs from what was
written: there must be none, even though the bank is told no seal that would refuse wrong words.

Bits of text for a stored byte count the texts that are read back exactly, free-running, at 8 bits a byte,
less the share of bytes that come out right without the slot. *Of the value* is all `VALUE_UNITS` bytes of
every slot used, gist fields and empty patches included; *of the slot* is the whole row, key and state too.
Random bytes are no text and cannot be told to a memory: they go through the value's write loop alone.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import torch

from ..codec import Codec, default_codec
from ..config import Config, WriteConfig
from ..facts import gist_of, parse_gist
from ..forgetting import Fidelity
from ..ladder import TEXT_BYTES, UNITS, VALUE_UNITS, VERBATIM
from ..linear import Threads
from ..owners import Progress
from ..text import split_to_fit
from ..write import NEVER, write_values
from ..writer import Draft
from .common import emit, mean, parser, percentiles, progress, read_jsonl, read_texts, share, stopwatch
from .decoding import at_strength, control, first_guess, full_texts, random_slots, speak
from .generated import hard_texts, nasty_strings, personal_facts
from .packages import package_texts
from .slots import BATCH, START_MS, FactBank

__all__ = ["decode_ms", "main", "measure", "random_bytes", "step_zero"]

STRENGTHS = (1.0, 0.7, 0.5, 0.42, 0.35)
DECODED, REPEATS, SECONDS = 10, 200, 1.5  # slots in a timed reading; readings timed at most, and for how long


def main(argv: list[str]) -> int:
    """Runs the bench; 1 if anything lied."""
    arguments = parser("codec")
    arguments.add_argument("--texts", metavar="FILE", help="one text per line, or JSONL with 'text'")
    arguments.add_argument("--facts", metavar="FILE", help="JSONL with 'fact'")
    arguments.add_argument("--gists", metavar="FILE", help="JSONL with 'text' and 'gist'")
    arguments.add_argument(
        "--count", type=int, default=400, help="generated texts of each kind, without files"
    )
    arguments.add_argument(
        "--packages", type=int, default=0, metavar="N",
        help="N pieces of markdown and N of code, out of the installed packages",
    )  # fmt: skip
    arguments.add_argument("--random", type=int, default=200, help="full slots of random bytes")
    options = arguments.parse_args(argv)
    sets = _sets(options)
    strange = nasty_strings(options.seed)
    codec = default_codec()
    with progress("writing") as step:
        measured = {name: measure(drafts, progress=step) for name, drafts in sets.items()}
        nasty = FactBank(drafts_of(list(strange.values())), config=values_only(), progress=step, sealed=False)
        slot_bytes = nasty.bank.bytes_per_slot
        noise = random_bytes(codec, options.random, slot_bytes, options.seed, step) if options.random else {}
    lies = sum(int(result["lies"]) for result in measured.values())
    strings = _nasty(strange, nasty)
    lies += sum(row["shown"] == "LIE" for row in strings.values())
    report = {
        "bench": "codec", "codec": codec.identity, "lies": lies, "bytes_per_slot": slot_bytes,
        "value_bytes": VALUE_UNITS, "text_bytes_per_slot": TEXT_BYTES,
        "sets": measured, "random_bytes": noise, "nasty_strings": strings,
        "decode_ms": [decode_ms(name, drafts) for name, drafts in sets.items()],
    }  # fmt: skip
    emit(_flat(report), options.json)
    return int(lies > 0)


def _sets(options: Namespace) -> dict[str, list[Draft]]:
    """What is measured: the files given, else generated texts; and full slots of the same words."""
    sets: dict[str, list[Draft]] = {}
    if options.texts:
        sets["texts"] = drafts_of(read_texts(options.texts))
    if options.facts:
        sets["facts"] = drafts_of(read_texts(options.facts, "fact"))
    if options.gists:
        rows = read_jsonl(options.gists)
        sets["gists"] = [Draft(row["text"], parse_gist(row["gist"]).segments()) for row in rows]
    if options.packages:
        pieces = package_texts(options.packages, options.seed)
        sets |= {name: [Draft(text, ("",) * 4) for text in texts] for name, texts in pieces.items()}
    if not sets:
        facts = personal_facts(options.count, options.seed)
        sets["generated facts"] = drafts_of([fact.text for fact in facts])
        sets["generated hard texts"] = drafts_of(hard_texts(options.count, options.seed))
    full = full_texts([draft.text for drafts in sets.values() for draft in drafts])[: options.count]
    return sets | ({"full texts": drafts_of(full)} if full else {})


def drafts_of(texts: Sequence[str]) -> list[Draft]:
    """Facts with the gist that neuromem makes of them."""
    return [Draft(text, gist_of(text).segments()) for text in texts]


def values_only() -> Config:
    """Settings under which no time goes into keys."""
    return Config(write=WriteConfig(key_steps=0))


def measure(drafts: Sequence[Draft], config: Config | None = None, progress: Any = None) -> dict[str, Any]:
    """Everything about one set of texts; rates from 0 to 1."""
    texts = [draft.text for draft in drafts]
    written = FactBank(drafts, config=config or values_only(), progress=progress, sealed=False)
    exact: dict[str, list[bool]] = {}
    lies = 0
    for strength in STRENGTHS:
        written.set_strength(strength)
        said = [
            (recall.fidelity is Fidelity.VERBATIM, recall.text == text) if recall else (False, False)
            for recall, text in zip(written.read(), texts, strict=True)
        ]
        exact[f"{strength:g}"] = [verbatim and same for verbatim, same in said]
        lies += sum(verbatim and not same for verbatim, same in said)
    reports = written.reports
    first = _at_step_zero(written.codec, texts)
    slots = sum(report.slots for report in reports)
    bits = _text_bits([text.encode() for text in texts], exact["1"], first)
    steps = [float(report.steps) for report in reports]
    ms = [report.ms for report in reports]
    return {
        "texts": len(texts),
        **first,
        "exact": share(exact["1"]),
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
        "text_bits_per_byte_of_the_value": bits / (slots * VALUE_UNITS),
        "text_bits_per_byte_of_the_slot": bits / (slots * written.bank.bytes_per_slot),
        "exact_by_strength": {strength: share(flags) for strength, flags in exact.items()},
    }  # fmt: skip


def _ratio(reports: Sequence[Any], over: str, under: str) -> float:
    return mean(getattr(r, over) for r in reports) / max(1.0, mean(getattr(r, under) for r in reports))


def step_zero(codec: Codec, texts: Sequence[str]) -> list[bool]:
    """Whether each text is read back greedily from the rounded first guess, no steps taken."""
    pieces = [split_to_fit(text, TEXT_BYTES) for text in texts]
    flat = [piece.encode() for parts in pieces for piece in parts]
    codes = first_guess(codec, flat) / VERBATIM.amplitude
    results = iter(speak(codec, flat, codes, VERBATIM.amplitude).exact)
    return [all(list(islice(results, len(parts)))) for parts in pieces]


def _at_step_zero(codec: Codec, texts: Sequence[str]) -> dict[str, float]:
    """What the first guess says, and what would be said without it."""
    flat = [piece.encode() for text in texts for piece in split_to_fit(text, TEXT_BYTES)]
    return {"exact_at_step_0": share(step_zero(codec, texts)), **_first_bytes(codec, flat)}


def _first_bytes(codec: Codec, texts: Sequence[bytes]) -> dict[str, float]:
    """Of the first guess, at every strength of `STRENGTHS`: bytes sure enough to be shown, and those of them
    that are right; and the controls, at full strength."""
    guess = first_guess(codec, texts)
    confident, right = [], []
    for strength in STRENGTHS:
        left, worth = at_strength(guess, strength)
        height = VERBATIM.amplitude * worth
        spoken = speak(codec, texts, left / height, height)
        confident.append(spoken.confident)
        right.append(spoken.right)
    shown = torch.cat(confident)
    return {
        "confident_bytes_at_step_0": float(shown.double().mean()),
        "confident_bytes_right": float(torch.cat(right)[shown].double().mean()),
        **control(codec, texts, guess / VERBATIM.amplitude, VERBATIM.amplitude),
    }


def _text_bits(texts: Sequence[bytes], exact: Sequence[bool], control: Mapping[str, float]) -> float:
    """Bits of the texts read exactly that are the slot's merit: 8 a byte, less what is right without it."""
    merit = 1 - max(control["no_slot"], control["other_slot"])
    return merit * sum(8 * len(text) for text, good in zip(texts, exact, strict=True) if good)


def random_bytes(
    codec: Codec, count: int, slot_bytes: int, seed: int = 0, progress: Progress | None = None
) -> dict[str, Any]:
    """Full slots of random bytes, each in one slot: the value's write loop alone, its weights read back.

    Args:
        slot_bytes: of a whole row of a bank.
    """
    texts = random_slots(count, seed)
    guess = first_guess(codec, texts)
    first = speak(codec, texts, guess / VERBATIM.amplitude, VERBATIM.amplitude)
    exact: list[bool] = []
    steps: list[float] = []
    for start in range(0, count, BATCH // 4):  # a slot of these is as much work as many facts
        chunk = texts[start : start + BATCH // 4]
        values = write_values(codec, chunk, [()] * len(chunk), WriteConfig())
        words = values.value[:, VERBATIM.units].reshape(-1, UNITS)
        spoken = speak(codec, chunk, words / VERBATIM.amplitude, VERBATIM.amplitude)
        proven = (values.floor < NEVER).tolist()
        exact += [good and same for good, same in zip(proven, spoken.exact, strict=True)]
        steps += values.steps.double().tolist()
        if progress is not None:
            progress(min(start + len(chunk), count), count)
    merit = _first_bytes(codec, texts)
    bits = _text_bits(texts, exact, merit) / count
    return {
        "texts": count,
        "exact_at_step_0": share(first.exact),
        "right_bytes_at_step_0": first.right_bytes,
        "exact": share(exact),
        "steps_mean": mean(steps),
        "text_bits_per_weight": bits / (VERBATIM.patches * UNITS),
        "text_bits_per_byte_of_the_value": bits / VALUE_UNITS,
        "text_bits_per_byte_of_the_slot": bits / slot_bytes,
        **merit,
    }


def decode_ms(name: str, drafts: Sequence[Draft]) -> dict[str, Any]:
    """Milliseconds to read ten slots that nobody has read lately, on one thread and on two.

    *decode* is the codec's pass over the weights as they stand at the time; *read* adds fetching and
    shrinking them. Medians, and the least decode: what is left when nobody else wants the processor.
    """
    short = [draft for draft in drafts if len(draft.text.encode()) <= TEXT_BYTES][:DECODED]
    written = FactBank(short, config=values_only())
    rows = written.bank.used.nonzero().flatten().tolist()[:DECODED]
    out: dict[str, Any] = {"set": name, "slots": len(rows)}
    for threads in (1, 2) if rows else ():
        decode: list[float] = []
        whole: list[float] = []
        with Threads(threads):
            until = time.perf_counter() + SECONDS
            while len(whole) < REPEATS and time.perf_counter() < until:
                written.codec.forget_readings()
                with stopwatch() as read:
                    values, strength = written.bank.readable(rows, START_MS)
                    with stopwatch() as decoding:
                        written.codec.read_values(values, strength)
                decode.append(decoding.ms)
                whole.append(read.ms)
        out[f"decode_{threads}_threads"] = percentiles(decode, 50)["p50"]
        out[f"decode_{threads}_threads_least"] = min(decode)
        out[f"read_{threads}_threads"] = percentiles(whole, 50)["p50"]
    return out


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
