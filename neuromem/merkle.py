"""The Merkle tree of RFC 9162 (Certificate Transparency 2.0), section 2.1.

A tree over leaves d[0..n) is a left-leaning binary tree: the left child always covers the largest
power of two below n. Every *complete* subtree, once all its leaves are there, never changes; it is
named (level, index) and covers the leaves [index << level, (index + 1) << level). The `Frontier`
keeps the O(log n) complete subtrees that make up a tree of n leaves; proofs ask a caller's
`Node` function for complete subtrees and so cost O(log n) hashes, whatever the size of the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

__all__ = [
    "EMPTY_ROOT",
    "Frontier",
    "consistency_path",
    "inclusion_path",
    "leaf_hash",
    "node_hash",
    "subtree_root",
    "verify_consistency",
    "verify_inclusion",
]

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()  # RFC 9162 2.1.1: the hash of an empty list

Node = Callable[[int, int], bytes]  # (level, index) of a complete subtree -> its hash


def leaf_hash(data: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 ‖ data), RFC 9162 2.1.1."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 9162 2.1.1."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """The complete subtrees that cover `size` leaves, the largest (leftmost) first."""

    size: int = 0
    hashes: list[bytes] = field(default_factory=list)

    def push(self, leaf: bytes) -> list[bytes]:
        """Adds one leaf hash; returns the subtrees it completes, of level 1, 2, ... in order."""
        completed = []
        node, index = leaf, self.size
        while index & 1:
            node = node_hash(self.hashes.pop(), node)
            completed.append(node)
            index >>= 1
        self.hashes.append(node)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """Tree hash MTH(d[0..size)) of RFC 9162 2.1.1."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def _split(size: int) -> int:
    """Largest power of two smaller than `size` (>= 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def subtree_root(node: Node, start: int, stop: int) -> bytes:
    """MTH(d[start..stop)), where `start` is a multiple of the power of two at or above stop - start."""
    size = stop - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(size)
    return node_hash(subtree_root(node, start, middle), subtree_root(node, middle, stop))


def inclusion_path(node: Node, index: int, size: int) -> list[bytes]:
    """PATH(index, d[0..size)) of RFC 9162 2.1.3.1: the siblings from the leaf up to the root.

    Args:
        node: gives the hash of a complete subtree.
        index: the leaf, 0 <= index < size.
        size: leaves of the tree that the proof is for, >= 1.
    """
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            path.append(subtree_root(node, middle, stop))
            stop = middle
        else:
            path.append(subtree_root(node, start, middle))
            start = middle
    return path[::-1]


def consistency_path(node: Node, old: int, new: int) -> list[bytes]:
    """PROOF(old, d[0..new)) of RFC 9162 2.1.4.1; empty when `old` is 0 or equals `new`."""
    if old in (0, new):
        return []
    path: list[bytes] = []
    start, stop = 0, new
    whole = True  # the old tree is still a whole subtree, whose root the verifier has
    while stop != old:
        middle = start + _split(stop - start)
        if old <= middle:
            path.append(subtree_root(node, middle, stop))
            stop = middle
        else:
            path.append(subtree_root(node, start, middle))
            start, whole = middle, False
    if not whole:
        path.append(subtree_root(node, start, stop))
    return path[::-1]


def verify_inclusion(root: bytes, leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bool:
    """Whether `leaf` (raw leaf data, not its hash) is leaf `index` of the tree with that root.

    Args:
        root: tree hash of `size` leaves, 32 bytes.
        leaf: the leaf's data; in a log, a record's content commitment (`Record.hash`).
        index: the leaf's place, from 0.
        size: leaves of the tree.
        path: what `EventLog.inclusion_proof` gave.

    Source: RFC 9162 2.1.3.2.
    """
    if not 0 <= index < size:
        return False
    node, at, last = leaf_hash(leaf), index, size - 1
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(sibling, node)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(old_root: bytes, new_root: bytes, old: int, new: int, path: Sequence[bytes]) -> bool:
    """Whether the tree of `new` leaves extends the tree of `old` leaves: nothing was rewritten.

    Args:
        old_root: tree hash of the first `old` leaves, 32 bytes.
        new_root: tree hash of `new` leaves.
        old, new: sizes, 0 <= old <= new.
        path: what `EventLog.consistency_proof` gave.

    Source: RFC 9162 2.1.4.2; a tree of 0 leaves is extended by every tree.
    """
    if not 0 <= old <= new:
        return False
    if old in (0, new):
        expected = EMPTY_ROOT if old == 0 else new_root
        return not path and old_root == expected and (new > 0 or new_root == EMPTY_ROOT)
    nodes = list(path) if old & (old - 1) else [old_root, *path]
    if not nodes:
        return False
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_node = new_node = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        at, last = at >> 1, last >> 1
    return last == 0 and old_node == old_root and new_node == new_root
