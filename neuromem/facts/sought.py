"""The slot that a question asks for: "what is my dog called?" seeks `1|dog name`.

Only plain questions for one attribute are read; for the rest there is none, and meaning has to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..text import normalize
from .gist import SPEAKER, Gist
from .slots import slot_of

__all__ = ["slots_sought"]

_WHOSE = r"(?P<whose>my|our|[\w-]+(?: [\w-]+)?'s?)"
_WHO = r"(?P<who>i|we|(?!you\b|they\b|it\b)[\w-]+(?: [\w-]+)?)"
_IS = r"(?:'s|s| is| was| are| were)"
_PATTERNS = tuple(
    (re.compile(rf"^(?:\w+ ){{0,2}}?{pattern}\b[ \w]{{0,16}}$"), name)
    for pattern, name in (
        (rf"what{_IS}? {_WHOSE} (?P<of>[\w -]+?)(?:'s)? (?:called|named|name)", "{of} name"),
        (rf"what{_IS} the name of {_WHOSE} (?P<of>[\w -]+)", "{of} name"),
        (rf"what did (?:i|we) (?:call|name) {_WHOSE} (?P<of>[\w -]+)", "{of} name"),
        (rf"where (?:do|does|is|am|are) {_WHO} (?:live|living|based)", "home"),
        (rf"what (?:do|does) {_WHO} do(?: for (?:a living|work))?$", "job"),
        (rf"(?:where|who) (?:do|does|is|am|are) {_WHO} (?:work|working)(?: for| at)?", "employer"),
        (rf"how old (?:is|am|are) {_WHO}", "age"),
        (rf"(?:what|who|when|where|which){_IS} {_WHOSE} (?P<of>[\w' -]+)", "{of}"),
        (rf"how (?:tall|high) (?:is|am|are) {_WHO}", "height"),
    )
)
# "my dogs name", as a recognizer writes it
_UNMARKED = re.compile(r"(?<=[^s\W])s (?=(?:name|age|job|birthday)$)")


def slots_sought(question: str) -> list[str]:
    """Keys of the slots that a question may ask for, as `Slot.key` has them; mostly none or one.

    >>> slots_sought("What is my dog called?")
    ['1|dog name']
    """
    text = normalize(question).strip(" ?.!")
    return list(dict.fromkeys(_keys(text)))


def _keys(text: str) -> Iterator[str]:
    for pattern, name in _PATTERNS:
        match = pattern.match(text)
        if match is None:
            continue
        parts = match.groupdict()
        whose, of = parts.get("whose") or parts.get("who") or "", parts.get("of") or ""
        owner, apostrophe, rest = of.partition("'s ")
        if apostrophe and whose in ("my", "our"):  # "my sister's job"
            whose, of = owner, rest
        subject, relation = _subject(whose), _UNMARKED.sub(" ", name.format(of=of))
        slot = slot_of(Gist(subject, relation, "x")) if subject and relation else None
        if slot is not None:
            yield slot.key
            return


def _subject(said: str) -> str:
    bare = re.sub(r"'s?$", "", said)
    if bare in ("i", "we", "my", "our"):
        return SPEAKER
    return re.sub(r"^(?:my|our|the) ", "", bare)
