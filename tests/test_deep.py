"""Deep recall: everything ever said is found, forgotten facts included, and written back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from conftest import FakeClock
from strings import FACTS, NASTY

from neuromem import Memory
from neuromem.deep import bm25
from neuromem.encoders import Encoder, load_encoder
from neuromem.records import Event

POTOLA = "My dog's name is Potola"


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(encoder="hash", clock=fake_clock) as memory:
        yield memory


@pytest.fixture(scope="session")
def sentence_encoder() -> Encoder:
    return load_encoder(None)


def forget_everything(memory: Memory, clock: FakeClock) -> None:
    clock.advance(days=20_000)
    memory.sleep()
    assert memory.all(user_id="ana") == []


def test_a_forgotten_fact_is_found_and_written_back(memory: Memory, fake_clock: FakeClock) -> None:
    ids = [
        memory.add(fact, user_id="ana", infer=False, metadata={"n": n})[0].id for n, fact in enumerate(FACTS)
    ]
    forget_everything(memory, fake_clock)
    found = memory.deep("what is my dog's name?", user_id="ana")
    assert (found[0].id, found[0].text, found[0].fidelity) == (ids[0], POTOLA, "verbatim")
    assert found[0].metadata == {"n": 0}
    assert memory.get(ids[0]).text == POTOLA, "it is in the weights again"
    assert memory.search("my dog's name", user_id="ana")[0].id == ids[0]


@pytest.mark.slow
def test_a_forgotten_fact_is_found_in_other_words(fake_clock: FakeClock, sentence_encoder: Encoder) -> None:
    with Memory(encoder=sentence_encoder, clock=fake_clock) as memory:
        for fact in FACTS:
            memory.add(fact, user_id="ana", infer=False)
        forget_everything(memory, fake_clock)
        assert (
            memory.deep("what must not be in my food?", user_id="ana")[0].text == "I am allergic to peanuts"
        )
        assert memory.deep("how do we call our pet?", user_id="ana")[0].text == POTOLA


def test_talk_that_made_no_fact_is_found_too(memory: Memory) -> None:
    said = "They still owe us for the boiler, by the end of the month they say."
    memory.add([{"role": "user", "content": said}], user_id="ana")
    (found,) = memory.deep("money for the boiler", user_id="ana")
    assert found.text == said
    assert found.id == ""
    assert memory.all(user_id="ana") == []


def test_what_only_asks_and_what_an_assistant_said_is_not_found(memory: Memory) -> None:
    memory.add([{"role": "user", "content": "Did the plumber ring about the boiler?"}], user_id="ana")
    memory.add([{"role": "assistant", "content": "The plumber mended the boiler."}], user_id="ana")
    assert memory.deep("plumber boiler", user_id="ana") == []


def test_the_latest_wording_is_found_and_not_the_one_before(memory: Memory) -> None:
    id_ = memory.add(POTOLA, user_id="ana")[0].id
    memory.update(id_, "My dog's name is Bello")
    assert [recall.text for recall in memory.deep("dog name", user_id="ana")] == ["My dog's name is Bello"]


def test_what_is_deleted_is_not_found(memory: Memory) -> None:
    memory.delete(memory.add(POTOLA, user_id="ana")[0].id)
    assert memory.deep("dog name Potola", user_id="ana") == []


def test_only_the_owners_words_are_searched(memory: Memory) -> None:
    memory.add(POTOLA, user_id="ana")
    assert memory.deep("dog name Potola", user_id="ben") == []


def test_limit_progress_and_budget_are_kept(memory: Memory) -> None:
    for number in range(200):
        memory.add(f"Fact number {number} about apples", user_id="ana", infer=False)
    seen: list[tuple[int, int]] = []
    found = memory.deep("apples number 77", user_id="ana", limit=5, progress=lambda *done: seen.append(done))
    assert len(found) == 5
    assert found[0].text == "Fact number 77 about apples"
    assert seen[-1] == (200, 200)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert (
        memory.deep("apples number 77", user_id="ana", budget_ms=0)[0].text == "Fact number 77 about apples"
    )


def test_nasty_strings_can_be_asked_for(memory: Memory) -> None:
    kept = [text for text in NASTY.values() if text.strip()]
    memory.add(". ".join(FACTS), user_id="ana")
    for text in kept:
        assert memory.deep(text, user_id="ana", limit=2)


def test_looking_deep_into_what_is_fresh_writes_nothing(memory: Memory) -> None:
    memory.add(POTOLA, user_id="ana")
    length = memory.engine.log.length("user:ana")
    memory.deep("dog name", user_id="ana")
    assert memory.engine.log.length("user:ana") == length


def test_rare_words_weigh_more_and_long_texts_are_no_better() -> None:
    texts = ["the dog runs", "the cat sleeps", "a dog and a " + "very " * 50 + "long day", "Potola"]
    dog = bm25("dog", texts)
    assert dog[0] > dog[2] > 0
    assert dog[1] == dog[3] == 0
    assert bm25("dog potola", texts)[3] > bm25("dog potola", texts)[0]
    assert bm25("", texts) == [0, 0, 0, 0]
    assert bm25("dog", []) == []


def test_the_search_of_a_thousand_statements_takes_less_than_a_second(memory: Memory) -> None:
    memory.add([{"role": "user", "content": "It rains, they say."}], user_id="ana")
    (owner,) = memory.engine.log.owners()
    said = [{"text": f"Statement {n} on topic {n % 7}", "role": "user"} for n in range(1_000)]
    memory.engine.log.append_many(owner, [Event("say", 1.0, body) for body in said])
    memory.deep("warm up", user_id="ana")
    started = time.perf_counter()
    assert memory.deep("statement 500", user_id="ana")[0].text == "Statement 500 on topic 3"
    assert time.perf_counter() - started < 5  # ten times what it takes on one idle core
