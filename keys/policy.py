"""Which keys are good enough to seal reports to, and to vouch for them (G8)."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from keys.certificate import Certificate, Key, read_certificate
from keys.errors import PolicyError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg
from keys.packets import STRONG_HASHES, Tag, read_packets, read_signature

# Two years, one of them a leap year.
LONGEST_LIFE = timedelta(days=731)

_RSA = re.compile(r"rsa(\d{4,5})\Z")
_RSA_BITS = range(3072, 16385)


@dataclass(frozen=True, slots=True)
class KeyReport:
    """A certificate that passed.

    Attributes:
        fingerprint: Of the primary key.
        sealing: The subkeys that reports can be sealed to, the newest first; at least one.
        signing: The keys that can sign, the primary key included if it can.
    """

    fingerprint: Fingerprint
    sealing: tuple[Key, ...]
    signing: tuple[Key, ...]


def assess(certificate: bytes, day: date, gpg: Gpg) -> KeyReport:
    """Judge a reviewer's certificate, as it is at the end of *day*.

    Raises:
        CertificateError: Gpg cannot read it.
        PolicyError: It is weak, too long-lived, not valid on *day*, or nothing can be sealed to it.
    """
    report = assess_signer(certificate, day, gpg)
    if not report.sealing:
        raise PolicyError("the certificate has no subkey that reports can be sealed to")
    return report


def assess_signer(certificate: bytes, day: date, gpg: Gpg) -> KeyReport:
    """Judge a certificate that only has to sign, as it is at the end of *day*; errors as for ``assess``."""
    found = read_certificate(certificate, day, gpg)
    _refuse_weak_signatures(certificate)
    _refuse_unfit(found.primary, day, "ed25519")
    if found.user_ids < 1:
        raise PolicyError("the certificate has no valid user id")
    sealing = [key for key in found.subkeys if "e" in key.uses and _fits(key, day, "cv25519")]
    signing = [key for key in (found.primary, *found.subkeys) if "s" in key.uses and _fits(key, day, "ed25519")]
    return KeyReport(found.fingerprint, tuple(_newest_first(sealing)), tuple(signing))


def last_day(certificate: Certificate, key: Key) -> date:
    """Return the last day on which *key* can be used, for it dies with its primary key.

    Raises:
        PolicyError: One of them never ends.
    """
    if key.not_after is None or certificate.primary.not_after is None:
        raise PolicyError("a key must end some day")
    return min(key.not_after, certificate.primary.not_after)


def _refuse_weak_signatures(certificate: bytes) -> None:
    # Gpg 2.2 accepts SHA-1 in self-signatures, so an attacker could give a certificate a subkey by a collision.
    for packet in read_packets(certificate):
        if packet.tag == Tag.SIGNATURE and read_signature(packet).hash_algorithm not in STRONG_HASHES:
            raise PolicyError("the certificate holds a signature weaker than SHA-256")


def _refuse_unfit(key: Key, day: date, curve: str) -> None:
    """Raise what is wrong with *key*, if anything is."""
    if not key.sound:
        raise PolicyError("the key is revoked, disabled or not bound to its owner")
    if not _strong(key.algorithm, curve):
        raise PolicyError(f"the key must be {curve} or RSA with at least {_RSA_BITS.start} bits, not {key.algorithm}")
    if key.not_after is None:
        raise PolicyError("the key never ends; it must within two years")
    if key.not_after - day > LONGEST_LIFE:
        raise PolicyError(f"the key ends in {(key.not_after - day).days} days; it must within two years")
    if not key.created <= day <= key.not_after:
        raise PolicyError(f"the key is good from {key.created} to {key.not_after}, not on {day}")


def _fits(key: Key, day: date, curve: str) -> bool:
    try:
        _refuse_unfit(key, day, curve)
    except PolicyError:
        return False
    return True


def _strong(algorithm: str, curve: str) -> bool:
    if (rsa := _RSA.match(algorithm)) is not None:
        return int(rsa[1]) in _RSA_BITS
    return algorithm == curve


def _newest_first(keys: list[Key]) -> list[Key]:
    # Of two made on the same day the one that was added later stands later in the certificate.
    placed = sorted(enumerate(keys), key=lambda one: (one[1].created, one[0]), reverse=True)
    return [key for _place, key in placed]
