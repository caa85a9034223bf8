"""A keyset is believed when two said so, and refused in every other case."""

from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset, verify_first
from tests.keyring import Reviewer


def test_the_first_keyset_is_believed_when_two_typed_signers_signed(
    signed_keyset: SignedKeyset, reviewers: tuple[Reviewer, Reviewer], public_gpg: Gpg
) -> None:
    roots = [reviewer.fingerprint for reviewer in reviewers]

    assert verify_first(signed_keyset, roots, public_gpg) == signed_keyset.keyset
