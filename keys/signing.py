"""Detached signatures: made with a reviewer's key, believed only from a key that was named beforehand."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from keys.certificate import keyring, only
from keys.errors import GpgFailedError, PacketError, SignatureError
from keys.fingerprint import Fingerprint
from keys.gpg import Argument, Gpg, frozen_on, run
from keys.packets import STRONG_HASHES, read_packets, read_signature
from keys.status import Outcome

MOST_SIGNATURE_BYTES = 4096

_OVER_BYTES = 0

# Gpg calls the signature of an expired or revoked key valid too, under these names.
_DOUBTS = frozenset({"BADSIG", "ERRSIG", "EXPSIG", "EXPKEYSIG", "REVKEYSIG", "NO_PUBKEY", "NODATA"})


def sign_detached(
    payload: Path | bytes, gpg: Gpg, signer: Fingerprint, day: date, passphrase: str | None = None
) -> bytes:
    """Sign *payload* with the signing key of *signer*.

    Args:
        payload: A file, or what would be in it.
        gpg: A home with an agent that holds the secret key.
        signer: The primary key; gpg chooses its newest signing subkey, if it has one.
        day: All that the signature tells of its time.
        passphrase: None leaves the asking to the agent.

    Raises:
        GpgFailedError: The key is not there, cannot sign on *day*, or was not unlocked.
    """
    arguments = _asking_for("--no-armor", signer, day)
    if isinstance(payload, Path):
        return _signed(run(gpg, (*arguments, "--", payload), passphrase=passphrase))
    return _signed(run(gpg, arguments, payload, passphrase=passphrase))


def sign_for_people(text: bytes, gpg: Gpg, signer: Fingerprint, day: date, passphrase: str | None = None) -> bytes:
    """Sign *text* as `sign_detached` does, in the armour that people save from a page and check by hand."""
    return _signed(run(gpg, _asking_for("--armor", signer, day), text, passphrase=passphrase))


def remove_armour(untrusted: bytes, gpg: Gpg) -> bytes:
    """Give what lies in the armour, which nobody has verified.

    Raises:
        SignatureError: There is no armour.
    """
    outcome = run(gpg, ("--dearmor",), untrusted)
    if outcome.returncode != 0 or not outcome.stdout:
        raise SignatureError("this is no armoured signature")
    return outcome.stdout


def verify_detached(
    payload: Path | bytes, untrusted_signature: bytes, certificates: Mapping[Fingerprint, bytes], gpg: Gpg, day: date
) -> Fingerprint:
    """Return whose signature this is.

    Args:
        payload: A file, or what would be in it.
        untrusted_signature: One binary detached signature, nothing else.
        certificates: Who may have signed, by primary key; these certificates must have been assessed.
        gpg: A home that needs to hold nothing.
        day: Keys that have ended by then, or have not begun, do not count.

    Raises:
        SignatureError: It is not one good signature over exactly these bytes by one of them.
    """
    _refuse_other_forms(untrusted_signature)
    with keyring(tuple(certificates.values()), gpg) as ring:
        signature = ring.with_suffix(".sig")
        signature.write_bytes(untrusted_signature)
        outcome = _verify(payload, signature, (*frozen_on(day), *only(ring)), gpg)
    signer = _signer(outcome)
    if signer not in certificates:
        raise SignatureError("the signature is by somebody who may not give it")
    return signer


def _asking_for(armour: str, signer: Fingerprint, day: date) -> tuple[Argument, ...]:
    options = ("--digest-algo=SHA512", armour, "--local-user", signer, "--output", "-", "--detach-sign")
    return (*frozen_on(day), *options)


def _signed(outcome: Outcome) -> bytes:
    if outcome.returncode != 0 or len(outcome.said("SIG_CREATED")) != 1 or not outcome.stdout:
        raise GpgFailedError("gpg did not sign")
    return outcome.stdout


def _refuse_other_forms(untrusted_signature: bytes) -> None:
    """Leave gpg nothing to interpret: no armour, no clear-signed text, no second signature (R2)."""
    if len(untrusted_signature) > MOST_SIGNATURE_BYTES:
        raise SignatureError(f"a signature has at most {MOST_SIGNATURE_BYTES} bytes, not {len(untrusted_signature)}")
    try:
        packets = read_packets(untrusted_signature)
        heads = [read_signature(packet) for packet in packets]
    except PacketError as error:
        raise SignatureError(f"this is no detached signature: {error}") from error
    if len(heads) != 1 or heads[0].kind != _OVER_BYTES:
        raise SignatureError("there must be exactly one signature, over bytes as they are")
    if heads[0].hash_algorithm not in STRONG_HASHES:
        raise SignatureError("the signature is weaker than SHA-256")


def _verify(payload: Path | bytes, signature: Path, options: tuple[Argument, ...], gpg: Gpg) -> Outcome:
    if isinstance(payload, Path):
        return run(gpg, (*options, "--verify", "--", signature, payload))
    return run(gpg, (*options, "--verify", "--", signature, "-"), payload)


def _signer(outcome: Outcome) -> Fingerprint:
    """Read gpg's verdict: success is everything at once (GnuPG, doc/DETAILS)."""
    if outcome.returncode != 0 or any(line.keyword in _DOUBTS for line in outcome.status):
        raise SignatureError("gpg does not accept the signature")
    valid = outcome.said("VALIDSIG")
    if len(valid) != 1 or len(outcome.said("NEWSIG")) != 1 or len(outcome.said("GOODSIG")) != 1:
        raise SignatureError("gpg did not find exactly one good signature")
    # The tenth word is the primary key; the first may be a subkey of it.
    if len(valid[0].arguments) < 10:
        raise SignatureError("gpg does not say whose signature it is")
    return Fingerprint(valid[0].arguments[9])
