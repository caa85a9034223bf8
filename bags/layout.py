"""Lay out a bag before a byte of it is read, so that its length, its tag and any piece of it are known at once."""

import hashlib
import io
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, Self

from bags.errors import LayoutError, PayloadChangedError
from bags.profile import (
    DECLARATION,
    DECLARATION_TEXT,
    INFORMATION,
    MANIFEST,
    TAG_MANIFEST,
    Information,
    Listed,
    Profile,
    format_manifest,
    tag_manifest,
)
from bags.tar import END, header, padding_bytes

CHUNK_BYTES = 128 * 1024

Opener = Callable[[], BinaryIO]
"""Opens a file for reading from its start; the layout closes it."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file whose size and hash are known, and that is opened only when its bytes are wanted."""

    name: str
    size_bytes: int
    sha256: str
    opener: Opener

    @classmethod
    def of_bytes(cls, name: str, content: bytes) -> Self:
        """Stand for *content*, which is in memory."""
        return cls(name, len(content), hashlib.sha256(content).hexdigest(), lambda: io.BytesIO(content))


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of bytes of the tar: a file, or what surrounds it."""

    size_bytes: int
    opener: Opener


@dataclass(frozen=True, slots=True)
class Layout:
    """A tar that exists only as a plan; the same files give the same bytes every time."""

    files: tuple[KnownFile, ...]
    segments: tuple[Segment, ...]
    starts: tuple[int, ...]
    size_bytes: int

    @classmethod
    def of_files(cls, files: Sequence[KnownFile]) -> Self:
        """Plan the tar that holds *files* in this order.

        Raises:
            LayoutError: A name or size that no bag of ours has, or a name twice.
        """
        if len({each.name for each in files}) != len(files):
            raise LayoutError("a name stands twice in the bag")
        segments: list[Segment] = []
        padding = 0
        for each in files:
            # Headers are made again when they are wanted: a plan of 100,000 files stays small.
            before = len(_between(padding, each))
            segments += (
                Segment(before, partial(_opened_between, padding, each)),
                Segment(each.size_bytes, each.opener),
            )
            padding = padding_bytes(each.size_bytes)
        segments.append(_memory(bytes(padding) + END))
        starts = tuple(accumulate((each.size_bytes for each in segments), initial=0))
        return cls(tuple(files), tuple(segments), starts[:-1], starts[-1])

    @property
    def etag(self) -> str:
        """A strong validator: it changes with any byte of the tar (RFC 9110, 8.8.1)."""
        digest = hashlib.sha256(b"svidok bag layout 1\n")
        for each in self.files:
            digest.update(f"{each.sha256} {each.size_bytes} {each.name}\n".encode("ascii"))
        return f'"{digest.hexdigest()}"'

    def stream(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of the tar from *start* up to, not including, *end*, in small chunks.

        Only files that overlap the range are opened, one at a time. Their hashes are not checked
        here: whoever receives the bag does that.

        Raises:
            LayoutError: The tar has no such range.
            PayloadChangedError: A file is shorter or longer than planned. What was yielded is useless.
        """
        last = self.size_bytes if end is None else end
        if not 0 <= start <= last <= self.size_bytes:
            raise LayoutError(f"a bag of {self.size_bytes} bytes has no such range")
        # A generator would refuse the range only when its first chunk is asked for.
        return self._pieces(start, last)

    def _pieces(self, start: int, last: int) -> Iterator[bytes]:
        index = max(bisect_right(self.starts, start) - 1, 0)
        while index < len(self.segments) and self.starts[index] < last:
            segment, begins = self.segments[index], self.starts[index]
            yield from _read(segment, max(start - begins, 0), min(last - begins, segment.size_bytes))
            index += 1


def bag_layout(profile: Profile, bag_id: str, payload: Iterable[KnownFile]) -> Layout:
    """Plan the bag with this payload (paths begin with ``data/``), all in one folder named by *bag_id*.

    Raises:
        LayoutError: The payload is not what this kind of bag may hold.
    """
    files = sorted(payload, key=lambda each: each.name)
    total = sum(each.size_bytes for each in files)
    if len(files) > profile.limit_files or total > profile.limit_bytes:
        raise LayoutError(f"this bag holds at most {profile.limit_files} files and {profile.limit_bytes} bytes")
    if not all(profile.paths.fullmatch(each.name) for each in files):
        raise LayoutError("the payload has a path that this kind of bag never has")
    information = Information(profile.kind, bag_id, total, len(files)).format()
    manifest = format_manifest(Listed(each.name, each.sha256) for each in files)
    tags = (
        (DECLARATION, DECLARATION_TEXT),
        (INFORMATION, information),
        (MANIFEST, manifest),
        (TAG_MANIFEST, tag_manifest(information, manifest)),
    )
    inside = (*(KnownFile.of_bytes(name, content) for name, content in tags), *files)
    return Layout.of_files(
        [KnownFile(f"{bag_id}/{each.name}", each.size_bytes, each.sha256, each.opener) for each in inside]
    )


def write_layout(layout: Layout, path: Path) -> None:
    """Write the whole tar to *path*, which must not exist; a failure leaves nothing there.

    Raises:
        PayloadChangedError: A file is not what the layout was planned for.
    """
    with path.open("xb") as output:
        path.chmod(0o600)
        try:
            for chunk in layout.stream():
                output.write(chunk)
        except BaseException:
            path.unlink()
            raise


def _memory(content: bytes) -> Segment:
    return Segment(len(content), lambda: io.BytesIO(content))


def _between(padding: int, following: KnownFile) -> bytes:
    return bytes(padding) + header(following.name, following.size_bytes)


def _opened_between(padding: int, following: KnownFile) -> BinaryIO:
    return io.BytesIO(_between(padding, following))


def _read(segment: Segment, start: int, end: int) -> Iterator[bytes]:
    if start >= end:
        return
    with segment.opener() as source:
        source.seek(start)
        left = end - start
        while left:
            chunk = source.read(min(left, CHUNK_BYTES))
            if not chunk:
                raise PayloadChangedError("a file is shorter than when the bag was laid out")
            left -= len(chunk)
            yield chunk
        if end == segment.size_bytes and source.read(1):
            raise PayloadChangedError("a file is longer than when the bag was laid out")
