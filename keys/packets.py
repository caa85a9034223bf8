"""The packets of a certificate or signature as they lie in the file, so that nothing in it goes unseen.

Gpg shows what it would use of a certificate and passes over the rest in silence. Whoever wants to know that there *is*
no rest has to look at the bytes (G7). Only what gpg 2.2 writes into minimal exports and signatures is read here.
"""

from dataclasses import dataclass
from enum import IntEnum

from keys.errors import PacketError

MOST_PACKETS = 64

# RFC 9580, 9.5, without what is broken (MD5, SHA-1, RIPEMD-160) or too short (SHA-224).
STRONG_HASHES = frozenset({8, 9, 10})


class Tag(IntEnum):
    """The kinds of packets that we know by name (RFC 9580, 5)."""

    SIGNATURE = 2
    PUBLIC_KEY = 6
    USER_ID = 13
    PUBLIC_SUBKEY = 14


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its kind and its body."""

    tag: int
    body: bytes


@dataclass(frozen=True, slots=True)
class SignatureHeader:
    """What a signature says before its mathematics begin."""

    kind: int
    algorithm: int
    hash_algorithm: int


def read_packets(untrusted: bytes) -> tuple[Packet, ...]:
    """Split *untrusted* into its packets.

    Raises:
        PacketError: The bytes are no sequence of whole packets of definite length, or one of more than `MOST_PACKETS`.
    """
    packets: list[Packet] = []
    rest = memoryview(untrusted)
    while rest:
        if len(packets) == MOST_PACKETS:
            raise PacketError(f"there are more than {MOST_PACKETS} packets")
        tag, start, length = packet_header(rest)
        if len(rest) < start + length:
            raise PacketError("a packet is longer than what is there")
        packets.append(Packet(tag, bytes(rest[start : start + length])))
        rest = rest[start + length :]
    return tuple(packets)


def read_signature(packet: Packet) -> SignatureHeader:
    """Read the head of a version 4 signature.

    Raises:
        PacketError: It is none.
    """
    if packet.tag != Tag.SIGNATURE or len(packet.body) < 6 or packet.body[0] != 4:
        raise PacketError("a signature must be a packet of version 4")
    return SignatureHeader(packet.body[1], packet.body[2], packet.body[3])


def packet_header(rest: memoryview) -> tuple[int, int, int]:
    """Return tag, header length and body length (RFC 9580, 4.2)."""
    first = rest[0]
    if not first & 0x80:
        raise PacketError("these bytes are no OpenPGP packets in binary form")
    if first & 0x40:
        return (first & 0x3F, *_length(rest))
    sizes = {0: 1, 1: 2, 2: 4}
    if (size := sizes.get(first & 3)) is None or len(rest) < 1 + size:
        raise PacketError("a packet does not say its length")
    return (first >> 2) & 0x0F, 1 + size, int.from_bytes(rest[1 : 1 + size], "big")


def _length(rest: memoryview) -> tuple[int, int]:
    """Read the newer form of a length."""
    if len(rest) >= 2 and rest[1] < 192:
        return 2, rest[1]
    if len(rest) >= 3 and rest[1] < 224:
        return 3, ((rest[1] - 192) << 8) + rest[2] + 192
    if len(rest) >= 6 and rest[1] == 255:
        return 6, int.from_bytes(rest[2:6], "big")
    raise PacketError("a packet does not say its length")
