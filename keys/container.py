"""The ZIP inside a sealed part: one item of unknown length, padding that hides it, and the trailer that ends it.

Written as a stream, so that nothing is stored on the way, and readable by any unzip. The layout is fixed to the byte
(docs/specs/sealed-part.md): nothing can hide between the members, and a reader knows where the item begins.
"""

import io
import zipfile
import zlib
from dataclasses import dataclass
from types import TracebackType
from typing import IO, TYPE_CHECKING, Final, Protocol, Self, cast

from keys.errors import KeysError
from keys.trailer import MOST_TRAILER_BYTES

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

ITEM: Final = "item"
PADDING: Final = "padding"
TRAILER: Final = "trailer.json"

# Below this no size shows at all (G12).
FLOOR_BYTES: Final = 64 * 1024
# All that stands behind the padding: the trailer and the ZIP's directory.
TAIL_BYTES: Final = 2 * MOST_TRAILER_BYTES

# A local header, bare and with room for 64-bit sizes, and the descriptors that follow (APPNOTE 4.3.7, 4.3.9).
_LOCAL: Final = 30
_LOCAL_64: Final = _LOCAL + 20
_DESCRIPTOR: Final = 16
_DESCRIPTOR_64: Final = 24
ITEM_START: Final = _LOCAL_64 + len(ITEM)

# The directory at the end (APPNOTE 4.3.12 to 4.3.16).
_ENTRY: Final = 46
_END: Final = 22
_END_64: Final = 56 + 20

# What a local header says before sizes of 64 bits are known (APPNOTE 4.4.3.2, 4.4.8, 4.5.3): the version that reads
# them, and at the places of the short sizes that the long ones count.
_ZIP64_VERSION: Final = 45
_SIZES_AT: Final = 18
_SIZES_OPEN: Final = b"\xff" * 8

# The same for everybody, whenever and wherever it was written (K5).
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_NO_SYSTEM: Final = 0
_ZEROS: Final = bytes(1024 * 1024)


class ContainerError(KeysError):
    """A container is cut, padded wrongly, or holds something else than a part."""


class Sink(Protocol):
    """Where a container is written to."""

    def write(self, chunk: "ReadableBuffer", /) -> int:
        """Take all of *chunk*."""
        ...


def padme(size_bytes: int) -> int:
    """Round up so that of a size only its first few bits remain: at most 12 % more (PURBs, Nikitin et al. 2019)."""
    if size_bytes < 2:
        return size_bytes
    exponent = size_bytes.bit_length() - 1
    mask = (1 << (exponent - exponent.bit_length())) - 1
    return (size_bytes + mask) & ~mask


class ContainerWriter:
    """Writes one container; a ``with`` block that ends by an exception writes nothing more."""

    def __init__(self, sink: Sink) -> None:
        self._stream = _Stream(sink)
        self._zip = zipfile.ZipFile(cast("IO[bytes]", self._stream), "w", zipfile.ZIP_STORED, allowZip64=True)
        try:
            self._item = self._open_wide(ITEM)
        except BaseException:
            self._abandon()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stream.silent = True
        self._item.close()
        self._abandon()

    def write(self, chunk: "ReadableBuffer") -> None:
        """Write more of the item."""
        self._item.write(chunk)

    def finish(self, trailer: bytes) -> int:
        """End the item, pad, write *trailer* and the directory, and return the size of it all.

        Raises:
            ContainerError: The trailer is too long, or this Python writes ZIPs in another way than the format.
        """
        if len(trailer) > MOST_TRAILER_BYTES:
            raise ContainerError(f"a trailer has at most {MOST_TRAILER_BYTES} bytes, not {len(trailer)}")
        self._item.close()
        padding_bytes, total = _plan(self._stream.tell() - ITEM_START - _DESCRIPTOR_64, len(trailer))
        with self._open_wide(PADDING) as padding:
            while padding_bytes:
                padding_bytes -= padding.write(memoryview(_ZEROS)[:padding_bytes])
        last = _member(TRAILER)
        last.file_size = len(trailer)
        with self._zip.open(last, "w") as member:
            member.write(trailer)
        self._zip.close()
        if self._stream.tell() != total:
            raise ContainerError("the container has not the size that was planned")
        return total

    def _open_wide(self, name: str) -> IO[bytes]:
        """Begin a member of unknown length, in the same bytes on every Python.

        Up to Python 3.11.3 `zipfile` wrote another version and zeros for the sizes (CPython issue 103861).
        """
        member = _member(name)
        member.extract_version = member.create_version = _ZIP64_VERSION
        self._stream.fix(self._stream.tell() + _SIZES_AT, _SIZES_OPEN)
        return self._zip.open(member, "w", force_zip64=True)

    def _abandon(self) -> None:
        # A ZipFile that is merely collected writes its directory, which could make a half look whole.
        self._stream.silent = True
        self._zip.close()


@dataclass(frozen=True, slots=True)
class Layout:
    """What a container's end says of the whole.

    Attributes:
        item_bytes: How many bytes from `ITEM_START` on are the item.
        item_crc: Their CRC-32.
        trailer: Not yet parsed.
    """

    item_bytes: int
    item_crc: int
    trailer: bytes


def read_layout(untrusted_tail: bytes, total: int) -> Layout:
    """Read the end of a container.

    Args:
        untrusted_tail: Its last `TAIL_BYTES`, or all if it is shorter.
        total: How long it is.

    Raises:
        ContainerError: It was not written by `ContainerWriter`.
    """
    view = cast("IO[bytes]", _Tail(untrusted_tail, total))
    try:
        with zipfile.ZipFile(view) as opened:
            members = opened.infolist()
            if [member.filename for member in members] != [ITEM, PADDING, TRAILER] or opened.comment:
                raise ContainerError("a container holds the item, padding and the trailer")
            item, padding, last = members
            _refuse_gaps(item, padding, last, total)
            return Layout(item.file_size, item.CRC, opened.read(last))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, zlib.error, EOFError) as error:
        raise ContainerError("the end of a container cannot be read: it is cut or altered") from error


def _refuse_gaps(item: zipfile.ZipInfo, padding: zipfile.ZipInfo, last: zipfile.ZipInfo, total: int) -> None:
    """Make sure that each member begins where the one before ends, so that nothing stands between them."""
    for member in (item, padding, last):
        stored = member.compress_type == zipfile.ZIP_STORED and member.compress_size == member.file_size
        if not stored or member.comment or member.flag_bits & ~0x08:
            raise ContainerError("a container's members are stored as they are")
    if last.file_size > MOST_TRAILER_BYTES:
        raise ContainerError("the trailer is longer than a trailer")
    wanted = _places(item.file_size, padding.file_size, last.file_size)
    if (item.header_offset, padding.header_offset, last.header_offset, total) != (0, *wanted):
        raise ContainerError("the members of a container do not lie where they must")


def _plan(item_bytes: int, trailer_bytes: int) -> tuple[int, int]:
    """Return how much padding makes the whole land on a Padmé size, and that size."""
    least = _places(item_bytes, 0, trailer_bytes)[-1]
    total = max(padme(least), FLOOR_BYTES)
    while True:
        padding_bytes = total - least
        # Where padding pushes what follows it past 2 GiB, the directory grows by a few bytes.
        padding_bytes -= _places(item_bytes, padding_bytes, trailer_bytes)[-1] - total
        if padding_bytes >= 0 and _places(item_bytes, padding_bytes, trailer_bytes)[-1] == total:
            return padding_bytes, total
        total = padme(total + 1)


def _places(item_bytes: int, padding_bytes: int, trailer_bytes: int) -> tuple[int, int, int]:
    """Return where the padding begins, where the trailer begins, and where the container ends."""
    padding_at = ITEM_START + item_bytes + _DESCRIPTOR_64
    trailer_at = padding_at + _LOCAL_64 + len(PADDING) + padding_bytes + _DESCRIPTOR_64
    directory_at = trailer_at + _LOCAL + len(TRAILER) + trailer_bytes + _DESCRIPTOR
    entries = _entry(ITEM, item_bytes, 0) + _entry(PADDING, padding_bytes, padding_at) + _entry(TRAILER, 0, trailer_at)
    end = _END + _END_64 if directory_at > zipfile.ZIP64_LIMIT else _END
    return padding_at, trailer_at, directory_at + entries + end


def _entry(name: str, size_bytes: int, at: int) -> int:
    """Return the length of a member's entry in the directory; `zipfile` calls for 64 bits from 2 GiB on."""
    wide = 2 * (size_bytes > zipfile.ZIP64_LIMIT) + (at > zipfile.ZIP64_LIMIT)
    return _ENTRY + len(name) + (4 + 8 * wide if wide else 0)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _LONG_AGO)
    member.create_system = _NO_SYSTEM
    member.external_attr = 0o600 << 16
    return member


class _Stream(io.RawIOBase):
    """What `zipfile` writes to: it counts, and cannot go back."""

    def __init__(self, sink: Sink) -> None:
        super().__init__()
        self._sink = sink
        self._written = 0
        self._fixed_at = 0
        self._fixed = b""
        self.silent = False

    def fix(self, at: int, content: bytes) -> None:
        """Let *content* stand at place *at*, whatever will be written there."""
        self._fixed_at, self._fixed = at, content

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def seekable(self) -> bool:
        return False

    def write(self, chunk: "ReadableBuffer", /) -> int:
        size_bytes = memoryview(chunk).nbytes
        if not self.silent:
            self._sink.write(self._mended(chunk) if self._written < self._fixed_at + len(self._fixed) else chunk)
            self._written += size_bytes
        return size_bytes

    def _mended(self, chunk: "ReadableBuffer") -> bytes:
        """Put what was fixed over the part of *chunk* that falls on its place."""
        mended = bytearray(memoryview(chunk))
        begin = max(self._fixed_at - self._written, 0)
        skipped = max(self._written - self._fixed_at, 0)
        end = min(self._fixed_at + len(self._fixed) - self._written, len(mended))
        mended[begin:end] = self._fixed[skipped : skipped + max(end - begin, 0)]
        return bytes(mended)


class _Tail(io.RawIOBase):
    """The last bytes of a stream, at the places they had in it."""

    def __init__(self, tail: bytes, total: int) -> None:
        super().__init__()
        self._tail = tail
        self._total = total
        self._before = total - len(tail)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._total}[whence]
        if start + offset < 0:
            raise OSError("nothing lies before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        if self._at < self._before:
            raise OSError("the directory points to what is gone")
        view = memoryview(buffer).cast("B")
        found = self._tail[self._at - self._before :][: len(view)]
        view[: len(found)] = found
        self._at += len(found)
        return len(found)
