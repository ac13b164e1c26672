"""`bench assistant` with a language model: what it admits not to know counts by its words."""

from __future__ import annotations

import pytest

from neuromem.bench.assistant import ask, denies
from neuromem.bench.talk import Exchange
from training.responder_prompts import Prompter


@pytest.mark.parametrize(
    "text",
    [
        "I don't know that.",
        "Sorry, I do not really know.",
        "You haven’t told me that.",
        "You never mentioned it.",
        "You've not said it, and I don't have it in my memory.",
    ],
)
def test_words_that_admit(text: str) -> None:
    assert denies(text)


@pytest.mark.parametrize(
    "text",
    ["Potola.", "You told me on 2026-03-02: I don't know the code.", "You said that Runa never knew her."],
)
def test_words_that_answer(text: str) -> None:
    assert not denies(text)


@pytest.mark.parametrize(("answer", "right"), [("I don't know that.", True), ("Your cat is Potola.", False)])
def test_an_unknown_question_is_right_where_the_model_admits_it(answer: str, right: bool) -> None:
    script = [
        Exchange(1e9, "My dog's name is Potola.", ""),
        Exchange(1e9 + 60, "What is my cat called?", "", kind="unknown", forbidden=("Potola",)),
    ]
    model = Prompter()
    model.answer = answer
    (asked,) = ask("ana", script, model)
    assert asked.right is right
    assert asked.sure is not right
