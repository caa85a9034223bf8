"""Take a key that its reviewer has already, in a GnuPG home of her own or on a smartcard, into the workstation."""

from pathlib import Path
from typing import NamedTuple

from hardening.files import private_folder, write_whole
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, run
from workstation.errors import AdoptionError

# GnuPG, doc/DETAILS: the fields of a listing.
_CAPABILITIES = 11
_VALUE = 9
_KEYS = ("pub", "sub")


class _Listed(NamedTuple):
    keygrip: str
    uses: str


def adopt(home: Path, owner: Fingerprint, into: Path) -> None:
    """Copy *owner*'s key from one GnuPG home into another, without unlocking it; nothing else comes along.

    Args:
        home: Hers; it is only read, and no agent is started in it.
        owner: The primary key.
        into: The workstation's GnuPG home, there already. A key that lies there stays.

    Raises:
        AdoptionError: *home* does not hold it, or holds no secret half (or smartcard stub) that signs and opens.
    """
    source, secrets = Gpg(home.resolve()), home / "private-keys-v1.d"
    listed = _listed(owner, source)
    held = [key for key in listed if (secrets / f"{key.keygrip}.key").is_file()]
    if not all(any(use in key.uses for key in held) for use in "se"):
        raise AdoptionError("this GnuPG home does not hold the secret half, or the card's stub, of this key")
    public = run(source, ("--export", owner)).stdout
    # Without an agent: it would go on running with settings that are not there yet.
    if run(Gpg(into), ("--import",), stdin=public).returncode != 0:
        raise AdoptionError("the public half of the key could not be adopted")
    keys = private_folder(into / "private-keys-v1.d")
    for key in held:
        write_whole(keys / f"{key.keygrip}.key", (secrets / f"{key.keygrip}.key").read_bytes())


def _listed(owner: Fingerprint, gpg: Gpg) -> list[_Listed]:
    outcome = run(gpg, ("--with-colons", "--with-keygrip", "--list-keys", owner))
    found: list[_Listed] = []
    uses = ""
    for line in outcome.stdout.decode("utf-8", errors="replace").splitlines():
        fields = line.split(":")
        if fields[0] in _KEYS:
            uses = fields[_CAPABILITIES]
        elif fields[0] == "grp":
            found.append(_Listed(fields[_VALUE], uses))
    if outcome.returncode != 0 or not found:
        raise AdoptionError("this GnuPG home does not know this key")
    return found
