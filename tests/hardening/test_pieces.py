"""Our buffer gives h11 what its own would give, and a whole piece as it came."""

from collections.abc import Callable

import pytest
from h11._receivebuffer import ReceiveBuffer
from hypothesis import given, settings
from hypothesis import strategies as st

from hardening.pieces import PieceBuffer

_PIECES = st.lists(st.sampled_from([b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"\r\n", b"\r", b"\n", b"5\r\n", b"abcde"]))
_ASKED: dict[str, Callable[[ReceiveBuffer], object]] = {
    "none": lambda buffer: buffer.maybe_extract_at_most(0),
    "some": lambda buffer: buffer.maybe_extract_at_most(3),
    "much": lambda buffer: buffer.maybe_extract_at_most(1000),
    "line": lambda buffer: buffer.maybe_extract_next_line(),
    "lines": lambda buffer: buffer.maybe_extract_lines(),
    "first": lambda buffer: buffer.is_next_line_obviously_invalid_request_line(),
}


@given(st.lists(st.tuples(_PIECES, st.sampled_from(sorted(_ASKED)))))
@settings(max_examples=200, deadline=None)
def test_it_gives_what_the_buffer_of_h11_gives(steps: list[tuple[list[bytes], str]]) -> None:
    ours: ReceiveBuffer = PieceBuffer()
    theirs = ReceiveBuffer()

    for pieces, asked in steps:
        for piece in pieces:
            ours += piece
            theirs += piece
        assert (len(ours), bool(ours), bytes(ours)) == (len(theirs), bool(theirs), bytes(theirs))
        assert _ASKED[asked](ours) == _ASKED[asked](theirs)
        assert bytes(ours) == bytes(theirs)


@pytest.mark.parametrize("wanted", [5, 6])
def test_a_piece_of_a_body_is_not_copied(wanted: int) -> None:
    piece = bytes(5)
    buffer = PieceBuffer()
    buffer += piece

    assert buffer.maybe_extract_at_most(wanted) is piece
    assert len(buffer) == 0
