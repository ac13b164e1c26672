"""What a memory puts into a prompt must not come back as something newly said.

What we put in stands between two tags, under headings that are written here and nowhere else.
`without_injected` takes it out again, and what other memories are known to put in:

* pipecat's memory services: "Based on previous conversations, I recall:" and a list
  (src/pipecat/services/mem0/memory.py), also in the words of services made after it;
* mem0's proxy: "- Relevant Memories/Facts: … - Entities: … - User Question: …" around what was asked
  (mem0/proxy/main.py), and "User Memories:" of its examples.

A heading of another memory counts only where a list follows it, so that a user may write those words.
"""

from __future__ import annotations

import re

__all__ = [
    "CLOSE",
    "INJECTED",
    "KNOWN",
    "OPEN",
    "RECALLED",
    "RECALLED_FAINT",
    "marked",
    "without_injected",
    "without_marked",
]

OPEN, CLOSE = "<neuromem>", "</neuromem>"
KNOWN = "What you know of the user:"
RECALLED = "From your memory:"
RECALLED_FAINT = "From your memory (of what is faint only this is left: do not guess the rest):"
INJECTED = (KNOWN, RECALLED, RECALLED_FAINT)

TAGS = ("neuromem", "mem0-recall")
MEM0_ASKED = "- User Question: "
MEM0_FACTS = "- Relevant Memories/Facts:"
_OTHERS = re.compile(
    r"(?i)(?:#{1,4} )?(?:based on previous conversations, i recall|(?:relevant )?(?:user )?memories"
    r"|relevant memories from previous conversations|user profile \(persistent\)|recent context) ?:?"
)
_ITEM = re.compile(r"(?:[-*•]|\d{1,4}[.)]) ")
_TAG = re.compile(rf"<(/?(?:{'|'.join(TAGS)}))>")
_TAG_LIKE = re.compile(rf"(?i)<( ?/? ?(?:{'|'.join(TAGS)}) ?/? ?)>")  # as a model may read it


def marked(text: str) -> str:
    """A block for a prompt, marked as ours; tags inside it lose their meaning."""
    return "\n".join([OPEN, _TAG_LIKE.sub(r"(\1)", text), CLOSE])


def without_injected(text: str) -> str:
    """A message without what memories have put into it; "" when nothing else is left.

    >>> without_injected("From your memory:\\n- 2026-03-04: My dog is Potola\\n\\nWhat is he called?")
    'What is he called?'
    """
    text = _without_blocks(text)  # first: what is quoted in a block is not around what was asked
    facts, asked = text.find(MEM0_FACTS), text.rfind(MEM0_ASKED)
    if 0 <= facts < asked:  # who quotes them the other way round has written that
        text = _untagged(text[:facts] + text[asked + len(MEM0_ASKED) :])
    lines = text.split("\n")
    if not any(map(_is_heading, lines)):
        return text.strip()
    return "\n".join(_without_lists(lines)).strip()


def without_marked(text: str) -> str:
    """A message without the blocks between tags, which are no guess."""
    return _without_blocks(text).strip()


def _without_blocks(text: str) -> str:
    for tag in TAGS:
        text = _without_tagged(text, f"<{tag}>", f"</{tag}>")
    return _untagged(text)


def _untagged(text: str) -> str:
    """The text with its tags in other brackets: where they are taken out, what is left may be a tag."""
    return _TAG.sub(r"(\1)", text)


def _without_tagged(text: str, opening: str, closing: str) -> str:
    """The text without what stands between two tags; a tag without its partner goes alone."""
    kept, rest = [], text
    while opening in rest:
        before, _, after = rest.partition(opening)
        kept.append(before)
        inside, found, rest = after.partition(closing)
        if not found:
            kept.append(inside.replace(opening, ""))
    return "".join([*kept, rest]).replace(closing, "")


def _without_lists(lines: list[str]) -> list[str]:
    """The lines without headings of memories and the items below them, blank lines between included."""
    kept: list[str] = []
    place = 0
    while place < len(lines):
        end = _end_of_list(lines, place + 1) if _is_heading(lines[place]) else place
        if end > place:
            place = end
        else:
            kept.append(lines[place])
            place += 1
    return kept


def _end_of_list(lines: list[str], place: int) -> int:
    """Where the list that begins here ends; one before here when there is none."""
    end = place - 1
    while place < len(lines):
        line = lines[place].strip()
        place += 1
        if _ITEM.match(line):
            end = place
        elif line:
            break
    return end


def _is_heading(line: str) -> bool:
    line = line.strip()
    return line in INJECTED or _OTHERS.fullmatch(line) is not None
