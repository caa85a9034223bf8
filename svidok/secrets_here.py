"""Look for the secret halves of submission keys on this machine: a server must never have them."""

import pwd
from collections.abc import Iterator
from pathlib import Path

from keys.errors import KeysError
from keys.gpg import Gpg, run
from keys.keyset_store import load
from svidok.errors import CommandError


def refuse_secret_keys(keyset_folder: Path) -> None:
    """Return only if no GnuPG home of this machine's users holds a secret key of the keyset.

    Raises:
        CommandError: One does; the message names the key and the folder, so that it can be taken away.
    """
    try:
        keyset = load(keyset_folder).keyset
    except KeysError as error:
        raise CommandError(f"no keyset that could be used is installed ({error}); see svidok keys import") from error
    ours = {str(key.fingerprint) for key in keyset.recipients}
    for home in _homes():
        found = ours & secret_fingerprints(home)
        if found:
            raise CommandError(f"{home} holds the secret key {min(found)}: submission keys must never be on a server")


def secret_fingerprints(home: Path) -> set[str]:
    """List the primary keys whose secret half lies in the GnuPG home *home*."""
    outcome = run(Gpg(home), ["--with-colons", "--list-secret-keys"])
    found: set[str] = set()
    for line in outcome.stdout.decode("utf-8", errors="replace").splitlines():
        fields = line.split(":")
        if fields[0] == "fpr":
            found.add(fields[9])
    return found


def _homes() -> Iterator[Path]:
    for user in pwd.getpwall():
        home = Path(user.pw_dir) / ".gnupg"
        if (home / "private-keys-v1.d").is_dir():
            yield home
