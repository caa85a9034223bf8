"""Reviewers prove who they are; everybody else learns nothing, not even from the time it takes."""

import math
import secrets
import statistics
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pyotp.totp import TOTP

from keys.argon import FLOOR, ArgonParameters
from keys.lexicon import lexicons
from keys.password import (
    LONGEST_PASSWORD_BYTES,
    TOTP_SECONDS,
    PasswordHashError,
    Passwords,
    PasswordTooLongError,
    new_passphrase,
    new_totp_secret,
    totp_uri,
    verify_totp,
)

PASSWORDS = Passwords(ArgonParameters(1024, 1))
# RFC 6238, appendix B: the last six digits of the examples for SHA-1.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]


def test_the_right_password_is_right_and_no_other() -> None:
    hashed = PASSWORDS.hash("correct horse")

    assert PASSWORDS.verify("correct horse", hashed)
    assert not PASSWORDS.verify("correct horsf", hashed)
    assert not PASSWORDS.verify("", hashed)
    assert "correct" not in hashed


def test_the_same_password_from_another_keyboard_is_the_same() -> None:
    assert PASSWORDS.verify("e\u0301te\u0301", PASSWORDS.hash("\u00e9t\u00e9"))


def test_the_same_password_never_has_the_same_hash() -> None:
    assert PASSWORDS.hash("same") != PASSWORDS.hash("same")


@pytest.mark.check("C14")
def test_the_cost_stands_in_the_hash() -> None:
    assert Passwords(FLOOR).hash("x").startswith("$argon2id$v=19$m=131072,t=3,p=1$")


@pytest.mark.check("C17")
def test_a_name_that_nobody_has_costs_the_same() -> None:
    passwords = Passwords(ArgonParameters(16 * 1024, 2))
    hashed = passwords.hash("right")

    def cost(password: str, stored: str | None) -> float:
        began = time.thread_time()
        passwords.verify(password, stored)
        return time.thread_time() - began

    known, unknown = zip(*[(cost("wrong", hashed), cost("wrong", None)) for _ in range(15)], strict=True)

    assert not passwords.verify("right", None)
    assert 0.5 < statistics.median(known) / statistics.median(unknown) < 2


@pytest.mark.check("C16")
def test_a_password_longer_than_any_is_refused_unhashed() -> None:
    passwords = Passwords(FLOOR)
    wrong = "ї" * (LONGEST_PASSWORD_BYTES // 2) + "x"
    began = time.thread_time()

    with pytest.raises(PasswordTooLongError):
        passwords.verify(wrong, None)
    with pytest.raises(PasswordTooLongError):
        passwords.hash(wrong)

    assert time.thread_time() - began < 0.02


@pytest.mark.parametrize("stored", ["", "plain", "$argon2id$v=19$m=1024", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_stored_hash_that_is_none_is_no_wrong_password(stored: str) -> None:
    with pytest.raises(PasswordHashError):
        PASSWORDS.verify("x", stored)


def test_a_passphrase_has_ninety_bits() -> None:
    words = new_passphrase(secrets.randbelow).split(" ")

    assert len(words) * math.log2(len(lexicons()["en"].words)) >= 90
    assert set(words) <= set(lexicons()["en"].words)
    assert new_passphrase(secrets.randbelow) != new_passphrase(secrets.randbelow)


@pytest.mark.parametrize(("second", "code"), RFC_CODES)
def test_the_codes_of_the_rfc_are_right(second: int, code: str) -> None:
    now = datetime.fromtimestamp(second, UTC)

    assert verify_totp(RFC_SECRET, code, now, 0) == second // TOTP_SECONDS
    assert verify_totp(RFC_SECRET, f"{code[:3]} {code[3:]}", now, 0) == second // TOTP_SECONDS


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_one_step_off(steps: int, *, accepted: bool) -> None:
    now = datetime(2026, 3, 4, 12, 0, 10, tzinfo=UTC)
    code = TOTP(RFC_SECRET).at(now + timedelta(seconds=steps * TOTP_SECONDS))

    assert (verify_totp(RFC_SECRET, code, now, 0) is not None) == accepted


def test_no_code_works_twice_nor_an_older_one_after_it() -> None:
    now = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    older = TOTP(RFC_SECRET).at(now - timedelta(seconds=TOTP_SECONDS))
    code = TOTP(RFC_SECRET).at(now)

    step = verify_totp(RFC_SECRET, code, now, 0)

    assert step is not None
    assert verify_totp(RFC_SECRET, code, now, step) is None
    assert verify_totp(RFC_SECRET, older, now, step) is None


@pytest.mark.parametrize("wrong", ["", "000000", "28708", "2870822", "２８７０８２", "abcdef", "2" * 100_000])
def test_anything_else_is_no_code(wrong: str) -> None:
    assert verify_totp(RFC_SECRET, wrong, datetime.fromtimestamp(59, UTC), 0) is None


def test_an_authenticator_app_reads_the_secret() -> None:
    secret = new_totp_secret(secrets.token_bytes)
    address = urlsplit(totp_uri(secret, "amber", "drop"))

    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert parse_qs(address.query)["secret"] == [secret]
    assert len(secret) == 32
