"""What happens offline, with the secret keys at hand: reviewers' keys are made or adopted, and keysets signed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from keys.certificate import minimal, read_certificate
from keys.errors import GpgFailedError, KeysetError, PolicyError, UnsafeArgumentError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, frozen_at_dawn, run
from keys.keyset import DEFAULT_QUORUM, Keyset, Signer, SubmissionKey
from keys.policy import assess, assess_signer, last_day
from keys.recipients import check_signer, check_submission_key
from keys.signing import sign_detached

_LIFE = "1y"
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Parts:
    """What a keyset is made of."""

    recipients: tuple[SubmissionKey, ...]
    signers: tuple[Signer, ...]
    quorum: int = DEFAULT_QUORUM
    log: str | None = None


def make_key(name: str, passphrase: str, day: date, gpg: Gpg) -> Fingerprint:
    """Make a reviewer's key: Ed25519 to sign, a Curve25519 subkey to seal to, both ending in a year.

    Args:
        name: Becomes the public user id: a pseudonym, for everybody who reads the keyset reads it.
        passphrase: Protects the secret half.
        day: All that the key tells of its making (K4).
        gpg: The home, with an agent, where the secret half stays.

    Raises:
        UnsafeArgumentError: The name or the passphrase could be misunderstood on its way.
        GpgFailedError: Gpg did not make it.
    """
    owner = make_signing_key(name, passphrase, day, gpg)
    add_submission_key(owner, passphrase, day, gpg)
    return owner


def make_signing_key(name: str, passphrase: str, day: date, gpg: Gpg) -> Fingerprint:
    """Make a key that only vouches for keysets: the recovery signer, kept offline; arguments as for ``make_key``."""
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise UnsafeArgumentError(f"a name has 1 to {_LONGEST_NAME} visible characters")
    if not passphrase:
        raise UnsafeArgumentError("a key must have a passphrase")
    command = ("--quick-generate-key", "--", name, "ed25519", "cert,sign", _LIFE)
    return _create(command, day, gpg, passphrase)


def add_submission_key(owner: Fingerprint, passphrase: str | None, day: date, gpg: Gpg) -> Fingerprint:
    """Give *owner* a fresh subkey to seal to, and return its fingerprint: the quarterly rotation.

    Old subkeys stay, to open what was sealed to them, until their secret half is destroyed.
    """
    return _create(("--quick-add-key", owner, "cv25519", "encr", _LIFE), day, gpg, passphrase)


def export(owner: Fingerprint, gpg: Gpg) -> bytes:
    """Return the public certificate of *owner*.

    Raises:
        GpgFailedError: The home has none.
    """
    outcome = run(gpg, ("--export-options=export-minimal", "--export", owner))
    if outcome.returncode != 0 or not outcome.stdout:
        raise GpgFailedError("gpg did not export the certificate")
    return outcome.stdout


def submission_key(untrusted_certificate: bytes, day: date, gpg: Gpg) -> SubmissionKey:
    """Take into use, from *day*, the newest subkey of a certificate, made here or elsewhere (a smartcard's).

    Args:
        untrusted_certificate: With all that hangs on it; only what is needed is kept.
        day: When it is judged.
        gpg: A home that needs to hold nothing.

    Raises:
        CertificateError: It is no certificate.
        PolicyError: It is not good enough.
    """
    newest = assess(untrusted_certificate, day, gpg).sealing[0]
    certificate = minimal(untrusted_certificate, newest.fingerprint, gpg)
    found = read_certificate(certificate, day, gpg)
    subkey = found.subkey(newest.fingerprint)
    key = SubmissionKey(
        found.fingerprint, subkey.fingerprint, subkey.algorithm, day, last_day(found, subkey), certificate
    )
    check_submission_key(key, day, gpg)
    return key


def signer(untrusted_certificate: bytes, day: date, gpg: Gpg) -> Signer:
    """Make the owner of a certificate somebody who vouches for the next keyset; arguments and errors as above."""
    return _signer(untrusted_certificate, day, gpg, recovery=False)


def recovery_signer(untrusted_certificate: bytes, day: date, gpg: Gpg) -> Signer:
    """Do the same for the key that lies offline for the day when others are lost."""
    return _signer(untrusted_certificate, day, gpg, recovery=True)


def first_keyset(parts: Parts, created: date) -> Keyset:
    """Put together a drop's first keyset.

    Raises:
        KeysetError: Two people could not sign it, or a report could never begin.
    """
    _refuse_useless(parts.recipients, parts.signers, parts.quorum)
    return Keyset(
        serial=1,
        previous=None,
        created=created,
        log=parts.log,
        quorum=parts.quorum,
        recipients=tuple(sorted(parts.recipients)),
        signers=tuple(sorted(parts.signers)),
    )


def next_keyset(
    previous: Keyset, recipients: Iterable[SubmissionKey], signers: Iterable[Signer], created: date
) -> Keyset:
    """Put together the keyset that follows *previous*, for two of its signers to sign; errors as above."""
    keyset = previous.succeeded(created, recipients, signers)
    _refuse_useless(keyset.recipients, keyset.signers, keyset.quorum)
    return keyset


def sign_keyset(keyset: Keyset, who: Fingerprint, gpg: Gpg, passphrase: str | None = None) -> bytes:
    """Sign *keyset*, as of the day it names; errors as for ``sign_detached``."""
    return sign_detached(keyset.canonical, gpg, who, keyset.created, passphrase)


def _create(command: tuple[str | Fingerprint, ...], day: date, gpg: Gpg, passphrase: str | None) -> Fingerprint:
    outcome = run(gpg, (*frozen_at_dawn(day), *command), passphrase=passphrase)
    created = outcome.said("KEY_CREATED")
    if outcome.returncode != 0 or len(created) != 1 or len(created[0].arguments) < 2:
        raise GpgFailedError("gpg did not make the key")
    return Fingerprint(created[0].arguments[1])


def _signer(untrusted_certificate: bytes, day: date, gpg: Gpg, *, recovery: bool) -> Signer:
    report = assess_signer(untrusted_certificate, day, gpg)
    if not report.signing:
        raise PolicyError("the certificate has no key that can sign")
    # The newest, because that is the one that gpg will sign with.
    newest = max(report.signing, key=lambda key: (key.fingerprint != report.fingerprint, key.created))
    certificate = minimal(untrusted_certificate, newest.fingerprint, gpg)
    found = read_certificate(certificate, day, gpg)
    key = found.primary if newest.fingerprint == found.fingerprint else found.subkey(newest.fingerprint)
    made = Signer(found.fingerprint, recovery, last_day(found, key), certificate)
    check_signer(made, day, gpg)
    return made


def _refuse_useless(recipients: Iterable[SubmissionKey], signers: Iterable[Signer], quorum: int) -> None:
    if len({key.fingerprint for key in recipients}) < quorum:
        raise KeysetError(f"{quorum} reviewers must be reachable, or no report can begin")
    if len(list(signers)) < 2:
        raise KeysetError("there must be two signers, or nothing can ever be changed")
