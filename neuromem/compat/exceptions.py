"""mem0's exceptions, by the same names and with the same attributes, without mem0.

Code that catches ``ValueError``, as mem0's own class wants it, catches `ValidationError` and
`MemoryNotFoundError`, too. Where mem0 itself is loaded, what is raised is also mem0's exception of that
name: code of which only the import of `Memory` was changed goes on catching it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .. import errors

__all__ = [
    "AuthenticationError",
    "ConfigurationError",
    "DatabaseError",
    "DependencyError",
    "EmbeddingError",
    "LLMError",
    "MemoryCorruptionError",
    "MemoryError",
    "MemoryNotFoundError",
    "MemoryQuotaExceededError",
    "NetworkError",
    "RateLimitError",
    "ValidationError",
    "VectorStoreError",
    "in_mem0s_words",
]


class MemoryError(Exception):
    """Root of mem0's errors."""

    def __init__(
        self,
        message: str,
        error_code: str = "MEM_000",
        details: dict[str, Any] | None = None,
        suggestion: str | None = None,
        debug_info: dict[str, Any] | None = None,
    ) -> None:
        Exception.__init__(self, message)  # not super's: that may be mem0's own, see `_as_theirs`
        self.message, self.error_code, self.suggestion = message, error_code, suggestion
        self.details, self.debug_info = details or {}, debug_info or {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(message={self.message!r}, error_code={self.error_code!r})"


class ValidationError(MemoryError, ValueError):
    """An argument is wrong."""


class MemoryNotFoundError(MemoryError, LookupError, ValueError):
    """There is no such memory."""


class ConfigurationError(MemoryError, ValueError):
    """A setting is wrong."""


class AuthenticationError(MemoryError):
    """A key is missing or wrong; never raised here."""


class RateLimitError(MemoryError):
    """Too many requests; never raised here."""


class NetworkError(MemoryError):
    """A service cannot be reached; never raised here."""


class MemoryQuotaExceededError(MemoryError):
    """No slot is free, and none may give way."""


class MemoryCorruptionError(MemoryError):
    """Bytes on disk are not what was written."""


class VectorStoreError(MemoryError):
    """The slots cannot be used."""


class EmbeddingError(MemoryError):
    """Words cannot be encoded; never raised here."""


class LLMError(MemoryError):
    """A language model gave no usable answer; never raised here: the rules read what it could not."""


class DatabaseError(MemoryError):
    """The log cannot be used."""


class DependencyError(MemoryError):
    """An optional package is missing."""


KINDS: tuple[tuple[type[errors.NeuromemError], type[MemoryError], str], ...] = (
    (errors.ConfigError, ConfigurationError, "CFG_001"),
    (errors.InvalidInput, ValidationError, "VALIDATION_000"),
    (errors.NotFound, MemoryNotFoundError, "MEM_404"),
    (errors.CapacityExhausted, MemoryQuotaExceededError, "QUOTA_001"),
    (errors.MissingDependency, DependencyError, "DEPS_001"),
    (errors.StoreCorrupt, MemoryCorruptionError, "CORRUPT_001"),
    (errors.StoreError, DatabaseError, "DB_001"),
    (errors.BankError, VectorStoreError, "VECTOR_001"),
    (errors.NeuromemError, MemoryError, "MEM_000"),
)
CODES = {  # mem0's own, by the argument that is wrong
    "user_id": "VALIDATION_001", "agent_id": "VALIDATION_001", "run_id": "VALIDATION_001",
    "memory_type": "VALIDATION_002", "messages": "VALIDATION_003",
}  # fmt: skip
SERVER = "run `neuromem serve`, which many processes can use at once, with mem0's MemoryClient(host=…)"


@contextmanager
def in_mem0s_words() -> Iterator[None]:
    """Errors of ours are raised as mem0's."""
    try:
        yield
    except errors.NeuromemError as error:
        raise _translated(error) from error


def _translated(error: errors.NeuromemError) -> MemoryError:
    _, kind, code = next(entry for entry in KINDS if isinstance(error, entry[0]))
    message, details = str(error), dict[str, Any]()
    suggestion: str | None = None
    if isinstance(error, errors.InvalidInput):
        details, suggestion = {"field": error.field, "problem": error.problem}, error.remedy
        code = CODES.get(error.field.split(".")[0].split("[")[0], code)
    elif isinstance(error, errors.NotFound) and "not found" not in message:
        message = f"Memory not found: {message}"  # as mem0's users look for it
    elif isinstance(error, errors.StoreLocked):
        suggestion = SERVER
    return _as_theirs(kind, _theirs(kind.__name__))(message, code, details, suggestion)


def _theirs(name: str) -> type[Exception] | None:
    """mem0's exception of that name, where mem0 is loaded."""
    found = getattr(sys.modules.get("mem0.exceptions"), name, None)
    return found if isinstance(found, type) and issubclass(found, Exception) else None


def _as_theirs(kind: type[MemoryError], theirs: type[Exception] | None) -> type[MemoryError]:
    """An exception that is caught as ours and as mem0's."""
    if theirs is None:
        return kind
    return type(kind.__name__, (kind, theirs), {"__doc__": kind.__doc__, "__init__": kind.__init__})
