"""From talk to facts: what to keep, what it comes down to, and how much it matters.

Rules and tables, no model: `relations.py` and `predicates.py` hold what is known about relations,
`cues.py` what makes an utterance worth keeping, `mentions.py` and `references.py` who a pronoun is,
`times.py` what "last Friday" was. A sentence takes about a millisecond.
"""

from __future__ import annotations

from .extract import MAX_TEXT_BYTES, Fact, Turn, extract, read_turns
from .gist import GIST_FIELD_BYTES, SPEAKER, Gist, keyword_gist, parse_gist
from .importance import importance, is_pinned
from .keep import Opinion, should_keep
from .summary import gist_of, same_fact_key
from .times import TimeSpan, dated, has_time_word, spans

__all__ = [
    "GIST_FIELD_BYTES",
    "MAX_TEXT_BYTES",
    "SPEAKER",
    "Fact",
    "Gist",
    "Opinion",
    "TimeSpan",
    "Turn",
    "dated",
    "extract",
    "gist_of",
    "has_time_word",
    "importance",
    "is_pinned",
    "keyword_gist",
    "parse_gist",
    "read_turns",
    "same_fact_key",
    "should_keep",
    "spans",
]
