"""Applying the tables: what a clause or predicate says, as relation and object."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from .clause import KIN_WORDS, base_verb, gerund, kin_name, singular
from .gist import SPEAKER
from .predicates import PREDICATES
from .relations import MACROS, PETS, RELATION_NAMES
from .timewords import MONTHS
from .values import NUMBER, ordinal_digits, strip_tail, tidy
from .verbs import BASE_VERBS

__all__ = ["Triple", "base_form", "first_fit", "generic", "predicate", "relation_name"]

Triple = tuple[str, str, str]

_MONTH = "|".join(MONTHS)
_WEEKDAY = "(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
_VERB = f"(?:{'|'.join(sorted(BASE_VERBS | {'be', 'suit', 'please', 'match'}))})"
_IN_DIGITS = re.compile(
    r"\b(?:age|number|code|pin|password|size|weight|height|rent|salary|debt|combination|price|"
    r"plate|registration|postcode|reference|serial)$"
)


@dataclass(frozen=True, slots=True)
class _Row:
    pattern: re.Pattern[str]
    relation: str
    value: str
    speaker_only: bool


@functools.cache
def _rows(table: str) -> tuple[_Row, ...]:
    """Compiles a table; its text is the key, so each is compiled once."""
    rows = []
    for line in table.strip().splitlines():
        if line.startswith("#"):
            continue
        pattern, _, result = line.partition(" -> ")
        relation, _, value = result.partition(" | ")
        speaker_only = pattern.startswith("1:")
        rows.append(
            _Row(_compiled(pattern.removeprefix("1:")), relation.strip(), value.strip(), speaker_only)
        )
    return tuple(rows)


def _compiled(pattern: str) -> re.Pattern[str]:
    macros = MACROS | {
        "<num>": NUMBER, "<month>": _MONTH, "<k>": "(?P<k>.+?)", "<weekday>": _WEEKDAY, "<verb>": _VERB,
    }  # fmt: skip
    for _ in range(2):  # a macro may hold another one
        pattern = re.sub(r"(?<!\?P)<\w+>", lambda match: macros[match.group()], pattern)
    pattern = pattern.replace("{kin}", "|".join(KIN_WORDS)).replace("{pets}", "|".join(PETS.split()))
    return re.compile(pattern + r"\Z", re.IGNORECASE)


_MINOR_ADJECTIVE = re.compile(
    r"^(?:new|current|usual|next|old|actual|full|own|whole|main|private|nearest)\s+(?=\S)"
)


def relation_name(relation: str) -> str:
    """The usual name of a relation: "gp" → "doctor", "new favorite color" → "favourite colour"."""
    relation = _MINOR_ADJECTIVE.sub("", relation.replace("favorite ", "favourite "))
    relation = RELATION_NAMES.get(relation, relation)
    return re.sub(r"\bcolor\b", "colour", relation)


_PREDICATE_ADVERB = re.compile(
    r"^((?:is |have )?)(?:really|always|usually|just|still|also|now|currently|actually|only|mostly|"
    r"recently|finally|already|"
    r"often|sometimes|definitely|normally|generally|probably|officially|absolutely|"
    r"completely) (?=\w)(?!wanted)",
    re.IGNORECASE,
)


def base_form(rest: str) -> str:
    """A predicate with its first verb in base form."""
    rest = _PREDICATE_ADVERB.sub(r"\1", rest)
    never, rest = ("never ", rest[6:]) if rest.lower().startswith("never ") else ("", rest)
    first, comma, tail = re.match(r"([^\s,]*)(,?)\s*(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    return f"{never}{base_verb(first)}{comma} {tail}".strip()


def predicate(subject: str, rest: str) -> Triple | None:
    """What a predicate says of its subject: by the table, whole or cut at a comma, else as it is."""
    for _ in range(2):
        rest = _PREDICATE_ADVERB.sub(r"\1", rest)
    first_part = re.split(r",|;|\s(?:and|but)\s", rest, maxsplit=1)[0]
    for part in dict.fromkeys((rest, strip_tail(rest), first_part, strip_tail(first_part))):
        found = first_fit(PREDICATES, part, subject, "")
        if found:
            return found
    return generic(subject, rest)


def first_fit(table: str, text: str, subject: str, noun: str) -> Triple | None:
    """The triple of the first row of a table that the whole text fits, or None; `noun` fills its `{n}`."""
    for row in _rows(table):
        if row.speaker_only and subject != SPEAKER:
            continue
        match = row.pattern.match(text)
        if match:
            found = _filled(row, match, subject, noun)
            if found[1] and found[2]:
                return found
    return None


def _filled(row: _Row, match: re.Match[str], subject: str, noun: str) -> Triple:
    groups = {name: value or "" for name, value in match.groupdict().items()}
    groups.setdefault("n", noun)
    relation = row.relation
    if relation.startswith("@"):
        relation = relation[1:]
        subject = kin_name(groups["k"]) or tidy(groups["k"])
    relation = relation_name(_fill(relation, groups, digits=False).lower())
    value = _fill(row.value, groups, digits=bool(_IN_DIGITS.search(relation)))
    value = value if "floor" in relation else ordinal_digits(value)
    if subject != SPEAKER and relation == "home town":
        relation = "origin"
    elif subject == SPEAKER and relation == "origin":
        relation = "home town"
    return subject, relation, kin_name(value) or value


def _fill(template: str, groups: dict[str, str], digits: bool) -> str:
    def value_of(match: re.Match[str]) -> str:
        name, _, form = match[1].partition(":")
        value = tidy(groups.get(name, ""), digits=digits, whole=form == "whole")
        if form == "ing":
            return gerund(value)
        if form == "one":
            return singular(value)
        return value.split()[-1] if form == "thing" and value else value

    return re.sub(r"\{([\w:]+)\}", value_of, template).strip(" ,")


_PARTICIPLE = re.compile(
    r"\w+(?:ed|en|wn|ung|unk|ght|pt|lt|nt|old|ound|ood)|made|put|cut|run|come|met|read|had|said|"
    r"paid|won|done|gone"
)
_PARTICLE = re.compile(
    r"(up|out|off|down|over|back|away|to|for|with|at|in|on|from|into|about|of|by) (?=\S)", re.IGNORECASE
)


def generic(subject: str, rest: str) -> Triple | None:
    """Subject, verb, object as they stand."""
    match = re.match(
        r"(?:(?P<aux>is|was|have|had|will|would|can|could|did|should|must)(?: (?P<not>not))? )?(?P<rest>.+)",
        rest,
    )
    if match is None:
        return None
    auxiliary, negation = match["aux"] or "", "not " if match["not"] else ""
    verb, _, value = match["rest"].partition(" ")
    no_verb = not verb.endswith("ing") if auxiliary in ("is", "was") else not _PARTICIPLE.fullmatch(verb)
    if auxiliary in ("is", "was", "have", "had") and no_verb:
        verb, value = auxiliary, match["rest"]
    particle = _PARTICLE.match(value)
    if particle and verb not in ("is", "was", "have"):
        verb, value = f"{verb} {particle[1]}", value[particle.end() :]
    value = tidy(value)
    if not value and match["aux"] is None:
        return None
    return (subject, negation + verb.lower(), value) if value else (subject, match["aux"], negation + verb)
