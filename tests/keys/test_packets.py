"""Packets are taken apart whole or not at all."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.errors import PacketError
from keys.packets import MOST_PACKETS, Packet, Tag, read_packets, read_signature
from tests.keyring import Reviewer


def test_a_real_certificate_shows_all_that_hangs_on_it(reviewers: tuple[Reviewer, Reviewer]) -> None:
    packets = read_packets(reviewers[0].certificate)

    assert [packet.tag for packet in packets] == [
        Tag.PUBLIC_KEY,
        Tag.USER_ID,
        Tag.SIGNATURE,
        Tag.PUBLIC_SUBKEY,
        Tag.SIGNATURE,
    ]
    assert [read_signature(packet).kind for packet in packets if packet.tag == Tag.SIGNATURE] == [0x13, 0x18]


@pytest.mark.parametrize(
    ("written", "body_bytes"),
    [
        (bytes([0xC2, 3]), 3),
        (bytes([0xC2, 192, 0]), 192),
        (bytes([0xC2, 255, 0, 0, 1, 0]), 256),
        (bytes([0x88, 3]), 3),
        (bytes([0x89, 1, 0]), 256),
        (bytes([0x8A, 0, 0, 1, 0]), 256),
    ],
)
def test_both_ways_of_writing_a_length_are_read(written: bytes, body_bytes: int) -> None:
    assert read_packets(written + b"b" * body_bytes) == (Packet(2, b"b" * body_bytes),)


@pytest.mark.parametrize(
    "wrong",
    [
        b"-----BEGIN PGP PUBLIC KEY BLOCK-----",
        b"\x00",
        b"\xc2",
        b"\xc2\x05abc",
        b"\x8b",
        b"\x89\x01",
        b"\xc2\xc0",
        b"\xc2\xff\x00\x00",
        b"\xc2\xe0x",
        b"\xc2\x00" * (MOST_PACKETS + 1),
    ],
)
def test_armour_half_packets_partial_lengths_and_floods_are_refused(wrong: bytes) -> None:
    with pytest.raises(PacketError):
        read_packets(wrong)


@pytest.mark.parametrize(
    "wrong", [Packet(6, b"\x04\x00\x16\x08\x00\x00"), Packet(2, b"\x04\x00"), Packet(2, b"\x03\x05\x00\x00\x00\x00")]
)
def test_only_a_signature_of_version_4_is_read_as_one(wrong: Packet) -> None:
    with pytest.raises(PacketError):
        read_signature(wrong)


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_do_anything_but_refuse(untrusted: bytes) -> None:
    with contextlib.suppress(PacketError):
        assert sum(len(packet.body) + 2 for packet in read_packets(untrusted)) <= len(untrusted)
