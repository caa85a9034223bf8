"""A form with the approvals of its languages, as a folder: `form.json`, and for each language an approval.

The same folder is carried from the signers to the server, installed there, and believed again at each start: nobody
may have put another form beside signatures that are not over it.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hardening.files import destroy, private_folder, sync_folder, write_whole
from questionnaire.approval import ApprovedForm
from questionnaire.load import MOST_FORM_BYTES, format_form, parse_form
from questionnaire.model import Form
from questionnaire.served import FORM, Questionnaire
from svidok.errors import CommandError
from svidok.reading import read_bounded
from svidok.signed_approval import (
    ENDING,
    Belief,
    Signed,
    Signers,
    look,
    read_signed,
    read_until,
    write_signed,
)

_APPROVALS: Final = "approvals"
_PUBLIC_FOLDER: Final = 0o755
_PUBLIC_FILE: Final = 0o644

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignedForm:
    """A form and what was said of its languages."""

    form: Form
    approvals: Mapping[str, Signed]


def is_installed(folder: Path) -> bool:
    """Say whether there is one for `read_folder`, also when a crash came between the two renames of `install`."""
    return folder.exists() or _before(folder).exists()


def read_installed(folder: Path) -> Form:
    """Read the form in *folder*, whoever has approved it.

    Raises:
        CommandError: There is none, or it is too long.
        FormFileError: It is malformed.
    """
    return parse_form(read_bounded(_whole(folder) / FORM, MOST_FORM_BYTES))


def read_folder(folder: Path) -> SignedForm:
    """Read what lies in *folder*, all of it.

    Raises:
        CommandError: There is no form, a signature is missing, or a file is too long.
        FormFileError: The form is malformed.
    """
    form = read_installed(folder)
    paths = {language: _path(_whole(folder), form, language) for language in form.languages}
    return SignedForm(form, {language: read_signed(path) for language, path in paths.items() if path.exists()})


def write_form(folder: Path, form: Form) -> None:
    """Begin *folder* with *form*; one that is there already must be the same.

    Raises:
        CommandError: Another form lies there.
    """
    written = format_form(form)
    path = private_folder(folder, _PUBLIC_FOLDER) / FORM
    if path.exists() and read_bounded(path, MOST_FORM_BYTES) != written:
        raise CommandError(f"{folder} holds another form; sign this one into a new folder")
    private_folder(folder / _APPROVALS, _PUBLIC_FOLDER)
    write_whole(path, written, _PUBLIC_FILE)


def write_approval(folder: Path, form: Form, language: str, signed: Signed) -> None:
    """Put one language's approval into *folder*, in the place of the one before."""
    write_signed(_path(folder, form, language), signed)


def what_of(form: Form, language: str) -> ApprovedForm:
    """Name one language of *form* as an approval does."""
    return ApprovedForm(language, form.sha256, form.form_id, form.version)


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


def approved(folder: Path, signers: Signers) -> Questionnaire | None:
    """Give the form that is installed in *folder*, in the languages whose approvals hold; None if there is none.

    Raises:
        FormFileError: The form is malformed.
    """
    if not is_installed(folder):
        return None
    form = read_installed(folder)
    found = beliefs(folder, form, signers)
    for language, belief in found.items():
        if belief.fault:
            _log.warning("the questionnaire is not served in %s: %s", language, belief.fault)
    languages = frozenset(language for language, belief in found.items() if belief.holds)
    return Questionnaire(form, languages, draft=False) if languages else None


def beliefs(folder: Path, form: Form, signers: Signers | None) -> Mapping[str, Belief]:
    """Say of each language of *form* what is to be thought of its approval in *folder*."""
    return {
        language: look(what_of(form, language), _path(_whole(folder), form, language), signers)
        for language in form.languages
    }


def told(belief: Belief) -> str:
    """Put into words who has read a language of a form, or why it is not served."""
    if belief.approval is None or belief.signer is None:
        return f"not served: {belief.fault}" if belief.fault else "not approved"
    readers = ", ".join(f"{reader.name} ({reader.role})" for reader in belief.approval.readers)
    return f"by {read_until(belief.approval)} it had been read by {readers}; signed by {belief.signer}"


def _whole(folder: Path) -> Path:
    """Give the folder itself, or the one before it if an installation ended between its two renames."""
    return _before(folder) if not folder.exists() and _before(folder).exists() else folder


def _path(folder: Path, form: Form, language: str) -> Path:
    return folder / _APPROVALS / f"form-{form.form_id}-{language}{ENDING}"


def _before(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")
