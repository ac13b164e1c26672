"""What is only played, written or pasted tells nothing of whoever says it, however like a fact it sounds."""

from __future__ import annotations

import pytest

from neuromem.facts import should_keep


@pytest.mark.parametrize(
    ("told", "asked", "text"),
    [
        ("let's roleplay", "Gladly. Who are you?", "im a pirate named greybeard and my ship is in tortuga"),
        ("Pretend you're my therapist.", "How are you today?", "I'm a retired wizard from Whitby."),
        (
            "If we won the raffle...",
            "What would you do with it?",
            "We'd have a pool and a cook named Pierre.",
        ),
        ("Imagine I were mayor.", "What would you change?", "No school on Fridays, ever."),
        (
            "describe my villain",
            "What do you know of her?",
            "shes a queen from the marshes, her brother is blind",
        ),
        ("Proofread this for me.", "Sure, paste it here.", "The liver is the largest organ in the body."),
        ("It won't compile.", "What does it say?", "Missing bracket on line 17"),
    ],
)
def test_nothing_of_it_is_kept(told: str, asked: str, text: str) -> None:
    assert not should_keep(text, [f"user: {told}", f"assistant: {asked}"])


@pytest.mark.parametrize(
    ("told", "asked", "text"),
    [
        ("If it's all right, I'd like to talk.", "Of course.", "I'm a retired plumber from Whitby."),
        ("Suppose so.", "And your family?", "We have a son named Pierre."),
        ("My hero arrived.", "Your hero?", "My brother flew in from Perth, he's a surgeon."),
    ],
)
def test_what_is_not_played_is(told: str, asked: str, text: str) -> None:
    assert should_keep(text, [f"user: {told}", f"assistant: {asked}"])
