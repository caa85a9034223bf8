"""Seal what a source sends while it arrives: its plaintext passes through memory into gpg and lies nowhere."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final

from keys.ciphertext import Drain, new_file, refused, sync
from keys.container import ContainerWriter
from keys.errors import GpgError, PacketError, SealingError
from keys.gpg import Argument, Gpg, Process, frozen_on, start
from keys.message import looks_encrypted, read_header
from keys.pipes import widen
from keys.recipients import Recipients
from keys.status import Outcome
from keys.trailer import Kind, Trailer, format_trailer, refuse_label

_CHUNK_BYTES: Final = 1024 * 1024
# How much of the plaintext is looked at to tell whether the source has sealed it herself.
_HEAD_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class PartLabel:
    """What is known of a part before its first byte.

    Attributes:
        part_id: 32 random hexadecimal digits.
        kind: What it is.
        name: As the source's browser gave it, or empty.
        media_type: As the browser declared it, or empty.
        day: Today: the only time that gpg is told.
    """

    part_id: str
    kind: Kind
    name: str = field(repr=False)
    media_type: str
    day: date


@dataclass(frozen=True, slots=True)
class Sealed:
    """A part as it lies on disk.

    Attributes:
        part_id: As in its label.
        kind: As in its label.
        sha256: Of the ciphertext, in hexadecimal.
        size_bytes: Of the ciphertext.
        length: Of the plaintext; never stored in clear.
        plain_sha256: Of the plaintext, in hexadecimal; never stored in clear.
        preencrypted: It looked as if the source had sealed it herself.
    """

    part_id: str
    kind: Kind
    sha256: str
    size_bytes: int
    length: int
    plain_sha256: str
    preencrypted: bool


def seal(plaintext: BinaryIO, label: PartLabel, recipients: Recipients, output: Path, gpg: Gpg) -> Sealed:
    """Encrypt *plaintext* to *recipients* and forget it.

    Args:
        plaintext: Read once, to its end, and never written anywhere. Whatever its ``read`` raises is passed on.
        label: What the trailer says of it.
        recipients: At least one.
        output: Where the ciphertext goes; must not exist yet. It is synced, its folder is not.
        gpg: Needs to know no keys.

    Raises:
        TrailerError: The label does not fit into a trailer; gpg was not started.
        NoRoomError: The ciphertext did not fit onto the disk.
        SealingError: gpg is missing, failed or did not do all that it was asked for. *output* may be left, and may
            open without a warning: whoever lent the path destroys it.
    """
    if not recipients.files:
        raise SealingError("there is nobody to seal to")
    refuse_label(label.name, label.media_type)
    with new_file(output) as file:
        trailer, drained = _encrypt(plaintext, label, recipients, file, gpg)
        sync(file)
    return Sealed(
        part_id=label.part_id,
        kind=label.kind,
        sha256=drained.sha256,
        size_bytes=drained.size_bytes,
        length=trailer.length,
        plain_sha256=trailer.sha256,
        preencrypted=trailer.preencrypted,
    )


class _Plaintext:
    """Measures what passes."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._head = b""
        self._length = 0

    def take(self, chunk: bytes) -> None:
        self._hash.update(chunk)
        self._length += len(chunk)
        if len(self._head) < _HEAD_BYTES:
            self._head += chunk[: _HEAD_BYTES - len(self._head)]

    def trailer(self, label: PartLabel) -> Trailer:
        return Trailer(
            part_id=label.part_id,
            kind=label.kind,
            name=label.name,
            media_type=label.media_type,
            length=self._length,
            sha256=self._hash.hexdigest(),
            preencrypted=looks_encrypted(self._head),
        )


def _encrypt(
    plaintext: BinaryIO, label: PartLabel, recipients: Recipients, file: int, gpg: Gpg
) -> tuple[Trailer, Drain]:
    """Run one gpg between *plaintext* and *file*."""
    try:
        process = start(gpg, _arguments(recipients, label.day))
    except GpgError as error:
        raise refused(error) from error
    with process:
        drain = Drain(process.stdout, file)
        process.stdin.when_full(drain.start)
        try:
            trailer = _feed(plaintext, label, process, drain)
            process.stdin.close()
            drain.take_rest()
            outcome = process.finish()
        except GpgError as error:
            raise drain.error or refused(error) from error
        finally:
            # Only after gpg's end does its output end; and it must be dead before its input closes (G2).
            process.kill()
            drain.take_rest()
    _judge(outcome, drain, recipients)
    return trailer, drain


def _feed(plaintext: BinaryIO, label: PartLabel, process: Process, drain: Drain) -> Trailer:
    """Write the container to gpg; stop as soon as nobody can keep its output."""
    widen(process.stdin.fileno())
    widen(process.stdout.fileno())
    measured = _Plaintext()
    with ContainerWriter(process.stdin) as container:
        while chunk := plaintext.read(_CHUNK_BYTES):
            if drain.error is not None:
                raise drain.error
            measured.take(chunk)
            container.write(chunk)
        trailer = measured.trailer(label)
        container.finish(format_trailer(trailer))
    return trailer


def _judge(outcome: Outcome, drain: Drain, recipients: Recipients) -> None:
    """Believe in a sealing only if everything that can be known about it fits (G1)."""
    if drain.error is not None:
        raise drain.error
    if outcome.returncode != 0 or len(outcome.said("END_ENCRYPTION")) != 1:
        raise SealingError("gpg did not finish the encryption")
    try:
        header = read_header(drain.head)
    except PacketError as error:
        raise SealingError("gpg wrote something else than a sealed message") from error
    if sorted(header.algorithms) != sorted(recipients.algorithms) or not header.hidden or header.passwords:
        raise SealingError("the message is sealed to others than it was asked to be")


def _arguments(recipients: Recipients, day: date) -> tuple[Argument, ...]:
    keyrings = (argument for file in recipients.files for argument in ("--keyring", file))
    # The mark says: this very subkey, and no other of its certificate.
    hidden = (argument for subkey in recipients.subkeys for argument in ("--hidden-recipient", f"{subkey}!"))
    return (
        *frozen_on(day),
        "--no-default-keyring",
        *keyrings,
        # Compression would make the size tell the content, and cost ten times the encryption (G10, G12).
        "--compress-algo=none",
        "--cipher-algo=AES256",
        "--no-armor",
        *hidden,
        "--encrypt",
    )
