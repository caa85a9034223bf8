"""Say what each kind of bag may hold, and write and read its tag files (RFC 8493)."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from bags.errors import ManifestError, TooLargeError

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

DECLARATION = "bagit.txt"
INFORMATION = "bag-info.txt"
MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"

# RFC 8493, 2.1.1.
DECLARATION_TEXT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MAX_INFORMATION_BYTES = KIB
# "<hash>  <path>\n" with the longest path that a tar header of ours takes.
MAX_LINE_BYTES = 64 + 2 + 200 + 1

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_INFORMATION = re.compile(
    r"Bag-Kind: ([a-z]{1,16} [1-9][0-9]{0,3})\n"
    r"External-Identifier: ([0-9a-f]{32})\n"
    r"Payload-Oxum: (0|[1-9][0-9]{0,18})\.(0|[1-9][0-9]{0,8})\n",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of bag: its name, the paths that its payload may have, and how much it may hold."""

    kind: str
    paths: re.Pattern[str]
    limit_files: int
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a manifest."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Information:
    """What a bag says of itself: its kind, its id and the measure of its payload."""

    kind: str
    bag_id: str
    payload_bytes: int
    payload_files: int

    def format(self) -> bytes:
        """Write ``bag-info.txt`` (RFC 8493, 2.2.2)."""
        return (
            f"Bag-Kind: {self.kind}\n"
            f"External-Identifier: {self.bag_id}\n"
            f"Payload-Oxum: {self.payload_bytes}.{self.payload_files}\n"
        ).encode("ascii")


TRANSFER = Profile(
    kind="transfer 1",
    paths=re.compile(
        r"data/(?:index\.json|keyset\.json|promises/[0-9a-f]{64}\.txt|submissions/[0-9a-f]{32}/[0-9a-f]{32}\.gpg)",
        re.ASCII,
    ),
    limit_files=100_000,
    limit_bytes=1024 * GIB,
)

RETURN = Profile(
    kind="return 1",
    paths=re.compile(r"data/(?:return\.json|replies/[0-9a-f]{32}\.box)", re.ASCII),
    limit_files=10_000,
    limit_bytes=64 * MIB,
)


def parse_information(untrusted: bytes, profile: Profile) -> Information:
    """Read ``bag-info.txt`` of a bag that should be of this kind.

    Raises:
        ManifestError: It is malformed, or speaks of another kind of bag.
        TooLargeError: The payload is larger than this kind may have.
    """
    try:
        fields = _INFORMATION.fullmatch(untrusted.decode("ascii"))
    except UnicodeDecodeError as error:
        raise ManifestError("bag-info.txt is not ASCII") from error
    if fields is None or fields[1] != profile.kind:
        raise ManifestError(f"this is no bag of the kind {profile.kind!r}")
    information = Information(fields[1], fields[2], int(fields[3]), int(fields[4]))
    if information.payload_files > profile.limit_files or information.payload_bytes > profile.limit_bytes:
        raise TooLargeError(
            f"a bag of this kind holds at most {profile.limit_files} files and {profile.limit_bytes} bytes"
        )
    return information


def format_manifest(lines: Iterable[Listed]) -> bytes:
    """Write a manifest, sorted by path (RFC 8493, 2.1.3)."""
    ordered = sorted(lines, key=lambda each: each.path)
    return "".join(f"{each.sha256}  {each.path}\n" for each in ordered).encode("ascii")


def parse_manifest(untrusted: bytes, profile: Profile) -> tuple[Listed, ...]:
    """Read the payload manifest of a bag of this kind.

    Paths outside the profile, a path twice and any other order than ours are refused; with the
    profile's narrow paths this leaves nothing that could clash on any file system.

    Raises:
        ManifestError: It is not what `format_manifest` writes for this kind of bag.
    """
    try:
        text = untrusted.decode("ascii")
    except UnicodeDecodeError as error:
        raise ManifestError("a manifest of ours is ASCII") from error
    if not text.endswith("\n"):
        raise ManifestError("each line of a manifest ends in a newline")
    listed = tuple(_line(line, profile) for line in text[:-1].split("\n"))
    if any(earlier.path >= later.path for earlier, later in pairwise(listed)):
        raise ManifestError("a manifest names each path once, in order")
    return listed


def tag_manifest(information: bytes, manifest: bytes) -> bytes:
    """Write the tag manifest; it covers every tag file but itself (RFC 8493, 2.2.1)."""
    tags = {DECLARATION: DECLARATION_TEXT, INFORMATION: information, MANIFEST: manifest}
    return format_manifest(Listed(path, hashlib.sha256(content).hexdigest()) for path, content in tags.items())


def _line(untrusted: str, profile: Profile) -> Listed:
    sha256, gap, path = untrusted.partition("  ")
    if not gap or not _HASH.fullmatch(sha256):
        raise ManifestError("a line of a manifest is a SHA-256 hash, two spaces and a path")
    if not profile.paths.fullmatch(path):
        raise ManifestError("a manifest names a path that this kind of bag never has")
    return Listed(path, sha256)
