"""What of a talk is new: agents send the whole context again with every turn.

Per talk (owner, agent, app, run, and whether facts are inferred) the salted hashes of the messages heard last
are on the desk. The longest beginning of a new list that is the end of what was heard has been told already;
so has a list that was heard as a whole, one that was sent again.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .desk import Desk

__all__ = ["Locks", "Transcripts", "known_beginning", "talk_name"]

KEEP = 1_024  # hashes of a talk, at least


def known_beginning(heard: Sequence[bytes], new: Sequence[bytes]) -> int:
    """How many messages at the beginning of a list have been heard.

    >>> known_beginning([b"a", b"b", b"c"], [b"b", b"c", b"d"])
    2
    """
    back = _fallbacks(new)
    matched = 0
    for item in heard:
        while matched and new[matched] != item:
            matched = back[matched - 1]
        matched += new[matched] == item
        if matched == len(new):
            return matched
    return matched


def _fallbacks(new: Sequence[bytes]) -> list[int]:
    """For each beginning, how long the longest shorter one is with which it ends (Knuth, Morris, Pratt)."""
    back = [0] * len(new)
    for end in range(1, len(new)):
        size = back[end - 1]
        while size and new[size] != new[end]:
            size = back[size - 1]
        back[end] = size + (new[size] == new[end])
    return back


def talk_name(owner: str, ids: Mapping[str, str], infer: bool) -> str:
    """The name of a talk. Args: ids: kind → name, of those that are given."""
    return f"{owner}\0{json.dumps([ids.get('agent'), ids.get('app'), ids.get('run'), infer])}"


class Locks:
    """One of many locks for each name; two names may share one."""

    def __init__(self, count: int = 64) -> None:
        self._locks = [threading.Lock() for _ in range(count)]

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        with self._locks[hash(name) % len(self._locks)]:
            yield


class Transcripts:
    """The talks on a desk. Safe across threads."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._salt = desk.secret()
        self.hold = Locks()  # who looks what is known holds the talk until the rest is told

    def hashes(self, messages: Sequence[Any]) -> list[bytes]:
        """Salted hashes of messages: who said what, not when."""
        return [self._hash(message) for message in messages]

    def _hash(self, message: Any) -> bytes:
        said = message
        if isinstance(message, Mapping):
            said = [message.get("role", "user"), message.get("name") or "", message.get("content")]
        plain = json.dumps(said, sort_keys=True, default=str).encode()
        return hashlib.blake2b(plain, key=self._salt, digest_size=16).digest()

    def known(self, talk: str, hashes: Sequence[bytes]) -> int:
        """How many messages at the beginning have been told. One message alone is always told."""
        return known_beginning(self._desk.heard(talk), hashes) if len(hashes) > 1 else 0

    def told(self, talk: str, hashes: Sequence[bytes], known: int) -> None:
        """Notes what was told of a list."""
        if known < len(hashes):
            self._desk.hear(talk, hashes[known:], max(KEEP, 2 * len(hashes)))

    def name_of(self, talk: str, hashes: Sequence[bytes]) -> str:
        """A name for a list as a whole."""
        whole = talk.encode("utf-8", "replace") + b"".join(hashes)
        return hashlib.blake2b(whole, key=self._salt, digest_size=16).hexdigest()
