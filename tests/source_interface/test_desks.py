"""A visit seals to the keys it began with; a new one to the keys of the day."""

from datetime import date

import pytest

from source_interface.desks import Desks
from source_interface.parts import Desk
from tests.clock import FakeClock
from tests.keyring import without_last
from tests.source_interface.house import Keyring

DAY = date(2026, 3, 4)


@pytest.mark.check("G6")
def test_an_open_desk_is_remembered_by_its_keys_and_its_day(keyring: Keyring, clock: FakeClock) -> None:
    first = Desk(keyring.keyset, keyring.recipients)
    fewer = Desk(keyring.keyset, without_last(keyring.recipients))
    current: list[Desk | None] = [first]
    desks = Desks(lambda: current[0], clock)

    assert desks.open() == first
    clock.advance(24 * 3600)
    current[0] = fewer
    assert desks.open() == fewer
    current[0] = None
    assert desks.open() is None

    assert desks.of(keyring.keyset.hash, DAY) == first
    assert desks.of(keyring.keyset.hash, date(2026, 3, 5)) == fewer
    assert desks.of(keyring.keyset.hash, date(2026, 3, 6)) is None
    assert desks.of("ab" * 32, DAY) is None


def test_desks_of_long_ago_are_forgotten(keyring: Keyring, clock: FakeClock) -> None:
    desks = Desks(lambda: Desk(keyring.keyset, keyring.recipients), clock)
    for _ in range(30):
        desks.open()
        clock.advance(24 * 3600)

    assert desks.of(keyring.keyset.hash, DAY) is None
