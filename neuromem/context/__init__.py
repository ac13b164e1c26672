"""The fixed-budget prompt: made anew for each turn, never over its budget, at a cost that does not grow.

The parts of a prompt, in their order (what changes least comes first, so that a model's KV cache of the
last prompt's beginning can be used again)::

    system message      the system text                                     share: system, 256 tokens
                        the conscious set, in the order in which it was told       memories, 1,024
                        gists of older turns of this talk                          history, 2,048
    the talk            the newest turns, word for word
    last user message   the time, and the memories recalled for this turn          memories
                        the turn itself; a long one is cut in the middle           turn, 512
    (the answer)                                                                   response, 256

What one part leaves of its share flows on: from the system text to the memories (the conscious set
first), from these and the turn to the history. A prompt of more than `compress_at` tokens is compressed:
turns before the newest ones become gists, and what is older still is left to the memory.
"""

from __future__ import annotations

from .builder import Context, ContextBuilder
from .talk import Said

__all__ = ["Context", "ContextBuilder", "Said"]
