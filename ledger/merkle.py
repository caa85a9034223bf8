"""Compute the ledger's Merkle tree, and make and check proofs about it (RFC 6962, RFC 9162)."""

import hashlib
import hmac
from collections.abc import Sequence

from ledger.errors import ProofError

HASH_BYTES = 32

# RFC 9162, 2.1.1: without the prefixes a node could be passed off as a leaf.
_LEAF = b"\x00"
_NODE = b"\x01"


def leaf_hash(entry: bytes) -> bytes:
    """Hash the bytes of one entry into its leaf."""
    return hashlib.sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours into the node above them."""
    return hashlib.sha256(_NODE + left + right).digest()


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """Compute the root over *leaves* (leaf hashes, in the order of the log)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    return _subtree(leaves, 0, len(leaves))


def prove_inclusion(index: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """Make the proof that ``leaves[index]`` is in the tree over all *leaves* (RFC 9162, 2.1.3.1).

    Raises:
        ProofError: There is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise ProofError(f"a tree of {len(leaves)} leaves has no leaf {index}")
    proof: list[bytes] = []
    start, end = 0, len(leaves)
    while end - start > 1:
        middle = start + _left_size(end - start)
        if index < middle:
            proof.append(_subtree(leaves, middle, end))
            end = middle
        else:
            proof.append(_subtree(leaves, start, middle))
            start = middle
    return tuple(reversed(proof))


def prove_consistency(old_size: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """Make the proof that the tree over *leaves* only added to its first *old_size* (RFC 9162, 2.1.4.1).

    Raises:
        ProofError: The tree never had that size. Nothing is provable from the empty tree.
    """
    if not 1 <= old_size <= len(leaves):
        raise ProofError(f"a tree of {len(leaves)} leaves did not grow from {old_size}")
    proof: list[bytes] = []
    start, end = 0, len(leaves)
    is_old_root = True
    while end != old_size:
        middle = start + _left_size(end - start)
        if old_size <= middle:
            proof.append(_subtree(leaves, middle, end))
            end = middle
        else:
            proof.append(_subtree(leaves, start, middle))
            start = middle
            is_old_root = False
    # The verifier knows the old root already, so it is left out.
    if not is_old_root:
        proof.append(_subtree(leaves, start, end))
    return tuple(reversed(proof))


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Return only when *proof* shows that *leaf* stands at *index* in the tree of *size* with *root*.

    The steps are those of RFC 9162, 2.1.3.2.

    Raises:
        ProofError: It does not.
    """
    _check_hashes((leaf, root, *proof))
    # 1. The index must lie in the tree.
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    # 2., 3.
    fn, sn, reached = index, size - 1, leaf
    # 4.
    for sibling in proof:
        if sn == 0:
            raise ProofError("the proof is longer than the tree is high")
        if fn & 1 or fn == sn:
            reached = node_hash(sibling, reached)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            reached = node_hash(reached, sibling)
        fn, sn = fn >> 1, sn >> 1
    # 5.
    if sn != 0:
        raise ProofError("the proof is shorter than the tree is high")
    if not hmac.compare_digest(reached, root):
        raise ProofError("the proof leads to another root")


def check_consistency(old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Return only when *proof* shows that the new tree begins with all leaves of the old one.

    The steps are those of RFC 9162, 2.1.4.2. An old size of 0 is refused: every tree begins with
    the empty one, so such a "proof" would say nothing and yet look like one.

    Raises:
        ProofError: It does not.
    """
    _check_hashes(proof)
    if not 1 <= old_size <= new_size:
        raise ProofError(f"a tree cannot grow from {old_size} to {new_size} leaves")
    if old_size == new_size:
        if proof or not hmac.compare_digest(old_root, new_root):
            raise ProofError("one size has one root and needs no proof")
        return
    # 1.
    if not proof:
        raise ProofError("a tree that grew needs a proof")
    # 2.
    path = (old_root, *proof) if old_size & (old_size - 1) == 0 else tuple(proof)
    old_reached, new_reached = _climb(old_size - 1, new_size - 1, path)
    # 7.
    if not (hmac.compare_digest(old_reached, old_root) and hmac.compare_digest(new_reached, new_root)):
        raise ProofError("the proof leads to another root")


def _climb(fn: int, sn: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Follow *path* to the roots of both trees: steps 3 to 7 of RFC 9162, 2.1.4.2."""
    # 3., 4.
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    # 5.
    fr = sr = path[0]
    # 6.
    for sibling in path[1:]:
        if sn == 0:
            raise ProofError("the proof is longer than the tree is high")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(sibling, fr), node_hash(sibling, sr)
            while not fn & 1 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, sibling)
        fn, sn = fn >> 1, sn >> 1
    # 7.
    if sn != 0:
        raise ProofError("the proof is shorter than the tree is high")
    return fr, sr


def _check_hashes(proof: Sequence[bytes]) -> None:
    # A node hashes two values without their lengths: a byte moved from one to the other must not pass.
    if any(len(element) != HASH_BYTES for element in proof):
        raise ProofError(f"each hash of a proof has {HASH_BYTES} bytes")


def _subtree(leaves: Sequence[bytes], start: int, end: int) -> bytes:
    if end - start == 1:
        return leaves[start]
    middle = start + _left_size(end - start)
    return node_hash(_subtree(leaves, start, middle), _subtree(leaves, middle, end))


def _left_size(size: int) -> int:
    """Return the largest power of two below *size*."""
    return 1 << ((size - 1).bit_length() - 1)
