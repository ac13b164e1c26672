"""A file as an answer: whole, or the range of it that is asked for (RFC 9110, sections 13 and 14).

One range at a time: of several the whole file is sent, as a server may. The file is opened once, so what is
sent is of one state of it, though another takes its place meanwhile.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from fastapi import Response
from fastapi.responses import StreamingResponse

from .errors import Refused

__all__ = ["send_file"]

PIECE = 256 << 10  # bytes sent at a time
_RANGE = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*", re.ASCII)
_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class _State:
    size: int
    etag: str
    changed: str  # as HTTP writes dates


def send_file(path: Path, headers: Mapping[str, str], media_type: str, *, head: bool) -> Response:
    """The answer to GET, or to HEAD.

    Args:
        headers: of the request. head: send no body.

    Raises:
        OSError: it cannot be opened. Refused: 412, it is not what If-Match names; 416, it has no such range.
    """
    fd = os.open(path, os.O_RDONLY)
    try:
        about = os.fstat(fd)
        etag = f'"{about.st_ino:x}-{about.st_mtime_ns:x}-{about.st_size:x}"'
        state = _State(about.st_size, etag, formatdate(about.st_mtime, usegmt=True))
        common = {
            "ETag": etag,
            "Last-Modified": state.changed,
            "Accept-Ranges": "bytes",
            "Cache-Control": "private",
        }
        wanted = headers.get("if-match")
        if wanted is not None and not _names(wanted, etag):
            raise Refused(412, "the archive was written anew; ask for it again", {"ETag": etag})
        unchanged = headers.get("if-none-match")
        if unchanged is not None and _names(unchanged, etag):
            os.close(fd)
            return Response(status_code=304, headers=common)
        span = _span(headers, state)
        start, stop = span or (0, state.size)
        common["Content-Length"] = str(stop - start)
        if span is not None:
            common["Content-Range"] = f"bytes {start}-{stop - 1}/{state.size}"
        status = 200 if span is None else 206
        if head:
            os.close(fd)
            return Response(status_code=status, headers=common, media_type=media_type)
    except BaseException:
        os.close(fd)
        raise
    return StreamingResponse(_pieces(fd, start, stop), status, common, media_type)


def _names(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in (part.strip() for part in header.split(","))


def _span(headers: Mapping[str, str], state: _State) -> tuple[int, int] | None:
    """First byte and the one after the last; None: the whole file."""
    asked, only_if = headers.get("range"), headers.get("if-range")
    if asked is None or (only_if is not None and only_if.strip() not in (state.etag, state.changed)):
        return None
    found = _RANGE.fullmatch(asked.strip())
    if found is None or not (found[1] or found[2]) or max(len(found[1]), len(found[2])) > _MOST_DIGITS:
        return None  # nonsense, or several: a server may take it for no range
    if not found[1]:
        start, stop = max(0, state.size - int(found[2])), state.size
    else:
        start, stop = int(found[1]), min(state.size, int(found[2]) + 1 if found[2] else state.size)
        if found[2] and int(found[2]) < int(found[1]):
            return None
    if start >= state.size or stop <= start:
        raise Refused(
            416,
            f"the archive has {state.size} bytes; ask for a range within",
            {"Content-Range": f"bytes */{state.size}"},
        )
    return start, stop


def _pieces(fd: int, start: int, stop: int) -> Iterator[bytes]:
    try:
        while start < stop:
            piece = os.pread(fd, min(PIECE, stop - start), start)
            if not piece:
                return
            start += len(piece)
            yield piece
    finally:
        os.close(fd)
