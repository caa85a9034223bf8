"""Certificates that nobody should seal to, made by the real gpg or cut out of real ones."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from keys.ceremony import export
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, frozen_at_dawn, run
from keys.packets import Packet
from tests.keyring import DAY


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a key is made; as it stands, a good one."""

    primary: str = "ed25519"
    subkey: str | None = "cv25519"
    life: str = "1y"
    options: tuple[str, ...] = ()
    uses: str = "encr"
    day: date = DAY


def bake(recipe: Recipe, home: Path) -> tuple[Fingerprint, Gpg]:
    """Make a key without a passphrase in a fresh *home*."""
    home.mkdir(mode=0o700)
    gpg = Gpg(home, agent=True)
    options = (*frozen_at_dawn(recipe.day), *recipe.options)
    made = run(
        gpg,
        (*options, "--quick-generate-key", "--", home.name, recipe.primary, "cert,sign", recipe.life),
        passphrase="",
    )
    owner = Fingerprint(made.said("KEY_CREATED")[0].arguments[1])
    if recipe.subkey is not None:
        command = ("--quick-add-key", owner, recipe.subkey, recipe.uses, recipe.life)
        assert run(gpg, (*options, *command), passphrase="").returncode == 0
    return owner, gpg


def baked(recipe: Recipe, home: Path) -> bytes:
    """Return only the certificate."""
    owner, gpg = bake(recipe, home)
    return export(owner, gpg)


def revoke(owner: Fingerprint, gpg: Gpg) -> None:
    """Use the revocation that gpg keeps in store; a colon guards it against accidents."""
    stored = (gpg.home / "openpgp-revocs.d" / f"{owner}.rev").read_bytes()
    assert run(gpg, ("--import",), stored.replace(b":-----BEGIN", b"-----BEGIN")).returncode == 0


def written(packets: Iterable[Packet]) -> bytes:
    """Put packets together again."""
    return b"".join(
        bytes([0xC0 | packet.tag, 255]) + len(packet.body).to_bytes(4, "big") + packet.body for packet in packets
    )
