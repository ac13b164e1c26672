"""A bare answer together with what it answers: "Potola." after "What's your dog called?" """

from __future__ import annotations

import re
from collections.abc import Sequence

from ..text import sentences, words

__all__ = ["completed"]

_MOST_WORDS = 6
_YOUR = r"your (?P<what>[\w' -]{2,40}?)"
# The question, and how its answer is said in full; `{a}` is the answer.
_FORMS = (
    (rf"what(?:'s| is| are) {_YOUR}(?:'s)? (?:called|names?)", "my {what} is called {a}"),
    (r"what(?:'s| is) (?:his|her|its|their) name", ""),
    (r"what(?:'s| is) your name|what (?:should|shall|can|do) i call you", "my name is {a}"),
    (r"what did you (?:name|call) (?:the|your) (?P<what>[\w' -]{2,40}?)", "my {what} is called {a}"),
    (rf"(?:what|who|when|which|where)(?:'s| is| are) {_YOUR}", "my {what} is {a}"),
    (r"how old are you", "I am {a} years old"),
    (rf"how old (?:is|are) {_YOUR}", "my {what} is {a} years old"),
    (r"where do you live(?: now)?|where(?:'s| is) home(?: for you)?|where are you based", "I live in {a}"),
    (r"where were you born", "I was born in {a}"),
    (r"where (?:are|do) you (?:come )?from", "I am from {a}"),
    (r"where do you work|who do you work for", "I work at {a}"),
    (r"what do you do(?: for (?:a living|work))?|what(?:'s| is) your (?:job|profession)", "I work as {a}"),
    (r"what are you allergic to|(?:do you have|any) allergies", "I am allergic to {a}"),
    (r"what (?:instruments?|sports?) do you play", "I play {a}"),
    (r"what (?:do you drive|(?:kind of )?car do you (?:drive|have))", "I drive {a}"),
    (r"what are you (?:learning|studying)", "I am learning {a}"),
    (r"which (?:football )?team do you support|who do you support", "I support {a}"),
    (r"what(?: [\w ]+)? do you like(?: best| most)?", "I like {a}"),
)
_PATTERNS = tuple((re.compile(pattern), form) for pattern, form in _FORMS)
_LEAD = re.compile(
    r"(?:it's|its|it is|she's|he's|they're|in|at|a|an|the|oh|um|just|mostly|well)[, ]+", re.IGNORECASE
)


def completed(answer: str, before: Sequence[str]) -> tuple[str, str] | None:
    """What a bare answer says with its question: a text to read alone, and a sentence to take the gist of.

    Args:
        answer: what the user said, such as "Potola."
        before: the turns before, oldest first; the last must be "assistant: …" and end by asking.

    Returns:
        "What's your dog called? Potola." and "my dog is called Potola" (the same text twice where the
        question has no common form), or None: no bare answer to a question of the assistant.
    """
    if not before or not before[-1].startswith("assistant: ") or len(words(answer)) > _MOST_WORDS:
        return None
    said = sentences(before[-1].removeprefix("assistant: "))
    if not said or not said[-1].endswith("?"):
        return None
    question = said[-1]
    text = f"{question} {answer}"
    asked = question.lower().strip(" ?").removeprefix("and ").removeprefix("so ").replace("’", "'")
    for pattern, form in _PATTERNS:
        match = pattern.fullmatch(asked)
        if match and form:
            value = _LEAD.sub("", answer.strip(" .!"), count=1)
            full = form.format(a=value, **match.groupdict())
            return text, full.lower() if answer == answer.lower() else full
    return text, text
