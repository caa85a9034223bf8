import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import ProofError
from ledger.merkle import (
    check_consistency,
    check_inclusion,
    leaf_hash,
    node_hash,
    prove_consistency,
    prove_inclusion,
    tree_root,
)

VECTORS = Path(__file__).parent.parent / "vectors" / "merkle"
LEAVES = [leaf_hash(bytes([number])) for number in range(40)]


def vectors(kind: str) -> list[Any]:
    paths = sorted((VECTORS / kind).rglob("*.json"))
    return [pytest.param(json.loads(path.read_bytes()), id=str(path.relative_to(VECTORS))) for path in paths]


def hashes(encoded: list[str] | None) -> list[bytes]:
    return [base64.b64decode(each) for each in encoded or []]


@pytest.mark.parametrize("vector", vectors("inclusion"))
def test_inclusion_is_judged_as_by_other_implementations(vector: dict[str, Any]) -> None:
    arguments = (
        base64.b64decode(vector["leafHash"] or ""),
        vector["leafIdx"],
        vector["treeSize"],
        hashes(vector["proof"]),
        base64.b64decode(vector["root"] or ""),
    )

    if vector["wantErr"]:
        with pytest.raises(ProofError):
            check_inclusion(*arguments)
    else:
        check_inclusion(*arguments)


@pytest.mark.parametrize("vector", vectors("consistency"))
def test_consistency_is_judged_as_by_other_implementations(vector: dict[str, Any]) -> None:
    arguments = (
        vector["size1"],
        vector["size2"],
        hashes(vector["proof"]),
        base64.b64decode(vector["root1"] or ""),
        base64.b64decode(vector["root2"] or ""),
    )

    if vector["wantErr"]:
        with pytest.raises(ProofError):
            check_consistency(*arguments)
    else:
        check_consistency(*arguments)


def test_every_vector_is_used() -> None:
    assert len(vectors("inclusion")) == 98
    assert len(vectors("consistency")) == 98


def definition(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word by word, over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(definition(leaves[:split]), definition(leaves[split:]))


def test_the_root_is_that_of_the_definition() -> None:
    for size in range(len(LEAVES) + 1):
        assert tree_root(LEAVES[:size]) == definition(LEAVES[:size])


def test_every_leaf_of_every_small_tree_can_be_proved() -> None:
    for size in range(1, len(LEAVES) + 1):
        root = tree_root(LEAVES[:size])
        for index in range(size):
            check_inclusion(LEAVES[index], index, size, prove_inclusion(index, LEAVES[:size]), root)


def test_every_growth_of_every_small_tree_can_be_proved() -> None:
    for new in range(1, len(LEAVES) + 1):
        for old in range(1, new + 1):
            proof = prove_consistency(old, LEAVES[:new])
            check_consistency(old, new, proof, tree_root(LEAVES[:old]), tree_root(LEAVES[:new]))


def test_a_log_that_exchanged_a_leaf_cannot_prove_that_it_grew() -> None:
    forged = [leaf_hash(b"another"), *LEAVES[1:]]

    for old in range(1, 20):
        proof = prove_consistency(old, forged[:20])
        with pytest.raises(ProofError):
            check_consistency(old, 20, proof, tree_root(LEAVES[:old]), tree_root(forged[:20]))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_proof_with_any_bit_turned_proves_nothing(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 40))
    index = data.draw(st.integers(0, size - 1))
    proof = list(prove_inclusion(index, LEAVES[:size]))
    at = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 255))
    turned = bytearray(proof[at])
    turned[bit // 8] ^= 1 << (bit % 8)
    proof[at] = bytes(turned)

    with pytest.raises(ProofError):
        check_inclusion(LEAVES[index], index, size, proof, tree_root(LEAVES[:size]))


def test_a_byte_moved_between_two_hashes_proves_nothing() -> None:
    """A node hashes both halves without their lengths, so only a length check can tell."""
    left, right = LEAVES[0], LEAVES[1]
    root = tree_root([left, right])

    with pytest.raises(ProofError, match="32 bytes"):
        check_inclusion(left + right[:1], 0, 2, [right[1:]], root)


@pytest.mark.parametrize("index", [-1, 3, 2**64])
def test_a_leaf_that_is_not_there_has_no_proof(index: int) -> None:
    with pytest.raises(ProofError):
        prove_inclusion(index, LEAVES[:3])


@pytest.mark.parametrize("old_size", [-1, 0, 4])
def test_a_size_that_never_was_has_no_proof(old_size: int) -> None:
    with pytest.raises(ProofError):
        prove_consistency(old_size, LEAVES[:3])
