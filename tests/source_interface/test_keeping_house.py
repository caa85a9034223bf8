"""What the source interface does by itself leaves no trace of a deleted reply, and no order among rows."""

from datetime import timedelta

import pytest

from source_interface.arriving import Arrivals
from source_interface.house import House as HouseKeeping
from tests.source_interface.house import House, shown_codename


@pytest.mark.check("K3", "F12")
def test_the_mark_of_a_deleted_reply_goes_once_the_reply_is_destroyed(house: House) -> None:
    browser = house.begun()
    codename = shown_codename(browser.press("Send now", message="A fictional message."))
    house.reply(codename, "A fictional reply.")
    browser.open("/inbox")
    browser.press("Delete for good")
    keeping = HouseKeeping(house.parts, Arrivals(house.clock))

    keeping.once()
    before = house.parts.inbox.all_deletions()
    house.outbox.destroy_deleted(before)
    keeping.once()

    assert len(before) == 1
    assert house.parts.inbox.all_deletions() == frozenset()


@pytest.mark.check("K3")
def test_a_new_day_is_noticed(house: House) -> None:
    """The rows themselves are looked at in the tests of the vault."""
    keeping = HouseKeeping(house.parts, Arrivals(house.clock))

    house.clock.advance(timedelta(days=1).total_seconds())
    keeping.once()
    keeping.once()

    assert len(house.submissions()) == 0
