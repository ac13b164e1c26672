"""Bad input gets one clear line that names the field and the remedy; a full bank does as it is told."""

from __future__ import annotations

import math
import os
import re
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FakeClock
from strings import FACTS

from neuromem import Memory
from neuromem.errors import (
    CapacityExhausted,
    ConfigError,
    InvalidInput,
    NeuromemError,
    NotFound,
    ReadOnly,
    StoreError,
)

NOBODY = str(uuid.UUID(int=1))


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        yield memory


def message_of(call: Callable[[], Any], kind: type[NeuromemError] = InvalidInput) -> str:
    """What a call says when it refuses: one line, of the kind of error that is expected."""
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert message
    assert "\n" not in message
    return message


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", " ", "\n\t \u2003"], ids=["empty", "space", "white"])
@pytest.mark.parametrize("infer", [True, False])
def test_blank_text_is_refused(memory: Memory, text: str, infer: bool) -> None:
    assert "blank" in message_of(lambda: memory.add(text, user_id="ana", infer=infer))
    id_ = memory.add("I like tea", user_id="ana")[0].id
    assert message_of(lambda: memory.update(id_, text)) == "text: is blank; give at least one word"
    assert message_of(lambda: memory.search(text, user_id="ana")) == "query: is blank; ask something"
    assert message_of(lambda: memory.deep(text, user_id="ana")) == "query: is blank; ask something"


@pytest.mark.parametrize(
    "messages",
    [
        None, 7, b"bytes", [], [None], [7], [[]], {"role": "king", "content": "x"}, {"role": "user"},
        {"role": "user", "content": 7}, {"role": "user", "content": ""},
        {"role": "user", "content": "x", "name": 7},
        [{"role": "user", "content": "x"}, {"role": "user", "content": None}],
        {"role": "user", "content": [{"type": "text"}]},
        {"role": "user", "content": "x", "timestamp": "noon"},
    ],
)  # fmt: skip
def test_messages_of_another_shape_are_refused_and_nothing_is_written(memory: Memory, messages: Any) -> None:
    message = message_of(lambda: memory.add(messages, user_id="ana"))
    assert message.startswith(("messages", "timestamp"))
    assert memory.users() == []


def test_half_of_a_surrogate_pair_is_refused_everywhere(memory: Memory) -> None:
    half = "dog \ud83d"
    id_ = memory.add("I like tea", user_id="ana")[0].id
    for call in (
        lambda: memory.add(half, user_id="ana"),
        lambda: memory.add("I like tea", user_id=half),
        lambda: memory.add("I like tea", user_id="ana", metadata={"x": half}),
        lambda: memory.add("I like tea", user_id="ana", metadata={half: 1}),
        lambda: memory.add({"role": "user", "content": "I like tea", "name": half}, user_id="ana"),
        lambda: memory.update(id_, half),
        lambda: memory.search(half, user_id="ana"),
        lambda: memory.deep(half, user_id="ana"),
    ):
        message_of(call)
    assert [recall.text for recall in memory.all(user_id="ana")] == ["I like tea"]
    assert memory.verify().ok


@pytest.mark.slow
def test_text_of_a_megabyte_is_taken_or_refused_in_one_line(memory: Memory) -> None:
    message = message_of(lambda: memory.add("x" * 1_000_001, user_id="ana", infer=False))
    assert re.fullmatch(r"messages: is longer than [\d,]+ bytes; split it into several messages", message)
    message_of(lambda: memory.add("ü" * 500_001, user_id="ana", infer=False))
    assert memory.users() == []


def test_new_words_must_be_words(memory: Memory) -> None:
    id_ = memory.add("I like tea", user_id="ana")[0].id
    for text in (7, ["x"], {"role": "user", "content": "x"}):
        assert message_of(lambda text=text: memory.update(id_, text)).startswith("text: is of type")
    assert message_of(lambda: memory.update(id_)).startswith("text: is missing")


# --- who, which, when --------------------------------------------------------------------------


@pytest.mark.parametrize("user_id", [None, "", " ", 7, b"ana", ["ana"], "x" * 257])
def test_an_owner_must_be_named(memory: Memory, user_id: Any) -> None:
    for call in (
        lambda: memory.add("I like tea", user_id=user_id),
        lambda: memory.search("tea", user_id=user_id),
        lambda: memory.deep("tea", user_id=user_id),
        lambda: memory.all(user_id=user_id),
        lambda: memory.conscious(user_id=user_id),
        lambda: memory.delete_all(user_id=user_id),
        lambda: memory.bank(user_id),
    ):
        assert message_of(call).startswith("user_id: ")


@pytest.mark.parametrize("user_id", ["", " ", 7, "x" * 257])
def test_one_owner_out_of_all_must_be_named_rightly(memory: Memory, user_id: Any, tmp_path: Path) -> None:
    memory.add("I like tea", user_id="ana")
    for call in (
        lambda: memory.sleep(user_id=user_id),
        lambda: memory.rebuild(user_id=user_id),
        lambda: memory.export(tmp_path / "x.jsonl", user_id=user_id),
    ):
        assert message_of(call).startswith("user_id: ")


def test_an_unknown_owner_is_said_to_be_unknown(memory: Memory, tmp_path: Path) -> None:
    memory.add("I like tea", user_id="ana")
    for call in (
        lambda: memory.sleep(user_id="anna"),
        lambda: memory.rebuild(user_id="anna"),
        lambda: memory.export(tmp_path / "x.jsonl", user_id="anna"),
    ):
        assert message_of(call, NotFound) == "'anna' has no memory here; check the name"
    assert memory.users() == ["ana"]


@pytest.mark.parametrize("id_", ["", "7", "potola", None, 7, NOBODY[:-1]])
def test_an_id_that_is_none_is_refused(memory: Memory, id_: Any) -> None:
    memory.add("I like tea", user_id="ana")
    for call in (
        lambda: memory.get(id_), lambda: memory.update(id_, "x"),
        lambda: memory.delete(id_), lambda: memory.history(id_),
    ):  # fmt: skip
        message = message_of(call)
        assert message.startswith(f"id: {id_!r} is not a UUID")
        assert message.endswith("use an id that add() or search() returned")


def test_an_id_that_nobody_has_is_not_found(memory: Memory) -> None:
    memory.add("I like tea", user_id="ana")
    for call in (
        lambda: memory.get(NOBODY), lambda: memory.update(NOBODY, "x"),
        lambda: memory.delete(NOBODY), lambda: memory.history(NOBODY),
    ):  # fmt: skip
        assert f"no memory {NOBODY}" in message_of(call, NotFound)


def test_deleting_twice_says_so(memory: Memory) -> None:
    id_ = memory.add("I like tea", user_id="ana")[0].id
    memory.delete(id_)
    assert "was deleted" in message_of(lambda: memory.delete(id_), NotFound)


@pytest.mark.parametrize("time", [math.nan, math.inf, -1.0, 1e12, True, "noon", "", b"x", [1]])
def test_a_time_that_is_none_is_refused(memory: Memory, time: Any) -> None:
    assert message_of(lambda: memory.add("I like tea", user_id="ana", timestamp=time)).startswith(
        "timestamp: "
    )
    assert message_of(lambda: memory.at(time)).startswith("timestamp: ")
    assert message_of(lambda: memory.sleep(now=time)).startswith("now: ")
    assert memory.users() == []


@pytest.mark.parametrize("now", [math.nan, -5.0, "noon", None])
def test_a_clock_that_tells_no_time_is_named(now: Any) -> None:
    with Memory(encoder="hash", clock=lambda: now) as memory:
        assert message_of(lambda: memory.add("I like tea", user_id="ana")).startswith("clock: ")


# --- asking ------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, -1, 1.5, math.nan, "10", None, True, 10_001])
def test_a_limit_out_of_range_is_refused(memory: Memory, limit: Any) -> None:
    for call in (
        lambda: memory.search("tea", user_id="ana", limit=limit),
        lambda: memory.deep("tea", user_id="ana", limit=limit),
    ):
        assert message_of(call).endswith("give a whole number from 1 to 10,000")


@pytest.mark.parametrize("fidelity", ["verbatim", "", None, 7, ["auto"]])
def test_an_unknown_fidelity_is_refused(memory: Memory, fidelity: Any) -> None:
    id_ = memory.add("I like tea", user_id="ana")[0].id
    for call in (
        lambda: memory.search("tea", user_id="ana", fidelity=fidelity),
        lambda: memory.get(id_, fidelity=fidelity),
        lambda: memory.all(user_id="ana", fidelity=fidelity),
    ):
        assert "choose one of auto, weights, exact" in message_of(call)


@pytest.mark.parametrize("budget", [-1, math.nan, math.inf, "10", True, [1]])
def test_a_budget_out_of_range_is_refused(memory: Memory, budget: Any) -> None:
    assert message_of(lambda: memory.search("tea", user_id="ana", budget_ms=budget)).startswith("budget_ms: ")


@pytest.mark.parametrize("filters", ["pets", 7, ["topic"], {("topic",)}])
def test_filters_of_another_shape_are_refused(memory: Memory, filters: Any) -> None:
    memory.add("I like tea", user_id="ana")
    assert message_of(lambda: memory.search("tea", user_id="ana", filters=filters)).startswith("filters: ")


@pytest.mark.parametrize("query", [None, 7, b"tea", ["tea"]])
def test_a_question_must_be_words(memory: Memory, query: Any) -> None:
    assert message_of(lambda: memory.search(query, user_id="ana")).startswith("query: ")


# --- places and settings -----------------------------------------------------------------------


def test_a_path_that_cannot_be_a_store_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("I am a file")
    for path in (file, file / "below", "nul\0byte", "", tmp_path / "b\udcffd"):
        message = message_of(lambda path=path: Memory(path, encoder="hash"), NeuromemError)
        assert "path" in message or str(tmp_path) in message


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert str(closed) in message_of(lambda: Memory(closed / "store", encoder="hash"), NeuromemError)


def test_a_store_that_is_not_there_cannot_be_opened_for_reading(tmp_path: Path) -> None:
    message = message_of(lambda: Memory(tmp_path / "absent", encoder="hash", readonly=True), NeuromemError)
    assert "absent" in message
    assert not (tmp_path / "absent").exists()


def test_a_second_writer_is_told_who_was_first(tmp_path: Path) -> None:
    with Memory(tmp_path, encoder="hash"):
        message = message_of(lambda: Memory(tmp_path, encoder="hash"), StoreError)
        assert str(tmp_path) in message


def test_a_memory_for_reading_refuses_every_change(tmp_path: Path, fake_clock: FakeClock) -> None:
    with Memory(tmp_path / "store", encoder="hash", clock=fake_clock) as memory:
        id_ = memory.add("I like tea", user_id="ana")[0].id
        memory.export(tmp_path / "x.jsonl", user_id="ana")
    with Memory(tmp_path / "store", encoder="hash", clock=fake_clock, readonly=True) as reader:
        assert reader.search("tea", user_id="ana")[0].id == id_
        for change in (
            lambda: reader.add("I like coffee", user_id="ana"), lambda: reader.update(id_, "x"),
            lambda: reader.delete(id_), lambda: reader.delete_all(user_id="ana"), lambda: reader.sleep(),
            lambda: reader.rebuild(), lambda: reader.import_(tmp_path / "x.jsonl"),
        ):  # fmt: skip
            assert "opened for reading" in message_of(change, ReadOnly)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"bnak": {}}, "bnak"), ({"bank": {"max_slot": 1}}, "bank.max_slot"), ({"bank": 7}, "bank"),
        ({"bank": {"max_slots": 0}}, "bank.max_slots"), ({"bank": {"max_slots": "many"}}, "bank.max_slots"),
        ({"bank": {"max_slots": math.nan}}, "bank.max_slots"),
        ({"bank": {"when_full": "cry"}}, "bank.when_full"),
        ({"forgetting": {"decay": 3}}, "forgetting.decay"), ({"recall": {"low_confidence": 2}}, "recall."),
        ({"forgetting": {"initial_stability_days": math.inf}}, "forgetting.initial_stability_days"),
    ],
)  # fmt: skip
def test_an_unknown_or_impossible_setting_is_named(settings: dict[str, Any], field: str) -> None:
    assert message_of(lambda: Memory(config=settings, encoder="hash"), ConfigError).startswith(field)


def test_an_unknown_encoder_is_named() -> None:
    for encoder in ("magic", 7, ""):

        def use(encoder: Any = encoder) -> None:
            with Memory(encoder=encoder) as memory:
                memory.add("I like tea", user_id="ana")

        assert "encoder" in message_of(use, NeuromemError)


def test_an_unknown_device_is_named() -> None:
    def use() -> None:
        with Memory(encoder="hash", config={"bank": {"device": "abacus"}}) as memory:
            memory.add("I like tea", user_id="ana")

    assert message_of(use).startswith("bank.device: 'abacus' cannot be used")


# --- a full bank -------------------------------------------------------------------------------


def small(clock: FakeClock, slots: int = 10, **bank: Any) -> Memory:
    return Memory(encoder="hash", clock=clock, config={"bank": {"max_slots": slots, **bank}})


def test_with_ten_slots_the_weakest_of_eleven_memories_gives_way(fake_clock: FakeClock) -> None:
    with small(fake_clock) as memory:
        ids = []
        for fact in FACTS:
            ids.append(memory.add(fact, user_id="ana", infer=False)[0].id)
            fake_clock.advance(hours=1)
        weakest = min(memory.all(user_id="ana"), key=lambda recall: recall.strength).id
        eleventh = memory.add("Never forget that the key is under the mat", user_id="ana")[0].id
        held = {recall.id for recall in memory.all(user_id="ana")}
        assert held == {*ids, eleventh} - {weakest}
        assert len(memory.bank("ana")) == 10
        for number in range(40):
            fake_clock.advance(hours=1)
            memory.add(f"Visitor number {number} came by train", user_id="ana")
        texts = [recall.text for recall in memory.all(user_id="ana")]
        assert len(texts) == 10
        assert "Never forget that the key is under the mat" in texts, "what is pinned never gives way"
        (gone,) = memory.deep("Visitor number 3", user_id="ana", limit=1)
        assert gone.text == "Visitor number 3 came by train", "what gave way is still in the log"


def test_a_bank_full_of_pinned_memories_refuses_before_anything_is_written(fake_clock: FakeClock) -> None:
    with small(fake_clock, 3) as memory:
        for number in range(3):
            memory.add(f"Never forget that box {number} is Grandma's", user_id="ana")
        length = memory.engine.log.length("user:ana")
        assert "bank.max_slots=3" in message_of(
            lambda: memory.add("I like tea", user_id="ana"), CapacityExhausted
        )
        assert memory.engine.log.length("user:ana") == length
        assert memory.add("never forget that box 1 is Grandma's!", user_id="ana")[0].event == "REINFORCE"


def test_a_bank_that_may_not_evict_refuses_before_anything_is_written(fake_clock: FakeClock) -> None:
    with small(fake_clock, 2, when_full="refuse") as memory:
        first = memory.add("I like tea", user_id="ana")[0].id
        memory.add("I like coffee", user_id="ana")
        length = memory.engine.log.length("user:ana")
        message = message_of(lambda: memory.add("I like juice", user_id="ana"), CapacityExhausted)
        assert "'evict'" in message
        assert memory.engine.log.length("user:ana") == length
        assert memory.add("I like tea!", user_id="ana")[0].event == "REINFORCE"
        assert "max_slots" in message_of(lambda: memory.update(first, "tea " * 100), CapacityExhausted)
        assert memory.get(first).text.startswith("I like tea")
        memory.delete(first)
        assert memory.add("I like juice", user_id="ana")[0].event == "ADD"


def test_a_memory_larger_than_the_bank_is_refused(fake_clock: FakeClock) -> None:
    with small(fake_clock, 3) as memory:
        assert "max_slots=3" in message_of(
            lambda: memory.add("apples " * 100, user_id="ana", infer=False), CapacityExhausted
        )
        assert memory.users() == []


@pytest.mark.parametrize("content", [None, [{"type": "image_url", "image_url": {"url": "http://x/y.png"}}]])
def test_messages_in_which_nothing_is_said_are_taken_and_tell_nothing(memory: Memory, content: Any) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": content, "tool_calls": [call]}
    assert memory.add([message], user_id="ana") == []
    assert memory.all(user_id="ana") == []
