"""A trailer has one written form, and anything else is none."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.trailer import (
    LONGEST_NAME_BYTES,
    MOST_TRAILER_BYTES,
    Kind,
    Trailer,
    TrailerError,
    format_trailer,
    outside_kind,
    parse_trailer,
)

TRAILER = Trailer("0" * 32, "file", "a.txt", "text/plain", 5, "a" * 64, preencrypted=False)
KINDS: list[Kind] = ["message", "file", "manifest", "account", "identity", "contact", "consents", "notes"]

trailers = st.builds(
    Trailer,
    part_id=st.text("0123456789abcdef", min_size=32, max_size=32),
    kind=st.sampled_from(KINDS),
    name=st.text(st.characters(codec="utf-8"), max_size=60),
    media_type=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=60),
    length=st.integers(0, 2**50),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    preencrypted=st.booleans(),
)


@given(trailers)
def test_what_is_written_is_read_again(trailer: Trailer) -> None:
    assert parse_trailer(format_trailer(trailer)) == trailer


@pytest.mark.check("G2")
@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"end": "svidok part"},
        {"more": 1},
        {"kind": "consent"},
        {"kind": "report"},
        {"kind": ["message"]},
        {"part": "0" * 31},
        {"part": "A" * 32},
        {"length": -1},
        {"length": "5"},
        {"length": True},
        {"sha256": "a" * 63},
        {"preencrypted": 0},
        {"name": None},
        {"name": "n" * (LONGEST_NAME_BYTES + 1)},
        {"media_type": "text\n"},
        {"media_type": "x" * 256},
    ],
)
def test_a_member_that_is_wrong_in_any_way_is_refused(change: dict[str, Any]) -> None:
    members = {**json.loads(format_trailer(TRAILER)), **change}
    written = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    with pytest.raises(TrailerError):
        parse_trailer(written)


@pytest.mark.check("G2")
@pytest.mark.parametrize(
    "missing", ["v", "end", "part", "kind", "name", "media_type", "length", "sha256", "preencrypted"]
)
def test_a_trailer_without_a_member_is_refused(missing: str) -> None:
    members = json.loads(format_trailer(TRAILER))
    del members[missing]

    with pytest.raises(TrailerError):
        parse_trailer(json.dumps(members, sort_keys=True, separators=(",", ":")).encode())


@pytest.mark.parametrize("wrong", [b"", b"{}", b"[]", b"null", b"x" * (MOST_TRAILER_BYTES + 1)])
def test_something_else_is_no_trailer(wrong: bytes) -> None:
    with pytest.raises(TrailerError):
        parse_trailer(wrong)


@pytest.mark.parametrize("extra", [b" ", b"\n", b"\0"])
def test_one_byte_more_is_an_error(extra: bytes) -> None:
    with pytest.raises(TrailerError):
        parse_trailer(format_trailer(TRAILER) + extra)


def test_half_a_surrogate_pair_is_no_name() -> None:
    with pytest.raises(TrailerError):
        replace(TRAILER, name="\ud800")


def test_a_name_is_not_shown_by_accident() -> None:
    assert "a.txt" not in repr(TRAILER)


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_be_refused(untrusted: bytes) -> None:
    with pytest.raises(TrailerError):
        parse_trailer(untrusted)


@pytest.mark.check("G12")
def test_a_server_is_not_told_which_document_of_a_report_a_part_is() -> None:
    outside = {kind: outside_kind(kind) for kind in KINDS}

    assert outside == {
        "message": "message",
        "file": "file",
        "manifest": "manifest",
        **dict.fromkeys(("account", "identity", "contact", "consents", "notes"), "report"),
    }
