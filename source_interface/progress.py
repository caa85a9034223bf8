"""Remember how far a source has come, so that only her codename reads it: pages reached, never answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.bindings import sodium_pad, sodium_unpad
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from hardening.canonical import JSON, JsonError, canonical_json, strict_json
from keys.source_key import SourceSecrets
from vault.records import PROGRESS_BYTES

Way: TypeAlias = Literal["report", "help"]
MOST_REPORTS = 8
"""So many reports of a source have room beside her pages; whoever has told as many can still send messages."""

_VERSION = 2
_ID_DIGITS = 32
_IDS = re.compile(rf"(?:[0-9a-f]{{{_ID_DIGITS}}})*")
_LABEL = b"svidok progress 1"
_PADDED_BYTES = PROGRESS_BYTES - SecretBox.NONCE_SIZE - SecretBox.MACBYTES
# The padding has one byte at least.
_LONGEST_BYTES = _PADDED_BYTES - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a source has come with her last report.

    Attributes:
        report_id: Drawn once a report; 32 hexadecimal digits.
        seq: Of its last sending; the next one has a greater one.
        way: The door that she came through.
        reached: The names of the pages that were shown to her, in the order of the form.
        form: Which form has these pages, as `form_mark` gives it.
        ahead: Those that her answers would have led over next; without them nobody here could say which these are.
        contact: Whether she allows us to answer her here; None while she has not said.
        language: Of the pages that she last used.
        others: The reports that she told before, so that a change of permissions reaches each of them.
    """

    report_id: str
    seq: int
    way: Way
    reached: tuple[str, ...]
    form: str = ""
    ahead: tuple[str, ...] = ()
    contact: bool | None
    language: str
    others: tuple[str, ...] = ()

    def is_of(self, form_sha256: str) -> bool:
        """Say whether it was told in this form, so that pages of one name are the same."""
        return self.form == form_mark(form_sha256)

    @property
    def reports(self) -> tuple[str, ...]:
        """All reports that the source has told."""
        return (*self.others, self.report_id)


def form_mark(form_sha256: str) -> str:
    """Give so much of a form's hash as tells it from the one before."""
    return form_sha256[:8]


def seal_progress(progress: Progress, secrets: SourceSecrets) -> bytes:
    """Seal *progress*, always to `PROGRESS_BYTES`; the last pages of a form that has very many are left out."""
    written = _written(progress)
    while len(written) > _LONGEST_BYTES and (progress.ahead or progress.reached):
        pages = progress.reached if progress.ahead else progress.reached[:-1]
        progress = replace(progress, reached=pages, ahead=progress.ahead[:-1])
        written = _written(progress)
    return bytes(_box(secrets).encrypt(sodium_pad(written, _PADDED_BYTES)))


def open_progress(untrusted_sealed: bytes | None, secrets: SourceSecrets) -> Progress | None:
    """Open what `seal_progress` sealed; None if nobody did, or another version of this program.

    A source who never opened the questionnaire has random bytes there: that is no error.
    """
    if untrusted_sealed is None or len(untrusted_sealed) != PROGRESS_BYTES:
        return None
    try:
        written = sodium_unpad(_box(secrets).decrypt(untrusted_sealed), _PADDED_BYTES)
        told = strict_json(written, _LONGEST_BYTES, canonical=True)
    except (CryptoError, JsonError):
        return None
    return _read(_brought_up(told)) if isinstance(told, dict) else None


def _brought_up(told: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """Read what version 1 wrote, which knew no pages ahead: whoever it belongs to has permissions to change."""
    match told:
        case {"v": 1, "reached": list(reached), "others": list(others)} if len(told) == 8:
            lists = {"reached": " ".join(map(str, reached)), "others": "".join(map(str, others))}
            return {**told, **lists, "v": _VERSION, "form": "", "ahead": ""}
        case _:
            return told


def _written(progress: Progress) -> bytes:
    return canonical_json(
        {
            "v": _VERSION,
            "report": progress.report_id,
            "seq": progress.seq,
            "way": progress.way,
            "form": progress.form,
            "reached": " ".join(progress.reached),
            "ahead": " ".join(progress.ahead),
            "contact": progress.contact,
            "language": progress.language,
            "others": "".join(progress.others),
        }
    )


def _read(told: Mapping[str, JSON]) -> Progress | None:
    """Only this program writes it, so it is what it was; but an earlier or later version may have."""
    match told:
        case {
            "v": int(version),
            "report": str(report_id),
            "seq": int(seq),
            "way": "report" | "help" as way,
            "form": str(form),
            "reached": str(reached),
            "ahead": str(ahead),
            "contact": bool() | None as contact,
            "language": str(language),
            "others": str(others),
        } if (len(told), type(version), version, type(seq)) == (10, int, _VERSION, int) and _IDS.fullmatch(others):
            return Progress(
                report_id=report_id,
                seq=seq,
                way=way,
                form=form,
                reached=tuple(reached.split()),
                ahead=tuple(ahead.split()),
                contact=contact,
                language=language,
                others=tuple(others[at : at + _ID_DIGITS] for at in range(0, len(others), _ID_DIGITS)),
            )
        case _:
            return None


def _box(secrets: SourceSecrets) -> SecretBox:
    return SecretBox(HKDF(SHA256(), SecretBox.KEY_SIZE, salt=None, info=_LABEL).derive(secrets.seed))
