import re
import secrets
import time
from datetime import timedelta
from typing import cast

import pytest
from sqlalchemy import Table, text
from sqlalchemy.orm import DeclarativeBase

from hardening.database import Database
from reviewers.tables import ArrivalRow, AssignedRow, UnseenRow
from tests.journalist_interface.browser import Answer, Browser
from tests.journalist_interface.office import DAY_SECONDS, Office
from vault.tables import PartRow, SourceRow, SubmissionRow


def rows(page: Answer) -> list[str]:
    """The rows of the table as a person reads them."""
    return [" ".join("".join(row.itertext()).split()) for row in page.tree.iter("tr")][1:]


def designations(page: Answer) -> list[str]:
    return [words for words, target in page.links().items() if re.match(r"/collections/[0-9a-f]", target)]


@pytest.mark.check("K7")
def test_what_has_come_is_told_in_days_and_classes(office: Office) -> None:
    source, other = office.drop.source(), office.drop.source()
    for _ in range(5):
        office.drop.send(source, [65_536, 300_000])
    office.drop.send(source, kind="message")
    office.clock.advance(DAY_SECONDS)
    office.drop.send(other)
    browser = office.sign_in(office.hire())

    listed = rows(browser.get("/collections"))
    opened = browser.get(f"/collections/{source.collection_id}")

    assert listed == [
        f"{other.designation} 2026-03-05 1 1 nobody",
        f"{source.designation} 2026-03-04 4–7 4–7 nobody",
    ]
    assert sorted(rows(opened)) == ["2026-03-04 files: 2–3 ≤ 512 KiB new"] * 5 + ["2026-03-04 message ≤ 64 KiB new"]
    assert not re.search(r"[0-9]{1,2}:[0-9]{2}", opened.words)


def test_a_report_is_told_apart_from_a_message(office: Office) -> None:
    source = office.drop.source()
    office.drop.send_report(source)

    opened = office.sign_in(office.hire()).get(f"/collections/{source.collection_id}")

    assert rows(opened) == ["2026-03-04 report ≤ 512 KiB new"]


def test_seen_is_seen_by_one_reviewer_alone(office: Office) -> None:
    source = office.drop.source()
    submissions = [office.drop.send(source) for _ in range(3)]
    olena, petro = office.sign_in(office.hire()), office.sign_in(office.hire("Petro"))
    page = olena.get(f"/collections/{source.collection_id}")

    after = olena.follow(olena.submit(page.form("Mark the chosen as seen").ticked("submission", submissions[:2])))

    assert after.heading == source.designation
    assert "Marked as seen, for you alone." in after.words
    assert sorted(row.split()[-1] for row in rows(after)) == ["new", "seen", "seen"]
    assert rows(olena.get("/collections"))[0].split()[-2:] == ["1", "nobody"]
    olena.press(after, "Mark all as seen")
    assert rows(olena.get("/collections"))[0].split()[-2:] == ["none", "nobody"]
    assert rows(petro.get("/collections"))[0].split()[-2:] == ["2–3", "nobody"]
    assert not [line for line in office.audited() if line[0] == "seen"]


def test_the_list_is_narrowed_to_new_mine_and_words(office: Office) -> None:
    sources = [office.drop.source() for _ in range(3)]
    for source in sources:
        office.drop.send(source)
    browser = office.sign_in(office.hire())
    page = browser.press(browser.get(f"/collections/{sources[0].collection_id}"), "Assign to me")
    assert "Assigned to Olena" in page.words
    browser.press(page, "Mark all as seen")

    assert designations(browser.get("/collections?show=mine")) == [sources[0].designation]
    assert sorted(designations(browser.get("/collections?show=new"))) == sorted(
        source.designation for source in sources[1:]
    )
    searched = browser.submit(browser.get("/collections").form("Find").filled(q=f" {sources[1].designation.upper()} "))
    assert designations(searched) == [sources[1].designation]
    assert "No designation begins" in browser.get("/collections?q=%25").words
    browser.press(browser.get(f"/collections/{sources[0].collection_id}"), "Unassign from me")
    assert "No collection is assigned to you." in browser.get("/collections?show=mine").words
    assert [what for what, _ in office.audited()] == ["signed-in", "assigned", "unassigned"]


@pytest.mark.parametrize("show", ["all", "new", "mine", "search"])
def test_pages_lead_through_every_collection_once(office: Office, show: str) -> None:
    olena = office.hire()
    _fill(office, olena.reviewer.reviewer_id, 120, 1)
    browser = office.sign_in(olena)

    found: list[str] = []
    page = browser.get("/collections?q=word" if show == "search" else f"/collections?show={show}")
    found += designations(page)
    while "Next page" in page.links():
        page = browser.get(page.links()["Next page"])
        found += designations(page)

    assert len(found) == len(set(found)) == 120
    assert "First page" in page.links()


def test_a_long_collection_has_pages(office: Office) -> None:
    olena = office.hire()
    _fill(office, olena.reviewer.reviewer_id, 1, 103)
    browser = office.sign_in(olena)
    address = browser.get("/collections").links()["word000000 word"]

    first = browser.get(address)
    second = browser.get(first.links()["Next page"])

    assert (len(rows(first)), len(rows(second))) == (100, 3)
    assert browser.get(f"{address}?after=0").status == 404


def test_nonsense_in_an_address_leads_nowhere(office: Office) -> None:
    browser = office.sign_in(office.hire())

    for path in (
        "/collections?show=odd",
        "/collections?after=odd",
        "/collections?after=2026-13-01.a",
        "/collections?show=new&after=x",
        f"/collections/{'0' * 32}",
        "/collections/../accounts",
        "/collections/%2e%2e",
        f"/collections/{'A' * 32}",
        "//collections",
    ):
        assert browser.get(path).status == 404, path
    assert browser.get("/collections?q=%00%0d%0a%27%22%3B--").status == 200


def test_alarms_stand_on_every_page(office: Office) -> None:
    browser = office.sign_in(office.hire())
    office.alarms.append(("quorum", "too few usable keys <b>"))

    for path in ("/collections", "/bags", "/returns", "/audit"):
        page = browser.get(path)
        assert "One thing needs a person: too few usable keys <b>" in page.words
    assert not office.browser().get("/").words.count("too few")


@pytest.mark.parametrize("submissions", [5_000, pytest.param(100_000, marks=pytest.mark.full)])
def test_the_list_is_as_quick_however_much_is_stored(office: Office, submissions: int) -> None:
    """Each list walks along an index: a page costs what a page shows, and a scan of all rows would be seen."""
    olena = office.hire()
    browser = office.sign_in(olena)
    _fill(office, olena.reviewer.reviewer_id, 60, 1)
    few = _slowest(browser)
    _fill(office, olena.reviewer.reviewer_id, submissions // 5, 5, first=60)

    many = _slowest(browser)

    assert "Next page" in browser.get("/collections?show=new").links()
    assert many < 2 * few, (few, many)


def _slowest(browser: Browser) -> float:
    """The slowest list, each at its quickest of three."""
    slowest = 0.0
    for path in ("/collections", "/collections?show=new", "/collections?show=mine", "/collections?q=word0"):
        quickest = min(_seconds(browser, path) for _ in range(3))
        slowest = max(slowest, quickest)
    return slowest


def _seconds(browser: Browser, path: str) -> float:
    # The server is a thread of this process: its CPU time does not tell how busy the machine is.
    began = time.process_time()
    assert browser.get(path).status == 200
    return time.process_time() - began


def _fill(office: Office, reviewer_id: str, collections: int, each: int, first: int = 0) -> None:
    """Store many submissions at once, all of them new to the reviewer and assigned to her."""
    today = office.clock.now().date()
    sources = [
        {
            "collection_id": secrets.token_hex(16),
            "designation": f"word{number:06} word",
            "lookup_id": secrets.token_bytes(32),
            "public_key": bytes(32),
            "last_day": today - timedelta(days=number % 700 + 2),
            "progress": bytes(512),
            "closed": False,
        }
        for number in range(first, first + collections)
    ]
    submissions = [
        {
            "submission_id": secrets.token_hex(16),
            "collection_id": source["collection_id"],
            "day": source["last_day"],
        }
        for source in sources
        for _ in range(each)
    ]
    _insert(office.drop.database, (SourceRow, sources), (SubmissionRow, submissions))
    _insert(
        office.database,
        (ArrivalRow, submissions),
        (UnseenRow, [{"reviewer_id": reviewer_id, **row} for row in submissions]),
        (AssignedRow, [{"reviewer_id": reviewer_id, "collection_id": row["collection_id"]} for row in sources]),
    )


def _insert(database: Database, *filled: tuple[type[DeclarativeBase], list[dict[str, object]]]) -> None:
    with database.writing() as session:
        for table, values in filled:
            # Below the ORM, which would look at each of the rows.
            below: Table = cast("Table", table.__table__)
            session.connection().execute(below.insert(), values)
        session.execute(text("ANALYZE"))


@pytest.mark.check("J11")
def test_reviewers_look_while_sources_send(office: Office) -> None:
    browser = office.sign_in(office.hire())
    source = office.drop.source()

    for _ in range(10):
        office.drop.send(source)
        assert browser.get("/collections").status == 200
        with office.drop.database.writing() as session:
            session.delete(session.query(PartRow).first())
        assert browser.get(f"/collections/{source.collection_id}").status == 200
