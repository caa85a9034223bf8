"""What gpg says is read line by line, and nothing else counts as said."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import GpgFailedError
from keys.status import MOST_STATUS_BYTES, Outcome, StatusLine, status_lines


def test_status_is_read_into_keywords_and_arguments() -> None:
    said = b"[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG ABCD somebody else\n"

    outcome = Outcome(0, status_lines(said), b"")

    assert outcome.said("GOODSIG") == (StatusLine("GOODSIG", ("ABCD", "somebody", "else")),)
    assert outcome.said("VALIDSIG") == ()


@pytest.mark.check("G3")
@pytest.mark.parametrize("line", ["gpg: hello", " [GNUPG:] GOODSIG", "[GNUPG:]GOODSIG", "x[GNUPG:] GOODSIG A"])
def test_a_line_that_gpg_does_not_write_is_an_attack(line: str) -> None:
    with pytest.raises(GpgFailedError):
        status_lines(f"[GNUPG:] NEWSIG\n{line}\n".encode())


@pytest.mark.check("G3")
@pytest.mark.parametrize("separator", ["\r", "\x0b", "\x0c", "\x85", "\u2028", "\x1c"])
def test_only_a_line_feed_ends_a_line(separator: str) -> None:
    said = f"[GNUPG:] NOTATION_DATA x{separator}[GNUPG:] GOODSIG A\n".encode()

    assert [line.keyword for line in status_lines(said)] == ["NOTATION_DATA"]


def test_a_flood_of_status_is_refused() -> None:
    with pytest.raises(GpgFailedError):
        status_lines(b"[GNUPG:] X\n" * (MOST_STATUS_BYTES // 8))


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_do_anything_but_refuse(said: bytes) -> None:
    with contextlib.suppress(GpgFailedError):
        assert all(line.keyword is not None for line in status_lines(said))
