"""Write and read the one form of tar header that our bags use; every other form is refused."""

import re

from bags.errors import ArchiveError, LayoutError

BLOCK_BYTES = 512
# POSIX.1-1988 ends an archive with two empty blocks; we write these and not a byte more.
END = bytes(2 * BLOCK_BYTES)
# The size field has eleven octal digits.
MAX_FILE_BYTES = 8**11 - 1

# K5: no member tells when or by whom it was made. The time is 1980-01-01, with which ZIP begins.
_MODE = 0o600
_MODIFIED_AT = 315_532_800
# The checksum is computed as if its own field held spaces.
_NO_CHECKSUM = b" " * 8
_NAME_FIELD = slice(0, 100)
_SIZE_FIELD = slice(124, 136)
_PREFIX_FIELD = slice(345, 500)
_SIZE = re.compile(rb"([0-7]{11})\x00")
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*(?:/[a-z0-9][a-z0-9.-]*)*", re.ASCII)
_MAX_FIELD_CHARACTERS = 100


def header(name: str, size_bytes: int) -> bytes:
    """Write the header block of a regular file.

    Raises:
        LayoutError: The name or the size has no place in it.
    """
    if not _NAME.fullmatch(name):
        raise LayoutError("a member's name has lower-case letters, digits, dots, hyphens and slashes")
    if not 0 <= size_bytes <= MAX_FILE_BYTES:
        raise LayoutError(f"a member has at most {MAX_FILE_BYTES} bytes")
    prefix, short = _split(name)
    # Written here and not by tarfile, because its bytes differ between versions of Python.
    block = b"".join(
        (
            short.encode("ascii").ljust(100, b"\0"),
            b"%07o\0" % _MODE,
            b"0000000\0" * 2,  # owner and group
            b"%011o\0" % size_bytes,
            b"%011o\0" % _MODIFIED_AT,
            _NO_CHECKSUM,
            b"0".ljust(101, b"\0"),  # a regular file, linked to nothing
            b"ustar\x0000".ljust(72, b"\0"),  # version 00, and no names of owner and group
            b"0000000\0" * 2,  # no device
            prefix.encode("ascii").ljust(167, b"\0"),
        )
    )
    return block.replace(_NO_CHECKSUM, b"%06o\0 " % sum(block), 1)


def padding_bytes(size_bytes: int) -> int:
    """Return how many zero bytes fill the last block of a file."""
    return -size_bytes % BLOCK_BYTES


def read_header(untrusted_block: bytes) -> tuple[str, int]:
    """Read the name and the size from a header block.

    Only two fields are looked at; then the block must be what `header` writes for them. So links,
    devices, sparse files, GNU and PAX extensions, owners, times, wrong checksums and names that lead
    elsewhere are all refused by one comparison.

    Raises:
        ArchiveError: The block is anything else.
    """
    size = _SIZE.fullmatch(untrusted_block[_SIZE_FIELD])
    if len(untrusted_block) != BLOCK_BYTES or size is None:
        raise ArchiveError("this is no header of a regular file")
    try:
        name = _text(untrusted_block[_NAME_FIELD])
        prefix = _text(untrusted_block[_PREFIX_FIELD])
        whole = f"{prefix}/{name}" if prefix else name
        size_bytes = int(size[1], 8)
        written = header(whole, size_bytes)
    except (UnicodeDecodeError, LayoutError) as error:
        raise ArchiveError("a member has a name that no bag of ours has") from error
    if written != untrusted_block:
        raise ArchiveError("a member is not a plain file without owner, time or extension")
    return whole, size_bytes


def _split(name: str) -> tuple[str, str]:
    """Divide a long name at its first slash: the folder of the bag goes into the prefix field."""
    if len(name) <= _MAX_FIELD_CHARACTERS:
        return "", name
    prefix, _slash, short = name.partition("/")
    if max(len(prefix), len(short)) > _MAX_FIELD_CHARACTERS:
        raise LayoutError("a member's name is too long for a tar header")
    return prefix, short


def _text(untrusted_field: bytes) -> str:
    return untrusted_field.rstrip(b"\0").decode("ascii")
