"""What people say when they let words be read by sources: which words, in which language, and who has read them.

Signed by a signer of the drop's keyset, apart from this (`svidok.approved_form`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast, get_args

from hardening.canonical import JSON, JsonError, canonical_json, strict_json
from questionnaire.errors import ApprovalError

Kind = Literal["form"]
Role = Literal["native", "survivor", "lawyer"]

MOST_APPROVAL_BYTES: Final = 16 * 1024
NEEDED: Final[tuple[Role, ...]] = ("native", "survivor")
"""Somebody who speaks the language as her own, and somebody who has lived through what is asked about."""

_TYPE: Final = "svidok approval"
_VERSION: Final = 1
_KINDS: Final = frozenset[str](get_args(Kind))
_ROLES: Final[tuple[str, ...]] = get_args(Role)
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}\Z")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_MOST_READERS: Final = 16
_MOST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who has read all of it, by the name or pseudonym that she answers for it with."""

    role: Role
    name: str

    def __post_init__(self) -> None:
        if self.role not in _ROLES:
            raise ApprovalError(f"a reader is one of {', '.join(_ROLES)}")
        if not 0 < len(self.name) <= _MOST_NAME or not self.name.isprintable() or self.name.strip() != self.name:
            raise ApprovalError(f"a reader's name has 1 to {_MOST_NAME} printable characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One language of one form, approved.

    Attributes:
        sha256: Of the bytes that were read: another letter is another form.
        name: The form's id.
        readers: At least one in each role of `NEEDED`.
        day: When they had read it.
    """

    kind: Kind
    sha256: str
    name: str
    version: str
    language: str
    readers: tuple[Reader, ...]
    day: date

    def __post_init__(self) -> None:
        if self.kind not in _KINDS or _SHA256.match(self.sha256) is None or _LANGUAGE.match(self.language) is None:
            raise ApprovalError("an approval names a kind, a SHA-256 and a language")
        missing = [role for role in NEEDED if role not in {reader.role for reader in self.readers}]
        if missing or len(self.readers) > _MOST_READERS:
            raise ApprovalError(f"an approval needs a reader in each of these roles: {', '.join(NEEDED)}")


def format_approval(approval: Approval) -> bytes:
    """Write *approval* in its one form."""
    return canonical_json(
        {
            "type": _TYPE,
            "v": _VERSION,
            "kind": approval.kind,
            "sha256": approval.sha256,
            "id": approval.name,
            "version": approval.version,
            "language": approval.language,
            "readers": [{"role": reader.role, "name": reader.name} for reader in approval.readers],
            "day": approval.day.isoformat(),
        }
    )


def parse_approval(untrusted: bytes) -> Approval:
    """Read an approval in its one form.

    Raises:
        ApprovalError: It is anything else, even by one byte.
    """
    try:
        members = _object(strict_json(untrusted, MOST_APPROVAL_BYTES, canonical=True))
        approval = Approval(
            kind=cast("Kind", _text(members["kind"])),
            sha256=_text(members["sha256"]),
            name=_text(members["id"]),
            version=_text(members["version"]),
            language=_text(members["language"]),
            readers=tuple(_reader(one) for one in _array(members["readers"])),
            day=_day(members["day"]),
        )
    except (JsonError, KeyError) as error:
        raise ApprovalError("an approval must be canonical JSON with all its members") from error
    # Also refuses another version, and members that we do not know.
    if format_approval(approval) != untrusted:
        raise ApprovalError("an approval must hold the members of version 1 and no others")
    return approval


def _reader(told: JSON) -> Reader:
    members = _object(told)
    return Reader(cast("Role", _text(members["role"])), _text(members["name"]))


def _day(told: JSON) -> date:
    text = _text(told)
    try:
        if _DAY.match(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ApprovalError("an approval's day is a date, YYYY-MM-DD")


def _text(told: JSON) -> str:
    if not isinstance(told, str):
        raise ApprovalError("an approval has a member of the wrong type")
    return told


def _array(told: JSON) -> Sequence[JSON]:
    if not isinstance(told, list):
        raise ApprovalError("an approval has a member of the wrong type")
    return told


def _object(told: JSON) -> dict[str, JSON]:
    if not isinstance(told, dict):
        raise ApprovalError("an approval has a member of the wrong type")
    return told
