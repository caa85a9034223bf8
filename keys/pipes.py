"""The two ends of gpg that we hold: pipes that notice when gpg has stopped moving."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import RawIOBase
from typing import TYPE_CHECKING

from keys.errors import GpgFailedError, GpgTimeoutError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

# How long one look at a quiet pipe lasts before the circumstances are looked at again.
_LOOK_SECONDS = 0.5
# What a user without privileges may ask for.
_WIDE_BYTES = 1024 * 1024
# Gpg moves 8 KiB at a time and so wakes whoever waits for it a hundred times for what fits into a wide pipe. It needs
# some three of these to fill or to empty one, so nobody stands still for it.
_REST_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Pipes:
    """The six ends of the three pipes, and the read end of a fourth that holds the passphrase."""

    input_read: int
    input_write: int
    output_read: int
    output_write: int
    status_read: int
    status_write: int
    passphrase_read: int | None

    @property
    def inherited(self) -> tuple[int, ...]:
        """The ends that gpg knows by their number."""
        return (self.status_write,) if self.passphrase_read is None else (self.status_write, self.passphrase_read)

    def close_gpgs_ends(self) -> None:
        """Let go of what gpg now holds, so that its end is the pipes' end."""
        for descriptor in (self.input_read, self.output_write, *self.inherited):
            os.close(descriptor)

    def close_our_ends(self) -> None:
        """Let go of the rest, because no gpg was started."""
        for descriptor in (self.input_write, self.output_read, self.status_read):
            os.close(descriptor)


def open_pipes(secret: bytes | None) -> Pipes:
    """Open the pipes of one gpg, none of which any other program inherits."""
    passphrase_read = None
    if secret is not None:
        passphrase_read, passphrase_write = os.pipe()
        # Far smaller than a pipe's buffer, so nobody has to read it yet.
        os.write(passphrase_write, secret)
        os.close(passphrase_write)
    return Pipes(*os.pipe(), *os.pipe(), *os.pipe(), passphrase_read)


class PipeIntoGpg(RawIOBase):
    """Gpg's standard input: writes everything it is given, or says why not.

    A source that sends slowly is no hanging gpg: the time runs only while gpg does not take what is there.
    """

    def __init__(self, descriptor: int, limit_seconds: float, hanging: Callable[[], None]) -> None:
        super().__init__()
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._limit_seconds = limit_seconds
        self._hanging = hanging
        self._when_full: Callable[[], None] | None = None

    def when_full(self, act: Callable[[], None]) -> None:
        """Have *act* called before the first wait for gpg to take something: until then all fitted into the pipe."""
        self._when_full = act

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def writable(self) -> bool:
        """Return true: that is what it is for."""
        return True

    def write(self, chunk: ReadableBuffer, /) -> int:
        """Write all of *chunk*.

        Raises:
            GpgTimeoutError: Gpg took nothing for the whole limit, and was killed.
            GpgFailedError: Gpg ended before its input did.
        """
        rest = memoryview(chunk).cast("B")
        size_bytes = len(rest)
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                self._wait(poll)
                continue
            except BrokenPipeError as error:
                raise GpgFailedError("gpg ended before its input did") from error
            if rest:
                self._fill_up()
                rest_a_little()
        return size_bytes

    def _wait(self, poll: select.poll) -> None:
        self._fill_up()
        if not poll.poll(self._limit_seconds * 1000):
            self._hanging()
            raise GpgTimeoutError(f"gpg took nothing for {self._limit_seconds:g} seconds")

    def _fill_up(self) -> None:
        if self._when_full is not None:
            act, self._when_full = self._when_full, None
            act()

    def close(self) -> None:
        """Close the pipe: for gpg the end of its input, so kill it first if the input was cut short."""
        if not self.closed:
            super().close()
            os.close(self._descriptor)


class StatusPipe:
    """What gpg says about what it does: all of it is taken, so that gpg never waits for us, and a bound of it kept.

    Whoever reads gpg's output takes what it says meanwhile, and `rest` takes what is said after that: a thread of its
    own would cost more than a small sealing does.
    """

    def __init__(self, descriptor: int, most_bytes: int) -> None:
        self._descriptor = descriptor
        self._most_bytes = most_bytes
        self._said = bytearray()
        self.ended = False

    @property
    def said(self) -> bytes:
        """Return what was kept: more than the bound if more was said, and never much more."""
        return bytes(self._said)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def take(self) -> None:
        """Take what is there now, or notice that gpg has closed its end; waits if neither."""
        piece = os.read(self._descriptor, 65536)
        self.ended = not piece
        if len(self._said) <= self._most_bytes:
            self._said += piece

    def rest(self, limit_seconds: float) -> bool:
        """Take all that is still to come, and say whether it ended within the limit."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        deadline = time.monotonic() + limit_seconds
        while not self.ended:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                return False
            self.take()
        return True

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._descriptor)


class PipeFromGpg(RawIOBase):
    """Gpg's standard output.

    While gpg is still being fed it owes us nothing; once its input has ended it must move within the limit.
    """

    def __init__(
        self,
        descriptor: int,
        status: StatusPipe,
        limit_seconds: float,
        fed: Callable[[], bool],
        hanging: Callable[[], None],
    ) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._status = status
        self._limit_seconds = limit_seconds
        self._fed = fed
        self._hanging = hanging

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def readable(self) -> bool:
        """Return true: that is what it is for."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read what there is, at least one byte unless gpg has closed its end.

        Raises:
            GpgTimeoutError: Gpg had all its input and gave nothing for the whole limit, and was killed.
        """
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        if not self._status.ended:
            poll.register(self._status, select.POLLIN)
        deadline = time.monotonic() + self._limit_seconds
        while True:
            ready = dict(poll.poll(min(_LOOK_SECONDS, self._limit_seconds) * 1000))
            if self._status.fileno() in ready:
                self._status.take()
                if self._status.ended:
                    poll.unregister(self._status)
            if self._descriptor in ready:
                break
            if not self._fed():
                deadline = time.monotonic() + self._limit_seconds
            elif time.monotonic() >= deadline:
                self._hanging()
                raise GpgTimeoutError(f"gpg gave nothing for {self._limit_seconds:g} seconds")
        view = memoryview(buffer).cast("B")
        return os.readv(self._descriptor, [view])

    def close(self) -> None:
        """Close the pipe; a gpg that still writes into it fails."""
        if not self.closed:
            super().close()
            os.close(self._descriptor)


def widen(descriptor: int) -> None:
    """Let the pipe hold more at once, so that both of its ends wake up less often; slower if the kernel refuses."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _WIDE_BYTES)


def rest_a_little() -> None:
    """Let gpg go on for a moment, when it has much before it: the next look at its pipe is then worth more."""
    time.sleep(_REST_SECONDS)
