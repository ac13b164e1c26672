"""From what the user said to what is said to the user: the persons change, the words stay."""

from __future__ import annotations

import re
from datetime import datetime

__all__ = ["dated", "told", "turned"]

_TURNS = {
    "i": "you", "me": "you", "my": "your", "mine": "yours", "myself": "yourself", "we": "you", "us": "you",
    "our": "your", "ours": "yours", "ourselves": "yourselves", "i'm": "you're", "i've": "you've",
    "i'd": "you'd", "i'll": "you'll", "we're": "you're", "we've": "you've", "we'd": "you'd",
    "we'll": "you'll", "im": "you're", "ive": "you've", "you": "I", "your": "my", "yours": "mine",
}  # fmt: skip
_VERBS = {"am": "are", "was": "were"}  # after "I"
_WORD = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)?")
_ADDRESS = re.compile(r"^(?:oh|well|so|actually|by the way|and|but|also|anyway|ugh|yes|no|hey)[,:]?\s+", re.I)
_LOWER = frozenset("the a an it he she they there this that his her their your you you're you've".split())


def turned(text: str) -> str:
    """A statement with its persons turned round: "I am at my desk" → "you are at your desk"."""
    before = ""

    def turn(match: re.Match[str]) -> str:
        nonlocal before
        word = match[0]
        plain = word.replace("’", "'").lower()
        new = _VERBS.get(plain, _TURNS.get(plain, word)) if before in ("i", "we") else _TURNS.get(plain, word)
        before = plain
        return new

    return _WORD.sub(turn, text)


def told(text: str, at: datetime, now: datetime) -> str:
    """A memory as a sentence: "You told me on 3 May that your dog's name is Potola."

    Args:
        text: the words as the user said them, one statement. at, now: when, and the present.
    """
    said = turned(_ADDRESS.sub("", " ".join(text.split()))).rstrip(" .!,;")
    first, _, rest = said.partition(" ")
    if first.lower() in _LOWER:
        said = f"{first.lower()} {rest}" if rest else first.lower()
    return f"You told me {dated(at, now)} that {said}."


def dated(at: datetime, now: datetime) -> str:
    """A day as one says it: "today", "yesterday", "on 3 May", with the year if it is another."""
    days = (now.date() - at.date()).days
    if days in (0, 1):
        return ("today", "yesterday")[days]
    return f"on {at.day} {at:%B}" + (f" {at.year}" if at.year != now.year else "")
