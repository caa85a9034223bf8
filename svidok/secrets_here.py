"""Look for the secret halves of submission keys on this machine: a server must never have them."""

import os
import pwd
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from keys.certificate import keygrips
from keys.errors import KeysError
from keys.gpg import Gpg
from keys.keyset import Keyset
from keys.keyset_store import load
from svidok.errors import CommandError

_SECRETS = "private-keys-v1.d"
# A ceremony's folder (OUT/NAME/gnupg) in somebody's home, or one folder deeper.
_DEEPEST = 4
_LARGEST_KEY_BYTES = 64 * 1024
# So begins gpg-agent's note of a key that lies on a smartcard: the secret half is not here.
_ON_A_CARD = b"shadowed-private-key"


def refuse_secret_keys(keyset_folder: Path, places: Sequence[Path], judge: Gpg) -> None:
    """Return only if no GnuPG home in *places* holds a secret key of the keyset.

    The agents' files are looked for: gpg itself lists secret keys only where an agent runs.

    Raises:
        CommandError: One does; the message names the folder, so that it can be taken away. Or there is no keyset.
    """
    try:
        keyset = load(keyset_folder).keyset
        grips = _keygrips(keyset, judge)
    except KeysError as error:
        raise CommandError(f"no keyset that could be used is installed ({error}); see svidok keys import") from error
    for folder in secret_folders(places):
        for grip in sorted(grips):
            if _is_secret(folder / f"{grip}.key"):
                raise CommandError(f"{folder.parent} holds a secret key of the keyset: it must never be on a server")


def likely_homes() -> tuple[Path, ...]:
    """Name the folders in which people leave GnuPG homes: their own, scratch space, media."""
    found = {Path(user.pw_dir) for user in pwd.getpwall()} | {Path.home(), Path(tempfile.gettempdir())}
    found |= {Path(folder) for folder in ("/tmp", "/var/tmp", "/media", "/mnt", "/srv", "/opt")}  # noqa: S108 - only read
    return tuple(sorted(folder for folder in found if folder != Path("/") and folder.is_dir()))


def secret_folders(places: Iterable[Path]) -> Iterator[Path]:
    """Find the folders below *places* in which a gpg-agent keeps secret keys; what cannot be read is passed over."""
    for place in places:
        for here, folders, _files in os.walk(place):
            if _SECRETS in folders:
                yield Path(here) / _SECRETS
            if len(Path(here).parts) - len(place.parts) >= _DEEPEST:
                folders.clear()


def _keygrips(keyset: Keyset, judge: Gpg) -> frozenset[str]:
    """Name what opens reports and what vouches for keysets: neither may be here."""
    certificates = {key.certificate for key in keyset.recipients} | {one.certificate for one in keyset.signers}
    return frozenset(grip for certificate in certificates for grip in keygrips(certificate, judge))


def _is_secret(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return _ON_A_CARD not in opened.read(_LARGEST_KEY_BYTES)
    except FileNotFoundError:
        return False
