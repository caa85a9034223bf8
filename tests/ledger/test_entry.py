import hashlib
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.entry import (
    LARGEST_CLASS,
    SMALLEST_CLASS,
    Destroyed,
    Entry,
    KeysetChanged,
    Received,
    parse_entry,
    size_class,
)
from ledger.errors import EntryError

DAY = date(2026, 11, 23)
HASH = "0123456789abcdef" * 4
RECEIVED = Received(HASH, 17, DAY)


def entries() -> st.SearchStrategy[Entry]:
    sealed = st.binary(min_size=32, max_size=32).map(bytes.hex)
    return (
        st.builds(Received, sealed, st.integers(SMALLEST_CLASS, LARGEST_CLASS), st.dates())
        | st.builds(Destroyed, sealed, st.dates())
        | st.builds(KeysetChanged, sealed, st.dates())
    )


def test_the_written_forms_never_change() -> None:
    assert RECEIVED.format() == (
        b'{"ct_sha256":"%s","day":"2026-11-23","kind":"received","size_class":17,"v":1}' % HASH.encode()
    )
    assert Destroyed(HASH, DAY).format() == b'{"day":"2026-11-23","kind":"destroyed","leaf":"%s","v":1}' % HASH.encode()
    assert KeysetChanged(HASH, DAY).format() == (
        b'{"day":"2026-11-23","keyset_sha256":"%s","kind":"keyset","v":1}' % HASH.encode()
    )


@pytest.mark.parametrize("entry", [RECEIVED, Destroyed(HASH, DAY), KeysetChanged(HASH, DAY)])
def test_a_leaf_is_the_hash_of_the_written_form(entry: Entry) -> None:
    assert entry.leaf_hash() == hashlib.sha256(b"\x00" + entry.format()).digest()


@settings(max_examples=80, deadline=None)
@given(entries())
def test_an_entry_read_back_is_the_one_written(entry: Entry) -> None:
    assert parse_entry(entry.format()) == entry


@pytest.mark.check("R5")
@settings(max_examples=80, deadline=None)
@given(entries(), st.binary(min_size=1, max_size=20))
def test_one_byte_more_is_an_error(entry: Entry, extra: bytes) -> None:
    for untrusted in (entry.format() + extra, extra + entry.format()):
        with pytest.raises(EntryError):
            parse_entry(untrusted)


@pytest.mark.check("R5")
@pytest.mark.parametrize(
    "untrusted",
    [
        b"",
        b"null",
        b"[]",
        b"\xef\xbb\xbf" + RECEIVED.format(),
        b" " + RECEIVED.format(),
        RECEIVED.format().replace(b":17", b":17.0"),
        RECEIVED.format().replace(b":17", b":NaN"),
        RECEIVED.format().replace(b":17", b":true"),
        RECEIVED.format().replace(b":17", b":15"),
        RECEIVED.format().replace(b":17", b":63"),
        RECEIVED.format().replace(b":17", b':"17"'),
        RECEIVED.format().replace(b'"v":1', b'"v":2'),
        RECEIVED.format().replace(b'"v":1', b'"v":true'),
        RECEIVED.format().replace(b'"v":1', b'"v":1,"v":1'),
        RECEIVED.format().replace(b',"v":1', b""),
        RECEIVED.format().replace(b"}", b',"z":0}'),
        RECEIVED.format().replace(b"received", b"deceived"),
        RECEIVED.format().replace(b"2026-11-23", b"20261123"),
        RECEIVED.format().replace(b"2026-11-23", b"2026-11-31"),
        RECEIVED.format().replace(b"0123456789abcdef", b"0123456789ABCDEF"),
        RECEIVED.format().replace(b"0123456789abcdef", b"0123456789abcde"),
        RECEIVED.format().replace(b"received", b"received" + b" " * 600),
        b"[" * 400,
    ],
)
def test_what_is_not_exactly_an_entry_is_refused(untrusted: bytes) -> None:
    with pytest.raises(EntryError):
        parse_entry(untrusted)


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [
        (0, 16),
        (1, 16),
        (2**16 - 1, 16),
        (2**16, 16),
        (2**16 + 1, 17),
        (2**17, 17),
        (2**17 + 1, 18),
        (5 * 2**30, 33),
        (2**62, 62),
    ],
)
def test_a_size_class_is_the_next_power_of_two(size_bytes: int, expected: int) -> None:
    assert size_class(size_bytes) == expected


@pytest.mark.parametrize("size_bytes", [-1, 2**62 + 1])
def test_a_size_beyond_reason_has_no_class(size_bytes: int) -> None:
    with pytest.raises(EntryError):
        size_class(size_bytes)
