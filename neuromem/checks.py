"""Whether arguments can be meant: numbers in their range, text that can be written, a search's own."""

from __future__ import annotations

import math

from .errors import InvalidInput

__all__ = [
    "DEEP", "FIDELITIES", "check_encodable", "check_fidelity", "check_range", "check_search", "fits_header",
]  # fmt: skip

FIDELITIES = ("auto", "weights", "exact")
DEEP = "deep"  # of a search: "auto", and all that was ever said where the weights are not sure


def check_range(
    field: str, value: float, low: float, high: float, error: type[InvalidInput] = InvalidInput
) -> None:
    """Raises InvalidInput, or a kind of it, for what is no finite number from `low` to `high`."""
    if not (isinstance(value, int | float) and math.isfinite(value) and low <= value <= high):
        raise error(field, f"{value!r} is out of range", f"give a number from {low:g} to {high:g}")


def check_encodable(field: str, text: str) -> None:
    """Raises InvalidInput for a text that UTF-8 cannot say."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        problem = "holds half of a surrogate pair"
        raise InvalidInput(field, problem, "give text that UTF-8 can encode") from error


def fits_header(text: str) -> bool:
    """Whether a text comes through a header of HTTP as it is."""
    return text.isascii() and text.isprintable() and text == text.strip()


def check_fidelity(fidelity: str, known: tuple[str, ...] = FIDELITIES) -> None:
    """Raises InvalidInput for a fidelity that is not asked for in this way."""
    if fidelity not in known:
        raise InvalidInput("fidelity", f"{fidelity!r} is not known", f"choose one of {', '.join(known)}")


def check_search(
    query: str, limit: int, fidelity: str, budget_ms: float | None, *, deep: bool = False
) -> None:
    """Raises InvalidInput for arguments of a search that cannot be meant.

    Args:
        deep: whether the fidelity may be `DEEP`.
    """
    if not isinstance(query, str) or not query.strip():
        raise InvalidInput("query", "is blank", "ask something")
    check_encodable("query", query)
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 10_000:
        raise InvalidInput("limit", f"{limit!r} is out of range", "give a whole number from 1 to 10,000")
    number = isinstance(budget_ms, int | float) and not isinstance(budget_ms, bool)
    if budget_ms is not None and not (number and 0 <= budget_ms < float("inf")):
        raise InvalidInput("budget_ms", f"{budget_ms!r} is out of range", "give milliseconds, 0 or more")
    check_fidelity(fidelity, (*FIDELITIES, DEEP) if deep else FIDELITIES)
