"""A source withdraws everything by herself, may take it back for a week, and reads what is beyond this server."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from source_interface.arriving import Arrivals
from source_interface.house import House as HouseKeeping
from tests.browserlike import Browser
from tests.source_interface.house import House
from tests.source_interface.test_inbox import log_in
from vault.withdrawing import UNDO_DAYS

MakeHouse = Callable[..., House]
DAY_SECONDS = 86_400
LAST_DAY = "11 March 2026"


def withdraw(browser: Browser) -> None:
    browser.open("/inbox")
    browser.click("Withdraw everything")
    browser.press("Withdraw everything now")


def test_it_is_said_what_is_destroyed_and_what_cannot_be(house: House) -> None:
    browser, _ = house.sender()

    said = browser.open("/withdraw").text

    assert UNDO_DAYS == 7
    for sentence in (
        "You can do this at any time, and need not say why.",
        "From this moment on, reviewers no longer find anything of yours on this server.",
        "For seven days you can take it back here.",
        "destroyed for good, and your inbox is closed",
        "What reviewers have already carried to their own computers, this server cannot destroy.",
    ):
        assert sentence in said
    assert len(house.submissions()) == 1


def test_it_is_hidden_at_once_and_can_be_taken_back(house: House) -> None:
    browser, codename = house.sender()

    withdraw(browser)

    assert browser.page.path == "/withdraw"
    assert f"You can take that back until {LAST_DAY}" in browser.page.text
    assert house.reader.newest() == []
    inbox = log_in(house, codename)
    assert f"You have withdrawn everything. You can take that back until {LAST_DAY}." in inbox.page.text
    assert "Send more" not in inbox.page.text
    inbox.click("Take it back")
    inbox.press("Take it back")
    assert inbox.page.path == "/inbox"
    assert "Reviewers find again what you sent" in inbox.page.text
    assert len(house.submissions()) == 1


def test_twice_is_once(house: House) -> None:
    browser, _ = house.sender()
    browser.open("/withdraw")
    form = browser.page.form("Withdraw everything now")
    browser.submit(form, {})
    house.clock.advance(60)

    page = browser.submit(form, {})

    assert page.path == "/withdraw"
    assert LAST_DAY in page.text


def test_nothing_is_taken_that_would_come_under_what_is_withdrawn(house: House) -> None:
    browser, _ = house.sender()
    before = browser.open("/send").form("Send now")
    withdraw(browser)

    page = browser.submit(before, {"message": "One thing more."})

    assert page.status == 403
    assert "You have withdrawn everything, so nothing was kept" in page.text
    assert page.first("textarea").text == "One thing more."
    page = browser.open("/send")
    assert page.status == 403
    assert "You have withdrawn everything" in page.text


def test_after_its_time_it_is_gone_with_the_inbox(house: House) -> None:
    browser, codename = house.sender(files=[])
    withdraw(browser)
    keeping = HouseKeeping(house.parts, Arrivals(house.clock))
    keeping.once()
    assert [*(house.root / "objects").rglob("*.gpg")]

    house.clock.advance((UNDO_DAYS + 1) * DAY_SECONDS)
    keeping.once()

    assert house.nothing_kept()
    assert "There is nothing under this codename" in log_in(house, codename).page.text


def test_a_start_destroys_what_fell_due_meanwhile(house: House) -> None:
    browser, _ = house.sender()
    withdraw(browser)
    house.clock.advance(30 * DAY_SECONDS)

    HouseKeeping(house.parts, Arrivals(house.clock)).once()

    assert house.nothing_kept()


def test_closing_says_what_becomes_of_it(house: House) -> None:
    browser, _ = house.sender()
    assert "If you do not want that, withdraw everything first" in browser.open("/close").text
    withdraw(browser)

    assert "You can no longer take that back" in browser.open("/close").text
    browser.press("Close my inbox for good")

    house.clock.advance((UNDO_DAYS + 1) * DAY_SECONDS)
    HouseKeeping(house.parts, Arrivals(house.clock)).once()
    assert house.nothing_kept()


def test_who_has_nothing_here_is_led_to_the_inbox(house: House) -> None:
    browser = house.begun()

    assert browser.open("/withdraw").path == "/send"


def test_who_closes_in_another_window_finds_nothing_to_withdraw(house: House) -> None:
    _, codename = house.sender()
    browser = log_in(house, codename)
    browser.open("/withdraw")
    form = browser.page.form("Withdraw everything now")
    source = house.inbox.find(house.secrets(codename).lookup_id)
    assert source is not None
    house.inbox.close(source)

    page = browser.submit(form, {})

    assert page.path == "/inbox"
    assert "There is nothing under this codename" in page.text


@pytest.mark.check("B9")
def test_an_inbox_that_is_withdrawn_has_the_size_of_all_others(make_house: MakeHouse) -> None:
    house = make_house(change=lambda parts: replace(parts, facts=replace(parts.facts, reply_days=14)))
    browser, _ = house.sender()
    withdraw(browser)

    assert "We try to answer" not in browser.open("/inbox").text
    assert len(browser.page.body) == len(house.get("/").body)
