"""The slot that a question asks for."""

from __future__ import annotations

import pytest

from neuromem import Memory
from neuromem.facts.sought import slots_sought


@pytest.mark.parametrize(
    ("question", "slots"),
    [
        ("What is my dog called?", ["1|dog name"]), ("what's our cat's name?", ["1|cat name"]),
        ("What did we call our parrot?", ["1|parrot name"]), ("Where do I live now?", ["1|home"]),
        ("where does Rosa live", ["rosa|home"]), ("what do i do for a living", ["1|job"]),
        ("What is my sister's job?", ["sister|job"]), ("Who is my dentist?", ["1|dentist"]),
        ("how old am i", ["1|age"]),
        ("What is the capital of Peru?", []), ("How are you?", []),
        ("did I tell you about my dog?", []), ("", []),
    ],
)  # fmt: skip
def test_plain_questions_for_an_attribute_name_its_slot(question: str, slots: list[str]) -> None:
    assert slots_sought(question) == slots


def test_the_fact_that_fills_the_slot_comes_before_what_is_only_near_it() -> None:
    with Memory(config={"forgetting": {"decay": "none"}}) as memory:
        for text in ("We adopted a dog from the shelter, a lovely dog.", "Our dog's name is Potola."):
            memory.add(text, user_id="ana")
        first = memory.search("what is my dog called?", user_id="ana", explain=True)[0]
        assert "Potola" in first.text
        assert first.explain is not None
        assert first.explain["slot"] > 0
