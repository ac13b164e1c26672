"""Every figure that README and the model cards quote, in one JSON a run:

    python -m training.evaluate --data DATA --out runs/evaluation.json
    python -m training.evaluate --data DATA --only pairs,codec --quick
    python -m training.evaluate --table          # the last run's bars, for README and LOG.md

Each part is one `neuromem bench` in a process of its own. Its JSON is kept beside `--out` (as
runs/evaluation/PART.json) under a hash of everything it depends on: checkpoints, data, arguments, versions,
and the source of every module that the bench imports. So an interrupted run goes on where it was stopped,
and only what changed is measured again. Speed is of the machine and its load: measure it with nothing
else running.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from neuromem.atomic import replacing
from neuromem.bench import NAMES
from neuromem.bench.common import read_jsonl
from neuromem.shipped import DEFAULT_ENCODER

from .bars import judged, table
from .provenance import ROOT, commit, cpu, hash_of, sources_of, versions

__all__ = ["Part", "cut", "evaluate", "key_of", "main", "parts", "summary"]

CHECKPOINTS = ROOT / "checkpoints"
CODEC = "codec.safetensors"
ENCODERS = ("transformer", "conv", "sentence")
OWN = ("transformer.safetensors", "conv.safetensors")
WITH_ENCODER = (CODEC, *(name for name in OWN if name.startswith(f"{DEFAULT_ENCODER}.")))
INPUTS = {  # placeholders in arguments, and the files they stand for
    "PAIRS": "dev/retrieval.jsonl",
    "TEXTS": "dev/codec_texts.txt",
    "GISTS": "dev/gists.jsonl",
    "CORPUS": "locomo/dev/corpus.jsonl",
    "QUESTIONS": "locomo/dev/questions.jsonl",
}
QUICK_LINES = {"PAIRS": 30, "TEXTS": 20, "GISTS": 20, "CORPUS": 60, "QUESTIONS": 60}


@dataclass(frozen=True, slots=True)
class Part:
    """One bench with its arguments."""

    name: str
    bench: str
    arguments: tuple[str, ...]  # a word of `INPUTS` stands for that file
    needs: tuple[str, ...] = (CODEC,)  # checkpoints without which it cannot run
    uses: tuple[str, ...] = ()  # checkpoints that it measures if they are there
    seconds: float = 60.0  # that it takes, until it has been measured


def parts(quick: bool = False) -> list[Part]:
    """All parts, in order; with `quick` each as small as it can be."""

    def few(*arguments: str) -> tuple[str, ...]:
        return arguments if quick else ()

    files = ("--texts", "TEXTS", "--facts", "PAIRS")
    gists = ("--gists", "GISTS")
    count = few("--count", "12")
    every = [
        *(part for name in ENCODERS for part in _recall(name, quick)),
        Part("sanity", "recall", ("--sanity", "60" if quick else "10000"), WITH_ENCODER, seconds=150),
        Part(
            "encoders", "encoders",
            ("--pairs", "PAIRS", *few("--sentences", "20", "--batch", "16")), (), OWN, seconds=90,
        ),
        Part("codec", "codec", (*files, *gists, *few("--random", "4")), seconds=120),
        Part("rate", "rate", (*files, *count, *few("--random", "4")), seconds=600),
        Part("calibration", "calibration", count, seconds=200),
        Part(
            "forgetting", "forgetting", (*gists, *count, *few("--aged", "40", "--nights", "20")), seconds=200
        ),
        Part("ablation", "ablation", (*count, *few("--near", "40")), WITH_ENCODER, seconds=300),
        Part("speed", "speed", few("--slots", "64", "--facts", "20"), WITH_ENCODER, seconds=120),
    ]  # fmt: skip
    return [replace(part, seconds=20.0) for part in every] if quick else every


def _recall(encoder: str, quick: bool) -> list[Part]:
    """Pairs and conversations with one encoder; MiniLM's with the other rankers beside it."""
    needs = (CODEC, f"{encoder}.safetensors") if encoder != "sentence" else (CODEC,)
    common = ("--encoder", encoder, "--misheard", *(("--hearings", "1") if quick else ()))
    common += ("--baselines",) if encoder == "sentence" else ()
    pairs = ("--pairs", "PAIRS", "--crowd", "50" if quick else "1000")
    talk = ("--corpus", "CORPUS", "--questions", "QUESTIONS", "--steps", "0")
    return [
        Part(f"pairs-{encoder}", "recall", (*pairs, *common), needs, seconds=45),
        Part(f"locomo-{encoder}", "recall", (*talk, *common), needs, seconds=150),
    ]


def key_of(part: Part, files: Mapping[str, Path]) -> str:
    """Hash of everything that a part's figures follow from (but the machine)."""
    used = [files[word] for word in part.arguments if word in files]
    weights = [CHECKPOINTS / name for name in (*part.needs, *part.uses) if (CHECKPOINTS / name).is_file()]
    tables = sorted(path for path in (ROOT / "neuromem" / "data").iterdir() if path.is_file())
    digest = hashlib.sha256(json.dumps([part.bench, part.arguments, versions()]).encode())
    for path in (*used, *weights, *tables, *sources_of(f"neuromem.bench.{part.bench}")):
        digest.update(f"\0{path.name}\0{hash_of(path)}".encode())
    return digest.hexdigest()[:32]


# -- running ------------------------------------------------------------------------------------------


def evaluate(
    every: Sequence[Part], chosen: Sequence[Part], files: Mapping[str, Path], folder: Path
) -> dict[str, dict[str, Any]]:
    """Runs the chosen parts that are not kept in the folder.

    Returns:
        by part its report, seconds and key (or why there is no report): of the chosen ones, and of all
        others that are kept; `stale` says that something they follow from has changed since.
    """
    keys = {part.name: key_of(part, files) for part in every}
    kept = {part.name: _kept(folder / f"{part.name}.json") for part in every}
    out = {name: kept[name] | {"stale": kept[name]["key"] != key} for name, key in keys.items() if kept[name]}
    waiting = [part for part in chosen if out.get(part.name, {"stale": True})["stale"]]
    expected = {part.name: float(kept[part.name].get("seconds", part.seconds)) for part in waiting}
    fresh = sum(not result["stale"] for result in out.values())
    _say(f"{fresh} of {len(every)} parts are kept; {len(waiting)} to run, about {_minutes(expected)}")
    for number, part in enumerate(waiting, 1):
        _say(f"{number}/{len(waiting)} {part.name}; about {_minutes(expected)} left")
        started = time.monotonic()
        result = {"key": keys[part.name], "date": _now(), **_run(part, files)}
        result["seconds"] = round(time.monotonic() - started, 1)
        del expected[part.name]
        out[part.name] = result | {"stale": False}
        if "failed" not in result and "absent" not in result:
            _write(folder / f"{part.name}.json", result)
    return {part.name: out[part.name] for part in every if part.name in out}


def _run(part: Part, files: Mapping[str, Path]) -> dict[str, Any]:
    """The report of a bench, or why there is none."""
    lacking = [name for name in part.needs if not (CHECKPOINTS / name).is_file()]
    if part.bench not in NAMES or lacking:
        reason = f"no {' and no '.join(lacking)}" if lacking else f"no bench {part.bench}"
        _say(f"  absent: {reason}")
        return {"absent": reason}
    arguments = [str(files.get(word, word)) for word in part.arguments]
    command = [sys.executable, "-m", "neuromem", "bench", part.bench, *arguments, "--json"]
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths}, stdout=subprocess.PIPE, check=False
    )
    if done.returncode not in (0, 1):  # 1: measured, and a bar of the bench's own is broken
        _say(f"  failed with status {done.returncode}")
        return {"failed": done.returncode}
    try:
        return {"status": done.returncode, "report": json.loads(done.stdout)}
    except ValueError:
        _say("  failed: it printed no JSON")
        return {"failed": done.returncode}


def _kept(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return value


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as draft:
        draft.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _minutes(expected: Mapping[str, float]) -> str:
    seconds = sum(expected.values())
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# -- the whole ----------------------------------------------------------------------------------------


def summary(results: Mapping[str, Mapping[str, Any]], quick: bool) -> dict[str, Any]:
    """What one run writes: when, on what, with which weights; every figure; every bar beside its figure."""
    figures = {name: result["report"] for name, result in results.items() if "report" in result}
    stale = [name for name, result in results.items() if result["stale"]]
    weights = sorted(CHECKPOINTS.glob("*.safetensors"))
    return {
        "date": _now(),
        "commit": commit(),
        "quick": quick,
        "machine": {
            "cpu": cpu(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}",
            "threads": int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1),
        },
        "versions": versions(),
        "checkpoints": {
            path.name: {"sha256": hash_of(path), "bytes": path.stat().st_size} for path in weights
        },
        "measured": {name: result["date"] for name, result in results.items()},
        "seconds": {name: result["seconds"] for name, result in results.items()},
        "lacking": {
            name: str(result.get("absent") or f"failed with status {result['failed']}")
            for name, result in results.items()
            if "report" not in result
        },
        "stale": stale,  # measured before the last change of what they follow from
        "bars": judged(figures, stale),
        "figures": figures,
    }  # fmt: skip


def cut(files: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """The beginnings of the inputs, for a quick run; of questions those that they answer."""
    out = {}
    for word, path in files.items():
        lines = path.read_text(encoding="utf-8").split("\n")[: QUICK_LINES[word]]
        out[word] = folder / path.name
        out[word].write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = {(row["conv"], row["turn"]) for row in read_jsonl(out["CORPUS"])}
    answered = [
        json.dumps(row) + "\n"
        for row in read_jsonl(out["QUESTIONS"])
        if told.issuperset((row["conv"], turn) for turn in row["evidence"])
    ]
    out["QUESTIONS"].write_text("".join(answered), encoding="utf-8")
    return out


def _chosen(only: str, every: Sequence[Part]) -> list[Part]:
    """Parts by name or by the beginning of their names: "pairs" means "pairs-conv", too."""
    wanted = [name for name in only.split(",") if name]
    known = {part.name for part in every} | {part.name.partition("-")[0] for part in every}
    if unknown := [name for name in wanted if name not in known]:
        raise SystemExit(f"no part {', '.join(unknown)}; there are {', '.join(part.name for part in every)}")
    return [part for part in every if not wanted or {part.name, part.name.partition("-")[0]} & {*wanted}]


def main(argv: Sequence[str] | None = None) -> int:
    """Measures, writes the JSON; 1 if a part failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder with dev/ and locomo/dev/")
    parser.add_argument("--out", type=Path, help="default: runs/evaluation.json, or …-quick.json")
    parser.add_argument("--only", default="", metavar="NAME,…", help="only these parts")
    parser.add_argument("--quick", action="store_true", help="a few lines of each: does it all still run?")
    parser.add_argument(
        "--table", action="store_true", help="print the bars of --out as Markdown, run nothing"
    )
    args = parser.parse_args(argv)
    out = args.out or Path("runs/evaluation-quick.json" if args.quick else "runs/evaluation.json")
    if args.table:
        if not out.is_file():
            raise SystemExit(f"{out} does not exist: run without --table first")
        print(table(_kept(out)["bars"]))
        return 0
    files = {word: args.data / name for word, name in INPUTS.items()}
    if missing := [str(path) for path in files.values() if not path.is_file()]:
        raise SystemExit(f"{', '.join(missing)} not found: give --data the folder with dev/ and locomo/dev/")
    every = parts(args.quick)
    chosen = _chosen(args.only, every)
    with tempfile.TemporaryDirectory() as scratch:
        results = evaluate(
            every, chosen, cut(files, Path(scratch)) if args.quick else files, out.with_suffix("")
        )
    report = summary(results, args.quick)
    _write(out, report)
    print(table(report["bars"]))
    return int(any("failed" in result for result in results.values()))


if __name__ == "__main__":
    raise SystemExit(main())
