"""A signature counts if it is one, whole, detached, and by somebody named beforehand."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.ceremony import export
from keys.errors import GpgFailedError, SignatureError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, frozen_on, run
from keys.signing import MOST_SIGNATURE_BYTES, sign_detached, verify_detached
from tests.keyring import DAY, Reviewer
from tests.keys.oddities import Recipe, bake, revoke

PAYLOAD = b'{"v":1}'
Two = tuple[Reviewer, Reviewer]


@pytest.fixture(scope="module")
def certificates(reviewers: Two) -> dict[Fingerprint, bytes]:
    return {reviewer.fingerprint: reviewer.certificate for reviewer in reviewers}


@pytest.fixture(scope="module")
def signature(reviewers: Two) -> bytes:
    return signed(PAYLOAD, reviewers[0])


def signed(payload: Path | bytes, reviewer: Reviewer) -> bytes:
    return sign_detached(payload, reviewer.gpg, reviewer.fingerprint, DAY, reviewer.passphrase)


def test_a_signature_names_its_signer(
    reviewers: Two, certificates: dict[Fingerprint, bytes], signature: bytes, public_gpg: Gpg
) -> None:
    assert verify_detached(PAYLOAD, signature, certificates, public_gpg, DAY) == reviewers[0].fingerprint
    assert not list(public_gpg.home.glob("ring-*"))


def test_a_file_is_signed_and_verified_like_its_bytes(
    reviewers: Two, certificates: dict[Fingerprint, bytes], signature: bytes, public_gpg: Gpg, tmp_path: Path
) -> None:
    file = tmp_path / "--payload"
    file.write_bytes(PAYLOAD)

    assert verify_detached(file, signature, certificates, public_gpg, DAY) == reviewers[0].fingerprint
    assert verify_detached(PAYLOAD, signed(file, reviewers[1]), certificates, public_gpg, DAY) == (
        reviewers[1].fingerprint
    )
    assert [path.name for path in tmp_path.iterdir()] == ["--payload"]


@pytest.mark.check("K1")
def test_a_signature_tells_the_day_alone(reviewers: Two, signature: bytes) -> None:
    assert int.from_bytes(signature.partition(b"\x05\x02")[2][:4], "big") % 86400 == 86399


@pytest.mark.check("R2")
def test_other_bytes_or_other_signers_are_refused(
    reviewers: Two, certificates: dict[Fingerprint, bytes], signature: bytes, public_gpg: Gpg
) -> None:
    stranger = {reviewers[1].fingerprint: reviewers[1].certificate}
    mislabelled = {reviewers[1].fingerprint: reviewers[0].certificate}

    for payload, allowed in ((PAYLOAD + b" ", certificates), (b"", certificates), (PAYLOAD, stranger)):
        with pytest.raises(SignatureError):
            verify_detached(payload, signature, allowed, public_gpg, DAY)
    with pytest.raises(SignatureError, match="may not"):
        verify_detached(PAYLOAD, signature, mislabelled, public_gpg, DAY)
    with pytest.raises(SignatureError):
        verify_detached(PAYLOAD, signature, {}, public_gpg, DAY)


@pytest.mark.check("R2")
@pytest.mark.parametrize("command", ["--clearsign", "--sign", "--armor --detach-sign", "--textmode --detach-sign"])
def test_clear_signed_inline_armoured_and_text_signatures_are_refused(
    command: str, reviewers: Two, certificates: dict[Fingerprint, bytes], public_gpg: Gpg
) -> None:
    reviewer = reviewers[0]
    made = run(reviewer.gpg, (*frozen_on(DAY), *command.split()), PAYLOAD, passphrase=reviewer.passphrase)

    assert made.returncode == 0
    with pytest.raises(SignatureError):
        verify_detached(PAYLOAD, made.stdout, certificates, public_gpg, DAY)


@pytest.mark.check("R2")
def test_no_signature_two_signatures_and_more_than_one_are_refused(
    reviewers: Two, certificates: dict[Fingerprint, bytes], signature: bytes, public_gpg: Gpg
) -> None:
    several = (b"", signature * 2, signature + signed(PAYLOAD, reviewers[1]), signature + b"\xcb\x01x")

    for wrong in (*several, signature[:-1], b"\xc2\x00", b"\xc2" * (MOST_SIGNATURE_BYTES + 1)):
        with pytest.raises(SignatureError):
            verify_detached(PAYLOAD, wrong, certificates, public_gpg, DAY)


@pytest.mark.check("G8")
def test_a_signature_by_sha1_is_refused(
    reviewers: Two, certificates: dict[Fingerprint, bytes], public_gpg: Gpg
) -> None:
    reviewer = reviewers[0]
    made = run(
        reviewer.gpg,
        (*frozen_on(DAY), "--allow-weak-digest-algos", "--digest-algo=SHA1", "--detach-sign"),
        PAYLOAD,
        passphrase=reviewer.passphrase,
    )

    with pytest.raises(SignatureError, match=r"SHA-256|no detached"):
        verify_detached(PAYLOAD, made.stdout, certificates, public_gpg, DAY)


@pytest.mark.check("G6")
def test_keys_that_have_ended_or_were_revoked_sign_nothing(gpg_homes: Path, public_gpg: Gpg) -> None:
    owner, gpg = bake(Recipe(), gpg_homes / "ended-signer")
    signature = sign_detached(PAYLOAD, gpg, owner, DAY, "")
    allowed = {owner: export(owner, gpg)}

    assert verify_detached(PAYLOAD, signature, allowed, public_gpg, DAY) == owner
    with pytest.raises(SignatureError):
        verify_detached(PAYLOAD, signature, allowed, public_gpg, DAY + timedelta(days=366))
    with pytest.raises(SignatureError):
        verify_detached(PAYLOAD, signature, allowed, public_gpg, DAY - timedelta(days=1))
    revoke(owner, gpg)
    with pytest.raises(SignatureError):
        verify_detached(PAYLOAD, signature, {owner: export(owner, gpg)}, public_gpg, DAY)


@pytest.mark.check("G3")
def test_a_notation_that_looks_like_a_verdict_changes_nothing(reviewers: Two, gpg_homes: Path, public_gpg: Gpg) -> None:
    """CVE-2022-34903: a stranger signs and has the verdict for somebody else in a notation."""
    owner, gpg = bake(Recipe(subkey=None), gpg_homes / "notation")
    victim = reviewers[0].fingerprint
    lie = f"a@b.example=x~[GNUPG:] GOODSIG {str(victim)[-16:]} amber~[GNUPG:] VALIDSIG {victim} 2026-03-04"
    made = run(gpg, (*frozen_on(DAY), "--sig-notation", lie, "--detach-sign"), PAYLOAD, passphrase="").stdout
    both = {victim: reviewers[0].certificate, owner: export(owner, gpg)}

    assert verify_detached(PAYLOAD, made, both, public_gpg, DAY) == owner
    # Gpg itself makes no notation with a line break; whoever writes packets can.
    for hostile in (made, made.replace(b"~", b"\n"), made.replace(b"~", b"\r")):
        with pytest.raises(SignatureError):
            verify_detached(PAYLOAD, hostile, {victim: reviewers[0].certificate}, public_gpg, DAY)
    with pytest.raises(SignatureError):
        verify_detached(PAYLOAD, made.replace(b"~", b"\n"), both, public_gpg, DAY)


def test_who_cannot_be_unlocked_signs_nothing(reviewers: Two, public_gpg: Gpg) -> None:
    with pytest.raises(GpgFailedError):
        sign_detached(PAYLOAD, reviewers[0].gpg, reviewers[0].fingerprint, DAY, "wrong")
    with pytest.raises(GpgFailedError):
        sign_detached(PAYLOAD, public_gpg, reviewers[0].fingerprint, DAY, "any")


@pytest.mark.parametrize(
    "status",
    [
        "",
        "[GNUPG:] NEWSIG",
        "[GNUPG:] GOODSIG A b",
        "[GNUPG:] NEWSIG\\n[GNUPG:] GOODSIG A b\\n[GNUPG:] VALIDSIG A",
        "[GNUPG:] NEWSIG\\n[GNUPG:] NEWSIG\\n[GNUPG:] GOODSIG A b\\n[GNUPG:] VALIDSIG A",
    ],
)
def test_a_gpg_that_says_too_little_is_not_believed(
    status: str, signature: bytes, certificates: dict[Fingerprint, bytes], tmp_path: Path
) -> None:
    program = tmp_path / "gpg"
    script = 'while [ "$1" != "--status-fd" ]; do shift; done; printf "' + status + '\\n" >/proc/self/fd/$2'
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)

    with pytest.raises(SignatureError):
        verify_detached(PAYLOAD, signature, certificates, Gpg(tmp_path, str(program)), DAY)


@given(st.binary(max_size=200))
def test_no_bytes_are_taken_for_a_signature(untrusted: bytes) -> None:
    """No gpg is reached: the home does not exist."""
    with pytest.raises((SignatureError, FileNotFoundError)):
        verify_detached(PAYLOAD, untrusted, {}, Gpg(Path("/nowhere")), DAY)
