"""Whose reading lets a drop serve a language: signed offline, verified when root installs it and at each start."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hardening.files import private_folder
from keys.signing import sign_detached
from questionnaire.approval import Approval, Catalogue
from source_interface.languages import Language, languages
from svidok.errors import CommandError
from svidok.signed_approval import (
    ENDING,
    Belief,
    Signed,
    Signers,
    believe,
    look,
    read_signed,
    read_until,
    write_signed,
)
from svidok.statement import Signing

_PUBLIC_FOLDER: Final = 0o755

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Installed:
    """What lies in a drop about one language."""

    language: Language
    belief: Belief


def catalogue(language: Language) -> Catalogue:
    """Name the words of *language* as an approval does."""
    return Catalogue(language.code, language.sha256)


def write_approval(folder: Path, approval: Approval, signing: Signing) -> Path:
    """Write *approval* and its signature into *folder*, which is made if it is not there; tell where it is.

    Raises:
        KeysError: Gpg refused; so it does if her key was not there yet on the day of the reading.
    """
    private_folder(folder, _PUBLIC_FOLDER)
    day = read_until(approval)
    signature = sign_detached(approval.canonical, signing.gpg, signing.who, day, signing.passphrase)
    path = _path(folder, approval.what.language)
    write_signed(path, Signed(approval.canonical, signature))
    return path


def install(source: Path, target: Path, signers: Signers) -> tuple[str, ...]:
    """Put every approval of the pages' words that lies in *source* into *target*, or none; name their languages.

    Raises:
        ApprovalError: One is malformed, is about other words than this software says, or too few have read them.
        CommandError: There is none, or one cannot be read or is about no language of ours.
        SignatureError: One was signed by nobody who signs the keyset.
    """
    paths = sorted(source.glob(_path(source, "*").name))
    if not paths:
        raise CommandError(f"there is no approval of a catalogue in {source}")
    ours = {_path(source, language.code): language for language in languages()}
    found: dict[str, Signed] = {}
    for path in paths:
        if path not in ours:
            raise CommandError(f"{path.name} approves a language that this software does not speak")
        signed = read_signed(path)
        believe(catalogue(ours[path]), signed, signers)
        found[ours[path].code] = signed
    private_folder(target, _PUBLIC_FOLDER)
    for code, signed in found.items():
        write_signed(_path(target, code), signed)
    return tuple(found)


def installed(folder: Path, signers: Signers | None) -> tuple[Installed, ...]:
    """Tell of every language that there is, what lies in *folder*, and whether *signers* make it hold."""
    return tuple(
        Installed(language, look(catalogue(language), _path(folder, language.code), signers))
        for language in languages()
    )


def approved_languages(folder: Path, signers: Signers | None) -> frozenset[str]:
    """Name the languages whose words may be served in a real drop; what does not hold is logged."""
    found = installed(folder, signers)
    for one in found:
        if one.belief.fault:
            _log.warning("the approval of the pages in %s does not hold: %s", one.language.code, one.belief.fault)
    return frozenset(one.language.code for one in found if one.belief.holds)


def _path(folder: Path, code: str) -> Path:
    return folder / f"catalogue-{code}{ENDING}"
