"""mem0's grammar of filters: from JSON to a test of memories, and to the owners that need be asked.

    {"AND": [{"user_id": "ana"}, {"created_at": {"gte": "2026-01-01"}}, {"NOT": {"categories": ["work"]}}]}

Plain keys side by side all have to hold, and so have logical words beside them. The platform knows a fixed
set of keys; the open-source server takes any other key for one of the metadata (`dialect="oss"`), with more
operators.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol

from ..checks import check_encodable
from ..errors import InvalidInput
from ..identity import seconds_of
from .entries import KINDS, Entry

__all__ = ["ACTOR", "EVERYTHING", "Filter", "Index", "Words", "every", "filed_under", "leaf", "parse"]

DAY_MS = 86_400_000
ACTOR = "actor"  # note of who said a message that is kept as it is
ENTITY_KEYS = {f"{kind}_id": kind for kind in KINDS}
CAMEL = {f"{kind}Id": f"{kind}_id" for kind in KINDS} | {
    "createdAt": "created_at", "updatedAt": "updated_at", "expirationDate": "expiration_date",
    "memoryIds": "memory_ids",
}  # fmt: skip
TIME_KEYS = ("created_at", "updated_at", "timestamp")
TEXT_KEYS = ("text", "keywords", "keywords_search")
KNOWN = (
    *ENTITY_KEYS, *TIME_KEYS, "expiration_date", *TEXT_KEYS, "categories", "metadata", "memory_ids",
    "AND", "OR", "NOT",
)  # fmt: skip
MAX_DEPTH, MAX_LEAVES = 32, 1_000

Words = Callable[[], str]
"""Gives a memory's words, when they are asked for."""
Test = Callable[[Entry, Words], bool]
Held = Callable[[Entry], Mapping[str, Any]]


class Index(Protocol):
    """Who has memories filed under a name."""

    def owners_of(self, kind: str, name: str | None) -> Collection[str]:
        """Names of the owners with memories of that user, agent, app or run; of any, when `name` is None."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A test of memories that also knows where to look."""

    test: Test
    owners: Callable[[Index], set[str] | None]  # None: anybody's may pass
    scoped: bool = False  # it names whose memories are meant

    def __call__(self, entry: Entry, words: Words) -> bool:
        return self.test(entry, words)


EVERYTHING = Filter(lambda _entry, _words: True, lambda _index: None)


def parse(given: object, *, dialect: str = "platform") -> Filter:
    """Reads filters.

    Args:
        dialect: "platform": keys that are not known are refused. "oss": they are keys of the metadata.

    Raises:
        InvalidInput: it is no filter; names the place.
    """
    if given is None:
        return EVERYTHING
    if not isinstance(given, Mapping):
        raise InvalidInput(
            "filters", f"is of type {type(given).__name__}", 'give an object such as {"user_id": "ana"}'
        )
    return _Parser(dialect).all_of(given, "filters", 0)


class _Parser:
    def __init__(self, dialect: str) -> None:
        self.dialect, self.leaves = dialect, 0

    def all_of(self, given: Mapping[str, Any], place: str, depth: int) -> Filter:
        """Every key of an object has to hold."""
        if depth > MAX_DEPTH:
            raise InvalidInput(place, f"is nested more than {MAX_DEPTH} deep", "make it flatter")
        return every([self._key(str(key), value, f"{place}.{key}", depth) for key, value in given.items()])

    def _key(self, key: str, value: Any, place: str, depth: int) -> Filter:
        self.leaves += 1
        if self.leaves > MAX_LEAVES:
            raise InvalidInput("filters", f"have more than {MAX_LEAVES} conditions", "give fewer")
        key = CAMEL.get(key, key)
        if key in ("AND", "OR", "NOT"):
            return self._logical(key, value, place, depth)
        if key in ("$and", "$or", "$not") and self.dialect == "oss":
            return self._logical(key[1:].upper(), value, place, depth)
        if key in ENTITY_KEYS:
            return _entity(ENTITY_KEYS[key], value, place)
        if self.dialect == "oss" and key == "actor_id":
            return _of_metadata(ACTOR, value, place, OSS_OPERATORS, lambda entry: entry.extra)
        if self.dialect == "oss" and key not in (*TIME_KEYS, "expiration_date", "metadata", "categories"):
            return _of_metadata(key, value, place, OSS_OPERATORS)
        if key in TIME_KEYS:
            return _time(key, value, place)
        if key == "expiration_date":
            return _expiry(value, place)
        if key in TEXT_KEYS:
            return _text(value, place)
        if key == "categories":
            return _categories(value, place)
        if key == "metadata":
            return _metadata(value, place)
        if key == "memory_ids":
            return _memory_ids(value, place)
        raise InvalidInput(place, "is not a key of filters", f"use one of {', '.join(KNOWN)}")

    def _logical(self, word: str, value: Any, place: str, depth: int) -> Filter:
        if word == "NOT" and isinstance(value, Mapping):
            value = [value]
        if not isinstance(value, list) or not value or not all(isinstance(item, Mapping) for item in value):
            raise InvalidInput(place, "is not a list of filters", 'give one such as [{"user_id": "ana"}]')
        parts = [self.all_of(item, f"{place}[{at}]", depth + 1) for at, item in enumerate(value)]
        if word == "AND":
            return every(parts)
        if word == "OR":
            return _or(parts)
        return Filter(lambda entry, words: not any(part(entry, words) for part in parts), lambda _index: None)


def filed_under(kind: str, name: str) -> Filter:
    """What is filed under exactly this name, whatever it looks like."""
    return Filter(
        lambda entry, _words: name in entry.ids[kind],
        lambda index: set(index.owners_of(kind, name)),
        scoped=True,
    )


def every(parts: Sequence[Filter]) -> Filter:
    """What passes each of several filters."""

    def owners(index: Index) -> set[str] | None:
        known = [found for part in parts if (found := part.owners(index)) is not None]
        return set.intersection(*known) if known else None

    if len(parts) == 1:
        return parts[0]
    return Filter(
        lambda entry, words: all(part(entry, words) for part in parts), owners, any(p.scoped for p in parts)
    )


def _or(parts: Sequence[Filter]) -> Filter:
    def owners(index: Index) -> set[str] | None:
        known = [part.owners(index) for part in parts]
        return None if any(found is None for found in known) else set().union(*(f for f in known if f))

    return Filter(
        lambda entry, words: any(part(entry, words) for part in parts), owners, any(p.scoped for p in parts)
    )


# -- one key --------------------------------------------------------------------------------------------


def leaf(test: Test) -> Filter:
    """A test that does not say where to look."""
    return Filter(test, lambda _index: None)


def _operators(value: Any, place: str, allowed: Sequence[str], bare: str) -> list[tuple[str, Any]]:
    """(operator, operand) pairs; a bare value is the operand of `bare`.

    Raises:
        InvalidInput: an operator is not allowed here.
    """
    if not isinstance(value, Mapping):
        if isinstance(value, list) and "in" in allowed:
            return [("in", value)]
        return [(bare, value)]
    pairs = [(str(operator), operand) for operator, operand in value.items()]
    unknown = [operator for operator, _ in pairs if operator not in allowed]
    if unknown or not pairs:
        problem = f"operator {unknown[0]!r} is not supported" if unknown else "has no operator"
        raise InvalidInput(place, problem, f"use one of {', '.join(allowed)}")
    for operator, operand in pairs:
        if operator in ("in", "nin") and not isinstance(operand, list):
            raise InvalidInput(f"{place}.{operator}", "is not a list", 'give one such as ["a", "b"]')
    return pairs


def _meant(operator: str, operand: Any) -> list[Any]:
    """What an operator compares with: Haystack writes "none of these" as `ne` with a list."""
    return operand if operator == "in" or (operator == "ne" and isinstance(operand, list)) else [operand]


def _entity(kind: str, value: Any, place: str) -> Filter:
    return every([_entity_one(kind, operator, operand, place) for operator, operand in
                 _operators(value, place, ("eq", "ne", "in"), "eq")])  # fmt: skip


def _entity_one(kind: str, operator: str, operand: Any, place: str) -> Filter:
    if operand is None:  # nobody's in this way
        none = operator == "ne"
        return Filter(lambda entry, _words: bool(entry.ids[kind]) is none, lambda _index: None)
    names = {_name(item, place) for item in _meant(operator, operand)}
    if "*" in names and operator != "ne":
        anybody: Test = lambda entry, _words: bool(entry.ids[kind])  # noqa: E731
        return Filter(anybody, lambda index: set(index.owners_of(kind, None)), scoped=True)
    if operator == "ne":
        return leaf(lambda entry, _words: not names & set(entry.ids[kind]))

    def owners(index: Index) -> set[str]:
        return set().union(*(index.owners_of(kind, name) for name in names))

    return Filter(lambda entry, _words: bool(names & set(entry.ids[kind])), owners, scoped=True)


def _name(value: Any, place: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InvalidInput(place, f"{value!r:.60} is not a name", "give a string")
    check_encodable(place, str(value))
    return str(value)


def _time(key: str, value: Any, place: str) -> Filter:
    allowed = ("gt", "gte", "lt", "lte", "ne", "in")
    tests = [
        _time_one(operator, [_span(item, place) for item in _meant(operator, operand)])
        for operator, operand in _operators(value, place, allowed, "eq")
    ]
    updated = key == "updated_at"

    def test(entry: Entry, _words: Words) -> bool:
        at = entry.updated_ms if updated else entry.created_ms
        return all(holds(at) for holds in tests)

    return leaf(test)


def _time_one(operator: str, spans: Sequence[tuple[int, int]]) -> Callable[[int], bool]:
    """A test of Unix ms against moments, each (first, last ms that is meant): a date is its whole day."""
    first, last = spans[0] if spans else (0, -1)
    tests: dict[str, Callable[[int], bool]] = {
        "gt": lambda at: at > last,
        "gte": lambda at: at >= first,
        "lt": lambda at: at < first,
        "lte": lambda at: at <= last,
        "ne": lambda at: not any(start <= at <= end for start, end in spans),
        "eq": lambda at: first <= at <= last,
        "in": lambda at: any(start <= at <= end for start, end in spans),
    }
    return tests[operator]


def _span(value: Any, place: str) -> tuple[int, int]:
    """First and last Unix ms of a date or a moment; a moment given in seconds is a second long."""
    if isinstance(value, str) and value.replace(".", "", 1).isdigit() and len(value) > 8:
        value = float(value)
    seconds = seconds_of(value, place)
    ms = round(seconds * 1_000)
    if isinstance(value, str) and len(value) == 10:
        return ms, ms + DAY_MS - 1
    return ms, ms + (999 if ms % 1_000 == 0 else 0)


def _expiry(value: Any, place: str) -> Filter:
    allowed = ("gt", "gte", "lt", "lte", "ne", "in")
    pairs = _operators(value, place, allowed, "eq")
    tests = [
        (operator, [_day(item, place) for item in _meant(operator, operand)]) for operator, operand in pairs
    ]

    def test(entry: Entry, _words: Words) -> bool:
        return all(_day_holds(entry.expires, operator, days) for operator, days in tests)

    return leaf(test)


def _day(value: Any, place: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return datetime.fromtimestamp(seconds_of(value, place), UTC).date().isoformat()


def _day_holds(expires: str | None, operator: str, days: Sequence[str | None]) -> bool:
    if operator in ("eq", "in"):
        return expires in days
    if operator == "ne":
        return expires not in days
    day = days[0]
    if expires is None or day is None:
        return False
    return {"gt": expires > day, "gte": expires >= day, "lt": expires < day, "lte": expires <= day}[operator]


def _text(value: Any, place: str) -> Filter:
    pairs = _operators(value, place, ("contains", "icontains"), "icontains")
    for operator, operand in pairs:
        if not isinstance(operand, str):
            raise InvalidInput(f"{place}.{operator}", f"{operand!r:.60} is not text", "give a string")

    def test(_entry: Entry, words: Words) -> bool:
        said = words()
        return all(
            operand in said if operator == "contains" else operand.casefold() in said.casefold()
            for operator, operand in pairs
        )

    return leaf(test)


def _categories(value: Any, place: str) -> Filter:
    pairs = _operators(value, place, ("in", "contains"), "contains")
    wanted = [
        {_name(item, place).casefold() for item in _meant(operator, operand)} for operator, operand in pairs
    ]

    def test(entry: Entry, _words: Words) -> bool:
        own = {category.casefold() for category in entry.categories}
        return all(names & own for names in wanted)

    return leaf(test)


def _metadata(value: Any, place: str) -> Filter:
    if not isinstance(value, Mapping):
        raise InvalidInput(place, "is not an object", 'give one such as {"topic": "pets"}')
    return every([_of_metadata(str(key), item, f"{place}.{key}", ("eq", "ne", "contains"))
                 for key, item in value.items()])  # fmt: skip


def _memory_ids(value: Any, place: str) -> Filter:
    pairs = _operators([value] if isinstance(value, str) else value, place, ("in",), "in")
    wanted = {_name(item, place).lower() for _, operand in pairs for item in operand}
    return leaf(lambda entry, _words: entry.id in wanted)


# -- metadata -------------------------------------------------------------------------------------------

_MISSING = object()
OSS_OPERATORS = ("eq", "ne", "in", "nin", "gt", "gte", "lt", "lte", "contains", "icontains")


def _of_metadata(
    key: str, value: Any, place: str, allowed: Sequence[str], held: Held = lambda entry: entry.metadata
) -> Filter:
    if isinstance(value, Mapping) and not set(value) & set(OSS_OPERATORS):
        plain = dict(value)  # an object to be equal to
        return leaf(lambda entry, _words: held(entry).get(key, _MISSING) == plain)
    if value == "*" and len(allowed) > 3:
        return leaf(lambda entry, _words: key in held(entry))
    if isinstance(value, list) and "in" not in allowed:
        return leaf(lambda entry, _words: held(entry).get(key, _MISSING) == value)
    pairs = _operators(value, place, allowed, "eq")
    return leaf(
        lambda entry, _words: all(
            _metadata_holds(held(entry).get(key, _MISSING), operator, operand) for operator, operand in pairs
        )
    )


def _metadata_holds(own: Any, operator: str, operand: Any) -> bool:
    if operator in ("ne", "nin"):
        return not _metadata_holds(own, "eq" if operator == "ne" else "in", operand)
    if own is _MISSING:
        return False
    if operator == "eq":
        return bool(own == operand) and isinstance(own, bool) == isinstance(operand, bool)
    if operator == "in":
        return own in operand
    if operator in ("contains", "icontains"):
        return _contains(own, operand, fold=operator == "icontains")
    try:
        return bool(
            {"gt": own > operand, "gte": own >= operand, "lt": own < operand, "lte": own <= operand}[operator]
        )
    except TypeError:  # a number is neither more nor less than a word
        return False


def _contains(own: Any, operand: Any, *, fold: bool) -> bool:
    if isinstance(own, str):
        part = str(operand)
        return part.casefold() in own.casefold() if fold else part in own
    if isinstance(own, dict):
        return isinstance(operand, str) and operand in own  # its keys are words
    return isinstance(own, list) and operand in own
