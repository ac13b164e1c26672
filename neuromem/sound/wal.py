"""The write-ahead record: what was appended and is in no segment yet, in a file beside the archive.

::

    file = magic (4) ‖ records in the archive when it was begun (8) ‖ length (4) ‖ check (8) ‖ body ‖ …
    body = bytes of the key (4) ‖ key ‖ record
"""

from __future__ import annotations

import fcntl
import os
import struct
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import StoreLocked
from .records import Entry, parse

__all__ = ["WriteAhead", "body_of", "read_body"]

_MAGIC = b"NMWL"
_HEAD, _ITEM, _KEY = struct.Struct(">4sQ"), struct.Struct(">I8s"), struct.Struct(">I")


def body_of(packed: bytes, key: Any) -> bytes:
    """A packed record and its key, or None, as they wait."""
    vector = b"" if key is None else key.astype("<f4").tobytes()
    return _KEY.pack(len(vector)) + vector + packed


def read_body(body: bytes) -> tuple[Entry, bytes, Any]:
    """The record, packed, too, and its key. Raises ArchiveInvalid: there is no record."""
    length = _KEY.unpack_from(body)[0]
    packed = body[_KEY.size + length :]
    key = np.frombuffer(body[_KEY.size : _KEY.size + length], "<f4") if length else None
    return parse(packed)[0], packed, key


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

    def waiting(self, records: int, lost: bool) -> list[bytes]:
        """What was appended and is in no version of an archive of so many records; durable as it is.

        What is in a version already, or half written, is cleared away: it would hide what comes after it.

        Args:
            lost: versions may be lost. Begun with more records than there are, it waits all the same then.
        """
        raw = os.pread(self._fd, os.fstat(self._fd).st_size, 0)
        begun = records - 1
        if raw[: len(_MAGIC)] == _MAGIC and len(raw) >= _HEAD.size:
            begun = _HEAD.unpack_from(raw)[1]
        if begun < records or (begun > records and not lost):
            self.begin(records)
            return []
        out, at = list[bytes](), _HEAD.size
        while at + _ITEM.size <= len(raw):
            length, check = _ITEM.unpack_from(raw, at)
            body = raw[at + _ITEM.size : at + _ITEM.size + length]
            if blake2b(body, digest_size=8).digest() != check:
                break
            out.append(body)
            at += _ITEM.size + length
        os.ftruncate(self._fd, at)
        if begun != records:
            self.rebase(records)
        return out

    def begin(self, records: int) -> None:
        """Empties it: the archive has so many records."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, _HEAD.pack(_MAGIC, records), 0)

    def rebase(self, records: int) -> None:
        """The archive has so many records now, none of those that wait among them; durable on return."""
        os.pwrite(self._fd, _HEAD.pack(_MAGIC, records), 0)
        os.fsync(self._fd)

    def append(self, bodies: list[bytes]) -> None:
        """Adds items; durable on return if `sync`."""
        heads = (_ITEM.pack(len(body), blake2b(body, digest_size=8).digest()) for body in bodies)
        data = b"".join(part for pair in zip(heads, bodies, strict=True) for part in pair)
        end = os.lseek(self._fd, 0, os.SEEK_END)
        try:
            while data:
                data = data[os.write(self._fd, data) :]
            if self._sync:
                os.fsync(self._fd)
        except BaseException:  # a full disk: what is half written would hide all that is appended later
            os.ftruncate(self._fd, end)
            raise

    def close(self) -> None:
        """Gives the lock back; the file goes, unless something waits in it."""
        if os.fstat(self._fd).st_size <= _HEAD.size:
            self._path.unlink(missing_ok=True)
        os.close(self._fd)
