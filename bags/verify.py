"""Read an untrusted bag as a stream, byte for byte as we would have written it, or refuse it."""

import hashlib
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bags.errors import ArchiveError, ManifestError, NoBagError, PayloadError, TooLargeError
from bags.profile import (
    DECLARATION,
    DECLARATION_TEXT,
    INFORMATION,
    MANIFEST,
    MAX_INFORMATION_BYTES,
    MAX_LINE_BYTES,
    TAG_MANIFEST,
    Information,
    Listed,
    Profile,
    parse_information,
    parse_manifest,
    tag_manifest,
)
from bags.tar import BLOCK_BYTES, END, padding_bytes, read_header
from hardening.files import destroy, private_folder

CHUNK_BYTES = 128 * 1024
# Four tag files, each of which fits in this when it is not the manifest.
MAX_TAG_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Head:
    """The tag files of a bag, which agree with each other."""

    information: Information
    manifest: bytes
    listed: tuple[Listed, ...]

    def tags(self) -> dict[str, bytes]:
        """Return the tag files as they stood in the bag."""
        written = self.information.format()
        return {
            DECLARATION: DECLARATION_TEXT,
            INFORMATION: written,
            MANIFEST: self.manifest,
            TAG_MANIFEST: tag_manifest(written, self.manifest),
        }


@dataclass(frozen=True, slots=True)
class Measured:
    """A payload file as it was in the bag."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """A bag that was read to its end and is whole; what its files say is another question."""

    bag_id: str
    folder: Path
    files: dict[str, Measured]

    def read(self, path: str, limit_bytes: int) -> bytes:
        """Return the bytes of a small payload file.

        Raises:
            PayloadError: The bag has no such file.
            TooLargeError: It is larger than *limit_bytes*.
        """
        found = self.files.get(path)
        if found is None:
            raise PayloadError(f"the bag has no {path}")
        if found.size_bytes > limit_bytes:
            raise TooLargeError(f"{path} has at most {limit_bytes} bytes, not {found.size_bytes}")
        return (self.folder / path).read_bytes()


class PayloadFile:
    """The payload file that the stream stands at; its bytes can be had once, and only in order."""

    def __init__(self, listed: Listed, size_bytes: int, untrusted: BinaryIO) -> None:
        self.path = listed.path
        self.size_bytes = size_bytes
        self._sha256 = listed.sha256
        self._chunks = _chunks(untrusted, size_bytes)
        self._hash = hashlib.sha256()

    def chunks(self) -> Iterator[bytes]:
        """Yield what is left of the file; its hash is checked only after the last chunk."""
        for chunk in self._chunks:
            self._hash.update(chunk)
            yield chunk

    def finish(self) -> Measured:
        """Read what is left and return the file's measure.

        Raises:
            PayloadError: The file is not the one in the manifest.
        """
        for _chunk in self.chunks():
            pass
        if self._hash.hexdigest() != self._sha256:
            raise PayloadError(f"{self.path} is not what the manifest says")
        return Measured(self.path, self.size_bytes, self._sha256)


def read_head(untrusted: BinaryIO, profile: Profile) -> Head:
    """Read the tag files, with which every bag of ours begins.

    Raises:
        NoBagError: This is some other file.
        BagsError: Anything but what we would have written, or too large.
    """
    # 1. The declaration names the folder in which all the rest must lie.
    try:
        name, size = _member(untrusted)
    except ArchiveError as error:
        raise NoBagError(f"this does not begin as a bag does: {error}") from error
    bag_id, _slash, path = name.partition("/")
    if path != DECLARATION or _small(untrusted, size, MAX_TAG_BYTES) != DECLARATION_TEXT:
        raise ManifestError("a bag begins with a BagIt 1.0 declaration")
    # 2. The kind, and the measure of what follows; everything later is bounded by it.
    information = parse_information(_tag(untrusted, bag_id, INFORMATION, MAX_INFORMATION_BYTES), profile)
    if information.bag_id != bag_id:
        raise ManifestError("the folder of the bag and its identifier differ")
    # 3. Every payload file, in the order in which it must come.
    manifest = _tag(untrusted, bag_id, MANIFEST, information.payload_files * MAX_LINE_BYTES)
    listed = parse_manifest(manifest, profile)
    if len(listed) != information.payload_files:
        raise ManifestError("the manifest names another number of files than the payload oxum")
    # 4. The tag files cover each other.
    if _tag(untrusted, bag_id, TAG_MANIFEST, MAX_TAG_BYTES) != tag_manifest(information.format(), manifest):
        raise ManifestError("the tag manifest does not fit the tag files")
    return Head(information, manifest, listed)


def payload(untrusted: BinaryIO, head: Head) -> Iterator[PayloadFile]:
    """Yield the payload files one by one; only who reaches the end holds a whole bag.

    Raises:
        BagsError: A file is missing, too many, changed, of another size, or something follows.
    """
    left = head.information.payload_bytes
    # 5. Exactly the files of the manifest, in its order, within the announced measure.
    for listed in head.listed:
        name, size = _member(untrusted)
        if name != f"{head.information.bag_id}/{listed.path}":
            raise PayloadError("the next file of the bag is not the next one of its manifest")
        if size > left:
            raise PayloadError("the payload is larger than the payload oxum")
        left -= size
        file = PayloadFile(listed, size, untrusted)
        yield file
        file.finish()
        _padding(untrusted, size)
    # 6. Not less than announced, and not a byte after the end.
    if left:
        raise PayloadError("the payload is smaller than the payload oxum")
    if _exactly(untrusted, len(END)) != END or untrusted.read(1):
        raise ArchiveError("a bag ends in two empty blocks and nothing after them")


@contextmanager
def bounded(untrusted_tar: Path, limit_bytes: int) -> Generator[BinaryIO]:
    """Lend a plain file that is not too large; a pipe or a device must not keep us reading for ever.

    Raises:
        ArchiveError: Not a regular file.
        TooLargeError: More than *limit_bytes*.
    """
    if not untrusted_tar.is_file():
        raise ArchiveError("a bag is a regular file")
    with untrusted_tar.open("rb") as untrusted:
        size = os.fstat(untrusted.fileno()).st_size
        if size > limit_bytes:
            raise TooLargeError(f"a bag of this kind has at most {limit_bytes} bytes, not {size}")
        yield untrusted


@contextmanager
def unpacking(untrusted_tar: Path, destination: Path, profile: Profile) -> Generator[Contents]:
    """Lend the contents of a bag, and put them at *destination* only if the block ends well.

    The names inside are those of the profile: random ids, never a name that a source chose. Nothing
    is forced to the disk; whoever takes over the files does that.

    Args:
        untrusted_tar: The bag, on a medium that anybody may have written.
        destination: Must not exist. Beside it lies, while the block runs, a folder ``….part``.
        profile: The only kind of bag that is accepted, with its bounds.

    Raises:
        BagsError: The bag is refused. Nothing is left, also when the block itself raises.
    """
    if destination.exists():
        raise FileExistsError(f"{destination.name} is there already")
    partial = destination.with_name(f"{destination.name}.part")
    # What lies there is of a run that was cut off; nobody ever took it for a bag.
    destroy(partial)
    private_folder(partial)
    try:
        yield _unpack(untrusted_tar, partial, profile)
        partial.rename(destination)
    except BaseException:
        destroy(partial)
        raise


def _unpack(untrusted_tar: Path, folder: Path, profile: Profile) -> Contents:
    files: dict[str, Measured] = {}
    with bounded(untrusted_tar, profile.limit_bytes) as untrusted:
        head = read_head(untrusted, profile)
        for path, content in head.tags().items():
            with _created(folder, path) as output:
                output.write(content)
        for file in payload(untrusted, head):
            with _created(folder, file.path) as output:
                for chunk in file.chunks():
                    output.write(chunk)
            files[file.path] = file.finish()
    return Contents(head.information.bag_id, folder, files)


def _created(folder: Path, path: str) -> BinaryIO:
    """Make a file of our own, in folders of our own; what is there already is never written to."""
    target = folder / path
    if not target.parent.is_dir():
        for parent in reversed(Path(path).parents):
            (folder / parent).mkdir(mode=0o700, exist_ok=True)
    return os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


def _tag(untrusted: BinaryIO, bag_id: str, expected: str, limit_bytes: int) -> bytes:
    name, size = _member(untrusted)
    if name != f"{bag_id}/{expected}":
        raise ManifestError(f"the bag lacks {expected} in its place")
    return _small(untrusted, size, limit_bytes)


def _member(untrusted: BinaryIO) -> tuple[str, int]:
    return read_header(_exactly(untrusted, BLOCK_BYTES))


def _small(untrusted: BinaryIO, size: int, limit_bytes: int) -> bytes:
    if size > limit_bytes:
        raise TooLargeError(f"a tag file has at most {limit_bytes} bytes here, not {size}")
    content = _exactly(untrusted, size)
    _padding(untrusted, size)
    return content


def _padding(untrusted: BinaryIO, size: int) -> None:
    if any(_exactly(untrusted, padding_bytes(size))):
        raise ArchiveError("the last block of a file is filled with something")


def _chunks(untrusted: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left:
        chunk = _exactly(untrusted, min(left, CHUNK_BYTES))
        left -= len(chunk)
        yield chunk


def _exactly(untrusted: BinaryIO, size: int) -> bytes:
    content = untrusted.read(size)
    if len(content) != size:
        raise ArchiveError("the bag ends too early")
    return content
