"""How an event becomes bytes: keys, payload, commitment, chain link, stored record.

::

    payload  = time (float64, big-endian) ‖ JSON [kind, body]
    hash     = SHA-256(domain ‖ salt ‖ payload)                 the content commitment
    chain    = SHA-256(domain ‖ previous chain ‖ seq ‖ hash)    32 zero bytes come before seq 0

    live     = dictionary (1 byte, >= 1) ‖ chain ‖ nodes ‖ salt (16) ‖ zstd frame ‖ check (8)
    erased   = 0                         ‖ chain ‖ nodes ‖ hash (32)              ‖ check (8)

`nodes` are the Merkle subtrees that the record completes (one per trailing 1 bit of its seq). The
salt lies beside the payload and goes with it: from the hash alone a short text ("yes", a PIN)
cannot be guessed back. `check` (BLAKE2b-64 over key and record) finds damage, and names the one
record that has it; the chain and the tree find tampering.
"""

from __future__ import annotations

import json
import math
import os
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import TYPE_CHECKING, Any, Self

from .errors import InvalidInput, StoreCorrupt
from .merkle import HASH_BYTES, Frontier, leaf_hash

if TYPE_CHECKING:
    import zstandard

__all__ = ["Event", "OwnerHead", "Record", "RecordCodec", "Stored"]

MAX_OWNER_BYTES = 400  # LMDB's keys end at 511 bytes
MAX_PAYLOAD_BYTES = 64 << 20
MAX_KIND_CHARS = 64
GENESIS = bytes(HASH_BYTES)  # the chain value before the first event

FORMAT = b"1"
FORMAT_KEY = b"v"
PURGE_KEY = b"p"  # -> the generation that still holds deleted bytes
STORE_KEYS = (FORMAT_KEY, PURGE_KEY)  # of the store itself, not of an owner

_ERASED = 0
_SALT_BYTES = 16
CHECK_BYTES = 8
_EVENT_DOMAIN = b"\x00neuromem/event/1"
_CHAIN_DOMAIN = b"\x00neuromem/chain/1"


@dataclass(frozen=True, slots=True)
class Event:
    """What a caller appends."""

    kind: str  # "add", "rehearse", "delete", "sleep", ...; 1 to 64 characters
    time: float  # Unix seconds, finite
    body: dict[str, Any]  # JSON values only: str, int, float, bool, None, list, dict


@dataclass(frozen=True, slots=True)
class Record:
    """What is read back. An erased record has kind "erased", time 0.0 and an empty body."""

    owner: str
    seq: int  # place in the owner's log, from 0, without gaps
    time: float  # Unix seconds
    kind: str
    body: dict[str, Any]
    hash: bytes  # content commitment, 32 bytes: the leaf of the Merkle tree
    chain: bytes  # chain value up to and with this record, 32 bytes
    erased: bool

    @property
    def told(self) -> float:
        """Unix seconds at which its words were told: when it was appended, unless it says otherwise."""
        told_ms = self.body.get("told_ms")
        return self.time if told_ms is None else told_ms / 1_000


def owner_bytes(owner: str) -> bytes:
    """The owner's name in UTF-8.

    Raises:
        InvalidInput: it is none, or longer than `MAX_OWNER_BYTES`.
    """
    if not isinstance(owner, str) or not owner:
        raise InvalidInput("owner", f"{owner!r} is not a name", "give a string of 1 to 400 bytes in UTF-8")
    try:
        name = owner.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("owner", "it holds half of a surrogate pair", "give valid unicode") from error
    if len(name) > MAX_OWNER_BYTES:
        raise InvalidInput("owner", f"{len(name)} bytes in UTF-8", f"give at most {MAX_OWNER_BYTES}")
    return name


def head_key(name: bytes) -> bytes:
    """Key of an owner's `OwnerHead`."""
    return b"o" + name


def record_key(name: bytes, seq: int) -> bytes:
    """Key of a record. The length before the name keeps "a" ‖ seq apart from "a..." of another."""
    return b"r%b%b%b" % (len(name).to_bytes(2, "big"), name, seq.to_bytes(8, "big"))


def dictionary_key(number: int) -> bytes:
    """Key of a compression dictionary: the store keeps its own copy, so that it reads for ever."""
    return b"d" + bytes([number])


def encode_event(event: Event) -> bytes:
    """The payload of an event.

    Raises:
        InvalidInput: kind, time or body is not what `Event` says.
    """
    kind, time = event.kind, event.time
    if not isinstance(kind, str) or not 1 <= len(kind) <= MAX_KIND_CHARS:
        raise InvalidInput("kind", f"{kind!r} is not a kind", f"give 1 to {MAX_KIND_CHARS} characters")
    if isinstance(time, bool) or not isinstance(time, int | float) or not math.isfinite(time):
        raise InvalidInput("time", f"{time!r} is not a time", "give Unix seconds, a finite number")
    payload = struct.pack(">d", time) + _encode_json(kind, event.body)
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise InvalidInput("body", f"{len(payload)} bytes", f"split it into parts of {MAX_PAYLOAD_BYTES}")
    return payload


def _encode_json(kind: str, body: dict[str, Any]) -> bytes:
    remedy = "give a dict of str, int, float, bool, None, list and dict"
    if not isinstance(body, dict):
        raise InvalidInput("body", f"{type(body).__name__} is not a dict", remedy)
    try:
        text = json.dumps([kind, body], ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        same = json.loads(text) == [kind, body]
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput("body", str(error), remedy) from error
    if not same:  # json turns a tuple into a list and the key 1 into "1": what is read must be what was said
        raise InvalidInput("body", "it holds a tuple or a key that is not text", remedy)
    # half surrogate pairs do occur in text cut by other programs: they are kept as they are
    return text.encode("utf-8", "surrogatepass")


def decode_event(payload: bytes) -> Event:
    """The event of a payload.

    Raises:
        StoreCorrupt: it holds none.
    """
    try:
        kind, body = json.loads(payload[8:].decode("utf-8", "surrogatepass"))
        return Event(kind, struct.unpack_from(">d", payload)[0], body)
    except (ValueError, TypeError, struct.error) as error:
        raise StoreCorrupt(f"a record holds no event ({error}); restore the log from a backup") from error


def commitment(salt: bytes, payload: bytes) -> bytes:
    """The content commitment (`Record.hash`) of a payload, 32 bytes."""
    return sha256(_EVENT_DOMAIN + salt + payload).digest()


def link(chain: bytes, seq: int, content: bytes) -> bytes:
    """The next chain value: SHA-256(domain ‖ chain ‖ seq ‖ commitment), 32 bytes."""
    return sha256(_CHAIN_DOMAIN + chain + seq.to_bytes(8, "big") + content).digest()


def _check(key: bytes, value: bytes) -> bytes:
    return blake2b(key + value, digest_size=CHECK_BYTES).digest()


def seal(key: bytes, body: bytes) -> bytes:
    """A value with its check."""
    return body + _check(key, body)


def unseal(key: bytes, value: bytes, what: str) -> bytes:
    """A value without its check. Raises StoreCorrupt, naming `what`, when that does not fit."""
    body = value[:-CHECK_BYTES]
    if value[-CHECK_BYTES:] != _check(key, body):
        raise StoreCorrupt(f"{what} is damaged: its check does not fit; restore it from a backup")
    return body


def _nodes_bytes(seq: int) -> int:
    """Length of the Merkle nodes in record `seq`: one hash per trailing 1 bit."""
    return HASH_BYTES * (((seq + 1) & -(seq + 1)).bit_length() - 1)


@dataclass(slots=True)
class OwnerHead:
    """Where an owner's log stands; it grows with log(size) only (the tree's frontier)."""

    chain: bytes = GENESIS
    tree: Frontier = field(default_factory=Frontier)
    erased: int = 0  # records
    payload_bytes: int = 0  # of live records, before compression
    frame_bytes: int = 0  # of live records, compressed

    @property
    def size(self) -> int:
        """Number of records, erased ones included."""
        return self.tree.size

    def push(self, content: bytes) -> tuple[bytes, bytes]:
        """Adds a commitment; returns the record's chain value and its Merkle nodes."""
        self.chain = link(self.chain, self.size, content)
        return self.chain, b"".join(self.tree.push(leaf_hash(content)))

    def to_bytes(self, key: bytes) -> bytes:
        """What is stored under `key`."""
        counts = struct.pack(">4Q", self.size, self.erased, self.payload_bytes, self.frame_bytes)
        value = counts + self.chain + b"".join(self.tree.hashes)
        return seal(key, value)

    @classmethod
    def from_bytes(cls, key: bytes, value: bytes) -> Self:
        """Reads it back. Raises StoreCorrupt when its check does not fit."""
        body = unseal(key, value, f"the head of the log of {key[1:].decode(errors='replace')!r}")
        size, *counts = struct.unpack_from(">4Q", body)
        hashes = [body[at : at + HASH_BYTES] for at in range(64, len(body), HASH_BYTES)]
        return cls(body[32:64], Frontier(size, hashes), *counts)


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it lies in the store, its check passed."""

    dictionary: int  # 0: erased
    chain: bytes
    nodes: bytes
    salt: bytes  # empty when erased
    content: bytes  # zstd frame; the commitment when erased

    @property
    def erased(self) -> bool:
        """Whether salt and payload are gone."""
        return self.dictionary == _ERASED

    @classmethod
    def from_bytes(cls, key: bytes, seq: int, value: bytes) -> Self:
        """Takes it apart. Raises StoreCorrupt when its check does not fit."""
        what = f"record {seq} of {key[3:-8].decode(errors='replace')!r}"
        body = unseal(key, value, what)
        salt_at = 1 + HASH_BYTES + _nodes_bytes(seq)
        frame_at = salt_at + (0 if body[0] == _ERASED else _SALT_BYTES)
        return cls(body[0], body[1:33], body[33:salt_at], body[salt_at:frame_at], body[frame_at:])

    def to_bytes(self, key: bytes) -> bytes:
        """What is stored under `key`."""
        value = b"".join((bytes([self.dictionary]), self.chain, self.nodes, self.salt, self.content))
        return seal(key, value)

    def erase(self, content: bytes) -> Stored:
        """What stays of the record: its place in chain and tree, and its commitment."""
        return Stored(_ERASED, self.chain, self.nodes, b"", content)

    def node(self, level: int) -> bytes:
        """The subtree of that level (>= 1) that the record completes."""
        return self.nodes[(level - 1) * HASH_BYTES : level * HASH_BYTES]


def lost(seq: int) -> Stored:
    """What stays when a record is erased that was damaged before: not even its commitment."""
    return Stored(_ERASED, GENESIS, bytes(_nodes_bytes(seq)), b"", GENESIS)


class RecordCodec:
    """Compresses with the newest dictionary, decompresses with any that the store keeps."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._lock = threading.Lock()  # a zstd context serves one thread at a time
        self._decompressors: dict[int, zstandard.ZstdDecompressor] = {}
        self._compressor: zstandard.ZstdCompressor | None = None
        self._number = 0

    @staticmethod
    def shipped_dictionary() -> bytes:
        """The dictionary of this version of the package."""
        from importlib import resources

        return resources.files(__package__).joinpath("data/log.zdict").read_bytes()

    def write_with(self, number: int, dictionary: bytes) -> None:
        """Chooses the dictionary (1 to 255) to compress with."""
        import zstandard

        params = zstandard.ZstdCompressionParameters.from_level(
            self._level,
            format=zstandard.FORMAT_ZSTD1_MAGICLESS,
            write_content_size=True,
            write_dict_id=False,  # the record's first byte says it in one byte instead of five
        )
        data = zstandard.ZstdCompressionDict(dictionary)
        data.precompute_compress(compression_params=params)
        self._compressor = zstandard.ZstdCompressor(dict_data=data, compression_params=params)
        self._number = number

    def seal(self, head: OwnerHead, key: bytes, payload: bytes) -> bytes:
        """Appends a payload to `head`; returns the record to be stored under `key`.

        Raises:
            StoreCorrupt: there is no dictionary to compress with.
        """
        if self._compressor is None:
            raise StoreCorrupt("the log holds no compression dictionary; open it for writing first")
        salt = os.urandom(_SALT_BYTES)
        with self._lock:
            frame = self._compressor.compress(payload)
        chain, nodes = head.push(commitment(salt, payload))
        head.payload_bytes += len(payload)
        head.frame_bytes += len(frame)
        return Stored(self._number, chain, nodes, salt, frame).to_bytes(key)

    def payload(self, stored: Stored, dictionary: Callable[[int], bytes]) -> bytes:
        """The payload of a live record; `dictionary` looks one up in the store by its number.

        Raises:
            StoreCorrupt: it does not decompress.
        """
        import zstandard

        try:
            with self._lock:
                return self._decompressor(stored.dictionary, dictionary).decompress(
                    stored.content, max_output_size=MAX_PAYLOAD_BYTES
                )
        except zstandard.ZstdError as error:
            raise StoreCorrupt(f"a record does not decompress ({error}); restore it from a backup") from error

    def _decompressor(self, number: int, dictionary: Callable[[int], bytes]) -> zstandard.ZstdDecompressor:
        import zstandard

        if number not in self._decompressors:
            data = dictionary(number)
            self._decompressors[number] = zstandard.ZstdDecompressor(
                dict_data=zstandard.ZstdCompressionDict(data), format=zstandard.FORMAT_ZSTD1_MAGICLESS
            )
        return self._decompressors[number]
