"""Who has read a translation, or a form, and found that it may be shown to sources: the one written form of it.

Reviewers sign these bytes (`keys.signing`); what they mean is fixed by docs/specs/approval.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, TypeAlias, get_args

from hardening.canonical import JSON, JsonError, Writable, canonical_json, strict_json
from questionnaire.errors import ApprovalError

Role: TypeAlias = Literal["native", "survivor", "lawyer", "doctor", "expert"]
"""As what somebody has read it."""

MOST_APPROVAL_BYTES: Final = 16 * 1024
NEEDED: Final[frozenset[Role]] = frozenset({"native", "survivor"})
"""Without one of each nothing is shown in a real drop."""

_TYPE: Final = "svidok approval"
_VERSION: Final = 1
_MOST_READERS: Final = 16
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}\Z")
_FORM: Final = re.compile(r"[0-9A-Za-z._-]{1,64}\Z")
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z")
_MOST_NAME_CHARACTERS: Final = 80


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The words of the pages in one language (`source_interface.languages.Language.sha256`)."""

    language: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ApprovedForm:
    """One version of a questionnaire, in one of its languages; the hash is that of the compiled form."""

    language: str
    sha256: str
    form_id: str
    version: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who has read it, by the name that the reviewers know; a pseudonym will do."""

    name: str
    role: Role
    day: date


@dataclass(frozen=True, slots=True)
class Approval:
    """What was read, and by whom.

    Attributes:
        readers: In the order in which they were written down; nobody twice.

    Raises:
        ApprovalError: A member is not of its form; the same person stands there twice.
    """

    what: Catalogue | ApprovedForm
    readers: tuple[Reader, ...]

    def __post_init__(self) -> None:
        _refuse_what(self.what)
        if not 1 <= len(self.readers) <= _MOST_READERS:
            raise ApprovalError(f"an approval has 1 to {_MOST_READERS} readers, not {len(self.readers)}")
        for reader in self.readers:
            _refuse_reader(reader)
        if len({reader.name for reader in self.readers}) != len(self.readers):
            raise ApprovalError("a reader stands there twice: each role needs another person")

    @property
    def canonical(self) -> bytes:
        """The bytes that are stored and signed."""
        readers = [{"name": reader.name, "role": reader.role, "day": reader.day.isoformat()} for reader in self.readers]
        return canonical_json({"type": _TYPE, "v": _VERSION, "what": _written(self.what), "readers": readers})

    @property
    def sufficient(self) -> bool:
        """Whether everybody has read it who must have."""
        return {reader.role for reader in self.readers} >= NEEDED

    def holds_for(self, what: Catalogue | ApprovedForm) -> bool:
        """Say whether *what* may be shown because of this: the very same words, read by all who must have."""
        return self.what == what and self.sufficient


def parse_approval(untrusted: bytes) -> Approval:
    """Read an approval in its one form; who signed it is another question.

    Raises:
        ApprovalError: It is anything else, even by one byte.
    """
    try:
        members = _object(strict_json(untrusted, MOST_APPROVAL_BYTES, canonical=True))
        readers = members["readers"]
        if not isinstance(readers, list):
            raise ApprovalError("the readers of an approval are a list")
        approval = Approval(_what(_object(members["what"])), tuple(_reader(_object(one)) for one in readers))
    except JsonError as error:
        raise ApprovalError(f"an approval must be canonical JSON: {error}") from error
    except KeyError as error:
        raise ApprovalError(f"an approval needs the member {error}") from error
    # Also refuses another type or version, and members that we do not know.
    if approval.canonical != untrusted:
        raise ApprovalError("an approval must hold the members of version 1 and no others")
    return approval


def _written(what: Catalogue | ApprovedForm) -> Writable:
    match what:
        case Catalogue():
            return {"kind": "catalogue", "language": what.language, "sha256": what.sha256}
        case ApprovedForm():
            form: Writable = {"id": what.form_id, "version": what.version}
            return {"kind": "form", "language": what.language, "sha256": what.sha256, "form": form}


def _what(members: Mapping[str, JSON]) -> Catalogue | ApprovedForm:
    language, sha256 = _text(members["language"]), _text(members["sha256"])
    if members["kind"] != "form":
        return Catalogue(language, sha256)
    form = _object(members["form"])
    return ApprovedForm(language, sha256, _text(form["id"]), _text(form["version"]))


def _reader(members: Mapping[str, JSON]) -> Reader:
    day, role = _text(members["day"]), _text(members["role"])
    try:
        # fromisoformat also takes forms that we never write.
        read = date.fromisoformat(day if _DAY.match(day) else "")
    except ValueError:
        raise ApprovalError("the day of a reader is a date like 2026-03-04") from None
    return Reader(_text(members["name"]), role_named(role), read)


def role_named(role: str) -> Role:
    """Give the role of that name.

    Raises:
        ApprovalError: There is no such role.
    """
    for known in get_args(Role):
        if role == known:
            found: Role = known
            return found
    raise ApprovalError(f"a reader reads as one of: {', '.join(get_args(Role))}")


def _refuse_what(what: Catalogue | ApprovedForm) -> None:
    if not _LANGUAGE.match(what.language):
        raise ApprovalError("a language is named by two or three small letters")
    if not _HASH.match(what.sha256):
        raise ApprovalError("a hash has 64 small hexadecimal digits")
    if isinstance(what, ApprovedForm) and not (_FORM.match(what.form_id) and _FORM.match(what.version)):
        raise ApprovalError("a form and its version have 1 to 64 letters, digits, dots, hyphens and low lines")


def _refuse_reader(reader: Reader) -> None:
    name = reader.name
    if not (0 < len(name) <= _MOST_NAME_CHARACTERS and name == name.strip() and name.isprintable()):
        raise ApprovalError(f"a reader has a name of 1 to {_MOST_NAME_CHARACTERS} visible characters")
    role_named(reader.role)


def _object(value: JSON) -> Mapping[str, JSON]:
    if not isinstance(value, dict):
        raise ApprovalError("an approval, what it is about, and each reader are objects")
    return value


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise ApprovalError("the members of an approval are text")
    return value
