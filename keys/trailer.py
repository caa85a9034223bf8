"""What ends a sealed part: what it is, how long, and its hash, so that half a part is never taken for one."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, TypeGuard, get_args

from hardening.canonical import JsonError, canonical_json, strict_json
from keys.errors import KeysError

MOST_TRAILER_BYTES: Final = 16 * 1024
LONGEST_NAME_BYTES: Final = 4096
LONGEST_MEDIA_TYPE: Final = 255

ReportKind: TypeAlias = Literal["account", "identity", "contact", "consents", "notes"]
"""The documents of a report; each has its own part, so that giving one away gives nothing else."""
ListedKind: TypeAlias = Literal["message", "file"] | ReportKind
"""What a manifest lists."""
Kind: TypeAlias = ListedKind | Literal["manifest"]
OutsideKind: TypeAlias = Literal["message", "file", "report", "manifest"]
"""What a server is told of a part."""

REPORT_KINDS: Final = frozenset[str](get_args(ReportKind))

_LISTED_KINDS: Final = frozenset(("message", "file")) | REPORT_KINDS

_VERSION: Final = 1
_END: Final = "svidok part end"
_PART_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")
_MEDIA_TYPE: Final = re.compile(r"[\x20-\x7e]*\Z")


class TrailerError(KeysError):
    """A trailer is missing, malformed, or not what belongs there (G2)."""


@dataclass(frozen=True, slots=True)
class Trailer:
    """What a sealed part says of itself.

    Attributes:
        part_id: 32 hexadecimal digits, drawn for this part.
        kind: What it is.
        name: As the source's browser gave it: for people to read, never a path (Q4).
        media_type: As the browser declared it, which proves nothing.
        length: Of the item in bytes.
        sha256: Of the item, in hexadecimal.
        preencrypted: It looked as if the source had sealed it herself (G16).
    """

    part_id: str
    kind: Kind
    name: str = field(repr=False)
    media_type: str
    length: int
    sha256: str
    preencrypted: bool

    def __post_init__(self) -> None:
        if _PART_ID.match(self.part_id) is None or _SHA256.match(self.sha256) is None:
            raise TrailerError("a part has an id of 32 and a hash of 64 hexadecimal digits")
        if self.length < 0:
            raise TrailerError("no part is shorter than nothing")
        refuse_label(self.name, self.media_type)


def is_listed_kind(untrusted: str) -> TypeGuard[ListedKind]:
    """Say whether a part that a manifest lists can be called this."""
    return untrusted in _LISTED_KINDS


def outside_kind(kind: Kind) -> OutsideKind:
    """Say what a server is told of a part of this kind: never which document of a report it is (G12)."""
    return kind if kind in ("message", "file", "manifest") else "report"


def refuse_label(name: str, media_type: str) -> None:
    """Refuse what no trailer can hold.

    Raises:
        TrailerError: The name or the type is too long, or the type is not plain text.
    """
    try:
        size_bytes = len(name.encode())
    except UnicodeEncodeError:
        raise TrailerError("a name with half a surrogate pair cannot be written down") from None
    if size_bytes > LONGEST_NAME_BYTES:
        raise TrailerError(f"a name has at most {LONGEST_NAME_BYTES} bytes, not {size_bytes}")
    if len(media_type) > LONGEST_MEDIA_TYPE or _MEDIA_TYPE.match(media_type) is None:
        raise TrailerError(f"a media type has at most {LONGEST_MEDIA_TYPE} printable characters")


def format_trailer(trailer: Trailer) -> bytes:
    """Write *trailer* in its one form."""
    return canonical_json(
        {
            "v": _VERSION,
            "part": trailer.part_id,
            "kind": trailer.kind,
            "name": trailer.name,
            "media_type": trailer.media_type,
            "length": trailer.length,
            "sha256": trailer.sha256,
            "preencrypted": trailer.preencrypted,
            "end": _END,
        }
    )


def parse_trailer(untrusted: bytes) -> Trailer:
    """Read a trailer in its one form.

    Raises:
        TrailerError: It is anything else, even by one byte.
    """
    try:
        members = strict_json(untrusted, MOST_TRAILER_BYTES, canonical=True)
    except JsonError as error:
        raise TrailerError("a trailer must be canonical JSON") from error
    match members:
        case {
            "part": str(part_id),
            "kind": str(kind),
            "name": str(name),
            "media_type": str(media_type),
            "length": int(length),
            "sha256": str(sha256),
            "preencrypted": bool(preencrypted),
        } if not isinstance(length, bool) and _is_kind(kind):
            trailer = Trailer(part_id, kind, name, media_type, length, sha256, preencrypted)
        case _:
            raise TrailerError("a trailer lacks a member, or has one of the wrong type")
    # Also refuses another version, another end mark, and members that we do not know.
    if format_trailer(trailer) != untrusted:
        raise TrailerError("a trailer must hold the members of version 1 and no others")
    return trailer


def _is_kind(untrusted: str) -> TypeGuard[Kind]:
    return untrusted == "manifest" or is_listed_kind(untrusted)
