"""Whose reading lets a drop serve a language: signed offline, checked and installed by root, read at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hardening.files import private_folder, write_whole
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg
from keys.keyset import Keyset
from keys.signing import MOST_SIGNATURE_BYTES, sign_detached, verify_detached
from questionnaire.approval import MOST_APPROVAL_BYTES, Approval, ApprovedForm, Catalogue, parse_approval
from questionnaire.errors import ApprovalError
from source_interface.languages import Language, languages
from svidok.errors import CommandError
from svidok.statement import Signing

_PUBLIC_FOLDER = 0o755
_PUBLIC_FILE = 0o644
_APPROVAL = ".json"
_SIGNATURE = ".sig"


@dataclass(frozen=True, slots=True)
class Installed:
    """What lies in a drop about one language.

    Attributes:
        approval: None if there is none, or it cannot be read.
        holds: Whether it is about the very words that this software says, by all who must have read them.
    """

    language: Language
    approval: Approval | None
    holds: bool


def catalogue(language: Language) -> Catalogue:
    """Name the words of *language* as an approval does."""
    return Catalogue(language.code, language.sha256)


def name_of(what: Catalogue | ApprovedForm) -> str:
    """Give the name, without its ending, of the files of an approval of *what*."""
    match what:
        case Catalogue():
            return f"catalogue-{what.language}"
        case ApprovedForm():
            return f"form-{what.form_id}-{what.language}"


def write_approval(folder: Path, approval: Approval, signing: Signing, day: date) -> Path:
    """Write *approval* and its signature into *folder*, which is made if it is not there; tell where it is.

    Raises:
        KeysError: Gpg refused.
    """
    private_folder(folder, _PUBLIC_FOLDER)
    signature = sign_detached(approval.canonical, signing.gpg, signing.who, day, signing.passphrase)
    path = folder / (name_of(approval.what) + _APPROVAL)
    write_whole(path.with_suffix(_SIGNATURE), signature, _PUBLIC_FILE)
    write_whole(path, approval.canonical, _PUBLIC_FILE)
    return path


def read_signed(path: Path, certificates: Mapping[Fingerprint, bytes], judge: Gpg, day: date) -> Approval:
    """Read the approval at *path* after checking that one of *certificates* signed it.

    Raises:
        ApprovalError: It is malformed.
        CommandError: It or its signature cannot be read.
        SignatureError: Nobody of them signed it.
    """
    content = _bounded(path, MOST_APPROVAL_BYTES)
    signature = _bounded(path.with_suffix(_SIGNATURE), MOST_SIGNATURE_BYTES)
    verify_detached(content, signature, certificates, judge, day)
    return parse_approval(content)


def install(source: Path, target: Path, keyset: Keyset, judge: Gpg, day: date) -> tuple[Approval, ...]:
    """Put every approval of the pages' words that lies in *source* into *target*; all of them, or none.

    Raises:
        ApprovalError: One is malformed.
        CommandError: There is none; one is about other words than this software says, or too few have read it.
        SignatureError: One was signed by nobody who signs the keyset.
    """
    # Recovery is there to mend a keyset that nobody can sign any more; it speaks about nothing else.
    certificates = {signer.fingerprint: signer.certificate for signer in keyset.signers if not signer.recovery}
    paths = sorted(source.glob(f"catalogue-*{_APPROVAL}"))
    if not paths:
        raise CommandError(f"there is no approval of a catalogue in {source}")
    found = [(path, read_signed(path, certificates, judge, day)) for path in paths]
    for path, approval in found:
        _refuse_other_words(path, approval)
    private_folder(target, _PUBLIC_FOLDER)
    for path, approval in found:
        signature = _bounded(path.with_suffix(_SIGNATURE), MOST_SIGNATURE_BYTES)
        kept = target / (name_of(approval.what) + _APPROVAL)
        write_whole(kept.with_suffix(_SIGNATURE), signature, _PUBLIC_FILE)
        write_whole(kept, approval.canonical, _PUBLIC_FILE)
    return tuple(approval for _, approval in found)


def installed(folder: Path) -> tuple[Installed, ...]:
    """Tell of every language that there is, what lies in *folder*; root checked the signatures before it lay there."""
    return tuple(_look(language, folder) for language in languages())


def approved_languages(folder: Path) -> frozenset[str]:
    """Name the languages whose words may be served in a real drop."""
    return frozenset(one.language.code for one in installed(folder) if one.holds)


def _look(language: Language, folder: Path) -> Installed:
    what = catalogue(language)
    try:
        approval = parse_approval(_bounded(folder / (name_of(what) + _APPROVAL), MOST_APPROVAL_BYTES))
    except (ApprovalError, CommandError):
        # What cannot be read approves nothing.
        return Installed(language, None, holds=False)
    return Installed(language, approval, approval.holds_for(what))


def _refuse_other_words(path: Path, approval: Approval) -> None:
    ours = {language.code: catalogue(language) for language in languages()}
    if ours.get(approval.what.language) != approval.what:
        raise CommandError(f"{path.name} approves other words than this software says; it has to be read anew")
    if not approval.sufficient:
        raise CommandError(f"{path.name} names no native reader, or no survivor reader")


def _bounded(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise CommandError(f"{path.name} cannot be read ({type(error).__name__})") from error
    if len(content) > most_bytes:
        raise CommandError(f"{path.name} has at most {most_bytes} bytes")
    return content
