"""An archive behind a URL: read by ranges through fsspec, what was read is kept, and some is read ahead.

`https://…` and `s3://bucket/name.flac` are tested; whatever else fsspec knows should do. A reader sees the
file as it was when it was opened: over HTTP each range is asked for only if the file's ETag is still the
same; elsewhere, what does not belong to the segments that were found is not taken for theirs (`packets`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ..errors import ArchiveError, InvalidInput, NotFound
from .needed import needed

__all__ = ["RemoteFile", "is_url"]

BLOCK_BYTES = 32 << 10  # that are kept or dropped together
MOST_BYTES = 32 << 20  # kept
MOST_AHEAD = 32  # blocks read ahead of one who reads on and on
NOT_FOUND, CHANGED = 404, 412  # of HTTP; the latter: it is not the file that was opened


def is_url(path: object) -> bool:
    """Whether a path is a URL."""
    return isinstance(path, str) and "://" in path


class RemoteFile:
    """The bytes behind a URL; not safe across threads.

    Args:
        url: of the file.
        storage: options of fsspec's file system: for http `headers`; for s3 `key`, `secret`, `endpoint_url`.

    Attributes:
        requests: how many ranges were asked for. fetched: bytes of them.

    Raises:
        NotFound: there is no such file. ArchiveError: it cannot be reached.
        MissingDependency: the extra [remote] is not installed. InvalidInput: no file system of that name.
    """

    def __init__(self, url: str, storage: Mapping[str, Any] | None = None) -> None:
        core = needed("fsspec.core", "reading archives behind a URL", "remote")
        self.url, self.requests, self.fetched = url, 0, 0
        self._headers, self._etag = dict((storage or {}).get("headers") or {}), ""
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._end, self._ahead = -1, 0  # the block after what was read last, and how many came unasked
        try:
            self._files, self._path = core.url_to_fs(url, **(storage or {}))
        except ImportError as error:
            needed(_package(url), "reading archives behind such a URL", "remote")
            raise ArchiveError(f"{url} cannot be read ({error})") from error
        except ValueError as error:
            raise InvalidInput("path", f"{url!r} ({error})", "give a path, https://… or s3://…") from error
        self._errors: tuple[type[Exception], ...] = (OSError, ValueError, *_errors_of(url))
        try:
            about = self._files.info(self._path)
        except self._errors as error:
            cause = error.__cause__ or error  # over HTTP whatever goes wrong is said to be no file
            missing = isinstance(error, FileNotFoundError)
            if missing and (getattr(cause, "status", 0) == NOT_FOUND or not url.startswith("http")):
                raise NotFound(f"{url} does not exist; give the URL of a sound archive") from error
            said = getattr(cause, "status", "") or cause
            raise ArchiveError(f"{url} cannot be read ({said}); check the address and the key") from error
        if not isinstance(about.get("size"), int):
            raise ArchiveError(f"{url}: the server does not say how long the file is; it is read by ranges")
        self._size = int(about["size"])
        if url.startswith("http"):
            self._etag = str(about.get("ETag") or "")

    def size(self) -> int:
        """Bytes there are."""
        return self._size

    def again(self) -> RemoteFile:
        """The same file; it shares what is kept."""
        return self

    def read(self, offset: int, length: int) -> bytes:
        """That many bytes, fewer at the end."""
        offset, stop = min(offset, self._size), min(offset + length, self._size)
        if stop <= offset:
            return b""
        first, last = offset // BLOCK_BYTES, -(-stop // BLOCK_BYTES)
        found = {number: self._kept[number] for number in range(first, last) if number in self._kept}
        missing = [number for number in range(first, last) if number not in found]
        if missing:
            found |= self._fetch(missing[0], missing[-1] + 1)
        for number in range(first, last):
            if number in self._kept:
                self._kept.move_to_end(number)
        whole = b"".join(found[number] for number in range(first, last))
        return whole[offset - first * BLOCK_BYTES : stop - first * BLOCK_BYTES]

    def _fetch(self, first: int, last: int) -> dict[int, bytes]:
        """Blocks in one request; more than was asked for where reading goes on from the last one."""
        self._ahead = min(max(1, 2 * self._ahead), MOST_AHEAD) if first == self._end else 0
        end = min(last + self._ahead, -(-self._size // BLOCK_BYTES))
        self._end = end
        raw = self._range(first * BLOCK_BYTES, min(end * BLOCK_BYTES, self._size))
        blocks = {at: raw[(at - first) * BLOCK_BYTES :][:BLOCK_BYTES] for at in range(first, end)}
        self._kept |= blocks
        while len(self._kept) > MOST_BYTES // BLOCK_BYTES:
            self._kept.popitem(last=False)
        return blocks

    def _range(self, start: int, end: int) -> bytes:
        more = {"headers": {**self._headers, "If-Match": self._etag}} if self._etag else {}
        self.requests += 1
        try:
            raw: bytes = self._files.cat_file(self._path, start=start, end=end, **more)
        except FileNotFoundError as error:
            raise NotFound(f"{self.url} is not there any more") from error
        except self._errors as error:
            if getattr(error, "status", 0) == CHANGED:
                raise ArchiveError(f"{self.url} was written anew while it was read; open it again") from error
            raise ArchiveError(f"{self.url} cannot be read ({error}); try again") from error
        self.fetched += len(raw)
        if len(raw) != end - start:
            raise ArchiveError(
                f"{self.url}: {len(raw):,} bytes came where {end - start:,} were asked for; "
                "its server must know HTTP ranges"
            )
        return raw


def _package(url: str) -> str:
    return {"s3": "s3fs", "http": "aiohttp", "https": "aiohttp"}.get(url.partition("://")[0], "fsspec")


def _errors_of(url: str) -> tuple[type[Exception], ...]:
    """What a file system raises besides OSError."""
    if url.startswith("http"):
        return (needed("aiohttp", "reading archives over HTTP", "remote").ClientError,)
    if url.startswith(("s3://", "s3a://")):  # no credentials, nobody there, an answer that s3fs does not know
        of_s3 = needed("botocore.exceptions", "reading archives from S3", "remote")
        return of_s3.BotoCoreError, of_s3.ClientError
    return ()
