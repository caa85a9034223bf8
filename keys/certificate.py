"""What a certificate (a public key with all that hangs on it) holds, as gpg verified it on a given day."""

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hardening.files import destroy
from keys.errors import CertificateError, FingerprintError
from keys.fingerprint import Fingerprint
from keys.gpg import Argument, Gpg, frozen_on, run

# The largest key that we accept, RSA with 4096 bits and one subkey, has about 2.5 KiB in its minimal form.
MOST_MINIMAL_BYTES = 16 * 1024
MOST_CERTIFICATE_BYTES = 1024 * 1024

# RFC 9580, 9.1: the numbers gpg lists that have a name with us.
_RSA = 1
_ELLIPTIC = frozenset({18, 19, 22})


@dataclass(frozen=True, slots=True)
class Key:
    """A primary key or subkey.

    Attributes:
        algorithm: ``ed25519``, ``cv25519``, ``rsa3072`` ..., or a name that no policy knows.
        uses: Of ``c`` (certify), ``s`` (sign), ``e`` (seal), ``a`` (authenticate).
        created: The day it was made.
        not_after: The last day that it can be used all through; None if it never ends.
        sound: Neither revoked, nor disabled, nor without a valid binding to its primary key.
    """

    fingerprint: Fingerprint
    algorithm: str
    uses: frozenset[str]
    created: date
    not_after: date | None
    sound: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """A primary key with its subkeys."""

    primary: Key
    subkeys: tuple[Key, ...]
    user_ids: int

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of the primary key, which names the whole."""
        return self.primary.fingerprint

    def subkey(self, fingerprint: Fingerprint) -> Key:
        """Return one subkey by its name.

        Raises:
            CertificateError: There is none of that name.
        """
        for key in self.subkeys:
            if key.fingerprint == fingerprint:
                return key
        raise CertificateError("the certificate lacks the subkey that was announced")


def read_certificate(untrusted: bytes, day: date, gpg: Gpg) -> Certificate:
    """Have gpg verify the bindings in *untrusted* as of the end of *day* and say what it found.

    Raises:
        CertificateError: There is not exactly one certificate in it that gpg can read.
    """
    if len(untrusted) > MOST_CERTIFICATE_BYTES:
        raise CertificateError(f"a certificate has at most {MOST_CERTIFICATE_BYTES} bytes, not {len(untrusted)}")
    with _scratch(gpg) as home:
        # Of an expired or revoked key gpg says nothing under --trust-model=always unless there is a trust database.
        options = (*frozen_on(day), "--trust-model=direct", "--no-keyring")
        outcome = run(replace(gpg, home=home), (*options, "--with-colons", "--show-keys"), untrusted)
    if outcome.returncode != 0:
        raise CertificateError("gpg cannot read the certificate")
    # Not splitlines(): a user id may hold characters that it, unlike gpg, takes for the end of a line.
    records = [line.split(":") for line in outcome.stdout.decode("utf-8", "replace").split("\n")]
    if [record[0] for record in records].count("pub") != 1:
        raise CertificateError("there must be exactly one certificate")
    try:
        keys = _keys(records)
    except (FingerprintError, IndexError, OverflowError, ValueError) as error:
        raise CertificateError("the certificate holds a key that we cannot name") from error
    return Certificate(keys[0], tuple(keys[1:]), sum(record[0] == "uid" for record in records))


def keygrips(certificate: bytes, gpg: Gpg) -> frozenset[str]:
    """Return the names under which an agent would keep the secret halves of *certificate*: ``GRIP.key``.

    Raises:
        CertificateError: Gpg cannot read it.
    """
    outcome = run(gpg, ("--no-keyring", "--with-colons", "--with-keygrip", "--show-keys"), certificate)
    if outcome.returncode != 0:
        raise CertificateError("gpg cannot read the certificate")
    records = [line.split(":") for line in outcome.stdout.decode("utf-8", "replace").split("\n")]
    return frozenset(record[9] for record in records if record[0] == "grp")


def minimal(untrusted: bytes, key: Fingerprint, gpg: Gpg) -> bytes:
    """Cut a certificate down to its primary key, its user id and the one subkey *key*.

    Nothing is verified here: read and assess the result.

    Raises:
        CertificateError: The certificate holds no such key.
    """
    with keyring((untrusted,), gpg) as ring:
        outcome = run(gpg, (*only(ring), "--export-options=export-minimal", "--export", f"{key}!"))
    if outcome.returncode != 0 or not outcome.stdout:
        raise CertificateError("the certificate lacks the key that was asked for")
    return outcome.stdout


@contextmanager
def keyring(certificates: Sequence[bytes], gpg: Gpg) -> Generator[Path]:
    """Lend a file that gpg can use as a keyring of just these certificates, alone in a folder that goes with it."""
    with _scratch(gpg) as folder:
        ring = folder / "ring.gpg"
        ring.write_bytes(b"".join(certificates))
        yield ring


def only(ring: Path) -> tuple[Argument, ...]:
    """Return the options that make gpg know the certificates in *ring* and no others; nothing is imported."""
    return ("--no-default-keyring", "--keyring", ring)


@contextmanager
def _scratch(gpg: Gpg) -> Generator[Path]:
    """Lend an empty folder in the home, the one place where a confined process may surely write."""
    folder = Path(tempfile.mkdtemp(prefix="ring-", dir=gpg.home))
    try:
        yield folder
    finally:
        destroy(folder)


def _keys(records: list[list[str]]) -> list[Key]:
    """Pair each key's record with the fingerprint that follows it."""
    keys: list[Key] = []
    open_record: list[str] | None = None
    for record in records:
        if record[0] in {"pub", "sub"}:
            open_record = record
        elif record[0] == "fpr" and open_record is not None:
            keys.append(_key(open_record, Fingerprint(record[9])))
            open_record = None
    return keys


def _key(record: list[str], fingerprint: Fingerprint) -> Key:
    """Read one record of gpg's colon listing (GnuPG, doc/DETAILS)."""
    number = int(record[3])
    return Key(
        fingerprint=fingerprint,
        algorithm=f"rsa{record[2]}" if number == _RSA else record[16] if number in _ELLIPTIC else f"algorithm {number}",
        # Small letters are what this key may do, capitals what the whole certificate can.
        uses=frozenset(use for use in record[11] if use.islower()),
        created=_day(record[5]),
        # The day on which it ends is not whole any more, and we judge by whole days.
        not_after=_day(record[6]) - timedelta(days=1) if record[6] else None,
        sound=not set(record[1]) & set("rid") and "D" not in record[11],
    )


def _day(seconds: str) -> date:
    return datetime.fromtimestamp(int(seconds), tz=UTC).date()
