"""From talk to facts: what to keep, what it comes down to, and how much it matters.

Rules and tables, no model: `relations.py` and `predicates.py` hold what is known about relations,
`cues.py` what makes an utterance worth keeping. A sentence takes well under a millisecond.
"""

from __future__ import annotations

from .extract import MAX_TEXT_BYTES, Fact, Turn, extract, read_turns
from .gist import GIST_FIELD_BYTES, SPEAKER, Gist, keyword_gist, parse_gist
from .importance import importance, is_pinned
from .keep import should_keep
from .summary import gist_of, same_fact_key

__all__ = [
    "GIST_FIELD_BYTES",
    "MAX_TEXT_BYTES",
    "SPEAKER",
    "Fact",
    "Gist",
    "Turn",
    "extract",
    "gist_of",
    "importance",
    "is_pinned",
    "keyword_gist",
    "parse_gist",
    "read_turns",
    "same_fact_key",
    "should_keep",
]
