"""Only a whole fingerprint names a key."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import FingerprintError
from keys.fingerprint import Fingerprint

HEX = st.text("0123456789ABCDEF", min_size=40, max_size=40)


@given(HEX)
def test_a_fingerprint_is_read_as_people_write_it(digits: str) -> None:
    fingerprint = Fingerprint(digits)

    assert Fingerprint.parse(fingerprint.grouped().lower()) == fingerprint
    assert str(fingerprint) == digits


def test_a_fingerprint_of_64_digits_is_one_too() -> None:
    assert Fingerprint("A" * 64).digits == "A" * 64


@pytest.mark.check("G4")
@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "744C1D353397D3BB",
        "3397D3BB",
        "0x" + "A" * 40,
        "A" * 39,
        "A" * 41,
        "A" * 63,
        "G" * 40,
        "A" * 40 + "!",
        "reviewer@example.org",
        "-" + "A" * 39,
        "A" * 40 + "\n" + "B",
        "٣" * 40,
    ],
)
def test_short_ids_addresses_and_anything_else_are_refused(wrong: str) -> None:
    with pytest.raises(FingerprintError):
        Fingerprint.parse(wrong)
    with pytest.raises(FingerprintError):
        Fingerprint(wrong)


@given(st.text(max_size=200))
def test_no_text_makes_the_parser_do_anything_but_refuse(text: str) -> None:
    with contextlib.suppress(FingerprintError):
        assert len(Fingerprint.parse(text).digits) in {40, 64}
