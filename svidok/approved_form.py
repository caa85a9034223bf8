"""A form with the approvals of its languages, as a folder: `form.json`, and for each language an approval.

The same folder is carried from the signers to the server, installed there, and believed again at each start: nobody
may have put another form beside signatures that are not over it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from hardening.files import destroy, private_folder, sync_folder, write_whole
from keys.errors import KeysError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg
from keys.keyset import Keyset
from keys.signing import MOST_SIGNATURE_BYTES, verify_detached
from questionnaire.approval import MOST_APPROVAL_BYTES, Approval, ApprovedForm, parse_approval
from questionnaire.errors import ApprovalError, QuestionnaireError
from questionnaire.load import MOST_FORM_BYTES, format_form, parse_form
from questionnaire.model import Form
from questionnaire.served import FORM, Questionnaire
from svidok.errors import CommandError

_APPROVALS: Final = "approvals"
_SIGNATURE: Final = ".sig"
_PUBLIC_FOLDER: Final = 0o755
_PUBLIC_FILE: Final = 0o644

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Signed:
    """An approval as it was brought; nobody has verified it.

    Attributes:
        untrusted: Its bytes, over which the signature is.
    """

    untrusted: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SignedForm:
    """A form and what was said of its languages."""

    form: Form
    approvals: Mapping[str, Signed]


def is_installed(folder: Path) -> bool:
    """Say whether there is one for `read_folder`, also when a crash came between the two renames of `install`."""
    return folder.exists() or _before(folder).exists()


def read_folder(folder: Path) -> SignedForm:
    """Read what lies in *folder*.

    Raises:
        CommandError: There is no form, or a file is too long.
        FormFileError: The form is malformed.
    """
    if not folder.exists() and _before(folder).exists():
        # An installation ended between its two renames.
        folder = _before(folder)
    form = parse_form(_bounded(folder / FORM, MOST_FORM_BYTES))
    paths = {language: _path(folder, form, language) for language in form.languages}
    found = {
        language: Signed(
            _bounded(path, MOST_APPROVAL_BYTES), _bounded(path.with_suffix(_SIGNATURE), MOST_SIGNATURE_BYTES)
        )
        for language, path in paths.items()
        if path.exists()
    }
    return SignedForm(form, found)


def write_form(folder: Path, form: Form) -> None:
    """Begin *folder* with *form*; one that is there already must be the same.

    Raises:
        CommandError: Another form lies there.
    """
    written = format_form(form)
    path = private_folder(folder, _PUBLIC_FOLDER) / FORM
    if path.exists() and _bounded(path, MOST_FORM_BYTES) != written:
        raise CommandError(f"{folder} holds another form; sign this one into a new folder")
    private_folder(folder / _APPROVALS, _PUBLIC_FOLDER)
    write_whole(path, written, _PUBLIC_FILE)


def write_approval(folder: Path, form: Form, language: str, signed: Signed) -> None:
    """Put one language's approval into *folder*, in the place of the one before."""
    path = _path(folder, form, language)
    write_whole(path.with_suffix(_SIGNATURE), signed.signature, _PUBLIC_FILE)
    write_whole(path, signed.untrusted, _PUBLIC_FILE)


def believe(form: Form, language: str, signed: Signed, keyset: Keyset, judge: Gpg) -> tuple[Approval, Fingerprint]:
    """Give what was approved, and by whose signature.

    Raises:
        ApprovalError: It is malformed, or about something else than this language of this form.
        SignatureError: No signer of *keyset* signed it.
    """
    approval = parse_approval(signed.untrusted)
    if not approval.holds_for(what_of(form, language)):
        says = f"the approval for {language} is about another form, version or language, or lacks a reader"
        raise ApprovalError(says)
    # Recovery is there to mend a keyset that nobody can sign any more; it speaks about nothing else.
    certificates = {signer.fingerprint: signer.certificate for signer in keyset.signers if not signer.recovery}
    # Judged by the day of the reading: what was read stays read when the signer's key has ended.
    signer = verify_detached(signed.untrusted, signed.signature, certificates, judge, read_until(approval))
    return approval, signer


def what_of(form: Form, language: str) -> ApprovedForm:
    """Name one language of *form* as an approval does."""
    return ApprovedForm(language, form.sha256, form.form_id, form.version)


def read_until(approval: Approval) -> date:
    """Give the day by which everybody had read it."""
    return max(reader.day for reader in approval.readers)


def install(signed: SignedForm, target: Path) -> None:
    """Put *signed* where the drop looks for it, all or nothing; the parent folder must exist."""
    fresh, before = target.with_name(f".{target.name}.new"), _before(target)
    if before.exists() and not target.exists():
        before.rename(target)
    destroy(fresh)
    write_form(fresh, signed.form)
    for language, one in signed.approvals.items():
        write_approval(fresh, signed.form, language, one)
    destroy(before)
    if target.exists():
        target.rename(before)
    fresh.rename(target)
    sync_folder(target.parent)
    destroy(before)


def approved(folder: Path, keyset: Keyset, judge: Gpg, day: date) -> Questionnaire | None:
    """Give the form that is installed in *folder*, in the languages whose approvals hold; None if there is none.

    Raises:
        FormFileError: The form is malformed.
    """
    if not is_installed(folder):
        return None
    signed = read_folder(folder)
    languages: set[str] = set()
    for language, one in signed.approvals.items():
        try:
            approval, _ = believe(signed.form, language, one, keyset, judge)
        except (QuestionnaireError, KeysError) as error:
            _log.warning("the questionnaire is not served in %s: %s", language, error)
            continue
        if read_until(approval) <= day:
            languages.add(language)
    return Questionnaire(signed.form, frozenset(languages), draft=False) if languages else None


def _path(folder: Path, form: Form, language: str) -> Path:
    return folder / _APPROVALS / f"form-{form.form_id}-{language}.json"


def _before(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _bounded(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: a signed form has a form, approvals and signatures") from error
    if len(content) > most_bytes:
        raise CommandError(f"{path} has at most {most_bytes} bytes")
    return content
