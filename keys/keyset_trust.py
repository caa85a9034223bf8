"""When a keyset is believed: the first because its signers' fingerprints were typed, each later by two before it.

1. Every certificate in it is exactly what the keyset says, and good enough (G4, G7, G8).
2. Every signature that comes with it is good, as of the day that the keyset names.
3. The first keyset carries two signatures by typed fingerprints, all of which it lists as signers.
4. A later one follows the one before by serial and hash, is not older, and brings nobody back who withdrew.
5. A later one carries two signatures by signers of the one before it; the recovery signer counts.
6. Or it differs from the one before in nothing but an owner's withdrawal, and carries her signature.
7. Whoever takes it into use now refuses one from the future.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from keys.errors import KeysetChangeError, KeysetError, SignatureError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg
from keys.keyset import Keyset
from keys.recipients import check_signer, check_submission_key
from keys.signing import verify_detached

SIGNATURES_NEEDED = 2
# Between the clock of the offline machine and ours, with a midnight between them.
_CLOCKS_APART = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SignedKeyset:
    """A keyset with the signatures that came with it; nothing is said yet about their worth."""

    keyset: Keyset
    signatures: Mapping[Fingerprint, bytes]


def verify_first(signed: SignedKeyset, roots: Collection[Fingerprint], gpg: Gpg) -> Keyset:
    """Return the keyset if it may be a drop's first.

    Args:
        signed: As it was brought.
        roots: The signers' fingerprints, typed by somebody who has them from the signers.
        gpg: A home that needs to hold nothing.

    Raises:
        KeysetChangeError: It is a later one.
        KeysetError: A typed fingerprint is not among its signers.
        SignatureError: Two of them did not sign it.
        CertificateError: A certificate is not what the keyset says.
        PolicyError: One is not good enough.
    """
    keyset = signed.keyset
    if keyset.serial != 1:
        raise KeysetChangeError(f"this is keyset {keyset.serial}; the first has the serial 1")
    _check_certificates(keyset, gpg)
    listed = {signer.fingerprint for signer in keyset.signers}
    if not listed.issuperset(roots):
        raise KeysetError("a fingerprint that was typed is not among the keyset's signers")
    _need_two(_who_signed(signed, _certificates(keyset), gpg).intersection(roots))
    return keyset


def verify_change(previous: Keyset, signed: SignedKeyset, gpg: Gpg) -> Keyset:
    """Return the keyset if it may take the place of *previous*, which was verified when it came.

    Raises:
        KeysetChangeError: It does not follow *previous*.
        SignatureError: Neither two of the signers before it nor the one who withdraws has signed it.
        CertificateError: A certificate is not what the keyset says.
        PolicyError: One is not good enough.
    """
    keyset = signed.keyset
    _refuse_discontinuity(previous, keyset)
    _check_certificates(keyset, gpg)
    signers = _who_signed(signed, _certificates(previous), gpg)
    if signers and _is_withdrawal_by(signers, previous, keyset):
        return keyset
    _need_two(signers.intersection(signer.fingerprint for signer in previous.signers))
    return keyset


def refuse_future(keyset: Keyset, today: date) -> None:
    """Refuse a keyset from the future, before it is taken into use.

    Whatever follows must not be older, and must be signed with keys that are still good on its day. So one owner who
    withdraws alone could, by the date that she writes, keep everybody else from changing anything ever again.

    Raises:
        KeysetChangeError: It is dated after *today*.
    """
    if keyset.created > today + _CLOCKS_APART:
        raise KeysetChangeError(f"the keyset is dated {keyset.created}, and by this machine's clock it is {today}")


def _refuse_discontinuity(previous: Keyset, keyset: Keyset) -> None:
    if keyset.serial != previous.serial + 1:
        raise KeysetChangeError(f"keyset {previous.serial + 1} must come next, not {keyset.serial}")
    if keyset.previous != previous.hash:
        raise KeysetChangeError("the keyset follows another one than ours")
    if keyset.created < previous.created:
        raise KeysetChangeError("the keyset is older than the one it shall follow")
    if not set(keyset.withdrawn).issuperset(previous.withdrawn):
        raise KeysetChangeError("the keyset forgets that a key was withdrawn")


def _check_certificates(keyset: Keyset, gpg: Gpg) -> None:
    """Look at every certificate on the day that the keyset names, or on its own first day if that is later."""
    for key in keyset.recipients:
        # A key that has ended stays listed until somebody tidies up: it was checked when it came.
        if key.not_after >= keyset.created:
            check_submission_key(key, max(keyset.created, key.not_before), gpg)
    for signer in keyset.signers:
        if signer.not_after >= keyset.created:
            check_signer(signer, keyset.created, gpg)


def _certificates(keyset: Keyset) -> Mapping[Fingerprint, bytes]:
    """Everybody who could sign: an owner may withdraw her key also if she vouches for nothing."""
    certificates = {key.fingerprint: key.certificate for key in keyset.recipients}
    return MappingProxyType(certificates | {signer.fingerprint: signer.certificate for signer in keyset.signers})


def _who_signed(signed: SignedKeyset, certificates: Mapping[Fingerprint, bytes], gpg: Gpg) -> frozenset[Fingerprint]:
    """Verify every signature under the name that it came with; one bad one spoils all."""
    keyset = signed.keyset
    for fingerprint, signature in signed.signatures.items():
        if fingerprint not in certificates:
            raise SignatureError("the keyset is signed by somebody who may not")
        allowed = {fingerprint: certificates[fingerprint]}
        verify_detached(keyset.canonical, signature, allowed, gpg, keyset.created)
    return frozenset(signed.signatures)


def _is_withdrawal_by(signers: frozenset[Fingerprint], previous: Keyset, keyset: Keyset) -> bool:
    return any(keyset == previous.without(owner, keyset.created) for owner in signers)


def _need_two(signers: frozenset[Fingerprint]) -> None:
    if len(signers) < SIGNATURES_NEEDED:
        raise SignatureError(f"{SIGNATURES_NEEDED} people must have signed the keyset, not {len(signers)}")
