"""How reviewers prove who they are: a passphrase made for them, and a code that changes every half minute."""

import base64
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from datetime import datetime

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from pyotp.totp import TOTP

from keys.argon import ArgonParameters
from keys.errors import KeysError
from keys.lexicon import lexicons

LONGEST_PASSWORD_BYTES = 1024
TOTP_SECONDS = 30
TOTP_DIGITS = 6

# Seven words out of 7,776 are 90.5 bits.
_PASSPHRASE_WORDS = 7
_SALT_BYTES = 16
_HASH_BYTES = 32
# RFC 4226, 4, R6: 160 bits.
_TOTP_SECRET_BYTES = 20


class PasswordTooLongError(KeysError):
    """Nobody has a password this long; it was not hashed (C16)."""


class PasswordHashError(KeysError):
    """What the database holds is no password hash."""


class Passwords:
    """Hashes passwords and checks them, in the same time whether the name exists or not (C17)."""

    def __init__(self, costs: ArgonParameters) -> None:
        self._hasher = PasswordHasher(
            costs.passes, costs.memory_kib, costs.lanes, _HASH_BYTES, _SALT_BYTES, type=Type.ID
        )
        # The hash of no password at all: random bytes where a hash would stand, so no work is needed to make it.
        salt, digest = (_base64(secrets.token_bytes(size)) for size in (_SALT_BYTES, _HASH_BYTES))
        self._nobody = f"$argon2id$v=19$m={costs.memory_kib},t={costs.passes},p={costs.lanes}${salt}${digest}"

    def hash(self, password: str) -> str:
        """Return what the database keeps of *password*.

        Raises:
            PasswordTooLongError: More than `LONGEST_PASSWORD_BYTES`; nothing was hashed.
        """
        return self._hasher.hash(_plain(password))

    def verify(self, untrusted_password: str, hashed: str | None) -> bool:
        """Say whether the password is the one that was hashed; one Argon2id, whatever the answer.

        Args:
            untrusted_password: As it was typed.
            hashed: What the database keeps, or None when there is no such reviewer: then the answer is no.

        Raises:
            PasswordTooLongError: More than `LONGEST_PASSWORD_BYTES`; nothing was hashed.
            PasswordHashError: *hashed* is no hash.
        """
        plain = _plain(untrusted_password)
        try:
            return self._hasher.verify(self._nobody if hashed is None else hashed, plain) and hashed is not None
        except VerifyMismatchError:
            return False
        except (InvalidHashError, VerificationError) as error:
            raise PasswordHashError("a stored password hash cannot be read") from error


def new_passphrase(randbelow: Callable[[int], int], language: str = "en") -> str:
    """Draw a passphrase of 90 bits; *randbelow* is `secrets.randbelow` everywhere but in tests."""
    words = lexicons()[language].words
    return " ".join(words[randbelow(len(words))] for _ in range(_PASSPHRASE_WORDS))


def new_totp_secret(random_bytes: Callable[[int], bytes]) -> str:
    """Draw the secret of an authenticator app; *random_bytes* is `secrets.token_bytes` everywhere but in tests."""
    return base64.b32encode(random_bytes(_TOTP_SECRET_BYTES)).decode()


def totp_uri(secret: str, name: str, issuer: str) -> str:
    """Return the address that an authenticator app reads from a picture."""
    return TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def verify_totp(secret: str, untrusted_code: str, now: datetime, last_step: int) -> int | None:
    """Return the time step whose code this is, or None.

    A clock may be one step off either way. The caller keeps the step as the next *last_step* (0 before the first), so
    that no code works twice.
    """
    authenticator = TOTP(secret, digits=TOTP_DIGITS, interval=TOTP_SECONDS)
    today = int(now.timestamp()) // TOTP_SECONDS
    typed = "".join(untrusted_code[:32].split()).encode()
    matching = [
        step
        for step in (today - 1, today, today + 1)
        if hmac.compare_digest(authenticator.generate_otp(step).encode(), typed)
    ]
    return next((step for step in matching if step > last_step), None)


def _plain(password: str) -> bytes:
    """Return the bytes of *password*, the same from every keyboard (NFKC)."""
    if len(password.encode("utf-8", errors="surrogatepass")) > LONGEST_PASSWORD_BYTES:
        raise PasswordTooLongError(f"a password has at most {LONGEST_PASSWORD_BYTES} bytes")
    return unicodedata.normalize("NFKC", password).encode("utf-8", errors="surrogatepass")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode().rstrip("=")
