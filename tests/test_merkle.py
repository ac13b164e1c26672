"""The Merkle tree of RFC 9162: its roots, its proofs, and what does not pass for a proof."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuromem.merkle import (
    EMPTY_ROOT,
    Frontier,
    Node,
    consistency_path,
    inclusion_path,
    leaf_hash,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)

# The test vectors of Google's certificate-transparency (merkletree/merkle_tree_test.cc).
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def reference_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 9162 2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + reference_root(leaves[:k]) + reference_root(leaves[k:])).digest()


def node_of(leaves: list[bytes]) -> Node:
    """Complete subtrees, as a log that has stored them would give them."""
    nodes: dict[tuple[int, int], bytes] = {}
    tree = Frontier()
    for index, leaf in enumerate(leaves):
        nodes[0, index] = leaf_hash(leaf)
        for level, node in enumerate(tree.push(leaf_hash(leaf)), start=1):
            nodes[level, ((index + 1) >> level) - 1] = node
    return lambda level, index: nodes[level, index]


def some_leaves(count: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(count)]


def flipped(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


def test_roots_are_those_of_the_published_vectors() -> None:
    tree = Frontier()
    assert (
        tree.root()
        == EMPTY_ROOT
        == bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    )
    for leaf, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        tree.push(leaf_hash(leaf))
        assert tree.root().hex() == root


def test_proofs_are_those_of_the_published_vectors() -> None:
    node = node_of(CT_LEAVES)
    assert [step.hex() for step in inclusion_path(node, 5, 8)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]
    assert [step.hex() for step in consistency_path(node, 6, 8)] == [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


@given(st.lists(st.binary(max_size=8), max_size=70))
def test_the_root_from_the_frontier_is_the_recursive_one(leaves: list[bytes]) -> None:
    tree = Frontier()
    for leaf in leaves:
        tree.push(leaf_hash(leaf))
    assert tree.root() == reference_root(leaves)
    assert len(tree.hashes) == len(leaves).bit_count()


def test_every_leaf_of_every_small_tree_has_a_proof_that_only_fits_it() -> None:
    leaves = some_leaves(34)
    node = node_of(leaves)
    for size in range(1, 35):
        root = reference_root(leaves[:size])
        assert subtree_root(node, 0, size) == root
        for index in range(size):
            path = inclusion_path(node, index, size)
            assert len(path) <= (size - 1).bit_length()
            assert verify_inclusion(root, leaves[index], index, size, path)
            assert not verify_inclusion(root, b"another leaf", index, size, path)
            assert not verify_inclusion(flipped(root), leaves[index], index, size, path)
            assert not verify_inclusion(root, leaves[index], (index + 1) % size, size, path) or size == 1
            assert not verify_inclusion(root, leaves[index], index, size, [*path, root])
            if path:
                assert not verify_inclusion(root, leaves[index], index, size, path[:-1])
                assert not verify_inclusion(root, leaves[index], index, size, [flipped(path[0]), *path[1:]])


def test_every_pair_of_small_trees_has_a_consistency_proof() -> None:
    leaves = some_leaves(26)
    node = node_of(leaves)
    for new in range(27):
        for old in range(new + 1):
            roots = reference_root(leaves[:old]), reference_root(leaves[:new])
            path = consistency_path(node, old, new)
            assert verify_consistency(*roots, old, new, path)
            if 0 < old < new:
                assert not verify_consistency(flipped(roots[0]), roots[1], old, new, path)
                assert not verify_consistency(roots[0], flipped(roots[1]), old, new, path)
                assert not verify_consistency(*roots, old, new, path[:-1])
                assert not verify_consistency(*roots, old, new, [*path, roots[0]])


@given(st.integers(2, 40), st.data())
def test_a_rewritten_past_has_no_consistency_proof(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new - 1))
    changed = data.draw(st.integers(0, old - 1))
    leaves = some_leaves(new)
    before = reference_root(leaves[:old])
    leaves[changed] = b"never said"
    path = consistency_path(node_of(leaves), old, new)
    assert not verify_consistency(before, reference_root(leaves), old, new, path)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_place_outside_the_tree_is_never_proven(index: int, size: int) -> None:
    assert not verify_inclusion(EMPTY_ROOT, b"", index, size, [])


def test_a_tree_does_not_extend_a_larger_one() -> None:
    assert not verify_consistency(EMPTY_ROOT, EMPTY_ROOT, 2, 1, [])
    assert not verify_consistency(EMPTY_ROOT, bytes(32), 0, 0, [])
