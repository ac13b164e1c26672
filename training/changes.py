"""What the judge of news learns from: statements, and which of those before them each makes out of date.

Three sources. Blocks written for it (`news/`), each what one person says over weeks or years::

    1 | We rent a studio above a laundromat in Tacoma.
    2 | My sister Dalia lives in Tacoma too.
    3>1 move | We got the keys to a bungalow in Olympia on Friday, so that's home from here on.
    4~2 other | Dalia is thinking of moving as well.

`>1` marks what is out of date from then on, `~2` what a careless reader would take for that. What was said
just before a statement and changes nothing itself stands in front: `Caleb rang me. || He's transferred.`
Dialogues (`dialogues/`), of which questions tell that a turn was so before and another is so now. Cases of
changes (`tests/data/updates_fresh.jsonl`).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from neuromem.bench.talk import says
from neuromem.facts.wording import points_back
from neuromem.reading import Passage
from neuromem.sayings import LAST_S

from .generate import recognizer_style
from .noise import misheard
from .reader_samples import Sample
from .rounds import Rounds
from .talks import Ask, Talk, rewritten

DAY_S = 86_400.0
HELD_OUT = 8  # blocks of a file with numbers that this divides are kept for validation
MOST = 8  # earlier statements of a sample
CHANGES = ("supersede", "contradiction")  # types of cases in which a later statement replaces an earlier one
NO_CHANGES = ("distractor_entity", "reinforce", "pronoun", "name_clash")

LEADS = " || "  # between what was said just before and the statement

_LINE = re.compile(r"(\d+)(?:([>~])([\d,]+) (\w+))? \| (.+)")


@dataclass(frozen=True, slots=True)
class Said:
    """A statement, and what it does to those before it."""

    text: str
    replaces: tuple[int, ...] = ()  # places of earlier statements, from 0
    tag: str = ""  # of what kind it is
    time: float = 0.0  # Unix seconds, or any; rising
    lead: str = ""  # what was said just before, which changes nothing


@dataclass(frozen=True, slots=True)
class Change:
    """A statement to be judged: what was current before it, and what of that is not any more."""

    new: str
    held: tuple[Passage, ...]  # `before`: what a statement had replaced itself
    gone: frozenset[int]  # places among `held`
    tag: str = ""
    source: str = ""


def read_blocks(paths: Iterable[Path]) -> tuple[list[list[Said]], list[list[Said]]]:
    """Blocks to train on, and those held out.

    Raises:
        ValueError: a line is not of the format; names it.
    """
    kept: tuple[list[list[Said]], list[list[Said]]] = ([], [])
    for path in paths:
        blocks = re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip())
        for number, block in enumerate(blocks, start=1):
            said = [_line(line, place, path) for place, line in enumerate(block.splitlines())]
            kept[number % HELD_OUT == 0].append(said)
    return kept


def _line(line: str, place: int, path: Path) -> Said:
    found = _LINE.fullmatch(line.strip())
    if found is None or int(found[1]) != place + 1:
        raise ValueError(f"{path}: {line!r} is no statement {place + 1}")
    gone = tuple(int(number) - 1 for number in found[3].split(",")) if found[2] == ">" else ()
    if any(number >= place for number in gone):
        raise ValueError(f"{path}: {line!r} replaces what comes after it")
    lead, _, text = found[5].strip().rpartition(LEADS)
    return Said(text, gone, found[4] or "", place * DAY_S, lead)


def changes_of(said: Sequence[Said], source: str = "") -> list[Change]:
    """Every statement but the first, with what was current before it."""
    out = []
    gone: set[int] = set()
    replaced: dict[int, list[int]] = {}  # by a statement
    for place, new in enumerate(said):
        held = [other for other in range(place) if other not in gone]
        if held:
            before = {other: " ".join(said[old].text for old in replaced.get(other, ())) for other in held}
            passages = tuple(Passage(said[other].text, before[other], said[other].time) for other in held)
            marked = frozenset(held.index(old) for old in new.replaces if old in held)
            if new.lead:
                out.append(Change(new.lead, passages, frozenset(), "lead", source))
            out.append(Change(f"{new.lead} {new.text}".strip(), passages, marked, new.tag, source))
        gone |= set(new.replaces)
        if new.replaces:
            replaced[place] = [old for number in new.replaces for old in (*replaced.get(number, ()), number)]
    return out


def read_cases(path: Path, rounds: Iterable[int] | None = None) -> list[Change]:
    """The statements of cases of which it is certain what they replace.

    Args:
        rounds: only these.
    """
    wanted = None if rounds is None else set(rounds)
    out = []
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if wanted is None or case["round"] in wanted:
            out += _changes_in(case)
    return out


def _changes_in(case: dict[str, object]) -> list[Change]:
    turns, kind = case["turns"], case["type"]
    assert isinstance(turns, list)
    stale, current = (_places(case, name) for name in ("stale_turns", "current_turns"))
    later = bool(stale and current) and max(stale) < min(current)
    changed = later and (kind in CHANGES or kind == "temporal")
    if not changed and kind not in NO_CHANGES:
        return []
    if len({turn["user"] for turn in turns}) > 1:
        return []
    said = [Said(turn["text"], (), str(kind), place * DAY_S) for place, turn in enumerate(turns)]
    if changed:
        said[min(current)] = replace(said[min(current)], replaces=tuple(stale))
        said = _led(said, turns, min(current), {*stale, *current})
    return changes_of(said, "cases")


def _led(said: list[Said], turns: Sequence[Mapping[str, str]], place: int, telling: set[int]) -> list[Said]:
    """What leans on a turn just before it, which tells nothing, with that in front of it."""
    before = place - 1
    if before < 0 or before in telling or not points_back(turns[place]["text"]):
        return said
    first, last = (datetime.fromisoformat(turns[at]["ts"]) for at in (before, place))
    if (last - first).total_seconds() > LAST_S:
        return said
    led = replace(said[place], lead=said[before].text)
    return [*said[:before], led, *said[place + 1 :]]


def _places(case: dict[str, object], name: str) -> list[int]:
    found = case.get(name) or []
    assert isinstance(found, list)
    return [int(place) for place in found]


def changes_told(talk: Talk) -> list[Change]:
    """What questions about changes tell: the newest of their turns replaces an older that has another value.

    Other turns are held beside, but none that may say the same.
    """
    return [change for ask in talk.asks if ask.kind == "superseded" for change in _change_of(talk, ask)]


def _change_of(talk: Talk, ask: Ask) -> list[Change]:
    *older, newest = ask.evidence or [-1]
    text = talk.turns[newest][1]
    if not any(says(text, term) for term in ask.expected):
        return []
    old = [
        turn for turn in older
        if turn < newest and any(says(talk.turns[turn][1], term) for term in ask.forbidden)
        and not any(says(talk.turns[turn][1], term) for term in ask.expected)
    ]  # fmt: skip
    if not old or len(old) < len(older):
        return []
    terms = [*ask.expected, *ask.forbidden]
    beside = [
        turn for turn in range(newest)
        if turn not in old and not any(says(talk.turns[turn][1], term) for term in terms)
    ]  # fmt: skip
    turns = sorted([old[-1], *beside])
    passages = tuple(Passage(talk.turns[turn][1], "", talk.turns[turn][0]) for turn in turns)
    return [Change(text, passages, frozenset({turns.index(old[-1])}), "told", talk.name)]


def sample_of(change: Change, most: int = MOST) -> Sample:
    """A change as it is asked of the network; of too many held ones the last, and those that go."""
    places = list(range(len(change.held)))
    rest = [place for place in places if place not in change.gone]
    drop = set(rest[: max(0, len(places) - most)])
    kept = [place for place in places if place not in drop]
    held = [change.held[place] for place in kept]
    return Sample(change.new, held, frozenset(kept.index(place) for place in change.gone))


class FromChanges:
    """Endless samples: each change comes so many times a round, in an order of its own each time."""

    def __init__(self, changes: Sequence[Change], times: Sequence[int], seed: int) -> None:
        """
        Args:
            times: a round, of each change.
        """
        self.changes = [change for change, count in zip(changes, times, strict=True) for _ in range(count)]
        self._rounds = Rounds(len(self.changes), seed)
        self.others = sorted({passage.text for change in changes for passage in change.held})

    def sample(self, number: int) -> Sample:
        """Sample `number`, a pure function of the seed and the number."""
        place, rng = self._rounds.at(number)
        return self._varied(self.changes[place], rng)

    def _varied(self, change: Change, rng: random.Random) -> Sample:
        """Some are left out, at times what goes, too; others are put among them; all as it may be heard."""
        most = rng.randint(2, MOST)
        rest = [place for place in range(len(change.held)) if place not in change.gone]
        near = rest[-rng.randint(1, most) :] if rng.random() < 0.5 else rng.sample(rest, min(most, len(rest)))
        gone = set(change.gone) if rng.random() > 0.1 or len(rest) == 0 else set()
        kept = [(change.held[place], place in gone) for place in sorted({*gone, *near})]
        for _ in range(rng.choice((0, 0, 1, 2, 3)) if len(kept) < most else 0):
            kept.insert(rng.randint(0, len(kept)), (Passage(rng.choice(self.others)), False))
        held = [
            replace(passage, time=at * DAY_S, before=passage.before if rng.random() < 0.7 else "")
            for at, (passage, _) in enumerate(kept)
        ]
        right = frozenset(place for place, (_, goes) in enumerate(kept) if goes)
        return _heard(Sample(change.new, held, right), rng)


def _heard(sample: Sample, rng: random.Random) -> Sample:
    """All of it as a recognizer writes it, or the statement alone; at times misheard."""
    chance = rng.random()
    if chance < 0.25:
        sample = rewritten(sample, recognizer_style)
    elif chance < 0.35:
        sample = rewritten(sample, lambda text: misheard(text, rng, 0.06))
    elif chance < 0.45:
        sample = replace(sample, question=recognizer_style(sample.question))
    return sample
