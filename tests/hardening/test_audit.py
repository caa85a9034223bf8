"""A chained log shows what was changed or dropped."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardening.audit import START, AuditError, link, verify

VECTOR = Path(__file__).parents[1] / "vectors" / "audit-chain" / "two-entries.json"
BODIES = [b'{"day":"2026-03-0%d"}' % day for day in range(1, 9)]


def chained(bodies: list[bytes], start: bytes = START) -> list[bytes]:
    hashes: list[bytes] = []
    for body in bodies:
        hashes.append(link(hashes[-1] if hashes else start, body))
    return hashes


def test_the_hashes_are_those_of_the_specification() -> None:
    """They were computed with sha256sum, not with this code."""
    entries = json.loads(VECTOR.read_text())["entries"]

    bodies = [entry["body"].encode() for entry in entries]

    assert [known.hex() for known in chained(bodies)] == [entry["hash"] for entry in entries]


def test_an_untouched_chain_has_no_bad_entry() -> None:
    assert verify(BODIES, chained(BODIES)) is None
    assert verify([], []) is None


@pytest.mark.check("L3")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_is_found_where_it_is(data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(BODIES) - 1))
    position = data.draw(st.integers(0, len(BODIES[index]) - 1))
    changed = bytearray(BODIES[index])
    changed[position] ^= data.draw(st.integers(1, 255))

    assert verify([*BODIES[:index], bytes(changed), *BODIES[index + 1 :]], chained(BODIES)) == index


@pytest.mark.check("L3")
@pytest.mark.parametrize("index", range(len(BODIES) - 1))
def test_a_dropped_entry_is_found(index: int) -> None:
    hashes = chained(BODIES)

    assert verify(BODIES[:index] + BODIES[index + 1 :], hashes[:index] + hashes[index + 1 :]) == index


@pytest.mark.check("L3")
def test_a_changed_hash_and_swapped_entries_are_found() -> None:
    hashes = chained(BODIES)

    assert verify(BODIES, [*hashes[:3], bytes(32), *hashes[4:]]) == 3
    assert verify([BODIES[1], BODIES[0], *BODIES[2:]], [hashes[1], hashes[0], *hashes[2:]]) == 0


@pytest.mark.check("L3")
def test_a_cut_end_is_found_when_only_one_of_the_two_was_cut() -> None:
    hashes = chained(BODIES)

    assert verify(BODIES[:-1], hashes) == len(BODIES) - 1
    assert verify(BODIES, hashes[:-1]) == len(BODIES) - 1


def test_what_came_after_a_known_hash_verifies_alone() -> None:
    hashes = chained(BODIES)

    assert verify(BODIES[4:], hashes[4:], start=hashes[3]) is None
    assert verify(BODIES[4:], hashes[4:], start=hashes[2]) == 0


def test_a_hash_of_the_wrong_length_is_refused() -> None:
    """Otherwise bytes could move between the hash and the entry unseen."""
    with pytest.raises(AuditError):
        link(bytes(31), b"entry")
