"""Gpg gets files that leave it no choice: one reviewer, one subkey, of the right day."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from keys import ceremony
from keys.certificate import minimal
from keys.errors import CertificateError, KeysError, PolicyError
from keys.gpg import Gpg, frozen_on, run
from keys.keyset import SubmissionKey
from keys.keyset_trust import SignedKeyset
from keys.packets import read_packets
from keys.recipients import Recipients, check_signer, check_submission_key, write_recipients
from tests.keyring import DAY, Reviewer, make_reviewer, sealing_to
from tests.keys.oddities import written

LATER = DAY + timedelta(days=90)
Two = tuple[Reviewer, Reviewer]


@pytest.fixture(scope="module")
def rotating(gpg_homes: Path) -> Reviewer:
    """A reviewer with a second subkey, made a quarter later."""
    reviewer = make_reviewer("cedar", gpg_homes)
    ceremony.add_submission_key(reviewer.fingerprint, reviewer.passphrase, LATER, reviewer.gpg)
    return reviewer


def seal(plaintext: bytes, recipients: Recipients, gpg: Gpg, day: date = DAY, option: str = "-R") -> bytes:
    options = (*frozen_on(day), "--compress-algo=none", "--set-filename", "", *sealing_to(recipients, option))
    outcome = run(gpg, (*options, "--encrypt"), plaintext)
    assert outcome.returncode == 0
    return outcome.stdout


def opened(sealed: bytes, reviewer: Reviewer) -> bytes:
    return run(reviewer.gpg, ("--decrypt",), sealed, passphrase=reviewer.passphrase).stdout


def addressed(sealed: bytes, gpg: Gpg) -> list[str]:
    """The key ids on a message, as gpg reads them."""
    return [line.arguments[0] for line in run(gpg, ("--list-only", "--decrypt"), sealed).said("ENC_TO")]


def test_each_reviewer_can_open_what_is_sealed(recipients: Recipients, reviewers: Two, public_gpg: Gpg) -> None:
    sealed = seal(b"a report", recipients, public_gpg)

    assert [opened(sealed, reviewer) for reviewer in reviewers] == [b"a report"] * 2
    assert recipients.algorithms == (18, 18)
    assert addressed(sealed, public_gpg) == ["0" * 16] * 2


def test_the_keyrings_lie_privately_under_their_keyset(
    recipients: Recipients, signed_keyset: SignedKeyset, public_gpg: Gpg
) -> None:
    assert recipients.keyset_hash == signed_keyset.keyset.hash
    for file, key in zip(recipients.files, signed_keyset.keyset.recipients, strict=True):
        held = run(
            public_gpg, ("--no-default-keyring", "--keyring", file, "--export-options=export-minimal", "--export")
        )
        assert held.stdout == key.certificate
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.name == recipients.keyset_hash
        assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.check("G11")
def test_a_sealed_message_tells_the_day_alone(recipients: Recipients, reviewers: Two, public_gpg: Gpg) -> None:
    sealed = seal(b"a report", recipients, public_gpg)

    listing = run(reviewers[0].gpg, ("--list-packets",), sealed, passphrase=reviewers[0].passphrase).stdout

    assert b'created 1772668799, name=""' in listing
    assert 1772668799 % 86400 == 86399


@pytest.mark.check("G9")
def test_after_a_rotation_new_reports_go_to_the_new_key_and_old_ones_still_open(
    rotating: Reviewer, signed_keyset: SignedKeyset, public_gpg: Gpg, tmp_path: Path
) -> None:
    old = ceremony.submission_key(rotating.certificate, DAY, public_gpg)
    full = ceremony.export(rotating.fingerprint, rotating.gpg)
    new = ceremony.submission_key(full, LATER, public_gpg)
    second = signed_keyset.keyset.succeeded(LATER, [old, new], signed_keyset.keyset.signers)

    sealed = {
        day: seal(b"a report", write_recipients(second, day, tmp_path, public_gpg), public_gpg, day, "-r")
        for day in (LATER - timedelta(days=1), LATER)
    }

    assert [addressed(each, public_gpg) for each in sealed.values()] == [
        [str(old.subkey)[-16:]],
        [str(new.subkey)[-16:]],
    ]
    assert [opened(each, rotating) for each in sealed.values()] == [b"a report"] * 2


@pytest.mark.check("G6", "G9")
def test_whoever_has_ended_is_left_out(signed_keyset: SignedKeyset, public_gpg: Gpg, tmp_path: Path) -> None:
    late = DAY + timedelta(days=366)

    assert write_recipients(signed_keyset.keyset, late, tmp_path, public_gpg).files == ()


@pytest.mark.check("G7")
def test_a_certificate_with_an_extra_subkey_is_refused(rotating: Reviewer, public_gpg: Gpg) -> None:
    """Its owner bound it, so gpg alone would seal to it, unasked."""
    honest = ceremony.submission_key(rotating.certificate, DAY, public_gpg)
    extra = replace(honest, certificate=ceremony.export(rotating.fingerprint, rotating.gpg))

    with pytest.raises(CertificateError, match="nothing else"):
        check_submission_key(extra, LATER, public_gpg)
    check_submission_key(honest, LATER, public_gpg)


@pytest.mark.check("G7")
def test_a_foreign_subkey_is_refused_by_us_and_never_used_by_gpg(
    reviewers: Two, signed_keyset: SignedKeyset, public_gpg: Gpg, tmp_path: Path
) -> None:
    """Birch grafts her subkey onto amber's certificate."""
    mine, hers = (read_packets(reviewer.certificate) for reviewer in reviewers)
    honest = signed_keyset.keyset.recipients
    amber = next(key for key in honest if key.fingerprint == reviewers[0].fingerprint)
    grafted, swapped = written([*mine, *hers[3:]]), written([*mine[:3], *hers[3:]])

    for certificate in (grafted, swapped):
        with pytest.raises(KeysError):
            check_submission_key(replace(amber, certificate=certificate), DAY, public_gpg)
    file = tmp_path / "grafted.gpg"
    file.write_bytes(grafted)
    arguments = (*frozen_on(DAY), "--no-keyring", "--hidden-recipient-file", file, "--encrypt")
    sealed = run(public_gpg, arguments, b"a report").stdout
    assert [opened(sealed, reviewer) for reviewer in reviewers] == [b"a report", b""]


@pytest.mark.check("G4", "G7")
def test_a_certificate_other_than_announced_is_refused(
    reviewers: Two, signed_keyset: SignedKeyset, rotating: Reviewer, public_gpg: Gpg
) -> None:
    amber, birch = signed_keyset.keyset.recipients
    wrong = [
        replace(amber, certificate=birch.certificate),
        replace(amber, fingerprint=birch.fingerprint),
        replace(amber, subkey=birch.subkey),
        replace(amber, algorithm="rsa4096"),
        replace(amber, not_after=amber.not_after + timedelta(days=1)),
        replace(amber, not_before=amber.not_before - timedelta(days=1)),
        replace(amber, certificate=amber.certificate[:-1]),
        replace(amber, certificate=b""),
    ]

    for key in wrong:
        with pytest.raises(KeysError):
            check_submission_key(key, DAY, public_gpg)


def test_a_key_may_be_used_for_a_shorter_time_than_it_lives(signed_keyset: SignedKeyset, public_gpg: Gpg) -> None:
    key = signed_keyset.keyset.recipients[0]

    check_submission_key(replace(key, not_after=DAY + timedelta(days=91)), DAY, public_gpg)


def test_a_signer_other_than_announced_is_refused(signed_keyset: SignedKeyset, reviewers: Two, public_gpg: Gpg) -> None:
    amber, birch = signed_keyset.keyset.signers
    wrong = [
        replace(amber, certificate=birch.certificate),
        replace(amber, not_after=amber.not_after + timedelta(days=1)),
        replace(amber, certificate=amber.certificate + birch.certificate),
        replace(amber, certificate=b""),
    ]

    check_signer(amber, DAY, public_gpg)
    for signer in wrong:
        with pytest.raises(KeysError):
            check_signer(signer, DAY, public_gpg)


@pytest.mark.check("G7")
def test_a_tampered_keyset_writes_no_recipient(signed_keyset: SignedKeyset, public_gpg: Gpg, tmp_path: Path) -> None:
    amber, birch = signed_keyset.keyset.recipients
    evil = replace(signed_keyset.keyset, recipients=(replace(amber, certificate=birch.certificate), birch))

    with pytest.raises(KeysError):
        write_recipients(evil, DAY, tmp_path, public_gpg)

    assert not list(tmp_path.rglob(f"{amber.subkey}.gpg"))


def test_nothing_is_cut_out_that_is_not_good_enough(rotating: Reviewer, public_gpg: Gpg) -> None:
    with pytest.raises(PolicyError):
        ceremony.submission_key(rotating.certificate, DAY - timedelta(days=1), public_gpg)
    only: SubmissionKey = ceremony.submission_key(rotating.certificate, DAY, public_gpg)
    assert minimal(rotating.certificate, only.subkey, public_gpg) == only.certificate
