"""A keyset is believed when two said so, and refused in every other case."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keys import ceremony
from keys.errors import KeysError, KeysetChangeError, KeysetError, PolicyError, SignatureError
from keys.gpg import Gpg
from keys.keyset import Keyset
from keys.keyset_trust import SignedKeyset, verify_change, verify_first
from tests.keyring import DAY, Reviewer, make_reviewer, signed_by
from tests.keys.oddities import Recipe, bake, revoke

NEXT = DAY + timedelta(days=30)
Two = tuple[Reviewer, Reviewer]


@pytest.fixture(scope="module")
def stranger(gpg_homes: Path) -> Reviewer:
    return make_reviewer("stranger", gpg_homes)


@pytest.fixture
def first(signed_keyset: SignedKeyset) -> Keyset:
    return signed_keyset.keyset


def with_stranger(first: Keyset, stranger: Reviewer, gpg: Gpg) -> Keyset:
    """The change that an attacker wants: reports are sealed to her as well."""
    key = ceremony.submission_key(stranger.certificate, NEXT, gpg)
    return ceremony.next_keyset(
        first,
        [*first.recipients, key],
        [*first.signers, ceremony.signer(stranger.certificate, NEXT, gpg)],
        NEXT,
    )


def test_the_first_keyset_is_believed_when_two_typed_signers_signed(
    signed_keyset: SignedKeyset, reviewers: Two, public_gpg: Gpg
) -> None:
    roots = [reviewer.fingerprint for reviewer in reviewers]

    assert verify_first(signed_keyset, roots, public_gpg) == signed_keyset.keyset


@pytest.mark.check("G7")
def test_the_first_keyset_needs_two_signatures_by_typed_signers(
    signed_keyset: SignedKeyset, reviewers: Two, stranger: Reviewer, public_gpg: Gpg
) -> None:
    roots = [reviewer.fingerprint for reviewer in reviewers]
    one = SignedKeyset(signed_keyset.keyset, dict(list(signed_keyset.signatures.items())[:1]))
    none = SignedKeyset(signed_keyset.keyset, {})

    for signed, typed in ((one, roots), (none, roots), (signed_keyset, roots[:1]), (signed_keyset, [])):
        with pytest.raises(SignatureError):
            verify_first(signed, typed, public_gpg)
    with pytest.raises(KeysetError):
        verify_first(signed_keyset, [*roots, stranger.fingerprint], public_gpg)


def test_a_later_keyset_cannot_pose_as_the_first(first: Keyset, reviewers: Two, public_gpg: Gpg) -> None:
    later = signed_by(first.succeeded(NEXT, first.recipients, first.signers), reviewers)

    with pytest.raises(KeysetChangeError):
        verify_first(later, [reviewer.fingerprint for reviewer in reviewers], public_gpg)


def test_two_signers_may_change_anything(first: Keyset, reviewers: Two, stranger: Reviewer, public_gpg: Gpg) -> None:
    second = with_stranger(first, stranger, public_gpg)

    assert verify_change(first, signed_by(second, reviewers), public_gpg) == second


@pytest.mark.check("G7")
def test_one_signer_or_a_new_one_may_change_nothing(
    first: Keyset, reviewers: Two, stranger: Reviewer, public_gpg: Gpg
) -> None:
    second = with_stranger(first, stranger, public_gpg)

    for signers in ([], reviewers[:1], reviewers[1:], [reviewers[0], stranger], [stranger]):
        with pytest.raises(SignatureError):
            verify_change(first, signed_by(second, signers), public_gpg)


@pytest.mark.check("G7")
def test_a_signature_under_anothers_name_or_over_another_keyset_is_refused(
    first: Keyset, reviewers: Two, signed_keyset: SignedKeyset, public_gpg: Gpg
) -> None:
    second = first.succeeded(NEXT, first.recipients, first.signers)
    amber, birch = (reviewer.fingerprint for reviewer in reviewers)
    good = signed_by(second, reviewers).signatures

    for signatures in (
        {amber: good[birch], birch: good[amber]},
        {amber: good[amber], birch: good[amber]},
        {amber: good[amber], birch: signed_keyset.signatures[birch]},
        {amber: good[amber], birch: b""},
    ):
        with pytest.raises(SignatureError):
            verify_change(first, SignedKeyset(second, signatures), public_gpg)


@pytest.mark.check("G7")
def test_a_keyset_must_follow_the_one_before(first: Keyset, reviewers: Two, public_gpg: Gpg) -> None:
    """No going back, no skipping, no fork, no forgetting."""
    second = first.without(reviewers[1].fingerprint, NEXT)
    third = second.succeeded(NEXT, second.recipients, second.signers)
    wrong = [
        (first, first),
        (second, first),
        (first, third),
        (first, replace(second, previous="0" * 64)),
        (first, replace(second, created=DAY - timedelta(days=1))),
        (second, replace(third, withdrawn=())),
    ]

    for previous, keyset in wrong:
        with pytest.raises(KeysetChangeError):
            verify_change(previous, SignedKeyset(keyset, {}), public_gpg)


def test_an_owner_withdraws_her_own_key_alone(first: Keyset, reviewers: Two, public_gpg: Gpg) -> None:
    amber = reviewers[0]
    second = first.without(amber.fingerprint, NEXT)

    assert verify_change(first, signed_by(second, [amber]), public_gpg) == second
    assert second.withdrawn == (amber.fingerprint,)


@pytest.mark.check("G7")
def test_nobody_withdraws_anothers_key_or_slips_a_change_into_her_own_withdrawal(
    first: Keyset, reviewers: Two, public_gpg: Gpg
) -> None:
    amber, birch = reviewers
    hers = first.without(birch.fingerprint, NEXT)
    more = replace(first.without(amber.fingerprint, NEXT), quorum=1)
    both = replace(hers, recipients=(), signers=(), withdrawn=tuple(sorted(r.fingerprint for r in reviewers)))

    for keyset in (hers, more, both):
        with pytest.raises(SignatureError):
            verify_change(first, signed_by(keyset, [amber]), public_gpg)


def test_the_recovery_signer_counts(first: Keyset, reviewers: Two, gpg_homes: Path, public_gpg: Gpg) -> None:
    home = gpg_homes / "recovery"
    home.mkdir(mode=0o700)
    gpg = Gpg(home, agent=True)
    owner = ceremony.make_signing_key("recovery", "offline", DAY, gpg)
    certificate = ceremony.export(owner, gpg)
    recovery = ceremony.recovery_signer(certificate, DAY, public_gpg)
    second = ceremony.next_keyset(first, first.recipients, [*first.signers, recovery], NEXT)
    third = ceremony.next_keyset(second, second.recipients, [recovery, *first.signers[:1]], NEXT)
    lost = signed_by(third, reviewers[:1])

    signed = SignedKeyset(third, {**lost.signatures, owner: ceremony.sign_keyset(third, owner, gpg, "offline")})

    assert recovery.recovery
    assert verify_change(second, signed, public_gpg) == third


@pytest.mark.check("G6", "G7", "G8")
def test_two_signatures_do_not_excuse_a_bad_certificate(
    first: Keyset, reviewers: Two, gpg_homes: Path, public_gpg: Gpg
) -> None:
    owner, gpg = bake(Recipe(), gpg_homes / "to-be-revoked")
    key = ceremony.submission_key(ceremony.export(owner, gpg), DAY, public_gpg)
    revoke(owner, gpg)
    revoked = replace(key, certificate=ceremony.export(owner, gpg))
    amber, birch = first.recipients

    for recipients in ([amber, birch, revoked], [replace(amber, certificate=birch.certificate), birch]):
        second = first.succeeded(NEXT, recipients, first.signers)
        with pytest.raises(KeysError):
            verify_change(first, signed_by(second, reviewers), public_gpg)


@pytest.mark.check("G6")
def test_signatures_are_judged_by_the_day_the_keyset_names(first: Keyset, reviewers: Two, public_gpg: Gpg) -> None:
    """Not by the machine's clock: these keys ended long before this test will run for the last time."""
    late = DAY + timedelta(days=400)
    signed = signed_by(first.succeeded(NEXT, first.recipients, first.signers), reviewers)
    too_late = replace(signed.keyset, created=late)

    assert verify_change(first, signed, public_gpg) == signed.keyset
    with pytest.raises((SignatureError, PolicyError)):
        verify_change(first, SignedKeyset(too_late, signed.signatures), public_gpg)


def test_a_key_that_has_ended_may_stay_listed(first: Keyset, reviewers: Two, public_gpg: Gpg) -> None:
    amber, birch = first.recipients
    second = first.succeeded(NEXT, [replace(amber, not_after=DAY + timedelta(days=1)), birch], first.signers)

    assert verify_change(first, signed_by(second, reviewers), public_gpg) == second
