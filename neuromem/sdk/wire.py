"""What the memory service says, in types: memories, and why there is no answer."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..errors import NeuromemError
from ..fidelity import Fidelity

__all__ = ["Remembered", "ServiceError", "memories_of", "pause_before", "refusal", "told"]

BACKOFF_S, LONGEST_S = 0.2, 5.0  # the first pause before asking again, and the longest
SHOWN_CHARS = 300  # of what a service says about its error


class ServiceError(NeuromemError):
    """The memory service gave no usable answer.

    Attributes:
        reason: "connection", "timeout", "refused" (it said no: see `status`) or "invalid" (it is no memory
            service, or another version of it).
        status: of HTTP, where there was one.
        retry_after_s: seconds after which it wants to be asked again.
    """

    def __init__(
        self, reason: str, message: str, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason, self.status, self.retry_after_s = reason, status, retry_after_s

    @property
    def may_pass(self) -> bool:
        """Whether asking again may help."""
        return self.reason == "connection" or self.status in (429, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Remembered:
    """One memory as the service recalls it; named as in `Recall`."""

    id: str
    text: str
    score: float
    strength: float  # 0 to 1
    fidelity: Fidelity
    gist: str
    created_at: datetime
    updated_at: datetime
    superseded_by: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    valid_until: datetime | None = None  # from when on it was no longer current; None: it is

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Remembered:
        """
        Raises:
            KeyError, TypeError, ValueError: it is no memory.
        """
        created, ended = datetime.fromisoformat(record["created_at"]), record.get("valid_until")
        text = record["memory"]
        if not isinstance(text, str):
            raise TypeError(f"memory is of type {type(text).__name__}")
        return cls(
            id=str(record["id"]),
            text=text,
            score=float(record.get("score") or 0.0),
            strength=float(record.get("strength", 1.0)),
            fidelity=Fidelity(record.get("fidelity", "verbatim")),
            gist=str(record.get("gist") or ""),
            created_at=created,
            updated_at=datetime.fromisoformat(record.get("updated_at") or record["created_at"]),
            superseded_by=record.get("superseded_by"),
            metadata=dict(record.get("metadata") or {}),
            valid_until=datetime.fromisoformat(ended) if ended else None,
        )


def told(body: bytes, host: str) -> dict[str, Any]:
    """The JSON object in an answer.

    Raises:
        ServiceError: it is something else.
    """
    try:
        answer = json.loads(body) if body else {}
    except (ValueError, RecursionError) as error:
        raise _not_ours(host, "is no JSON") from error
    if not isinstance(answer, dict):
        raise _not_ours(host, f"is a {type(answer).__name__}, not an object")
    return answer


def memories_of(answer: Mapping[str, Any], host: str) -> list[Remembered]:
    """The memories in an answer.

    Raises:
        ServiceError: there are none, or something else is in their place.
    """
    records = answer.get("memories")
    if not isinstance(records, list):
        raise _not_ours(host, "holds no list of memories")
    try:
        return [Remembered.of(record) for record in records]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise _not_ours(host, f"holds a memory that cannot be read ({error!r:.80})") from error


def refusal(status: int, body: bytes, host: str, retry_after_s: float | None) -> ServiceError:
    """The error that a status other than 2xx tells of."""
    try:
        answer = json.loads(body)
        said = answer.get("detail") or answer.get("error") if isinstance(answer, dict) else ""
    except (ValueError, RecursionError):
        said = ""
    shown = " ".join((said if isinstance(said, str) else json.dumps(said)).split())[:SHOWN_CHARS]
    message = f"{host}: HTTP {status}{': ' if shown else ''}{shown}"
    return ServiceError("refused", message, status, retry_after_s)


def pause_before(attempt: int, retry_after_s: float | None) -> float:
    """Seconds to wait before asking again: growing, capped, and not the same for everybody.

    Args:
        attempt: 1 before the second try.
        retry_after_s: what the service asked for; that is the least then.
    """
    longest: float = min(LONGEST_S, BACKOFF_S * 2 ** (attempt - 1))
    pause = longest * random.uniform(0.5, 1.0)
    return pause if retry_after_s is None else retry_after_s + pause


def _not_ours(host: str, problem: str) -> ServiceError:
    return ServiceError("invalid", f"{host}: the answer {problem}; is this the URL of a memory service?")
