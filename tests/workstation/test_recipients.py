from dataclasses import replace
from datetime import timedelta

from keys.keyset_trust import SignedKeyset
from tests.keyring import DAY
from workstation.recipients import possible


def test_a_part_is_sealed_to_all_keys_of_the_day(signed_keyset: SignedKeyset) -> None:
    assert possible(signed_keyset.keyset, DAY) == {(18, 18)}
    assert possible(signed_keyset.keyset, DAY + timedelta(days=30)) == {(18, 18)}


def test_a_part_may_have_been_begun_before_a_key_ended(signed_keyset: SignedKeyset) -> None:
    keyset = signed_keyset.keyset
    first, second = keyset.recipients
    ending = replace(first, not_after=DAY + timedelta(days=20))
    keyset = replace(keyset, recipients=tuple(sorted((ending, second))))

    assert possible(keyset, DAY + timedelta(days=20)) == {(18, 18)}
    assert possible(keyset, DAY + timedelta(days=22)) == {(18, 18), (18,)}
    assert possible(keyset, DAY + timedelta(days=40)) == {(18,)}


def test_a_day_before_the_keyset_is_judged_alone(signed_keyset: SignedKeyset) -> None:
    """A server whose clock is wrong explains nothing."""
    assert possible(signed_keyset.keyset, DAY - timedelta(days=1)) == {()}
