"""The assistant: one turn of talk, text in and text out; chat and voice stand on it.

The model, if there is one, keeps nothing between turns: each prompt is made anew within its budget, from what
is recalled. With none, the answer is put together from the recalled facts (`responder.py`).
"""

from __future__ import annotations

from .assistant import Answering, Assistant, Reply
from .responder import Answer, Responder

__all__ = ["Answer", "Answering", "Assistant", "Reply", "Responder"]
