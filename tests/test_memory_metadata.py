"""What may stand in metadata: plain JSON, not too large, not too deep."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from neuromem import Memory
from neuromem.errors import InvalidInput


@pytest.fixture
def memory() -> Iterator[Memory]:
    with Memory(encoder="hash") as memory:
        yield memory


def message_of(call: Callable[[], object]) -> str:
    with pytest.raises(InvalidInput) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    "metadata",
    ["pets", 7, ["a"], {1: "a"}, {"x": math.nan}, {"x": math.inf}, {"x": b"raw"}, {"x": {1, 2}},
     {"x": object()}, {"x": "y" * 70_000}],
    ids=["text", "number", "list", "number key", "nan", "inf", "bytes", "set", "object", "huge"],
)  # fmt: skip
def test_metadata_that_is_not_json_is_refused(memory: Memory, metadata: Any) -> None:
    assert message_of(lambda: memory.add("I like tea", user_id="ana", metadata=metadata)).startswith(
        "metadata: "
    )
    assert memory.users() == []


def test_metadata_that_holds_itself_is_refused(memory: Memory) -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"d": deep}
    for metadata in (loop, deep):
        message_of(lambda metadata=metadata: memory.add("I like tea", user_id="ana", metadata=metadata))


@pytest.mark.parametrize("inner", [[], {}, "x"])
def test_metadata_is_nested_64_deep_at_most(memory: Memory, inner: Any) -> None:
    """What copies and writes it later is recursive: one such memory would break every list that holds it."""
    nested: dict[str, Any] = {"a": inner}
    for _ in range(62 if isinstance(inner, list | dict) else 63):
        nested = {"a": nested}
    memory.add("I like tea", user_id="ana", metadata=nested)
    assert [recall.metadata for recall in memory.all(user_id="ana")] == [nested]
    message = message_of(lambda: memory.add("I like tea", user_id="ben", metadata={"a": nested}))
    assert message.startswith("metadata: is nested more than 64 deep")


def test_what_a_caller_does_with_what_it_got_changes_no_memory(memory: Memory) -> None:
    told = {"tags": ["health"]}
    (new,) = memory.add("I am allergic to peanuts", user_id="ana", metadata=told)
    answers: list[Callable[[], Any]] = [
        lambda: memory.history(new.id)[0]["metadata"],
        lambda: memory.deep("what am I allergic to?", user_id="ana")[0].metadata,
        lambda: memory.conscious(user_id="ana")[0].metadata,
        lambda: memory.search("what am I allergic to?", user_id="ana")[0].metadata,
        lambda: memory.get(new.id).metadata,
        lambda: memory.all(user_id="ana")[0].metadata,
    ]
    for answer in answers:
        answer()["tags"].append("changed")
        answer()["more"] = 1
        assert answer() == {"tags": ["health"]}
    told["tags"].append("changed")
    memory.update(new.id, "I am allergic to walnuts")
    assert memory.history(new.id)[-1]["metadata"] == {"tags": ["health"]}


def test_a_conscious_memory_without_metadata_stays_without(memory: Memory) -> None:
    memory.add("I am allergic to peanuts", user_id="ana")
    memory.conscious(user_id="ana")[0].metadata["more"] = 1
    assert memory.conscious(user_id="ana")[0].metadata == {}


def test_the_story_of_a_merge_is_the_callers_own(memory: Memory) -> None:
    older, newer = (
        memory.add(text, user_id="ana", infer=False)[0].id
        for text in ("I have two cats.", "I have the two cats")
    )
    memory.sleep()
    memory.history(older)[-1]["merged"].clear()
    assert memory.history(older)[-1]["merged"] == [newer]


@pytest.mark.parametrize("ends", [("2030-01-01", None), (None, "2030-01-01"), (5, "2030-01-01"), (5, 7)])
def test_notes_that_are_no_days_stand_for_nothing(memory: Memory, ends: tuple[Any, Any]) -> None:
    for end in ends:
        memory.add("I like tea", user_id="ana", metadata={"neuromem": {"expires": end}})
    assert [recall.metadata for recall in memory.all(user_id="ana")] == [{}]
