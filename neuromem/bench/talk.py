"""Talk: of our own making, as long as wanted and varied all through; or scripts of one user's weeks."""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, NotFound
from .everyday import everyday_facts
from .generated import personal_facts

__all__ = ["Exchange", "generated_talk", "read_dialogues", "says"]

FACTS = 0.25  # share of turns that tell a personal fact
EVERYDAY = 0.45  # … something else worth keeping
QUESTIONS = 0.18  # … that ask for a fact told before; the rest is small talk
MOST_EVERYDAY = 4_000  # sentences; from then on they come again, as things do
START = 1.8e9  # Unix seconds of the first turn
PACE_S = 240.0  # between two turns
SMALL_TALK = """
good morning; what time is it?; thanks, that's all; set a timer for seven minutes please; play some samba
hm, let me think; can you say that again?; what's the weather like tomorrow?; tell me something funny; okay
I'm so tired today; good night; turn the lights off; is it raining?; that was quick; how do you spell rhubarb?
"""
REPLIES = "All right.; I see.; Good to know.; Thank you for telling me.; Let me think.; Is that so?"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a user says at a time, what is answered, and, of a question, what the answer should hold."""

    time: float  # Unix seconds
    text: str
    reply: str
    expected: tuple[str, ...] = ()  # any of these
    kind: str = ""  # of question
    forbidden: tuple[str, ...] = ()  # … what it must not hold


def generated_talk(turns: int, seed: int = 0) -> Iterator[Exchange]:
    """Exchanges of one user: facts, chatter, and questions about the last hundred facts."""
    rng = random.Random(seed)
    facts = iter(personal_facts(max(10, round(turns * FACTS * 1.5)), seed))
    everyday = everyday_facts(min(MOST_EVERYDAY, max(10, turns)), seed)
    small, replies = _phrases(SMALL_TALK), _phrases(REPLIES)
    told: list[tuple[str, str]] = []  # question, answer
    for turn in range(turns):
        chance, expected = rng.random(), ""
        if chance < FACTS or not told:
            fact = next(facts)
            text = fact.text
            told = [*told[-99:], (fact.question, fact.gist.split("|")[2])]
        elif chance < FACTS + EVERYDAY:
            text = everyday[turn % len(everyday)]
        elif chance < FACTS + EVERYDAY + QUESTIONS:
            text, expected = rng.choice(told)
        else:
            text = rng.choice(small)
        kind = "generated" if expected else ""
        yield Exchange(
            START + turn * PACE_S, text, rng.choice(replies), (expected,) if expected else (), kind
        )


def _phrases(table: str) -> list[str]:
    return [phrase.strip() for phrase in re.split(r"[;\n]", table) if phrase.strip()]


def read_dialogues(folder: str | Path) -> dict[str, list[Exchange]]:
    """Scripts in a folder: user → turns and questions in the order of their times.

    Each is a JSON file with `user`, `turns` [{at, say}] and `asks` [{at, say, expect_any, kind}], or plain
    text as `_written` reads it.

    Raises:
        NotFound: no such folder, or no script in it. InvalidInput: a file is no script.
    """
    paths = sorted(path for path in Path(folder).glob("*") if path.suffix in (".json", ".txt"))
    if not paths:
        raise NotFound(f"{folder} holds no .json or .txt file; give the folder of the dialogues")
    scripts: dict[str, list[Exchange]] = {}
    for path in paths:
        user, script = _script(path) if path.suffix == ".json" else _written(path)
        scripts[user if user not in scripts else f"{user} ({path.stem})"] = script
    return scripts


_HEAD = re.compile(r"# (?P<user>.+?) \| (?P<year>\d{4})-\d\d-\d\d")
_AT = r"(?P<month>\d\d)-(?P<day>\d\d) (?P<hour>\d\d):(?P<minute>\d\d) "
_TURN = re.compile(rf"\d+ {_AT}(?P<say>.+)")
_ASK = re.compile(rf"{_AT}(?P<kind>\w+) *\|(?P<rest>.+)")


def _written(path: Path) -> tuple[str, list[Exchange]]:
    """A script in plain text, one turn or question a line, questions below a line "?"::

    # Ana | 2026-03-02
    1 03-02 09:00 My dog is called Potola.
    ?
    03-09 10:00 known | What's my dog's name? // another way to ask | Potola | forbidden | 1
    """
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    begins = _HEAD.match(head)
    if begins is None:
        raise InvalidInput(str(path), "is no script", 'begin it with "# user | year-month-day"')
    exchanges: list[Exchange] = []
    year, month = int(begins["year"]), 0
    for line in lines:
        found = _TURN.fullmatch(line.strip()) or _ASK.fullmatch(line.strip())
        if found is None:
            if line.strip() not in ("", "?"):
                raise InvalidInput(f"{path}: {line[:60]!r}", "is neither turn nor question", "mend it")
            continue
        if "say" not in found.re.groupindex and not any(each.kind for each in exchanges):
            year, month = int(begins["year"]), 0  # the questions begin, perhaps amid the talk
        year, month = year + (int(found["month"]) < month - 6), int(found["month"])
        day, hour, minute = (int(found[name]) for name in ("day", "hour", "minute"))
        seconds = datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()
        exchanges.append(_line(found, seconds))
    return begins["user"], sorted(exchanges, key=lambda exchange: exchange.time)


def _line(found: re.Match[str], seconds: float) -> Exchange:
    if "say" in found.re.groupindex:
        return Exchange(seconds, found["say"], "All right.")
    asked, expected, forbidden, *_ = [part.strip() for part in f"{found['rest']} | | | ".split("|")]
    terms = [
        tuple(term.strip() for term in part.split(";") if term.strip()) for part in (expected, forbidden)
    ]
    return Exchange(
        seconds, asked.split("//")[0].strip(), "All right.", terms[0], found["kind"], forbidden=terms[1]
    )


def _script(path: Path) -> tuple[str, list[Exchange]]:
    try:
        script = json.loads(path.read_text(encoding="utf-8"))
        said = [*script["turns"], *script["asks"]]
        exchanges = [_exchange(row) for row in said]
        return str(script["user"]), sorted(exchanges, key=lambda exchange: exchange.time)
    except (KeyError, TypeError, ValueError) as error:
        remedy = "give user, turns [{at, say}] and asks [{at, say, expect_any}]"
        raise InvalidInput(str(path), f"is no script ({error!r})", remedy) from error


def _exchange(row: dict[str, Any]) -> Exchange:
    moment = datetime.fromisoformat(row["at"])
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return Exchange(
        seconds, str(row["say"]), "All right.", tuple(row.get("expect_any", ())), str(row.get("kind", "")),
        tuple(row.get("must_not", ())),
    )  # fmt: skip


def says(text: str, term: str) -> bool:
    """Whether a text holds a term from a word's beginning; numbers and short words whole; case aside."""
    sought, where = _plain(term), _plain(text)
    if not sought:
        return False
    begins = r"(?<!\w)" if sought[0].isalnum() else ""
    ends = r"(?!\d)" if sought[-1].isdigit() else r"(?!\w)" if len(sought) <= 3 else ""
    return re.search(begins + re.escape(sought) + ends, where) is not None


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold().replace("’", "'").replace("ı", "i"))
    kept = "".join(char for char in letters if not unicodedata.combining(char))
    return re.sub(r"(?<=\d),(?=\d{3}\b)", "", kept)
