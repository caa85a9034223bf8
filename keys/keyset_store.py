"""A signed keyset as files: ``keyset.json`` and ``signatures/FINGERPRINT.sig`` in a folder that changes as a whole."""

from pathlib import Path
from types import MappingProxyType

from hardening.files import destroy, private_folder, sync_folder, write_whole
from keys.errors import FingerprintError, KeysetError
from keys.fingerprint import Fingerprint
from keys.keyset import MOST_KEYS, MOST_KEYSET_BYTES, parse
from keys.keyset_trust import SignedKeyset
from keys.signing import MOST_SIGNATURE_BYTES

_KEYSET = "keyset.json"
_SIGNATURES = "signatures"
_PUBLIC_FOLDER = 0o755
_PUBLIC_FILE = 0o644


def is_stored(folder: Path) -> bool:
    """Say whether there is one for ``load``, also when a crash came between the two renames of ``store``."""
    return folder.exists() or _before(folder).exists()


def load(folder: Path) -> SignedKeyset:
    """Read what ``store`` wrote, or what was brought on a medium; nobody has verified it.

    Raises:
        KeysetError: There is none, or it is malformed, or lies beside files that do not belong there.
    """
    found = folder if folder.exists() else _before(folder)
    try:
        if not (found / _KEYSET).exists():
            raise KeysetError(f"there is no keyset in {folder}")
        keyset = parse(_bounded(found / _KEYSET, MOST_KEYSET_BYTES))
        files = sorted((found / _SIGNATURES).iterdir())
        if len(files) > MOST_KEYS:
            raise KeysetError(f"a keyset has at most {MOST_KEYS} signatures, not {len(files)}")
        signatures = {_signer(file): _bounded(file, MOST_SIGNATURE_BYTES) for file in files}
    except OSError as error:
        said = (error.strerror or type(error).__name__).lower()
        raise KeysetError(f"the keyset in {folder} cannot be read: {said}") from error
    return SignedKeyset(keyset, MappingProxyType(signatures))


def store(signed: SignedKeyset, folder: Path) -> None:
    """Put *signed* where the one before it lay, all or nothing; the parent folder must exist.

    A crash leaves the old one or the new one for ``load`` to find.
    """
    fresh, before = folder.with_name(f".{folder.name}.new"), _before(folder)
    if not folder.exists() and before.exists():
        before.rename(folder)
    destroy(fresh)
    private_folder(fresh, _PUBLIC_FOLDER)
    private_folder(fresh / _SIGNATURES, _PUBLIC_FOLDER)
    for fingerprint, signature in signed.signatures.items():
        write_whole(fresh / _SIGNATURES / f"{fingerprint}.sig", signature, _PUBLIC_FILE)
    write_whole(fresh / _KEYSET, signed.keyset.canonical, _PUBLIC_FILE)
    destroy(before)
    if folder.exists():
        folder.rename(before)
    fresh.rename(folder)
    sync_folder(folder.parent)
    destroy(before)


def _before(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.old")


def _signer(file: Path) -> Fingerprint:
    if file.suffix != ".sig":
        raise KeysetError("beside the signatures lies a file that is none")
    try:
        return Fingerprint(file.stem)
    except FingerprintError as error:
        raise KeysetError(f"a signature's file is not named by its signer: {error}") from error


def _bounded(file: Path, most_bytes: int) -> bytes:
    """Read a regular file of at most *most_bytes*."""
    if file.is_symlink() or not file.is_file():
        raise KeysetError("the keyset and its signatures must be plain files")
    with file.open("rb") as opened:
        content = opened.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise KeysetError(f"a file of the keyset has at most {most_bytes} bytes")
    return content
