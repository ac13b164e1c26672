"""What of a talk is new, and how late results are told: the parts of a voice service without a framework."""

from __future__ import annotations

import threading

from neuromem import Memory
from neuromem.config import Config
from neuromem.sdk.block import Block
from neuromem.voice.beside import Beside, Found, Here, Transcript, said_in, with_kept


def talk(*lines: str) -> list[dict[str, str]]:
    """ "u:words" and "a:words" as messages."""
    who = {"u": "user", "a": "assistant"}
    return [{"role": who[line[0]], "content": line[2:]} for line in lines]


def test_each_message_of_a_growing_context_is_new_once() -> None:
    transcript = Transcript()
    assert transcript.new(talk("u:hello")) == talk("u:hello")
    assert transcript.new(talk("u:hello", "a:hi", "u:yes")) == talk("a:hi", "u:yes")
    assert transcript.new(talk("u:hello", "a:hi", "u:yes")) == []
    assert transcript.new(talk("u:hello", "a:hi", "u:yes", "a:so", "u:yes")) == talk("a:so", "u:yes")


def test_a_context_whose_beginning_was_cut_or_summed_up_brings_nothing_twice() -> None:
    transcript = Transcript()
    transcript.new(talk("u:one", "a:two", "u:three"))
    assert transcript.new(talk("u:three", "a:four", "u:five")) == talk("a:four", "u:five")
    assert transcript.new(talk("u:summary", "a:four", "u:five", "a:six")) == talk("a:six")


def test_what_was_said_before_the_memory_was_there_is_not_new() -> None:
    transcript = Transcript()
    assert transcript.new(talk("u:old", "a:older", "u:now", "u:and this")) == talk("u:now", "u:and this")
    assert transcript.new(talk("u:another talk", "a:yes", "u:here")) == talk("u:here")


def test_what_a_memory_put_in_was_said_by_nobody() -> None:
    assert said_in({"role": "user"}, "<neuromem>\nFrom your memory:\n- 2026-03-04: tea\n</neuromem>") is None
    assert said_in({"role": "developer"}, "be kind") is None
    assert said_in({"role": "user", "name": "Ana"}, "hello") == {
        "role": "user", "content": "hello", "name": "Ana",
    }  # fmt: skip


def test_what_came_late_stands_below_what_is_new_and_is_not_said_twice() -> None:
    block = Block("", "<neuromem>\nFrom your memory:\n- a: one\n- a: two\n</neuromem>", 2, 20)
    late = Block("", "<neuromem>\nFrom your memory:\n- a: two\n- a: three\n</neuromem>", 2, 20)
    text = with_kept(block, late, 1_000)
    assert [line for line in text.split("\n") if line.startswith("- ")] == [
        "- a: one",
        "- a: two",
        "- a: three",
    ]
    assert text.count("</neuromem>") == text.count("<neuromem>") == 2
    assert with_kept(block, late, 30) == block.whole
    assert with_kept(Block(), late, 1_000) == late.whole
    assert with_kept(block, block, 1_000) == block.whole


def test_a_guess_that_was_right_is_the_lookup_and_a_stale_one_holds_nobody_up() -> None:
    held, begun, asked = threading.Event(), threading.Event(), []

    class Waits:
        context = Config.load().context

        def find(self, query: str) -> Found:
            asked.append(query)
            if query == "stale":
                begun.set()
                held.wait(10)
            return Found(Block(recalled=query))

        def close(self) -> None:
            held.set()

    beside = Beside(Waits())  # type: ignore[arg-type]
    beside.ahead("stale")
    assert begun.wait(10)
    beside.ahead("What is it")
    beside.ahead("what is it?")
    future = beside.ask("What is it?")
    assert future is not None
    assert future.result(10).block.recalled == "What is it"
    assert asked == ["stale", "What is it"]
    assert (beside.counts.turns, beside.counts.ahead) == (1, 1)
    other = beside.ask("And that?")
    assert other is not None
    assert other.result(10).block.recalled == "And that?"
    held.set()
    beside.close()


def test_being_put_into_a_prompt_rehearses_and_being_looked_up_does_not() -> None:
    with Memory() as memory:
        (written,) = memory.add("My dog's name is Potola", "ana")
        here = Here(memory, "ana", 5)
        found = here.find("what is my dog called?")
        assert [event["event"] for event in memory.history(written.id)] == ["ADD"]
        here.used(found)
        assert len(memory.history(written.id)) == 2
