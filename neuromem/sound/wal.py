"""The write-ahead record: what was appended and is in no segment yet, in a file beside the archive.

::

    file = magic (4) ‖ records in the archive when it was begun (8) ‖ length (4) ‖ check (8) ‖ body ‖ …
"""

from __future__ import annotations

import fcntl
import os
import struct
from hashlib import blake2b
from pathlib import Path

from ..errors import StoreLocked

__all__ = ["WriteAhead"]

_MAGIC = b"NMWL"
_HEAD, _ITEM = struct.Struct(">4sQ"), struct.Struct(">I8s")


class WriteAhead:
    """Holds the lock for writing as long as it is open.

    Raises:
        StoreLocked: another process is writing to the archive.
    """

    def __init__(self, path: Path, sync: bool) -> None:
        self._path, self._sync = path, sync
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._fd)
            raise StoreLocked(f"{path.stem} is being written by another process; close it there") from error

    def waiting(self, records: int) -> list[bytes]:
        """What was appended after the archive had so many records; a half-written end is left out."""
        size = os.fstat(self._fd).st_size
        raw = os.pread(self._fd, size, 0)
        if len(raw) < _HEAD.size or _HEAD.unpack_from(raw) != (_MAGIC, records):
            return []  # they are in a segment already
        out, at = [], _HEAD.size
        while at + _ITEM.size <= len(raw):
            length, check = _ITEM.unpack_from(raw, at)
            body = raw[at + _ITEM.size : at + _ITEM.size + length]
            if blake2b(body, digest_size=8).digest() != check:
                break
            out.append(body)
            at += _ITEM.size + length
        return out

    def begin(self, records: int) -> None:
        """Empties it: the archive has so many records."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, _HEAD.pack(_MAGIC, records), 0)
        os.lseek(self._fd, 0, os.SEEK_END)

    def append(self, bodies: list[bytes]) -> None:
        """Adds items; durable on return if `sync`."""
        heads = (_ITEM.pack(len(body), blake2b(body, digest_size=8).digest()) for body in bodies)
        os.lseek(self._fd, 0, os.SEEK_END)
        data = b"".join(part for pair in zip(heads, bodies, strict=True) for part in pair)
        while data:
            data = data[os.write(self._fd, data) :]
        if self._sync:
            os.fsync(self._fd)

    def close(self, remove: bool) -> None:
        """Gives the lock back."""
        if remove:
            self._path.unlink(missing_ok=True)
        os.close(self._fd)
