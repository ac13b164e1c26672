"""The bars of quality that the models have to meet, and where the figure of each is found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["BARS", "Bar", "figure", "judged", "table"]

Results = Mapping[str, Any]
Step = str | tuple[tuple[str, Any], ...]  # a key; or (column, value) pairs: the row of a list that has them
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One figure and its limit."""

    name: str
    path: Path  # of the figure in the results: the part's name first
    sign: str  # ">=" or "<="
    limit: float
    relative_to: Path | None = None  # the limit is times this figure
    shown: str = "share"  # "share" (of 1, shown in percent), "points" or "plain"

    def limit_in(self, results: Results) -> float | None:
        """The limit; None while what it is relative to has not been measured."""
        if self.relative_to is None:
            return self.limit
        base = figure(results, self.relative_to)
        return None if base is None else self.limit * base

    def holds(self, results: Results) -> bool | None:
        """Whether the figure keeps the limit; None when it is not known."""
        value, limit = figure(results, self.path), self.limit_in(results)
        if value is None or limit is None:
            return None
        return value >= limit if self.sign == ">=" else value <= limit


def figure(results: Results, path: Path) -> float | None:
    """The number at a path; None where there is none."""
    value: Any = results
    for step in path:
        if isinstance(step, tuple) and isinstance(value, list):
            value = next((row for row in value if _has(row, step)), None)
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) else None


def _has(row: Any, step: tuple[tuple[str, Any], ...]) -> bool:
    return isinstance(row, Mapping) and all(row.get(column) == value for column, value in step)


def judged(results: Results, stale: Collection[str] = ()) -> list[dict[str, Any]]:
    """Each bar with its limit, the figure measured, and whether it holds (None: not measured).

    Args:
        stale: parts that were measured before the last change of what they follow from.
    """
    return [
        {
            "bar": bar.name, "wanted": f"{bar.sign} {_shown(bar.limit_in(results), bar.shown)}",
            "measured": figure(results, bar.path), "shown": _shown(figure(results, bar.path), bar.shown),
            "holds": bar.holds(results),
            "stale": any(path[0] in stale for path in (bar.path, bar.relative_to) if path),
        }
        for bar in BARS
    ]  # fmt: skip


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The bars as a table of Markdown."""
    verdict = {True: "yes", False: "**no**", None: "not measured"}
    lines = ["| bar | wanted | measured | holds |", "| --- | --- | --- | --- |"]
    for row in rows:
        held = verdict[row["holds"]] + (" (before the last change)" if row["stale"] else "")
        lines.append(f"| {row['bar']} | {row['wanted']} | {row['shown']} | {held} |")
    return "\n".join(lines)


def _shown(value: float | None, kind: str) -> str:
    if value is None:
        return "–"
    if kind == "points":
        return f"{value:.1f} points"
    return f"{100 * value:.1f} %" if kind == "share" else f"{value:.3g}"


def _encoder(name: str, misses: Mapping[str, float]) -> list[Bar]:
    """Bars of one of our encoders: least shares among the pairs; what noise and a crowd may cost."""
    pairs, crowd = f"pairs-{name}", ("pairs_in_a_crowd", "points lost")
    own = [
        Bar(f"{name}: {_spoken(kind)}", (pairs, "pairs", "neuromem", kind), ">=", least)
        for kind, least in misses.items()
    ]
    lost = [
        Bar(
            f"{name}: lost to 1,000 facts more, {_spoken(kind)}",
            (pairs, *crowd, kind),
            "<=",
            4.0,
            shown="points",
        )
        for kind in ("question hit@1", "question hit@5", "asr_question hit@5")
    ]
    noise = (pairs, "pairs_misheard", "points lost", "question hit@10")
    talk = (f"locomo-{name}", "misheard", "points lost", "recall@10")
    return [
        *own,
        *lost,
        Bar(f"{name}: recall@10 of pairs lost to 10 % word errors", noise, "<=", 3.0, shown="points"),
        Bar(f"{name}: recall@10 of LoCoMo lost to 10 % word errors", talk, "<=", 3.0, shown="points"),
    ]


def _spoken(kind: str) -> str:
    return kind.replace("asr_question", "spoken").removeprefix("question ")


def _size(name: str) -> list[Bar]:
    return [
        Bar(f"{name}: checkpoint, MB", ("encoders", "start", name, "checkpoint_mb"), "<=", 25, shown="plain"),
        Bar(f"{name}: load, s", ("encoders", "start", name, "load_s"), "<=", 0.5, shown="plain"),
    ]


def _written(name: str, words: str, at_step_0: float) -> list[Bar]:
    """Bars of the codec on one set of texts."""
    at = ("codec", "sets", name)
    noise = (("set", name), ("sigma", 0.05))
    return [
        Bar(f"{words}: exact at step 0", (*at, "exact_at_step_0"), ">=", at_step_0),
        Bar(f"{words}: exact after the loop", (*at, "exact"), ">=", 1.0),
        Bar(f"{words}: steps, median", (*at, "steps_p50"), "<=", 0, shown="plain"),
        Bar(f"{words}: steps, p99", (*at, "steps_p99"), "<=", 8, shown="plain"),
        Bar(f"{words}: exact under noise of sigma 0.05", ("rate", "noise", noise, "exact"), ">=", 0.99),
        Bar(
            f"{words}: decoding 10 slots on 2 threads, ms, median",
            ("codec", "decode_ms", (("set", name),), "decode_2_threads"), "<=", 4, shown="plain",
        ),
    ]  # fmt: skip


def _faded(name: str, words: str) -> list[Bar]:
    """Bars of the ladder on one set of facts."""
    return [
        Bar(f"{words}: right rung at 7 strengths", ("forgetting", f"{name}: right_rung"), ">=", 0.95),
        Bar(f"{words}: characters shown right", ("forgetting", f"{name}: right_characters"), ">=", 0.99),
        Bar(f"{words}: rises of a rung", ("forgetting", f"{name}: rises"), "<=", 0, shown="plain"),
    ]


def _gist(written: str, words: str) -> Bar:
    path = ("forgetting", "gist_words", (("written", written),), "word_f1")
    return Bar(f"F1 of the gist rung's content words, {words}", path, ">=", 0.9, shown="plain")


MINILM = ("locomo-sentence", "recall@10")
BARS: tuple[Bar, ...] = (
    *_encoder(
        "transformer", {"question hit@1": 0.75, "question hit@5": 0.89, "asr_question hit@5": 0.85}
    ),
    *_encoder("conv", {"question hit@5": 0.72}),
    Bar("transformer: LoCoMo recall@10, MiniLM's", ("locomo-transformer", "recall@10"), ">=", 1, MINILM),
    Bar("conv: LoCoMo recall@10, 92 % of MiniLM's", ("locomo-conv", "recall@10"), ">=", 0.92, MINILM),
    *(
        Bar(
            f"{name}: times as fast as MiniLM through sentence-transformers",
            ("encoders", "single", name, "times_as_fast"), ">=", least, shown="plain",
        )
        for name, least in (("transformer", 2), ("conv", 8))
    ),
    *_size("transformer"),
    *_size("conv"),
    *_written("facts", "personal facts", 0.995),
    *_written("texts", "mixed texts", 0.98),
    Bar("bytes of a value", ("codec", "value_bytes"), "<=", 512, shown="plain"),
    Bar(
        "full slots of random bytes: bits a byte of the value",
        ("codec", "random_bytes", "text_bits_per_byte_of_the_value"), ">=", 2.5, shown="plain",
    ),
    *_faded("gists", "gists"),
    *_faded("generated", "generated facts"),
    _gist("the reference", "gists as given"),
    _gist("our own rules", "gists by our own rules"),
    Bar(
        "2,000 aged facts: rungs apart from the curve, any bin",
        ("forgetting", "largest_difference_points"), "<=", 3, shown="points",
    ),
)  # fmt: skip
