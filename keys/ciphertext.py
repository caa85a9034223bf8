"""The file that gpg's output goes into: hashed on its way, synced at its end, and never written over another."""

import errno
import hashlib
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from keys.errors import GpgError, NoRoomError, SealingError
from keys.message import MOST_HEADER_BYTES
from keys.pipes import PipeFromGpg, rest_a_little

# What is written at once: as much as the processor keeps at hand.
_WRITTEN_BYTES: Final = 256 * 1024
# So often the kernel is told that nobody here will read again what was written: it then begins to put it on the disk,
# and the sync at the end finds little left to do.
_SENT_OFF_BYTES: Final = 16 * 1024 * 1024
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Drain:
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
        """Return the hash of what was taken, in hexadecimal."""
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
            self.error = self.error or refused(error)

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


@contextmanager
def new_file(output: Path) -> Generator[int]:
    """Make a private file that was not there, and lend its descriptor; it is left behind.

    Raises:
        NoRoomError: There is no room for it.
        SealingError: It cannot be made there, or was there already.
    """
    try:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unwritten(error) from error
    try:
        yield file
    finally:
        os.close(file)


def sync(file: int) -> None:
    """Return when all that was written is on the disk; errors as above."""
    try:
        os.fsync(file)
    except OSError as error:
        raise _unwritten(error) from error


def refused(error: GpgError) -> SealingError:
    """Say that gpg did not seal, and why."""
    return SealingError(f"gpg did not seal: {error}")


def _unwritten(error: OSError) -> SealingError:
    # The text of an OSError names the file; its number is enough.
    kind = NoRoomError if error.errno in _NO_ROOM else SealingError
    return kind(f"the ciphertext could not be written (error {error.errno})")
