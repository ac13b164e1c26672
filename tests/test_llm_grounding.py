"""What a model states is believed only when it is what the speaker said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.llm.grounding import Said, as_said, fault_of, is_said, terms

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def fault(statement: str, quote: str, text: str | None = None, **said: Any) -> str | None:
    before = tuple(said.pop("before", ()))
    return fault_of(statement, quote, Said(text or quote, before, **said))


# --- the quote --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quote", "said"),
    [
        ("I live in Porto", True),
        ("i live in porto.", True),
        ("“I live in Porto”", True),
        ("I live ... with my sister", True),
        ("I live in Port", False),
        ("live I in Porto", False),
        ("with my sister ... I live", False),
        ("I live in Lisbon", False),
        ("", False),
        ("...", False),
        ("well ... I ... live ... in ... Porto", False),  # a quote is not picked together
        ("!?", False),
    ],
)
def test_a_quote_is_words_of_the_turn_in_their_order(quote: str, said: bool) -> None:
    assert is_said(quote, "Well – I live in Porto, with my sister.") is said


def test_a_quote_is_given_back_as_it_was_said() -> None:
    text = "Well – I don’t live in PORTO, with my sister."
    assert as_said("i don't live in porto with", text) == "I don’t live in PORTO, with"
    assert as_said("I don't ... my sister", text) == "I don’t live in PORTO, with my sister"


@given(st.text(max_size=40), st.text(max_size=40))
def test_whatever_is_in_a_text_was_said(before: str, after: str) -> None:
    assert is_said("my code is 4471", f"{before} my code is 4471 {after}")


# --- content ----------------------------------------------------------------------------------------

GROUNDED = [
    ("I live in Porto.", "I live in Porto"),
    ("I moved to Porto.", "moved to Porto last week"),
    ("Ana moved to Porto.", "I moved to Porto"),
    ("The user moved to Porto.", "I moved to Porto"),
    ("I have three cats.", "I've got 3 cats"),
    ("I bought a red bike.", "we went to buy a red bike and I bought it"),
    ("My mother sings.", "My mum sings"),
    ("I don't eat meat any more.", "I don't eat meat anymore"),
    ("I no longer live in Lyon.", "I used to live in Lyon"),
    ("I used to live in Lyon.", "I used to live in Lyon"),
    ("I eat fish.", "I eat fish but not meat"),
    ("I do not eat meat.", "I eat fish but I don't eat meat"),
    ("I won the lottery.", "I can't believe I won the lottery"),
    ("I would like to learn Polish.", "I'd like to learn Polish"),
    ("I want to move to Porto.", "I want to move to Porto"),
    ("I might move to Porto.", "I might move to Porto"),
    ("I like window seats.", "I'd love that, I like window seats"),
    ("Je travaille à Lyon.", "je travaille à Lyon"),
    ("我住在波尔图", "我住在波尔图"),
]


@pytest.mark.parametrize(("statement", "quote"), GROUNDED)
def test_what_was_said_in_other_words_of_the_same_content_is_believed(statement: str, quote: str) -> None:
    assert fault(statement, quote, speaker="Ana") is None


INVENTED = [
    ("I live in Lisbon.", "I live in Porto", "words"),
    ("I live in Porto with my wife.", "I live in Porto", "words"),
    ("I have four cats.", "I have three cats", "words"),
    ("My code is 4472.", "my code is 4471", "words"),
    ("I am a doctor in Porto.", "I work in Porto", "words"),
    ("I am happy.", "I live in Porto", "words"),
    ("I eat meat.", "I don't eat meat", "negation"),
    ("I don't like fish.", "I like fish", "negation"),
    ("I live in Lyon.", "I used to live in Lyon", "negation"),
    ("I smoke.", "I quit smoking last year", "negation"),
    ("I eat meat.", "I eat fish but not meat", "negation"),
    ("I like coriander.", "I don't think I like coriander", "negation"),
    ("I have a dog called Rex.", "if I had a dog I would call it Rex", "mood"),
    ("I move to Porto.", "I might move to Porto", "mood"),
    ("I moved to Porto.", "I want to move to Porto", "mood"),
    ("I have a boat.", "I wish I had a boat", "mood"),
    ("I moved to Porto.", "Ana moved to Porto", "subject"),
    ("I live in Porto.", "she lives in Porto", "subject"),
    ("I move to Porto.", "I move to Porto", "question"),
]


@pytest.mark.parametrize(("statement", "quote", "why"), INVENTED)
def test_what_was_added_turned_round_or_only_supposed_is_not(statement: str, quote: str, why: str) -> None:
    text = "Should I move to Porto?" if why == "question" else None
    assert fault(statement, quote, text, speaker="Ben") == why


def test_a_question_may_hold_a_statement() -> None:
    text = "Did I tell you I moved to Porto?"
    assert fault("I moved to Porto.", "I moved to Porto", text) is None


# --- what went before -------------------------------------------------------------------------------


def test_a_pronoun_may_be_resolved_from_the_turns_before() -> None:
    before = ["My dog is called Potola."]
    assert fault("Potola loves walks.", "She loves walks", before=before) is None
    assert fault("Potola loves walks.", "She loves walks") == "words"
    assert fault("Rex loves walks.", "She loves walks", before=before) == "words"


def test_an_answer_takes_its_question_along() -> None:
    before = ["What is your dog called?"]
    assert fault("My dog is called Potola.", "Potola", before=before, asked=True) is None
    before = ["Are you vegan?"]
    assert fault("I am vegan.", "Yes", before=before, asked=True) is None
    assert fault("I am vegan.", "No", before=before, asked=True) == "negation"
    assert fault("I am not vegan.", "No", before=before, asked=True) is None


def test_a_statement_that_stands_alone_takes_nothing_from_the_turns_before() -> None:
    before = ["The bank's code is 9912."]
    assert fault("I moved to Porto, the bank's code is 9912.", "I moved to Porto", before=before) == "words"


def test_what_one_says_of_oneself_is_not_put_into_anothers_mouth() -> None:
    said = {
        "before": ["I'm Dora, where do you live?"],
        "names": ("Dora", "Ben"),
        "speaker": "Ben",
        "asked": True,
    }
    assert fault("Dora lives in Porto.", "I live in Porto", **said) == "subject"
    assert fault("Ben lives in Porto.", "I live in Porto", **said) is None


# --- dates ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quote", "when"),
    [
        ("I moved to Porto yesterday", "on 1 March 2026"),
        ("I moved to Porto yesterday", "on 2026-03-01"),
        ("I moved to Porto yesterday", "in March 2026"),
        ("I moved to Porto last month", "in February 2026"),
        ("I moved to Porto last year", "in 2025"),
        ("I moved to Porto on 17 February", "on 17 February 2026"),
    ],
)
def test_a_date_that_follows_from_the_time_is_believed(quote: str, when: str) -> None:
    assert fault(f"I moved to Porto {when}.", quote, now=MONDAY) is None
    assert fault(f"I moved to Porto {when}.", quote) == "words"  # said at an unknown time


@pytest.mark.parametrize(
    ("quote", "when"),
    [
        ("I moved to Porto yesterday", "on 2 March 2026"),
        ("I moved to Porto yesterday", "on 1 April 2026"),
        ("I moved to Porto last month", "on 14 February 2026"),
        ("I moved to Porto last year", "in May 2025"),
        ("I moved to Porto", "on 2 March 2026"),
        ("I moved to Porto on 17 February", "on 17 February 2019"),
    ],
)
def test_a_date_that_does_not_follow_or_is_more_exact_is_not(quote: str, when: str) -> None:
    assert fault(f"I moved to Porto {when}.", quote, now=MONDAY) == "words"


def test_terms_are_the_same_for_the_same_content() -> None:
    assert terms("My mum bought three cats' toys") == terms("mother buys 3 cat toy")
    assert terms("I am not what you are") == []


@given(st.text(max_size=60), st.text(max_size=30), st.text(max_size=60))
def test_any_text_is_judged_without_an_error(statement: str, quote: str, text: str) -> None:
    assert fault(statement, quote, text, now=MONDAY, asked=True) in (
        None, "quote", "question", "words", "subject", "negation", "mood",
    )  # fmt: skip
