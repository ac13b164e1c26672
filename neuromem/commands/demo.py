"""demo: the story of `neuromem.demo`, shown while it happens."""

from __future__ import annotations

import json
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..demo import fresh_folder, story
from ..render import RUNGS, bar, clean, facts_table, legend, make_console, note, rung, symbol
from .common import settings

__all__ = ["demo"]

Data = Mapping[str, Any]

FOLDER = ".demo"
SAMPLES = ("Potola.", "4471", "quarry lane", "020 7946", "marmalade")  # facts shown with their gist
FALLING = 5  # facts told day by day
DROPPED_SHOWN = 5
MOST_CHANGED = 0.40  # the aim: no more facts than this change rung between two neighbouring days


def demo(args: Namespace) -> int:
    """Tells the story; status 1 when a part did not come out as it should."""
    folder = fresh_folder(Path(args.path if args.path is not None else FOLDER))
    started = time.perf_counter()
    console = None if args.json else make_console(plain=args.plain)
    data: dict[str, Any] = {}
    for name, part in story(folder, settings(args), args.encoder):
        data[name] = part
        if console is not None:
            VIEWS[name](console, part)
    data["seconds"] = round(time.perf_counter() - started, 2)
    if console is None:
        print(json.dumps(data, ensure_ascii=False, allow_nan=False, indent=2))
    else:
        note(console, f"{data['seconds']:.1f} s in all. The store is in {folder}.")
    return 0 if _as_told(data) else 1


def _as_told(data: Data) -> bool:
    """Whether the story's turns all happened."""
    heard, rebuilt, deep = data["heard"], data["rebuilt"], data["deep"]
    return bool(
        data["verify"]["ok"]
        and heard["event"] == "REINFORCE" and heard["after"]["fidelity"] == "verbatim"
        and rebuilt["question"] and rebuilt["after"]["fidelity"] == "verbatim"
        and deep["question"] and deep["after"]["fidelity"] == "verbatim"
    )  # fmt: skip


def _heading(console: Console, number: int, title: str, told: str) -> None:
    console.print()
    console.print(Text(f"{number}  {title}", style="bold"))
    note(console, told)
    console.print()


def _kept(console: Console, part: Data) -> None:
    weeks = f"{part['from'][:10]} to {part['to'][:10]}"
    names = " and ".join(part["speakers"])
    _heading(console, 1, "Told", f"{names} talk, {weeks}: {part['messages']} messages. No LLM reads them.")
    none, most = part["steps"].get("0", 0), max(map(int, part["steps"]), default=0)
    steps = (
        f"{none} with no gradient step, the others with up to {most}" if most else "all with no gradient step"
    )
    console.print(
        f"{part['facts']} facts written in {part['seconds']:.2f} s, {part['exact']} of them exact "
        f"({steps}); "
        f"{part['slots']} slots of {part['bytes_per_slot']:,} bytes."
    )
    table = facts_table()
    table.add_column("kept, for example", ratio=3, overflow="fold")
    table.add_column("gist", ratio=2, overflow="fold", style="cyan")
    table.add_column("steps", justify="right")
    for fact in _chosen(part["written"], SAMPLES):
        table.add_row(clean(fact["text"]), clean(fact["gist"]), str(fact["steps"]))
    console.print(table)
    dropped = part["dropped"]
    console.print(f"{len(dropped)} messages hold no fact and stay in the log only, for example:")
    for line in dropped[:: max(1, len(dropped) // DROPPED_SHOWN)][:DROPPED_SHOWN]:
        note(console, f"  {line}")


def _chosen(facts: Sequence[Data], needles: Sequence[str]) -> list[Data]:
    """The first fact that holds each needle."""
    found = (next((fact for fact in facts if needle in fact["text"]), None) for needle in needles)
    return [fact for fact in found if fact is not None]


def _asked(console: Console, part: Data) -> None:
    told = (
        "In other words, on the evening of the last message. Where the weights say too little, the log helps."
    )
    _heading(console, 2, "Asked", told)
    table = facts_table()
    table.add_column("question", ratio=2, overflow="fold")
    table.add_column("answer", ratio=3, overflow="fold")
    table.add_column("from", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    for answer in part["answers"]:
        sign = Text(*_verdict(answer))
        source = symbol(answer["fidelity"]).append(f" {answer['from']}", style="bright_black")
        table.add_row(answer["question"], sign + Text(clean(answer["answer"])), source, f"{answer['ms']:.1f}")
    console.print(table)
    console.print(
        f"✓ {part['right']} of {part['of']} answers hold what was asked for; "
        f"~ {part['found'] - part['right']} come from the right fact, which has faded too far"
    )


def _verdict(answer: Data) -> tuple[str, str]:
    """A sign for an answer, and its colour."""
    if answer["right"]:
        return "✓ ", "bright_green"
    return ("~ ", "yellow") if answer["found"] else ("✗ ", "red")


def _table(console: Console, part: Data) -> None:
    told = "What the weights alone still say, so many days after the last message. Nobody speaks of it again."
    _heading(console, 3, "Weeks pass", told)
    table = facts_table()
    table.add_column("fact", ratio=1, no_wrap=True, overflow="ellipsis")
    for day in part["days"]:
        table.add_column(f"{day}", justify="center", no_wrap=True, min_width=3)
    for fact in part["facts"]:
        table.add_row(clean(fact["text"]), *(symbol(name) for name in fact["rungs"]))
    counts = [[fact["rungs"][place] for fact in part["facts"]] for place in range(len(part["days"]))]
    table.add_section()
    for name in RUNGS:
        table.add_row(rung(name), *(str(day.count(name) or "") for day in counts))
    console.print(table)
    console.print(legend())
    console.print()
    for fact in _falling(part["facts"]):
        _fall(console, part["days"], fact)
    _changes(console, part)


def _falling(facts: Sequence[Data]) -> list[Data]:
    """The dog, then the facts that show most rungs, then one that has not changed at all."""
    dog = _chosen(facts, ("Potola.",))
    varied = sorted(facts, key=lambda fact: -len(set(fact["rungs"])))
    lasting = [fact for fact in facts if set(fact["rungs"]) == {"verbatim"}][:1]
    others = [fact for fact in varied if fact not in dog + lasting]
    return dog + others[: FALLING - len(dog) - len(lasting)] + lasting


def _fall(console: Console, days: Sequence[int], fact: Data) -> None:
    """One fact from day to day; days on which it says the same are joined."""
    console.print(Text(clean(fact["text"]), style="bold"))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(min_width=12, justify="right", style="bright_black", no_wrap=True)
    grid.add_column(no_wrap=True, min_width=11)
    grid.add_column(overflow="fold")
    lines = zip(days, fact["rungs"], fact["says"], strict=True)
    for (name, says), same in groupby(lines, key=lambda line: (line[1], line[2])):
        span = [day for day, _, _ in same]
        label = f"day {span[0]}" if len(span) == 1 else f"day {span[0]}–{span[-1]}"
        grid.add_row(label, rung(name), clean(says))
    console.print(grid)
    console.print()


def _changes(console: Console, part: Data) -> None:
    shares = zip(pairwise(part["days"]), part["changed_share"], strict=True)
    line = Text("Facts that changed rung:")
    for (before, after), share in shares:
        style = "yellow" if share > MOST_CHANGED else "bright_green"
        line.append(f"  {before}→{after} ").append(f"{share:.0%}", style=style)
    console.print(line)
    highest = max(part["changed_share"], default=0.0)
    note(console, f"highest {highest:.0%}; the aim is at most {MOST_CHANGED:.0%}")


def _state_line(when: str, state: Data | None) -> list[Text]:
    if state is None:
        return [Text(when, style="bright_black"), rung("forgotten"), Text(""), Text("")]
    name = state["fidelity"]
    return [
        Text(when, style="bright_black"),
        rung(name),
        bar(state["strength"], name),
        Text(clean(state["says"])),
    ]


def _grid(console: Console, rows: Sequence[Sequence[Text]]) -> None:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*row)
    console.print(grid)


def _heard(console: Console, part: Data) -> None:
    _heading(console, 4, "Heard again", f"On day {part['day']} Ana says: “{part['said']}”")
    _grid(console, [_state_line("before", part["before"]), _state_line("after", part["after"])])


def _rebuilt(console: Console, part: Data) -> None:
    if part["question"] is None:
        _heading(console, 5, "Rebuilt", "No fact that was asked for has faded below its gist.")
        return
    told = f"On day {part['day']} Ana asks: “{part['question']}” The words come from the log."
    _heading(console, 5, "Rebuilt", told)
    _grid(console, [_state_line("before", part["before"]), _state_line("after", part["after"])])
    console.print(f"answered in {part['ms']:.1f} ms, word for word; the slot is written anew")


def _deep(console: Console, part: Data) -> None:
    slept = part["slept"]
    told = f"On day {part['day']} it sleeps: {slept['forgotten']} facts are gone, {slept['held']} are held."
    _heading(console, 6, "Forgotten, and found", told)
    if part["question"] is None:
        note(console, "Nothing that could be asked for was forgotten.")
        return
    console.print(Text(f"asked: “{part['question']}”"))
    fast = clean(part["fast_answer"]) or "nothing"
    _grid(
        console,
        [
            [Text("fast", style="bright_black"), Text(""), Text(""), Text(fast)],
            _state_line("deep", part["after"]),
        ],
    )
    console.print(f"found in {part['ms']:.0f} ms among every word ever said, and written back")


def _verified(console: Console, part: Data) -> None:
    _heading(console, 7, "Verified", "Every record is read back, every hash and Merkle node recomputed.")
    state = "chain ok" if part["ok"] else "; ".join(part["problems"])
    note(console, f"{state}: {part['records']} records", "bright_green" if part["ok"] else "red")
    console.print()


VIEWS: Mapping[str, Callable[[Console, Data], None]] = {
    "kept": _kept, "asked": _asked, "table": _table, "heard": _heard, "rebuilt": _rebuilt, "deep": _deep,
    "verify": _verified,
}  # fmt: skip
