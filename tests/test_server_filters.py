"""mem0's grammar of filters: what each operator lets pass, and that routing never loses what passes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.errors import InvalidInput
from neuromem.server.entries import KINDS, Entry
from neuromem.server.filters import parse


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000)


POTOLA = Entry(
    id="0b8f3a52-6d4e-8f31-9c55-0f6a2f9a3c11",
    owner="user:ana",
    ids={"user": ("ana",), "agent": ("cook",), "app": (), "run": ("r2", "r1")},
    metadata={"topic": "pets", "age": 3, "tags": ["dog", "shelter"], "ok": True, "home": {"town": "Porto"}},
    categories=("family", "Pets"),
    created_ms=ms("2026-03-02T12:00:00"),
    updated_ms=ms("2026-04-01T00:00:00"),
    expires="2026-05-01",
)


def passes(
    filters: dict[str, Any], dialect: str = "platform", words: str = "My dog is called Potola"
) -> bool:
    return parse(filters, dialect=dialect)(POTOLA, lambda: words)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, True),
        ({"user_id": "ana"}, True),
        ({"userId": "ana"}, True),
        ({"user_id": "ben"}, False),
        ({"user_id": {"ne": "ben"}}, True),
        ({"user_id": {"ne": ["ben", "zz"]}}, True),  # Haystack's "not in"
        ({"user_id": {"ne": ["ben", "ana"]}}, False),
        ({"user_id": {"in": ["ben", "ana"]}}, True),
        ({"user_id": ["ben", "ana"]}, True),
        ({"user_id": {"in": []}}, False),
        ({"app_id": "*"}, False),
        ({"agent_id": "*"}, True),
        ({"app_id": None}, True),
        ({"run_id": "r1"}, True),
        ({"run_id": "r2", "agent_id": "cook"}, True),
        ({"AND": [{"user_id": "ana"}, {"run_id": "r3"}]}, False),
        ({"OR": [{"user_id": "ben"}, {"run_id": "r1"}]}, True),
        ({"NOT": {"user_id": "ana"}}, False),
        ({"NOT": [{"user_id": "ben"}, {"run_id": "r9"}]}, True),
        ({"AND": [{"user_id": "ana"}], "OR": [{"run_id": "r9"}]}, False),
        ({"AND": [{"NOT": {"OR": [{"user_id": "ben"}, {"AND": [{"agent_id": "x"}]}]}}]}, True),
        ({"created_at": {"gte": "2026-03-02"}}, True),
        ({"created_at": {"gt": "2026-03-02"}}, False),
        ({"created_at": {"lte": "2026-03-02"}}, True),
        ({"created_at": {"lt": "2026-03-02T12:00:01Z"}}, True),
        ({"created_at": {"gte": "2026-03-02T12:00:00+02:00", "lt": "2026-03-03"}}, True),
        ({"created_at": "2026-03-02"}, True),
        ({"timestamp": {"gte": ms("2026-03-02T12:00:00") / 1_000}}, True),
        ({"timestamp": {"lt": ms("2026-03-02T12:00:00") / 1_000}}, False),
        ({"updated_at": {"in": ["2026-04-01", "2026-04-02"]}}, True),
        ({"created_at": {"ne": "2026-03-02"}}, False),
        ({"created_at": {"ne": ["2026-03-01", "2026-03-02"]}}, False),
        ({"created_at": {"ne": ["2026-03-01"]}}, True),
        ({"expiration_date": "2026-05-01"}, True),
        ({"expiration_date": {"gt": "2026-04-30"}}, True),
        ({"expiration_date": None}, False),
        ({"categories": {"in": ["pets"]}}, True),
        ({"categories": {"contains": "FAMILY"}}, True),
        ({"categories": ["work"]}, False),
        ({"metadata": {"topic": "pets", "age": 3}}, True),
        ({"metadata": {"age": "3"}}, False),
        ({"metadata": {"topic": {"ne": "work"}}}, True),
        ({"metadata": {"missing": {"ne": "work"}}}, True),
        ({"metadata": {"tags": {"contains": "dog"}}}, True),
        ({"metadata": {"topic": {"contains": "pet"}}}, True),
        ({"metadata": {"home": {"contains": "town"}}}, True),
        ({"metadata": {"home": {"contains": ["town"]}}}, False),
        ({"metadata": {"home": {"contains": {"town": "Porto"}}}}, False),
        ({"metadata": {"tags": {"contains": ["dog"]}}}, False),
        ({"metadata": {"ok": 1}}, False),
        ({"keywords": {"contains": "Potola"}}, True),
        ({"keywords": {"contains": "potola"}}, False),
        ({"keywords": {"icontains": "potola"}}, True),
        ({"text": "potola"}, True),
        ({"memory_ids": ["0B8F3A52-6d4e-8f31-9c55-0f6a2f9a3c11"]}, True),
        ({"memory_ids": {"in": ["x"]}}, False),
    ],
)
def test_what_passes_on_the_platform(filters: dict[str, Any], expected: bool) -> None:
    assert passes(filters) is expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"topic": "pets"}, True),
        ({"topic": "*"}, True),
        ({"colour": "*"}, False),
        ({"age": {"gte": 3, "lt": 4}}, True),
        ({"age": {"gt": "2"}}, False),
        ({"topic": {"in": ["pets", "work"]}}, True),
        ({"topic": {"nin": ["work"]}}, True),
        ({"topic": {"icontains": "PET"}}, True),
        ({"$or": [{"topic": "work"}, {"age": 3}]}, True),
        ({"$not": [{"topic": "pets"}]}, False),
        ({"AND": [{"user_id": "ana"}, {"topic": "pets"}]}, True),
    ],
)
def test_what_passes_in_the_open_source_dialect(filters: dict[str, Any], expected: bool) -> None:
    assert passes(filters, "oss") is expected


def test_too_deep_or_too_many_conditions_are_refused() -> None:
    deep: dict[str, Any] = {"user_id": "ana"}
    for _ in range(40):
        deep = {"AND": [deep]}
    with pytest.raises(InvalidInput, match="deep"):
        parse(deep)
    with pytest.raises(InvalidInput, match="conditions"):
        parse({"OR": [{"user_id": str(n)} for n in range(2_000)]})


# Routing: the owners that a filter names must hold all that passes it.

NAMES = st.sampled_from(["ana", "ben", "*"])
LEAF = st.one_of(
    st.builds(lambda kind, name: {f"{kind}_id": name}, st.sampled_from(KINDS), NAMES),
    st.builds(
        lambda kind, name: {f"{kind}_id": {"ne": name}}, st.sampled_from(KINDS), st.sampled_from(["ana"])
    ),
    st.builds(
        lambda kind, names: {f"{kind}_id": {"in": names}}, st.sampled_from(KINDS), st.lists(NAMES, max_size=2)
    ),
    st.just({"metadata": {"topic": "pets"}}),
)
FILTERS = st.recursive(
    LEAF,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"AND": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"OR": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"NOT": part}, inner),
        st.builds(lambda one, other: {**one, **other}, inner, inner),
    ),
    max_leaves=8,
)
IDS = st.fixed_dictionaries(
    {kind: st.lists(st.sampled_from(["ana", "ben"]), max_size=2).map(tuple) for kind in KINDS}
)


class OneOwner:
    """An index that knows one owner: whoever has the entry."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def owners_of(self, kind: str, name: str | None) -> Collection[str]:
        names = self.entry.ids[kind]
        return [self.entry.owner] if (name in names if name is not None else names) else []


@given(FILTERS, IDS)
def test_what_passes_lies_with_an_owner_that_is_asked(filters: dict[str, Any], ids: Any) -> None:
    entry = replace(POTOLA, ids=ids)
    parsed = parse(filters)
    owners = parsed.owners(OneOwner(entry))
    if parsed(entry, lambda: ""):
        assert owners is None or entry.owner in owners


@given(FILTERS)
def test_only_names_outside_a_not_are_a_scope(filters: dict[str, Any]) -> None:
    if parse({"NOT": filters}).scoped:
        raise AssertionError("a NOT says who is not meant, not who is")
