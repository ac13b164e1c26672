"""Pages: counted from 1, with absolute addresses of the next and the previous one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from fastapi import Request

from .bodies import Listing, read

__all__ = ["PAGE", "envelope", "paged", "place_of"]

PAGE = 100  # items, where nothing else is asked for
T = TypeVar("T")


def place_of(request: Request, page: int | None = None, size: int | None = None) -> tuple[int, int]:
    """Page and its size: those in the address count before those in the body."""
    asked = {key: request.query_params[key] for key in ("page", "page_size") if key in request.query_params}
    listing = read(Listing, asked, strict=False)
    return listing.page or page or 1, listing.page_size or size or PAGE


def paged(
    request: Request, items: Sequence[T], place: tuple[int, int], show: Callable[[Sequence[T]], list[Any]]
) -> dict[str, Any]:
    """One page of what is all at hand; only its items are made to be shown."""
    page, size = place
    return envelope(request, len(items), place, show(items[(page - 1) * size : page * size]))


def envelope(request: Request, count: int, place: tuple[int, int], shown: list[Any]) -> dict[str, Any]:
    """One page of so many items in all."""
    page, size = place
    last = max(1, -(-count // size))

    def address(of: int) -> str:
        url = request.url.include_query_params(page=of, page_size=size)
        return str(url.replace(path=f"{url.path.rstrip('/')}/"))

    return {
        "count": count,
        "next": address(page + 1) if page < last else None,
        "previous": address(min(page - 1, last)) if page > 1 else None,
        "results": shown,
    }
