"""The keyrings that gpg seals to: each holds one certificate with one subkey, so that gpg has no choice to make."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from hardening.files import private_folder, write_whole
from keys.certificate import Certificate, read_certificate
from keys.errors import CertificateError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, frozen_on, run
from keys.keyset import Keyset, Signer, SubmissionKey, usable
from keys.packets import Tag, read_packets
from keys.policy import assess, assess_signer, last_day

# What is in a submission key's certificate, and all that is: two keys, one name, and why they belong together.
_ONE_SUBKEY = (Tag.PUBLIC_KEY, Tag.USER_ID, Tag.SIGNATURE, Tag.PUBLIC_SUBKEY, Tag.SIGNATURE)
_NO_SUBKEY = _ONE_SUBKEY[:3]


@dataclass(frozen=True, slots=True)
class Recipients:
    """Whom to seal to.

    Attributes:
        files: One keyring each, with one certificate in it.
        subkeys: Which key of it, in the same order.
        algorithms: What their recipient packets must say, in the same order (RFC 9580, 9.1).
        keyset_hash: The keyset that they come from.
    """

    files: tuple[Path, ...]
    subkeys: tuple[Fingerprint, ...]
    algorithms: tuple[int, ...]
    keyset_hash: str


def write_recipients(keyset: Keyset, day: date, folder: Path, gpg: Gpg) -> Recipients:
    """Write the keyrings that reports are sealed to on *day*.

    Args:
        keyset: Verified.
        day: The last second of this day is when gpg will seal.
        folder: There already; each keyset gets a folder of its own in it, because a report that has begun still seals
            to the keyset it began with.
        gpg: A home that needs to hold nothing.

    Returns:
        As many recipients as are usable, possibly fewer than the quorum: see ``quorum_met``.

    Raises:
        CertificateError: A certificate is not what the keyset says.
        PolicyError: One is not good enough.
    """
    home = private_folder(folder / keyset.hash)
    keys = usable(keyset, day)
    for key in keys:
        check_submission_key(key, day, gpg)
    return Recipients(
        files=tuple(write_keyring(key.certificate, home / f"{key.subkey}.kbx", day, gpg) for key in keys),
        subkeys=tuple(key.subkey for key in keys),
        algorithms=tuple(key.packet_algorithm for key in keys),
        keyset_hash=keyset.hash,
    )


def write_keyring(certificate: bytes, file: Path, day: date, gpg: Gpg) -> Path:
    """Write a keyring that holds *certificate* alone, and give its place.

    In a keyring gpg remembers which signatures it has checked, in a file of a certificate it checks them at each
    sealing: a third of what a small one costs.

    Raises:
        CertificateError: gpg did not take the certificate.
    """
    with TemporaryDirectory(dir=file.parent, prefix=".") as made:
        ring = Path(made) / file.name
        options = (*frozen_on(day), "--no-default-keyring", "--keyring", ring, "--import")
        outcome = run(gpg, options, certificate)
        if outcome.returncode != 0 or len(outcome.said("IMPORT_OK")) != 1:
            raise CertificateError("gpg did not take the certificate into a keyring")
        write_whole(file, ring.read_bytes())
    return file


def check_submission_key(key: SubmissionKey, day: date, gpg: Gpg) -> None:
    """Make sure that what is said about *key* is what its certificate shows at the end of *day*, and all it shows.

    Raises:
        CertificateError: It is not, or the certificate holds anything besides the one subkey (G7).
        PolicyError: The key is not good enough.
    """
    _refuse_extras(key.certificate, _ONE_SUBKEY)
    report = assess(key.certificate, day, gpg)
    found = read_certificate(key.certificate, day, gpg)
    subkey = found.subkey(key.subkey)
    if (report.fingerprint, subkey.algorithm) != (key.fingerprint, key.algorithm):
        raise CertificateError("the certificate is not that of the key that was announced")
    if not subkey.created <= key.not_before <= key.not_after <= last_day(found, subkey):
        raise CertificateError("the keyset gives the key other days than its certificate")


def check_signer(signer: Signer, day: date, gpg: Gpg) -> None:
    """Make sure that what is said about *signer* is what the certificate shows; errors as above."""
    if _tags(signer.certificate) != _NO_SUBKEY:
        # A primary key that only certifies signs by a subkey; that one and no other comes along.
        _refuse_extras(signer.certificate, _ONE_SUBKEY)
    report = assess_signer(signer.certificate, day, gpg)
    if report.fingerprint != signer.fingerprint or not report.signing:
        raise CertificateError("the certificate is not that of the signer who was announced")
    if signer.not_after > _last_signing_day(read_certificate(signer.certificate, day, gpg)):
        raise CertificateError("the keyset gives the signer other days than the certificate")


def _last_signing_day(certificate: Certificate) -> date:
    keys = [key for key in (certificate.primary, *certificate.subkeys) if "s" in key.uses]
    return max(last_day(certificate, key) for key in keys)


def _refuse_extras(certificate: bytes, wanted: tuple[Tag, ...]) -> None:
    if _tags(certificate) != wanted:
        raise CertificateError("the certificate must hold one primary key, one user id and one subkey, nothing else")


def _tags(certificate: bytes) -> tuple[int, ...]:
    return tuple(packet.tag for packet in read_packets(certificate))
