"""A keyset has one written form, and a meaning for each day."""

import contextlib
import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardening.canonical import JSON, canonical_json
from keys.errors import KeysetError
from keys.fingerprint import Fingerprint
from keys.keyset import Expiring, Keyset, Signer, SubmissionKey, expiring, parse, quorum_met, usable

DAY = date(2026, 3, 4)
AMBER, BIRCH = Fingerprint("A" * 40), Fingerprint("B" * 40)


def key(owner: Fingerprint, subkey: str, begins: int = 0, ends: int = 300) -> SubmissionKey:
    """A submission key that is good from *begins* to *ends* days after `DAY`."""
    days = DAY + timedelta(days=begins), DAY + timedelta(days=ends)
    return SubmissionKey(owner, Fingerprint(subkey * 40), "cv25519", *days, b"certificate")


def signer(owner: Fingerprint, ends: int = 300) -> Signer:
    return Signer(owner, recovery=False, not_after=DAY + timedelta(days=ends), certificate=b"certificate")


def keyset(*recipients: SubmissionKey, ends: int = 300) -> Keyset:
    signers = (signer(AMBER, ends), signer(BIRCH, ends))
    return Keyset(1, None, DAY, None, 2, tuple(sorted(recipients)), signers)


PLAIN = keyset(key(AMBER, "1"), key(BIRCH, "2"))


def altered(name: str, value: JSON) -> bytes:
    """The plain keyset with one member replaced; a path of names leads there."""
    document = json.loads(PLAIN.canonical)
    place = document
    *path, last = name.split("/")
    for step in path:
        place = place[int(step)] if step.isdigit() else place[step]
    place[last] = value
    return canonical_json(document)


def test_what_is_written_is_read_back_to_the_byte() -> None:
    log = "drop.example+0123abcd+" + "A" * 44
    full = replace(PLAIN, serial=2, previous="0" * 64, log=log, withdrawn=(Fingerprint("C" * 40),))

    for each in (PLAIN, full):
        assert parse(each.canonical) == each
        assert parse(each.canonical).hash == each.hash
    assert PLAIN.hash != full.hash


@given(st.integers(1, 2**50), st.integers(1, 32), st.dates(), st.sets(st.text("CDEF", min_size=40, max_size=40)))
def test_every_keyset_survives_writing(serial: int, quorum: int, created: date, gone: set[str]) -> None:
    withdrawn = tuple(sorted(Fingerprint(digits) for digits in gone))
    previous = None if serial == 1 else "a" * 64
    each = replace(PLAIN, serial=serial, previous=previous, quorum=quorum, created=created, withdrawn=withdrawn)

    assert parse(each.canonical) == each


@pytest.mark.check("G4")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("desks/default/recipients/0/fingerprint", "A" * 16),
        ("desks/default/recipients/0/fingerprint", "0x" + "A" * 40),
        ("desks/default/recipients/0/fingerprint", "a" * 40),
        ("desks/default/recipients/0/fingerprint", "amber@example.org"),
        ("desks/default/recipients/0/subkey", "1" * 8),
        ("signers/0/fingerprint", "A" * 39),
        ("withdrawn", ["C" * 16]),
    ],
)
def test_anything_but_a_full_fingerprint_is_refused(name: str, value: JSON) -> None:
    with pytest.raises(KeysetError):
        parse(altered(name, value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", 2),
        ("v", True),
        ("v", "1"),
        ("type", "another document"),
        ("serial", 0),
        ("serial", 2),
        ("previous", "0" * 64),
        ("created", "2026-3-4"),
        ("created", "20260304"),
        ("created", "2026-02-30"),
        ("created", 20260304),
        ("log", ""),
        ("log", "name of log+0123abcd+" + "A" * 44),
        ("desks", []),
        ("desks", {}),
        ("desks/other", {}),
        ("desks/default/quorum", 0),
        ("desks/default/quorum", 33),
        ("desks/default/recipients", {}),
        ("desks/default/recipients", [1]),
        ("desks/default/recipients/0/algorithm", "rsa512x"),
        ("desks/default/recipients/0/algorithm", "nistp256"),
        ("desks/default/recipients/0/not_after", "2026-03-03"),
        ("desks/default/recipients/0/certificate", "no base64!"),
        ("desks/default/recipients/0/certificate", "QUJ="),
        ("desks/default/recipients/0/certificate", "QUFB" * 10_000),
        ("desks/default/recipients/0/extra", 1),
        ("desks/default/recipients/1/subkey", "1" * 40),
        ("desks/default/recipients/0/fingerprint", "C" * 40),
        ("signers/0/fingerprint", "C" * 40),
        ("signers/0/recovery", 1),
        ("signers/1/fingerprint", "A" * 40),
        ("withdrawn", ["D" * 40, "C" * 40]),
        ("withdrawn", ["C" * 40, "C" * 40]),
        ("withdrawn", ["A" * 40]),
        ("withdrawn", "C" * 40),
        ("extra", None),
    ],
)
def test_anything_malformed_or_more_is_refused(name: str, value: JSON) -> None:
    with pytest.raises(KeysetError):
        parse(altered(name, value))


def test_a_missing_member_is_refused() -> None:
    for name in json.loads(PLAIN.canonical):
        document = json.loads(PLAIN.canonical)
        del document[name]
        with pytest.raises(KeysetError, match=f"{name} is missing"):
            parse(canonical_json(document))


def test_another_way_of_writing_the_same_is_refused() -> None:
    for wrong in (PLAIN.canonical + b"\n", b" " + PLAIN.canonical, PLAIN.canonical[:-1], b"[]", b""):
        with pytest.raises(KeysetError):
            parse(wrong)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(PLAIN.canonical) - 1), st.integers(1, 255))
def test_no_altered_byte_gives_the_same_keyset(place: int, difference: int) -> None:
    altered_bytes = bytearray(PLAIN.canonical)
    altered_bytes[place] ^= difference

    with contextlib.suppress(KeysetError):
        assert parse(bytes(altered_bytes)) != PLAIN


@pytest.mark.check("G6")
def test_below_the_quorum_no_report_can_begin() -> None:
    ended = keyset(key(AMBER, "1"), key(BIRCH, "2", ends=10))

    assert quorum_met(ended, DAY + timedelta(days=10))
    assert not quorum_met(ended, DAY + timedelta(days=11))
    assert [each.fingerprint for each in usable(ended, DAY + timedelta(days=11))] == [AMBER]


@pytest.mark.check("G6")
def test_above_the_quorum_the_rest_are_sealed_to() -> None:
    third = Fingerprint("C" * 40)
    three = keyset(key(AMBER, "1"), key(BIRCH, "2", ends=10), key(third, "3"))

    assert quorum_met(three, DAY + timedelta(days=11))
    assert [each.fingerprint for each in usable(three, DAY + timedelta(days=11))] == [AMBER, third]


@pytest.mark.check("G6")
def test_two_keys_of_one_reviewer_are_one_reviewer() -> None:
    assert not quorum_met(keyset(key(AMBER, "1"), key(AMBER, "2")), DAY)


@pytest.mark.check("G9")
def test_a_rotated_key_is_used_from_its_first_day_and_the_old_one_no_more() -> None:
    rotated = keyset(key(AMBER, "1"), key(AMBER, "2", begins=90, ends=390), key(BIRCH, "3"))

    before, after = (usable(rotated, DAY + timedelta(days=days)) for days in (89, 90))

    assert [str(each.subkey)[0] for each in before] == ["1", "3"]
    assert [str(each.subkey)[0] for each in after] == ["2", "3"]
    assert usable(rotated, DAY - timedelta(days=1)) == ()


@pytest.mark.check("G9")
def test_warnings_come_60_30_and_7_days_before_the_end() -> None:
    one = keyset(key(AMBER, "1", ends=100), key(BIRCH, "2", ends=300), ends=400)

    stages = {days: expiring(one, DAY + timedelta(days=100 - days)) for days in (61, 60, 31, 30, 8, 7, 0, -5)}

    assert stages[61] == []
    assert stages[60] == [Expiring(AMBER, 60)]
    found = {days: each[0].stage for days, each in stages.items() if each}
    assert found == {60: 60, 31: 60, 30: 30, 8: 30, 7: 7, 0: 7, -5: 7}


@pytest.mark.check("G9")
def test_no_warning_for_a_key_that_has_a_successor_but_for_a_signer_who_ends() -> None:
    rotated = keyset(key(AMBER, "1", ends=20), key(AMBER, "2", begins=10, ends=390), key(BIRCH, "3"))
    ending = keyset(key(AMBER, "1"), key(BIRCH, "2"), ends=5)

    assert expiring(rotated, DAY) == []
    assert expiring(ending, DAY) == [Expiring(AMBER, 5), Expiring(BIRCH, 5)]


def test_the_number_in_the_recipient_packet_follows_from_the_algorithm() -> None:
    assert key(AMBER, "1").packet_algorithm == 18
    assert replace(key(AMBER, "1"), algorithm="rsa3072").packet_algorithm == 1
