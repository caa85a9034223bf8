import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bags.errors import ArchiveError
from bags.tar import header, read_header


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_header_read_back_is_the_header_written(data: st.DataObject) -> None:
    word = st.text("abcxyz0189", min_size=1, max_size=30)
    name = "/".join(data.draw(st.lists(word, min_size=1, max_size=4)))
    size = data.draw(st.integers(0, 8**11 - 1))

    assert read_header(header(name, size)) == (name, size)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 4095), st.integers(1, 255))
def test_a_header_with_any_other_byte_is_refused(bit: int, value: int) -> None:
    """With the checksum made to fit, so that not only the checksum refuses it."""
    block = bytearray(header("abc/def", 77))
    block[bit % 512] ^= value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)

    try:
        name, size = read_header(bytes(block))
    except ArchiveError:
        return
    assert header(name, size) == bytes(block)
    assert (name, size) != ("abc/def", 77) or bytes(block) == header("abc/def", 77)


def with_field(field: slice, value: bytes) -> bytes:
    block = bytearray(header("abc", 77))
    block[field] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.check("Q7")
@pytest.mark.parametrize(
    "block",
    [
        b"",
        bytes(512),
        header("abc", 77)[:-1],
        header("abc", 77) + b"\0",
        with_field(slice(124, 136), b"\x80" + bytes(10) + b"\x05"),
        with_field(slice(124, 136), b"        115\0"),
        with_field(slice(124, 136), b"00000000115 "),
        with_field(slice(124, 136), b"-0000000115\0"),
        with_field(slice(257, 265), b"ustar  \0"),
        with_field(slice(257, 265), bytes(8)),
        with_field(slice(0, 100), b"abc\0hidden".ljust(100, b"\0")),
        with_field(slice(345, 500), b"prefix".ljust(155, b"\0")),
        with_field(slice(500, 512), b"x" * 12),
        with_field(slice(329, 345), bytes(16)),
    ],
)
def test_a_header_of_another_dialect_is_refused(block: bytes) -> None:
    with pytest.raises(ArchiveError):
        read_header(block)
