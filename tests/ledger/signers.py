"""Ed25519 as the callers of the ledger do it, with keys that nobody uses."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.note import VerifierKey


class Signer:
    """One log's key."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = VerifierKey(name, self._key.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


LOG = Signer("k7f2q9", b"\x01" * 32)
OTHER_LOG = Signer("x0d3m1", b"\x02" * 32)
WITNESS = Signer("witness.example", b"\x03" * 32)
