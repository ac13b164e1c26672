"""Which of two neighbouring sentences answers: what is said of somebody, not what introduces them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import FakeClock
from encoding import needs_transformer

from neuromem import Memory
from neuromem.introduced import sought_of
from neuromem.namesakes import people_in

FOREVER = {"forgetting": {"decay": "none"}}

pytestmark = needs_transformer


@pytest.fixture
def memory(fake_clock: FakeClock) -> Iterator[Memory]:
    with Memory(config=FOREVER, clock=fake_clock) as memory:
        yield memory


def first(memory: Memory, question: str, **more: object) -> str:
    return memory.search(question, user_id="ana", rehearse=False, **more)[0].text  # type: ignore[arg-type]


def tell(memory: Memory, *texts: str) -> None:
    for text in texts:
        memory.add(text, user_id="ana")


@pytest.mark.parametrize(
    ("told", "question", "answer"),
    [
        (
            ["My colleague Sven came back from parental leave.", "He brought photos of the twins."],
            "What did Sven bring after his leave?", "Sven brought photos of the twins.",
        ),
        (
            ["I inherited a clock from my great-aunt.", "The clock runs ten minutes fast."],
            "Is the clock I inherited accurate?", "The clock runs ten minutes fast.",
        ),
        (
            ["we hired a tutor for milo", "his name is mister abara", "he charges thirty five an hour"],
            "how much does milo's tutor cost", "Milo's tutor Mister Abara charges thirty five an hour",
        ),
        (
            ["My coworker Anselm just got back from sabbatical.", "He walked across Portugal."],
            "What did Anselm do on his sabbatical?", "Anselm walked across Portugal.",
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_somebody_goes_before_what_introduces_them(
    memory: Memory, told: list[str], question: str, answer: str
) -> None:
    tell(memory, *told)
    assert first(memory, question) == answer


def test_by_likeness_alone_the_introduction_would_come_first(memory: Memory) -> None:
    tell(memory, "My coworker Anselm just got back from sabbatical.", "He walked across Portugal.")
    question = "What did Anselm do on his sabbatical?"
    assert first(memory, question) == "Anselm walked across Portugal."
    assert first(memory, question, current_view=False) != first(memory, question)


def test_an_introduction_that_has_every_word_of_the_question_stays_first(memory: Memory) -> None:
    tell(memory, "My colleague Sven came back from parental leave.", "He brought photos.")
    assert (
        first(memory, "What did Sven come back from?") == "My colleague Sven came back from parental leave."
    )


def test_a_number_is_asked_for_and_only_a_statement_with_one_goes_first(memory: Memory) -> None:
    tell(memory, "I bought a boat, the Petrel.", "It leaks.", "It cost me nine thousand euros.")
    assert first(memory, "How much was the Petrel?") == "The Petrel cost me nine thousand euros."


def test_another_day_is_another_matter(memory: Memory, fake_clock: FakeClock) -> None:
    tell(memory, "I inherited a clock from my great-aunt.")
    fake_clock.advance(days=3)
    tell(memory, "The clock runs ten minutes fast.")
    assert first(memory, "Is the clock I inherited accurate?") == "I inherited a clock from my great-aunt."


def test_asked_who_nothing_is_sought_but_the_introduction() -> None:
    assert not sought_of("Who is Anselm?").words
    assert not sought_of("What is Milo's tutor called?").words
    assert sought_of("How much does Milo's tutor cost?").number
    assert sought_of("What did Anselm do in May?").deed


# --- namesakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("meant", ["B", "S"])
def test_asked_about_one_nick_the_other_comes_later(memory: Memory, meant: str) -> None:
    tell(memory, "Nick B. owes me a lawnmower.", "Nick S. owes me forty dollars.")
    assert first(memory, f"What does Nick {meant}. owe me?").startswith(f"Nick {meant}.")
    assert first(memory, f"what does nick {meant.lower()} owe me").startswith(f"Nick {meant}.")


def test_a_first_name_alone_may_be_who_is_meant(memory: Memory) -> None:
    tell(memory, "Nick owes me forty dollars.", "Nick B. plays the tuba in a brass band.")
    assert first(memory, "What does Nick B. owe me?") == "Nick owes me forty dollars."


def test_a_name_and_an_initial_is_somebody_and_an_article_is_none() -> None:
    assert len(people_in("What does Nick B. owe me?")) == 1
    assert len(people_in("what does nick b owe me")) == 1
    assert not people_in("did I buy a boat?")


@pytest.mark.parametrize(
    ("was", "lead", "news", "question"),
    [
        (
            "the telescope's out on the balcony", "the telescope's back from being serviced",
            "carried it up to the loft and that's where it stays from now on", "where's the telescope kept",
        ),
        (
            "the lawn mower is in the shed", "i can't get the lawn mower to start",
            "i've moved it to the garage so i can work on it", "where's the lawn mower",
        ),
    ],
)  # fmt: skip
def test_what_replaced_something_goes_before_what_only_led_to_it(
    memory: Memory, fake_clock: FakeClock, was: str, lead: str, news: str, question: str
) -> None:
    tell(memory, was)
    fake_clock.advance(days=90)
    tell(memory, lead, news)
    assert first(memory, question) == news
    assert first(memory, question, current_view=False) == lead
