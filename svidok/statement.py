"""What reviewers say about their drop, signed, for people to check by hand: its address and their fingerprints (B7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hardening.clock import SystemClock, today
from hardening.files import private_folder, write_whole
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, run
from keys.keyset import Keyset
from keys.signing import MOST_SIGNATURE_BYTES, remove_armour, sign_for_people, verify_detached
from svidok.errors import CommandError
from svidok.reading import read_bounded

TEXT = "statement.txt"
SIGNATURE = "statement.txt.asc"
CERTIFICATES = "reviewers.asc"

_MOST_BYTES = 64 * 1024
_PUBLIC_FOLDER = 0o755
_PUBLIC_FILE = 0o644


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs, with which key."""

    who: Fingerprint
    gpg: Gpg
    passphrase: str | None


def write_statement(folder: Path, address: str, keyset: Keyset, signing: Signing, others: Sequence[Gpg]) -> None:
    """Write the statement, its signature and the certificates to check it with into the new folder *folder*.

    Raises:
        KeysError: Gpg refused.
    """
    private_folder(folder, _PUBLIC_FOLDER)
    text = _text(address, keyset).encode("utf-8")
    signature = sign_for_people(text, signing.gpg, signing.who, keyset.created, signing.passphrase)
    armour = ("--armor", "--export-options=export-minimal", "--export")
    certificates = b"".join(run(gpg, armour).stdout for gpg in (signing.gpg, *others))
    write_whole(folder / TEXT, text, _PUBLIC_FILE)
    write_whole(folder / SIGNATURE, signature, _PUBLIC_FILE)
    write_whole(folder / CERTIFICATES, certificates, _PUBLIC_FILE)


def install_statement(source: Path, target: Path, keyset: Keyset, address: str, judge: Gpg) -> None:
    """Put a statement where the pages offer it, after checking that a signer of *keyset* made it about this drop.

    Raises:
        CommandError: A file of it cannot be read or is too long, or it speaks of another address.
        SignatureError: No signer of the keyset made it.
    """
    content = {name: read_bounded(source / name, _MOST_BYTES) for name in (TEXT, SIGNATURE, CERTIFICATES)}
    signature = remove_armour(content[SIGNATURE], judge)
    certificates = {signer.fingerprint: signer.certificate for signer in keyset.signers}
    verify_detached(content[TEXT], signature[: MOST_SIGNATURE_BYTES + 1], certificates, judge, _day())
    if f"http://{address}" not in content[TEXT].decode("utf-8", errors="replace").split():
        raise CommandError("the statement names another address than this drop's")
    private_folder(target, _PUBLIC_FOLDER)
    for name, told in content.items():
        write_whole(target / name, told, _PUBLIC_FILE)


def _text(address: str, keyset: Keyset) -> str:
    lines = [
        "This is the address of our drop, and these are the keys that reports are sealed to.",
        "",
        f"address   http://{address}",
        *(f"key       {key.fingerprint.grouped()}" for key in keyset.recipients),
        *(f"signer    {signer.fingerprint.grouped()}" for signer in keyset.signers),
        f"keyset    {keyset.serial} {keyset.hash}",
        f"day       {keyset.created.isoformat()}",
        "",
    ]
    return "\n".join(lines)


def _day() -> date:
    return today(SystemClock())
