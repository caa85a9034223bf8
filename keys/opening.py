"""Open a sealed part on the workstation: first the verdict about all of it, then its bytes.

Gpg gives out everything before it notices that a message was altered. So a part is read twice: ``inspect`` throws the
plaintext away and judges, ``release`` passes it on and judges again. Both need the same small memory at any size.
"""

import contextlib
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from keys.container import ITEM_START, TAIL_BYTES, ContainerError, read_layout
from keys.errors import GpgFailedError, GpgTimeoutError, KeysError, PacketError
from keys.gpg import Argument, Gpg, Process, run, start
from keys.message import MOST_HEADER_BYTES, MessageHeader, addressed, read_header
from keys.pipes import widen
from keys.status import Outcome
from keys.trailer import Trailer, TrailerError, parse_trailer

_CHUNK_BYTES: Final = 1024 * 1024
_KEY_ID_BYTES: Final = 8
_ONCE: Final = ("BEGIN_DECRYPTION", "DECRYPTION_INFO", "PLAINTEXT", "DECRYPTION_OKAY", "END_DECRYPTION")
_NEVER: Final = ("BADMDC", "DECRYPTION_FAILED", "NODATA", "UNEXPECTED", "ERRMDC")


class OpeningError(KeysError):
    """A sealed part was not opened; nothing of what it gave may be used."""


class NotSealedError(OpeningError):
    """This is no sealed part: signed only, sealed to a password, with its recipients in the open, or no message."""


class NoKeyError(OpeningError):
    """None of the keys here opens it, or the passphrase is not theirs; gpg cannot tell which."""


class DamagedError(OpeningError):
    """It was cut, altered, or its contents are not what its trailer says."""


@dataclass(frozen=True, slots=True)
class Address:
    """Which of a message's recipients we are: her packet, with her key's id in it, and where the rest begins."""

    packet: bytes = field(repr=False)
    protected_at: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a part proved to be when all of it had been read.

    Attributes:
        trailer: What it says of itself; its item's hash is still a claim until `release` has returned.
        algorithms: Of all its recipient packets, to be compared with the keyset: hidden recipients hide an added one.
        container_bytes: Size of the plaintext with its padding.
        address: How it was opened, so that it opens again.
    """

    trailer: Trailer
    algorithms: tuple[int, ...]
    container_bytes: int
    address: Address


def inspect(ciphertext: Path, gpg: Gpg, passphrase: str | None = None) -> Verdict:
    """Read all of a sealed part, give nothing away, and judge it.

    Args:
        ciphertext: Not followed by anything else; its name is not believed.
        gpg: With the secret keys, or stubs for smartcards.
        passphrase: Of the keys; None leaves the asking to the agent, which happens only for messages of our form.

    Raises:
        NotSealedError: It is no sealed part; gpg was not started, so nobody was asked for a passphrase (Q5).
        NoKeyError: It cannot be opened here.
        DamagedError: It was cut or altered (Q2).
        GpgError: Gpg is missing or hangs.
    """
    header = _read_head(ciphertext)
    address = Address(_find_key(header, gpg, passphrase), header.protected_at)
    seen = _Seen()
    _stream(ciphertext, address, gpg, passphrase, seen.take)
    return Verdict(_trailer(seen), header.algorithms, seen.total, address)


def release(ciphertext: Path, verdict: Verdict, sink: BinaryIO, gpg: Gpg, passphrase: str | None = None) -> Trailer:
    """Write the item of an inspected part into *sink*.

    Args:
        ciphertext: The file that the verdict is about; a change since then is noticed.
        verdict: From `inspect`.
        sink: Somewhere under a temporary name: only when this function has returned may it be given its own.
        gpg: As for `inspect`.
        passphrase: As for `inspect`.

    Raises:
        NoKeyError: It cannot be opened any more.
        DamagedError: The item is not what the trailer says, or not what was inspected; *sink* is to be destroyed.
        GpgError: Gpg is missing or hangs.
    """
    seen = _Seen()
    item = _Item(verdict.trailer.length, sink)

    def take(chunk: memoryview) -> None:
        item.take(chunk, seen.total)
        seen.take(chunk)

    _stream(ciphertext, verdict.address, gpg, passphrase, take)
    if (_trailer(seen), seen.total) != (verdict.trailer, verdict.container_bytes):
        raise DamagedError("the part is another one than was inspected")
    if item.sha256 != verdict.trailer.sha256:
        raise DamagedError("the item has not the hash that its trailer says")
    return verdict.trailer


class _Seen:
    """Measures a stream and keeps its end."""

    def __init__(self) -> None:
        self.total = 0
        self._tail = b""

    @property
    def tail(self) -> bytes:
        return self._tail[-TAIL_BYTES:]

    def take(self, chunk: memoryview) -> None:
        self.total += len(chunk)
        kept = bytes(chunk[-TAIL_BYTES:])
        self._tail = kept if len(kept) == TAIL_BYTES else self._tail[-TAIL_BYTES:] + kept


class _Item:
    """Cuts the item out of a container and passes it on."""

    def __init__(self, length: int, sink: BinaryIO) -> None:
        self._length = length
        self._sink = sink
        self._hash = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def take(self, chunk: memoryview, at: int) -> None:
        """Take what of *chunk*, whose place in the container is *at*, belongs to the item."""
        wanted = chunk[max(ITEM_START - at, 0) : max(ITEM_START + self._length - at, 0)]
        self._hash.update(wanted)
        self._sink.write(wanted)


def _read_head(ciphertext: Path) -> MessageHeader:
    """Make sure that this is a message of our form before gpg sees it."""
    with ciphertext.open("rb") as file:
        untrusted_head = file.read(MOST_HEADER_BYTES)
    try:
        header = read_header(untrusted_head)
    except PacketError as error:
        raise NotSealedError("this is no sealed message") from error
    if not header.recipients or header.passwords or not header.hidden:
        raise NotSealedError("a sealed part has hidden recipients and no passwords")
    return header


def _find_key(header: MessageHeader, gpg: Gpg, passphrase: str | None) -> bytes:
    """Return the one recipient packet that a key here opens, with the id of that key in it.

    Gpg tries every key on every hidden recipient and counts each miss as an error of its own: the second reviewer's gpg
    would end with 2 on a sound message, and a verdict that forgives 2 is none. So the misses happen here, on a sample.
    """
    for packet in header.recipients:
        found = run(gpg, ("--decrypt",), stdin=packet + header.sample, passphrase=passphrase).said("DECRYPTION_KEY")
        if len(found) == 1 and found[0].arguments:
            return addressed(packet, bytes.fromhex(found[0].arguments[0])[-_KEY_ID_BYTES:])
    raise NoKeyError("none of the keys here opens this part, or the passphrase is not theirs")


def _stream(
    ciphertext: Path,
    address: Address,
    gpg: Gpg,
    passphrase: str | None,
    take: Callable[[memoryview], None],
) -> None:
    """Decrypt all of *ciphertext* into *take*, and return only if gpg says that all was well."""
    # Nothing of ours is compressed, so no plaintext is longer than its ciphertext: no bomb gets further than this.
    limit_bytes = ciphertext.stat().st_size
    arguments: tuple[Argument, ...] = ("--max-output", str(limit_bytes), "--decrypt")
    with start(gpg, arguments, passphrase=passphrase) as process:
        feeder = threading.Thread(target=_feed, args=(ciphertext, address, process), name="opening", daemon=True)
        feeder.start()
        try:
            _drain(process, limit_bytes, take)
        except BaseException:
            process.kill()
            raise
        finally:
            feeder.join()
        outcome = process.finish()
    _judge(outcome)


def _drain(process: Process, limit_bytes: int, take: Callable[[memoryview], None]) -> None:
    widen(process.stdout.fileno())
    buffer = memoryview(bytearray(_CHUNK_BYTES))
    total = 0
    while count := process.stdout.readinto(buffer):
        total += count
        if total > limit_bytes:
            raise DamagedError("the part holds more than fits into it")
        take(buffer[:count])


def _feed(ciphertext: Path, address: Address, process: Process) -> None:
    """Give gpg the message with one recipient; what became of it, gpg's outcome says."""
    widen(process.stdin.fileno())
    try:
        with contextlib.suppress(GpgFailedError, GpgTimeoutError), ciphertext.open("rb", buffering=0) as file:
            process.stdin.write(address.packet)
            file.seek(address.protected_at)
            while chunk := file.read(_CHUNK_BYTES):
                process.stdin.write(chunk)
    except OSError:
        # A medium that cannot be read; gpg would wait for the rest for ever.
        process.kill()
    process.stdin.close()


def _judge(outcome: Outcome) -> None:
    """Believe gpg only if it says exactly what it says of one whole, unaltered message (Q2)."""
    if not outcome.said("DECRYPTION_KEY"):
        raise NoKeyError("none of the keys here opens this part, or the passphrase is not theirs")
    if outcome.returncode != 0 or any(outcome.said(keyword) for keyword in _NEVER):
        raise DamagedError("the part was cut or altered")
    if any(len(outcome.said(keyword)) != 1 for keyword in _ONCE):
        raise DamagedError("the part is not exactly one message")
    # DECRYPTION_INFO <mdc method> <cipher> <aead algorithm>
    authenticated = outcome.said("DECRYPTION_INFO")[0].arguments[2:3] not in ((), ("0",))
    if len(outcome.said("GOODMDC")) != 1 and not authenticated:
        raise DamagedError("the part is not protected against changes")


def _trailer(seen: _Seen) -> Trailer:
    try:
        layout = read_layout(seen.tail, seen.total)
        trailer = parse_trailer(layout.trailer)
    except (ContainerError, TrailerError) as error:
        raise DamagedError(f"the part has no sound end: {error}") from error
    if trailer.length != layout.item_bytes:
        raise DamagedError("the item has not the length that its trailer says")
    return trailer
