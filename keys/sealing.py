"""Seal what a source sends while it arrives: its plaintext passes through memory into gpg and lies nowhere."""

import errno
import hashlib
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import BinaryIO, Final

from keys.container import ContainerWriter
from keys.errors import GpgError, KeysError, PacketError
from keys.gpg import Argument, Gpg, Process, frozen_on, start
from keys.message import MOST_HEADER_BYTES, looks_encrypted, read_header
from keys.pipes import PipeFromGpg, rest_a_little, widen
from keys.recipients import Recipients
from keys.status import Outcome
from keys.trailer import Kind, Trailer, format_trailer, refuse_label

_CHUNK_BYTES: Final = 1024 * 1024
# What is written at once: as much as the processor keeps at hand.
_WRITTEN_BYTES: Final = 256 * 1024
# So often the kernel is told that nobody here will read again what was written: it then begins to put it on the disk,
# and the sync at the end finds little left to do.
_SENT_OFF_BYTES: Final = 16 * 1024 * 1024
# How much of the plaintext is looked at to tell whether the source has sealed it herself.
_HEAD_BYTES: Final = 4096
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SealingError(KeysError):
    """Something was not sealed; what lies at its place is to be destroyed."""


class NoRoomError(SealingError):
    """The disk, or the share of it that we may use, is full."""


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
    with _new_file(output) as file:
        trailer, drained = _encrypt(plaintext, label, recipients, file, gpg)
        _sync(file)
    return Sealed(
        part_id=label.part_id,
        kind=label.kind,
        sha256=drained.sha256,
        size_bytes=drained.size_bytes,
        length=trailer.length,
        plain_sha256=trailer.sha256,
        preencrypted=trailer.preencrypted,
    )


class _Drain:
    """Takes the ciphertext from gpg, hashes it and writes it to the file.

    A small part fits into gpg's pipes and is taken when gpg has all of it. Before a larger one makes gpg wait, `start`
    gives the drain a thread of its own, while another one feeds gpg.
    """

    def __init__(self, pipe: PipeFromGpg, file: int) -> None:
        self._thread = threading.Thread(target=self._run, name="sealing", daemon=True)
        self._pipe = pipe
        self._file = file
        self._hash = hashlib.sha256()
        self.error: SealingError | None = None
        self.head = b""
        self.size_bytes = 0
        self._sent_off = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def start(self) -> None:
        """Begin to take, beside the caller."""
        self._thread.start()

    def take_rest(self) -> None:
        """Return when gpg has closed its output and all of it was taken, or gpg was killed."""
        if self._thread.ident is None:
            self._run()
        else:
            self._thread.join()

    def _run(self) -> None:
        """Run to the end of gpg's output even after an error: a gpg that nobody listens to would hang."""
        buffer = memoryview(bytearray(_WRITTEN_BYTES))
        try:
            while chunk := self._fill(buffer):
                if self.error is None:
                    self._take(chunk)
        except GpgError as error:
            self.error = self.error or _refused(error)

    def _fill(self, buffer: memoryview) -> memoryview:
        """Read until *buffer* is full or gpg has closed its end: big writes are cheap."""
        filled = 0
        while filled < len(buffer) and (count := self._pipe.readinto(buffer[filled:])):
            filled += count
            if filled < len(buffer) and self.size_bytes:
                # The pipe is empty, and this is no small message, whose sender waits for it.
                rest_a_little()
        return buffer[:filled]

    def _take(self, chunk: memoryview) -> None:
        self._hash.update(chunk)
        self.size_bytes += len(chunk)
        if len(self.head) < MOST_HEADER_BYTES:
            self.head += chunk[: MOST_HEADER_BYTES - len(self.head)]
        try:
            while chunk:
                chunk = chunk[os.write(self._file, chunk) :]
            if self.size_bytes - self._sent_off >= _SENT_OFF_BYTES:
                os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)
                self._sent_off = self.size_bytes
        except OSError as error:
            self.error = _unwritten(error)


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
) -> tuple[Trailer, _Drain]:
    """Run one gpg between *plaintext* and *file*."""
    try:
        process = start(gpg, _arguments(recipients, label.day))
    except GpgError as error:
        raise _refused(error) from error
    with process:
        drain = _Drain(process.stdout, file)
        process.stdin.when_full(drain.start)
        try:
            trailer = _feed(plaintext, label, process, drain)
            process.stdin.close()
            drain.take_rest()
            outcome = process.finish()
        except GpgError as error:
            raise drain.error or _refused(error) from error
        finally:
            # Only after gpg's end does its output end; and it must be dead before its input closes (G2).
            process.kill()
            drain.take_rest()
    _judge(outcome, drain, recipients)
    return trailer, drain


def _feed(plaintext: BinaryIO, label: PartLabel, process: Process, drain: _Drain) -> Trailer:
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


def _judge(outcome: Outcome, drain: _Drain, recipients: Recipients) -> None:
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


@contextmanager
def _new_file(output: Path) -> Generator[int]:
    try:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritten(error) from error
    try:
        yield file
    finally:
        os.close(file)


def _sync(file: int) -> None:
    try:
        os.fsync(file)
    except OSError as error:
        raise _unwritten(error) from error


def _refused(error: GpgError) -> SealingError:
    return SealingError(f"gpg did not seal: {error}")


def _unwritten(error: OSError) -> SealingError:
    # The text of an OSError names the file; its number is enough.
    kind = NoRoomError if error.errno in _NO_ROOM else SealingError
    return kind(f"the ciphertext could not be written (error {error.errno})")
