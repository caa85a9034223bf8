"""The first packets of an OpenPGP message: to how many keys it was sealed, of which kinds, and how it is protected.

What is hidden can only be counted: our recipient packets bear no key ids. That the right keys were used follows from
the recipient files; that none was left out or added is seen here (G1).
"""

from dataclasses import dataclass, field
from typing import Final

from keys.errors import PacketError
from keys.packets import packet_header

# Every header that we write or accept is within these: 32 recipients with RSA-16384 would be.
MOST_HEADER_BYTES: Final = 128 * 1024

# RFC 9580, 5.1, 5.3 and 5.13; the last is GnuPG's own (LibrePGP).
_RECIPIENT: Final = 1
_PASSWORD: Final = 3
_PROTECTED: Final = 18
_PROTECTED_OCB: Final = 20
_ARMOUR: Final = b"-----BEGIN PGP MESSAGE-----"
_RECIPIENT_ALGORITHMS: Final = frozenset({1, 2, 16, 18, 25, 26})
_RECIPIENT_VERSION: Final = 3
_PASSWORD_VERSIONS: Final = frozenset({4, 5, 6})
_MOST_CIPHER: Final = 13
# A length of four bytes follows.
_LONG: Final = 255
_SAMPLE_BYTES: Final = 1024


@dataclass(frozen=True, slots=True)
class MessageHeader:
    """What a message says before its protected part begins.

    Attributes:
        recipients: The packets that hold the session key, whole.
        passwords: How many passwords would open it as well.
        protected_at: Where the protected part begins.
        sample: The beginning of the protected part, for gpg to try a key on, as a packet that is whole.
    """

    recipients: tuple[bytes, ...]
    passwords: int
    protected_at: int
    sample: bytes = field(repr=False)

    @property
    def algorithms(self) -> tuple[int, ...]:
        """The public-key algorithm of each recipient packet, in order (RFC 9580, 9.1)."""
        return tuple(_body(packet)[9] for packet in self.recipients)

    @property
    def hidden(self) -> bool:
        """Whether no recipient packet names its key."""
        return not any(any(_body(packet)[1:9]) for packet in self.recipients)


def read_header(untrusted_head: bytes) -> MessageHeader:
    """Read the packets up to the protected one, which must be next.

    Args:
        untrusted_head: The message, or its first `MOST_HEADER_BYTES`.

    Raises:
        PacketError: Anything else stands there, or what follows is not protected against changes.
    """
    recipients: list[bytes] = []
    passwords = 0
    head = memoryview(untrusted_head)[:MOST_HEADER_BYTES]
    at = 0
    while (rest := head[at:]) and _tag(rest) in (_RECIPIENT, _PASSWORD):
        tag, start, length = packet_header(rest)
        packet = bytes(rest[: start + length])
        if len(packet) < start + length:
            raise PacketError("a message's head is longer than any that we know")
        if tag == _PASSWORD:
            passwords += 1
        elif length >= 10 and packet[start] == _RECIPIENT_VERSION:
            recipients.append(packet)
        else:
            raise PacketError("a recipient packet must be of version 3")
        at += len(packet)
    return MessageHeader(tuple(recipients), passwords, at, _sample(head[at:]))


def addressed(packet: bytes, key_id: bytes) -> bytes:
    """Write the id of a key into a recipient packet that hid it; nothing that is authenticated changes."""
    start = len(packet) - len(_body(packet)) + 1
    return packet[:start] + key_id + packet[start + len(key_id) :]


def looks_encrypted(untrusted_head: bytes) -> bool:
    """Say whether a source seems to have sealed this herself: armoured, or beginning with a recipient or a password.

    Args:
        untrusted_head: The beginning, 64 bytes or more if there are so many.
    """
    if any(line.strip() == _ARMOUR for line in untrusted_head.removeprefix(b"\xef\xbb\xbf").splitlines()):
        return True
    if len(untrusted_head) < 16:
        return False
    try:
        tag, start, length = packet_header(memoryview(untrusted_head))
    except PacketError:
        return False
    body = untrusted_head[start:]
    if tag == _RECIPIENT:
        return body[0] == _RECIPIENT_VERSION and body[9] in _RECIPIENT_ALGORITHMS and 16 < length < 8192
    return tag == _PASSWORD and body[0] in _PASSWORD_VERSIONS and 0 < body[1] <= _MOST_CIPHER and length < 256


def _sample(rest: memoryview) -> bytes:
    """Cut the protected part short; refuse all but one with a modification code or authenticated encryption."""
    if len(rest) < 8 or _tag(rest) not in (_PROTECTED, _PROTECTED_OCB):
        raise PacketError("the recipients of a message must be followed by its protected part")
    # RFC 9580, 4.2.1.4: a length above 223 is partial and takes one byte, like a short one.
    size = 1 if rest[1] < 192 or 224 <= rest[1] < 255 else 2 if rest[1] < 224 else 5
    if rest[1 + size] != 1:
        raise PacketError("the protected part of a message must be of version 1")
    # Since 2.4 gpg reads ahead, and tries no key on a packet that ends before its length says.
    content = bytes(rest[1 + size :][:_SAMPLE_BYTES])
    return bytes((rest[0], _LONG)) + len(content).to_bytes(4, "big") + content


def _body(packet: bytes) -> bytes:
    _tag_found, start, length = packet_header(memoryview(packet))
    return packet[start : start + length]


def _tag(rest: memoryview) -> int:
    first = rest[0]
    return first & 0x3F if first & 0x40 else (first >> 2) & 0x0F
