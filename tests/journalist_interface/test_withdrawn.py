"""What a source has withdrawn: no list has it, no new bag takes it, and an old bag that names it says why."""

import secrets
from pathlib import Path

import pytest

from hardening.clock import today
from journalist_interface.house import House
from journalist_interface.site import Site
from tests.journalist_interface.browser import Browser
from tests.journalist_interface.office import DAY_SECONDS, Office
from tests.journalist_interface.test_collections import designations
from tests.journalist_interface.test_downloads import all_new, download_link
from vault.records import Source
from vault.withdrawing import UNDO_DAYS


@pytest.fixture
def source(office: Office) -> Source:
    """Somebody who sent twice."""
    made = office.drop.source()
    for _ in range(2):
        office.drop.send(made)
    return made


@pytest.fixture
def browser(office: Office) -> Browser:
    return office.sign_in(office.hire())


@pytest.mark.parametrize("query", ["", "?show=new", "?show=mine", "?q=word"])
def test_no_list_has_it_and_all_say_what_to_destroy(
    office: Office, source: Source, browser: Browser, query: str
) -> None:
    other = office.drop.source()
    office.drop.send(other)
    for one in (source, other):
        browser.press(browser.get(f"/collections/{one.collection_id}"), "Assign to me")
    office.drop.inbox.withdraw(source)

    page = browser.get(f"/collections{query}")

    assert designations(page) == [other.designation]
    assert f"Withdrawn by their sources: {source.designation}. Please destroy what you hold of them" in page.words


def test_its_own_page_is_gone(office: Office, source: Source, browser: Browser) -> None:
    office.drop.inbox.withdraw(source)

    assert browser.get(f"/collections/{source.collection_id}").status == 404


def test_a_new_bag_leaves_it_out(office: Office, source: Source, browser: Browser) -> None:
    kept = office.drop.source()
    office.drop.send(kept)
    browser.get("/collections")
    office.drop.inbox.withdraw(source)

    page = all_new(browser)

    assert page.status == 200
    assert designations(page) == [kept.designation]
    assert "There is more that is new to you" not in page.words


def test_when_nothing_else_is_new_that_is_said(office: Office, source: Source, browser: Browser) -> None:
    page = browser.get("/collections")
    office.drop.inbox.withdraw(source)

    answer = browser.submit(page.form("Bag of all that is new to me"))

    assert answer.status == 400


@pytest.mark.check("J11")
@pytest.mark.parametrize("days", [0, UNDO_DAYS])
def test_a_bag_that_was_made_before_says_why_it_cannot_be_fetched(office: Office, source: Source, days: int) -> None:
    olena = office.hire()
    link = download_link(all_new(office.sign_in(olena)))
    office.drop.inbox.withdraw(source)
    office.clock.advance(days * DAY_SECONDS)
    browser = office.sign_in(olena)

    page = browser.get(link.removesuffix("/download"))

    assert page.status == 200
    assert "destroyed since it was made, or withdrawn by its source" in page.words
    assert source.designation not in page.words
    assert browser.get(link).status == 404


def test_a_bag_is_forgotten_by_the_day_on_which_its_parts_are_destroyed(office: Office, source: Source) -> None:
    olena = office.hire()
    link = download_link(all_new(office.sign_in(olena)))
    office.drop.inbox.withdraw(source)
    office.clock.advance((UNDO_DAYS + 1) * DAY_SECONDS)
    assert office.drop.inbox.destroy_withdrawn() == 2
    browser = office.sign_in(olena)

    assert [browser.get(path).status for path in (link, link.removesuffix("/download"))] == [404, 404]


def test_what_is_taken_back_is_new_again_to_who_had_not_seen_it(
    office: Office, source: Source, browser: Browser
) -> None:
    browser.get("/collections")
    office.drop.inbox.withdraw(source)
    browser.get("/collections?show=new")

    office.drop.inbox.take_back(source)

    page = browser.get("/collections?show=new")
    assert designations(page) == [source.designation]
    assert "Withdrawn" not in page.words
    assert designations(all_new(browser)) == [source.designation]


def test_what_was_destroyed_is_forgotten_here_too(office: Office, source: Source, browser: Browser) -> None:
    browser.press(browser.get(f"/collections/{source.collection_id}"), "Assign to me")
    kept = office.drop.source()
    submission_id = office.drop.send(kept)
    browser.get("/collections")
    house = House(Site(office.parts))
    house.sweep()
    office.drop.inbox.withdraw(source)
    office.clock.advance((UNDO_DAYS + 1) * DAY_SECONDS)
    assert len(office.stores.marks.known()) == 3

    office.drop.inbox.destroy_withdrawn()
    house.sweep()

    assert office.stores.marks.known() == {submission_id}
    assert office.stores.marks.assignees([source.collection_id]) == {}
    assert office.drop.reader.withdrawn_since(today(office.clock)) == []


def test_a_report_is_one_thing_in_its_collection(office: Office, browser: Browser, tmp_path: Path) -> None:
    source = office.drop.source()
    office.drop.send_report(source, secrets.token_bytes(512))

    page = browser.get(f"/collections/{source.collection_id}")

    assert "report" in page.words
    assert "manifest" not in page.words
