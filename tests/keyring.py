"""Reviewers with real keys, for every test that seals, opens, signs or verifies.

Making a key costs a second, so the reviewers live as long as the session. Everything about them is dated `DAY`, which
is the day of the `FakeClock`: pass it (or a day soon after) wherever a day is asked for.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import pytest

from keys import ceremony
from keys.certificate import read_certificate
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, stop_agent
from keys.keyset import Keyset
from keys.keyset_trust import SignedKeyset
from keys.recipients import Recipients, write_keyring, write_recipients

DAY = date(2026, 3, 4)


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody whose key reports are sealed to, with her workstation's gpg."""

    name: str
    fingerprint: Fingerprint
    certificate: bytes
    gpg: Gpg
    passphrase: str


def make_reviewer(name: str, folder: Path, day: date = DAY, passphrase: str | None = None) -> Reviewer:
    """Make a reviewer with a home of her own in *folder*, which must be short and whose agents the caller stops."""
    home = folder / name
    home.mkdir(mode=0o700)
    # No memory for passphrases, so that a wrong one is noticed; and none of the work that makes guessing them slow.
    (home / "gpg-agent.conf").write_text("default-cache-ttl 0\nmax-cache-ttl 0\ns2k-count 65536\n")
    gpg = Gpg(home, agent=True)
    passphrase = passphrase or f"correct horse {name}"
    fingerprint = ceremony.make_key(name, passphrase, day, gpg)
    return Reviewer(name, fingerprint, ceremony.export(fingerprint, gpg), gpg, passphrase)


def make_keyset(reviewers: Sequence[Reviewer], gpg: Gpg, day: date = DAY, quorum: int = 2) -> Keyset:
    """Put together a first keyset of these reviewers."""
    parts = ceremony.Parts(
        recipients=tuple(ceremony.submission_key(reviewer.certificate, day, gpg) for reviewer in reviewers),
        signers=tuple(ceremony.signer(reviewer.certificate, day, gpg) for reviewer in reviewers),
        quorum=quorum,
    )
    return ceremony.first_keyset(parts, day)


def signed_by(keyset: Keyset, reviewers: Sequence[Reviewer]) -> SignedKeyset:
    """Have each of these reviewers sign *keyset*."""
    return SignedKeyset(
        keyset,
        {
            reviewer.fingerprint: ceremony.sign_keyset(keyset, reviewer.fingerprint, reviewer.gpg, reviewer.passphrase)
            for reviewer in reviewers
        },
    )


@pytest.fixture(scope="session")
def gpg_homes() -> Iterator[Path]:
    """A folder whose path leaves room for an agent's socket (108 bytes); its agents are stopped at the end."""
    folder = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
    yield folder
    for home in folder.glob("*/private-keys-v1.d"):
        stop_agent(Gpg(home.parent, agent=True))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def reviewers(gpg_homes: Path) -> tuple[Reviewer, Reviewer]:
    """Two reviewers, `DAY` old."""
    return make_reviewer("amber", gpg_homes), make_reviewer("birch", gpg_homes)


@pytest.fixture(scope="session")
def public_gpg(gpg_homes: Path) -> Gpg:
    """The server's gpg: an empty home, no agent, no secret key."""
    home = gpg_homes / "public"
    home.mkdir(mode=0o700)
    return Gpg(home)


@pytest.fixture(scope="session")
def signed_keyset(reviewers: tuple[Reviewer, Reviewer], public_gpg: Gpg) -> SignedKeyset:
    """A first keyset of both reviewers, signed by both on `DAY`."""
    return signed_by(make_keyset(reviewers, public_gpg), reviewers)


def sealing_to(recipients: Recipients, option: str = "--hidden-recipient") -> list[str | Path]:
    """The arguments that make gpg seal to these keys."""
    keyrings = [argument for file in recipients.files for argument in ("--keyring", file)]
    named = [argument for subkey in recipients.subkeys for argument in (option, f"{subkey}!")]
    return ["--no-default-keyring", *keyrings, *named]


def joined_by(recipients: Recipients, certificate: bytes, file: Path, gpg: Gpg) -> Recipients:
    """These recipients and one more, whom no keyset knows."""
    subkey = read_certificate(certificate, DAY, gpg).subkeys[0].fingerprint
    return replace(
        recipients,
        files=(*recipients.files, write_keyring(certificate, file, DAY, gpg)),
        subkeys=(*recipients.subkeys, subkey),
        algorithms=(*recipients.algorithms, 18),
    )


def without_last(recipients: Recipients) -> Recipients:
    """These recipients but the last."""
    return replace(
        recipients,
        files=recipients.files[:-1],
        subkeys=recipients.subkeys[:-1],
        algorithms=recipients.algorithms[:-1],
    )


@pytest.fixture(scope="session")
def recipients(signed_keyset: SignedKeyset, public_gpg: Gpg, gpg_homes: Path) -> Recipients:
    """Both reviewers as whoever seals needs them."""
    folder = gpg_homes / "recipients"
    folder.mkdir(mode=0o700)
    return write_recipients(signed_keyset.keyset, DAY, folder, public_gpg)
