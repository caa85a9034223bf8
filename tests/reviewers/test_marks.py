import secrets
from datetime import date, timedelta

import pytest
from sqlalchemy import Select, text
from sqlalchemy.dialects import sqlite

from onion.client_auth import client_pair
from reviewers.marks import assigned_query, new_query
from reviewers.records import Fresh, Notice
from reviewers.tables import ArrivalRow, AssignedRow, UnseenRow
from tests.reviewers.conftest import Office

TODAY = date(2026, 3, 4)


def reviewer(office: Office, name: str = "Olena") -> str:
    return office.accounts.add(name, client_pair().public).reviewer.reviewer_id


def notice(collection_id: str = "c0" * 16, day: date = TODAY) -> Notice:
    return Notice(secrets.token_hex(16), collection_id, day)


def test_what_arrives_is_new_for_everybody_until_each_has_seen_it(office: Office) -> None:
    olena, petro = reviewer(office), reviewer(office, "Petro")
    notices = [notice(), notice(), notice("d0" * 16)]

    assert office.marks.learn(notices) == 3
    assert office.marks.learn(notices) == 0
    office.marks.see(olena, [notices[0].submission_id])

    assert office.marks.count_new(olena, ["c0" * 16, "d0" * 16, "e0" * 16]) == {"c0" * 16: 1, "d0" * 16: 1}
    assert office.marks.count_new(petro, ["c0" * 16]) == {"c0" * 16: 2}
    assert len(office.marks.new_submissions(petro)) == 3
    assert office.marks.new_in(olena, "c0" * 16) == {notices[1].submission_id}
    assert office.marks.new_in(petro, "d0" * 16) == {notices[2].submission_id}
    office.marks.learn(notices)
    assert notices[0].submission_id not in office.marks.new_submissions(olena)


def test_new_collections_come_by_their_newest_day_and_once(office: Office) -> None:
    olena = reviewer(office)
    collections = [f"{number:032x}" for number in range(10)]
    office.marks.learn(
        notice(collection, TODAY - timedelta(days=number + old))
        for number, collection in enumerate(collections)
        for old in (0, 1, 5)
    )

    pages: list[Fresh] = []
    while page := office.marks.new(olena, pages[-1] if pages else None, limit=3):
        pages += page

    assert pages == [Fresh(collection, TODAY - timedelta(days=n)) for n, collection in enumerate(collections)]


def test_the_inbox_is_asked_from_the_day_before_the_last_one_known(office: Office) -> None:
    assert office.marks.ask_from(TODAY) is None

    office.marks.learn([notice(day=TODAY)])
    assert office.marks.ask_from(TODAY + timedelta(days=9)) == TODAY - timedelta(days=1)
    office.marks.learn([notice(day=TODAY + timedelta(days=700))])
    assert office.marks.ask_from(TODAY) == TODAY - timedelta(days=1)


def test_what_was_destroyed_is_forgotten(office: Office) -> None:
    olena, gone = reviewer(office), notice()
    office.marks.learn([gone])

    office.marks.unlearn([gone.submission_id])

    assert office.marks.new(olena) == []
    assert office.marks.ask_from(TODAY) is None


def test_the_disabled_are_told_nothing_more(office: Office) -> None:
    olena = reviewer(office)
    office.accounts.disable(olena)

    office.marks.learn([notice()])

    assert office.marks.new_submissions(olena) == []


def test_collections_are_given_and_taken(office: Office) -> None:
    olena, petro = reviewer(office), reviewer(office, "Petro")
    for collection in ("aa" * 16, "bb" * 16, "cc" * 16):
        office.marks.assign(olena, collection)
        office.marks.assign(olena, collection)
    office.marks.assign(petro, "bb" * 16)
    office.marks.unassign(olena, "aa" * 16)

    assert office.marks.assigned(olena) == ["bb" * 16, "cc" * 16]
    assert office.marks.assigned(olena, after="bb" * 16) == ["cc" * 16]
    assert office.marks.assignees(["aa" * 16, "bb" * 16]) == {"bb" * 16: frozenset({olena, petro})}


def test_the_last_fetch_is_known_by_its_day(office: Office) -> None:
    olena = reviewer(office)
    assert office.marks.last_fetch() is None

    for day in (TODAY, TODAY + timedelta(days=1), TODAY):
        office.marks.note_fetch(olena, day)

    assert office.marks.last_fetch() == TODAY + timedelta(days=1)


@pytest.mark.parametrize("stores", ["sqlite"], indirect=True)
def test_pages_walk_along_an_index_whatever_is_stored(office: Office) -> None:
    olena = reviewer(office)
    rows = [
        {
            "submission_id": secrets.token_hex(16),
            "collection_id": secrets.token_hex(16),
            "day": TODAY - timedelta(days=number % 700),
        }
        for number in range(20_000)
    ]
    with office.database.writing() as session:
        connection = session.connection()
        connection.execute(ArrivalRow.__table__.insert(), rows)  # type: ignore[attr-defined]
        mine = [{"reviewer_id": olena, **row} for row in rows]
        connection.execute(UnseenRow.__table__.insert(), mine)  # type: ignore[attr-defined]
        given = [{"reviewer_id": olena, "collection_id": row["collection_id"]} for row in rows[:5000]]
        connection.execute(AssignedRow.__table__.insert(), given)  # type: ignore[attr-defined]
        session.execute(text("ANALYZE"))
    middle = office.marks.new(olena)[-1]

    for plan in (
        _plan(office, new_query(olena, None)),
        _plan(office, new_query(olena, middle)),
        _plan(office, assigned_query(olena, "8")),
    ):
        assert "SCAN" not in plan, plan
        assert "TEMP B-TREE" not in plan, plan


def _plan(office: Office, query: Select[date, str] | Select[str]) -> str:
    statement = query.limit(50).compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
    with office.database.reading() as session:
        return "\n".join(row[3] for row in session.execute(text(f"EXPLAIN QUERY PLAN {statement}")))
