"""What a codename opens: the place where a source is found, and the key that her replies are sealed to."""

from dataclasses import dataclass, field

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.bindings import crypto_box_SEALBYTES, sodium_pad, sodium_unpad
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from keys.argon import ArgonParameters
from keys.codename import Codename
from keys.errors import KeysError

PEPPER_BYTES = 32
KEY_BYTES = 32
# A reply shows its length only in steps of this (G12).
REPLY_STEP_BYTES = 4096
LONGEST_REPLY_BYTES = 64 * 1024

# One label a purpose: what is stored (the lookup id) says nothing about what is secret (the seed) (C15).
_SALT_LABEL = b"svidok argon2 salt v1"
_LOOKUP_LABEL = b"svidok lookup id v1"
_SEED_LABEL = b"svidok source key v1"
_REPLY_MARK = b"svidok reply v1\n"
_LONGEST_PADDED = (len(_REPLY_MARK) + LONGEST_REPLY_BYTES) // REPLY_STEP_BYTES * REPLY_STEP_BYTES + REPLY_STEP_BYTES


class PepperError(KeysError):
    """The site's pepper is not the 32 random bytes that it has to be."""


class ReplyError(KeysError):
    """A reply cannot be sealed, or was not sealed to this source."""


@dataclass(frozen=True, slots=True)
class SourceSecrets:
    """What is derived from a codename; the seed may live in a sealed session only.

    Attributes:
        lookup_id: 32 bytes that the store finds the source by.
        seed: The X25519 private key, 32 bytes, as it goes into the curve.
    """

    lookup_id: bytes = field(repr=False)
    seed: bytes = field(repr=False)

    @property
    def public_key(self) -> bytes:
        """The X25519 public key that replies are sealed to."""
        return bytes(PrivateKey(self.seed).public_key)


def derive(codename: Codename, pepper: bytes, parameters: ArgonParameters) -> SourceSecrets:
    """Run the one Argon2id of a login, and split its result; the GIL is free meanwhile.

    Args:
        codename: The number counts, not what it was written in.
        pepper: The site's, kept outside the database: without it no codename can even be tried.
        parameters: Part of the result: with others no source is found again.

    Raises:
        PepperError: *pepper* has not 32 bytes, or is one byte repeated.
    """
    if len(pepper) != PEPPER_BYTES or len(set(pepper)) == 1:
        raise PepperError(f"a pepper has {PEPPER_BYTES} random bytes")
    stretched = hash_secret_raw(
        secret=codename.canonical(),
        # Every site has a salt of its own, though all sources of a site must share it to be found by codename alone.
        salt=_expand(pepper, _SALT_LABEL),
        time_cost=parameters.passes,
        memory_cost=parameters.memory_kib,
        parallelism=parameters.lanes,
        hash_len=KEY_BYTES,
        type=Type.ID,
    )
    return SourceSecrets(_expand(stretched, _LOOKUP_LABEL), _expand(stretched, _SEED_LABEL))


def seal_reply(text: str, public_key: bytes) -> bytes:
    """Seal *text* so that only the source's codename opens it, and its length shows in steps only.

    Raises:
        ReplyError: *text* is longer than `LONGEST_REPLY_BYTES`, or *public_key* is none.
    """
    reply = text.encode()
    if len(reply) > LONGEST_REPLY_BYTES:
        raise ReplyError(f"a reply has at most {LONGEST_REPLY_BYTES} bytes, not {len(reply)}")
    if len(public_key) != KEY_BYTES:
        raise ReplyError(f"a public key has {KEY_BYTES} bytes, not {len(public_key)}")
    try:
        return SealedBox(PublicKey(public_key)).encrypt(sodium_pad(_REPLY_MARK + reply, REPLY_STEP_BYTES))
    except CryptoError as error:
        raise ReplyError("this public key is a point that everybody knows the secret of") from error


def open_reply(untrusted_box: bytes, seed: bytes) -> str:
    """Open a sealed reply with the source's *seed*.

    Raises:
        ReplyError: It was sealed to another key, changed on the way, or is no reply.
    """
    if len(untrusted_box) > crypto_box_SEALBYTES + _LONGEST_PADDED:
        raise ReplyError("a box of this size holds no reply")
    try:
        padded = SealedBox(PrivateKey(seed)).decrypt(untrusted_box)
        reply = sodium_unpad(padded, REPLY_STEP_BYTES)
        if len(padded) % REPLY_STEP_BYTES or not reply.startswith(_REPLY_MARK):
            raise ReplyError("the box holds something else than a reply")
        return reply[len(_REPLY_MARK) :].decode("utf-8", errors="strict")
    except (CryptoError, UnicodeDecodeError) as error:
        raise ReplyError("the box was not sealed to this source") from error


def _expand(secret: bytes, label: bytes) -> bytes:
    """Derive 32 bytes for one purpose (RFC 5869, no salt)."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=label).derive(secret)
