"""What a submission says about itself: sealed beside its parts, for the workstation and nobody else."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from hardening.canonical import JSON, JsonError, Writable, canonical_json, strict_json
from keys.errors import KeysError
from keys.trailer import REPORT_KINDS, ListedKind, is_listed_kind

MOST_MANIFEST_BYTES: Final = 64 * 1024
MOST_PARTS: Final = 256
MEDIA_TYPE: Final = "application/json"

_TYPE: Final = "svidok submission"
_VERSION: Final = 1
_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
_HASH: Final = re.compile(r"[0-9a-f]{64}\Z")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?\Z")
_FORM: Final = re.compile(r"[0-9A-Za-z._-]{1,64}\Z")


class ManifestError(KeysError):
    """A manifest is malformed, or not what belongs there."""


@dataclass(frozen=True, slots=True, order=True)
class ListedPart:
    """One part of the submission, by what lies in the vault.

    Attributes:
        part_id: 32 hexadecimal digits.
        kind: What it is.
        ct_sha256: Of its ciphertext, in hexadecimal.
    """

    part_id: str
    kind: ListedKind
    ct_sha256: str


@dataclass(frozen=True, slots=True)
class FormVersion:
    """The questionnaire that was answered, by its name, version and the SHA-256 of its canonical JSON."""

    form_id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What belongs together, and whom to answer.

    Attributes:
        form: None if nothing of a report is in it.
        language: Of the pages that the source used, as an IETF tag.
        keyset_hash: The keyset that the parts are sealed to.
        source_key: The X25519 public key that replies are sealed to, 32 bytes.
        parts: All parts but the manifest itself, in order of their ids.
    """

    form: FormVersion | None
    language: str
    keyset_hash: str
    source_key: bytes
    parts: tuple[ListedPart, ...]

    def __post_init__(self) -> None:
        ids = [part.part_id for part in self.parts]
        documents = [part.kind for part in self.parts if part.kind in REPORT_KINDS]
        # Whoever changes what she allows does so for each of her reports.
        permissions = all(kind == "consents" for kind in documents)
        once = [] if permissions else [kind for kind in documents if kind != "notes"]
        rules = {
            "a language is written as an IETF tag": _LANGUAGE.match(self.language),
            "a keyset is named by 64 hexadecimal digits": _HASH.match(self.keyset_hash),
            "a source key has 32 bytes": len(self.source_key) == 32,
            f"a submission has 1 to {MOST_PARTS} parts": 1 <= len(ids) <= MOST_PARTS,
            "parts stand in order, each of them once": ids == sorted(set(ids)),
            "a part has an id of 32 and a hash of 64 hexadecimal digits": all(
                _ID.match(part.part_id) and _HASH.match(part.ct_sha256) for part in self.parts
            ),
            "a report names its form": self.form is not None or not documents,
            "a sending has each document of a report once": len(once) == len(set(once)),
            "a form has a name, a version and a hash": self.form is None
            or (_FORM.match(self.form.form_id) and _FORM.match(self.form.version) and _HASH.match(self.form.sha256)),
        }
        for rule, kept in rules.items():
            if not kept:
                raise ManifestError(rule)


def listed(parts: Iterable[ListedPart]) -> tuple[ListedPart, ...]:
    """Put *parts* in the order in which a manifest lists them."""
    return tuple(sorted(parts))


def format_manifest(manifest: Manifest) -> bytes:
    """Write *manifest* in its one form."""
    form, parts = manifest.form, manifest.parts
    written: Writable = {
        "type": _TYPE,
        "v": _VERSION,
        "form": {"id": form.form_id, "version": form.version, "sha256": form.sha256} if form else None,
        "language": manifest.language,
        "keyset": manifest.keyset_hash,
        "source_key": manifest.source_key.hex(),
        "parts": [{"part": part.part_id, "kind": part.kind, "sha256": part.ct_sha256} for part in parts],
    }
    return canonical_json(written)


def parse_manifest(untrusted: bytes) -> Manifest:
    """Read a manifest in its one form.

    Raises:
        ManifestError: It is anything else, even by one byte.
    """
    try:
        members = strict_json(untrusted, MOST_MANIFEST_BYTES, canonical=True)
    except JsonError as error:
        raise ManifestError("a manifest must be canonical JSON") from error
    match members:
        case {
            "form": form,
            "language": str(language),
            "keyset": str(keyset),
            "source_key": str(source_key),
            "parts": list(parts),
        } if _HASH.match(source_key):
            key = bytes.fromhex(source_key)
            manifest = Manifest(_form(form), language, keyset, key, tuple(_part(part) for part in parts))
        case _:
            raise ManifestError("a manifest lacks a member, or has one of the wrong type")
    # Also refuses another version, and members that we do not know.
    if format_manifest(manifest) != untrusted:
        raise ManifestError("a manifest must hold the members of version 1 and no others")
    return manifest


def _form(untrusted: JSON) -> FormVersion | None:
    match untrusted:
        case None:
            return None
        case {"id": str(form_id), "version": str(version), "sha256": str(sha256)}:
            return FormVersion(form_id, version, sha256)
        case _:
            raise ManifestError("a form has a name, a version and a hash")


def _part(untrusted: JSON) -> ListedPart:
    match untrusted:
        case {"part": str(part_id), "kind": str(kind), "sha256": str(ct_sha256)} if is_listed_kind(kind):
            return ListedPart(part_id, kind, ct_sha256)
        case _:
            raise ManifestError("a listed part has an id, a kind and a hash")
