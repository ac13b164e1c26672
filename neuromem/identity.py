"""Who and when: owners, memory ids, times."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Self
from uuid import UUID

from .checks import check_encodable
from .errors import InvalidInput

__all__ = ["EXPIRES", "NOTES", "STATE", "Owner", "memory_id", "seconds_of", "tag_of"]

NOTES = "neuromem"  # key of the metadata under which a server keeps what is none of its user's
STATE, EXPIRES = "state", "expires"  # notes there: whether it was put away, the last day on which it is shown
MAX_NAME_BYTES = 256
TAG_BYTES = 6
DASHED = 36  # characters of a UUID as it is usually written


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose memory it is. `name` is what the log knows them by: "user:ana", "agent:cook", "run:7"."""

    kind: str
    id: str

    @property
    def name(self) -> str:
        """Kind and id in one."""
        return f"{self.kind}:{self.id}"

    @classmethod
    def of(
        cls, user_id: str | None, agent_id: str | None, run_id: str | None, app_id: str | None = None
    ) -> Self:
        """The owner that arguments name: the user, else the agent, else the app, else the run.

        Raises:
            InvalidInput: none is given, or one is blank, longer than 256 bytes, or not to be said in UTF-8.
        """
        for kind, value in (
            ("user", user_id), ("agent", agent_id), ("app", app_id), ("run", run_id),
        ):  # fmt: skip
            if value is None:
                continue
            field = f"{kind}_id"
            if not isinstance(value, str) or not value.strip():
                raise InvalidInput(field, f"{value!r} is not a name", "give a non-empty string")
            if len(value.encode("utf-8", "replace")) > MAX_NAME_BYTES:
                raise InvalidInput(field, f"is longer than {MAX_NAME_BYTES} bytes", "give a shorter one")
            check_encodable(field, value)
            return cls(kind, value)
        raise InvalidInput(
            "user_id", "is missing", "say whose memory it is: user_id, agent_id, app_id or run_id"
        )

    @classmethod
    def parse(cls, name: str) -> Self:
        """The owner of a log's name."""
        kind, _, value = name.partition(":")
        return cls(kind, value)


def tag_of(owner_name: str) -> bytes:
    """The 48 bits with which the ids of an owner's memories begin, so that an id leads to its owner."""
    return blake2b(owner_name.encode(), digest_size=TAG_BYTES).digest()


def memory_id(owner_name: str, sequence: int, time: float, text: str) -> str:
    """Id of a new memory: a UUID of version 8 (RFC 9562), a function of what is stored and where."""
    seed = f"{sequence}\0{time!r}\0{text}".encode()
    raw = bytearray(tag_of(owner_name) + blake2b(seed, digest_size=16 - TAG_BYTES).digest())
    raw[6] = 0x80 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return str(UUID(bytes=bytes(raw)))


def parse_id(text: str) -> bytes:
    """The 16 bytes of an id. Raises InvalidInput when it is not a UUID."""
    try:
        if len(text) == DASHED and len(raw := bytes.fromhex(text.replace("-", ""))) == 16:
            return raw  # as ids are nearly always written; a fifth of the time of `uuid.UUID`
    except (ValueError, AttributeError, TypeError):
        pass
    try:
        return UUID(text).bytes
    except (ValueError, AttributeError, TypeError) as error:
        raise InvalidInput(
            "id", f"{text!r} is not a UUID", "use an id that add() or search() returned"
        ) from error


def canonical_id(text: str) -> str:
    """An id in lower case with dashes. Raises InvalidInput when it is not a UUID."""
    return str(UUID(bytes=parse_id(text)))


def owner_of(text: str, names: Iterable[str]) -> list[str]:
    """Owners to ask for an id: those whose tag it bears first."""
    tag = parse_id(text)[:TAG_BYTES]
    return sorted(names, key=lambda name: (tag_of(name) != tag, name))


def seconds_of(timestamp: float | datetime | str, field: str = "timestamp") -> float:
    """Unix seconds of a time; without a zone it is UTC.

    Raises:
        InvalidInput: it is no time between 1970 and 9999.
    """
    seconds = math.nan
    if isinstance(timestamp, str):
        try:
            timestamp = datetime.fromisoformat(timestamp)
        except ValueError as error:
            remedy = 'give ISO 8601, such as "2026-03-02T18:04:00+00:00"'
            raise InvalidInput(field, f"{timestamp!r} is not a time", remedy) from error
    if isinstance(timestamp, datetime):
        seconds = (timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).timestamp()
    elif isinstance(timestamp, int | float) and not isinstance(timestamp, bool):
        seconds = float(timestamp)
    if not 0 <= seconds < 253_402_300_800:
        raise InvalidInput(field, f"{timestamp!r} is not a time", "give Unix seconds from 1970 to 9999")
    return seconds


def folder_of(path: str | Path) -> Path:
    """A store's folder. Raises InvalidInput when it cannot be one."""
    if not str(path) or "\0" in str(path):
        raise InvalidInput("path", f"{str(path)!r} cannot be a folder", "give a folder, or None for RAM only")
    if any("\ud800" <= char <= "\udfff" for char in str(path)):  # no text: LMDB takes no such name
        raise InvalidInput("path", f"{str(path)!r} is not UTF-8", "choose a folder with another name")
    return Path(path)


def data_folder() -> Path:
    """The platform's folder for a user's data."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "neuromem"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "neuromem"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "neuromem"
