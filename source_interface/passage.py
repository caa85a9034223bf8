"""Hand bytes from the event loop to a thread that reads them as a file, never holding more than a little."""

import asyncio
import threading
from collections import deque
from io import RawIOBase
from typing import BinaryIO, cast

# Enough that neither side waits for the other at every piece.
CAPACITY_BYTES = 1024 * 1024


class CutError(OSError):
    """What was being handed over broke off: the file has no end."""


class Passage(RawIOBase):
    """A file whose bytes are still on their way.

    The event loop calls `put`, `end` and `cut`; one other thread reads.
    """

    def __init__(self, capacity_bytes: int = CAPACITY_BYTES) -> None:
        super().__init__()
        self._capacity_bytes = capacity_bytes
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Event()
        self._room.set()
        self._change = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._begun_bytes = 0
        self._held_bytes = 0
        self._ended = False
        self._cut = False
        self._abandoned = False

    def reader(self) -> BinaryIO:
        """Lend the side that the thread reads."""
        return cast("BinaryIO", self)

    async def put(self, piece: bytes) -> bool:
        """Hand over *piece*, when there is room for it; `False` if nobody reads any more."""
        await self._room.wait()
        with self._change:
            self._pieces.append(piece)
            self._held_bytes += len(piece)
            if self._held_bytes >= self._capacity_bytes and not self._abandoned:
                self._room.clear()
            self._change.notify()
        return not self._abandoned

    def end(self) -> None:
        """Say that everything was handed over."""
        with self._change:
            self._ended = True
            self._change.notify()

    def cut(self) -> None:
        """Say that the rest will never come: the reader meets `CutError`."""
        with self._change:
            self._cut = True
            self._pieces.clear()
            self._change.notify()

    def abandon(self) -> None:
        """Say that nobody reads any more, so that `put` waits no longer."""
        with self._change:
            self._abandoned = True
            self._pieces.clear()
        self._room.set()

    def readable(self) -> bool:
        """Return true: that is what it is for."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read the next piece, or as much of it as *size* allows; nothing at the end.

        A piece that fits is given as it was put: memory that is overwritten when it is freed makes copies dear.

        Raises:
            CutError: The end will never come.
        """
        with self._change:
            while not (self._pieces or self._ended or self._cut):
                self._change.wait()
            if self._cut:
                raise CutError("the upload broke off")
            return self._take(size) if self._pieces else b""

    def _take(self, size: int) -> bytes:
        piece = self._pieces[0]
        end = len(piece) if size < 0 else min(self._begun_bytes + size, len(piece))
        taken = piece[self._begun_bytes : end]
        self._begun_bytes = end
        if end == len(piece):
            self._pieces.popleft()
            self._begun_bytes = 0
        before = self._held_bytes
        self._held_bytes -= len(taken)
        low = self._capacity_bytes // 2
        if self._held_bytes <= low < before:
            self._loop.call_soon_threadsafe(self._room.set)
        return taken
