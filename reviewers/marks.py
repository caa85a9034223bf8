"""Know what each reviewer has not seen, works on, and when she last fetched.

The inbox belongs to another user, so nothing here can be joined with it. It is learnt instead: when
a list is shown, the caller asks the inbox for what arrived since `ask_from` and gives it to
`learn`. That costs what one day brought, however much is stored. What is new is kept as rows that
vanish when seen; so "new for me" walks along an index, and nobody's reading is on record.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice

from sqlalchemy import Select, and_, delete, func, insert, select, tuple_
from sqlalchemy.orm import Session, aliased

from hardening.database import Database
from reviewers.records import Fresh, Notice
from reviewers.tables import ArrivalRow, AssignedRow, FetchRow, ReviewerRow, UnseenRow

PAGE = 50

_CHUNK = 500


class Marks:
    """The marks of all reviewers.

    Args:
        database: The reviewers' store, open for writing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask_from(self, day: date) -> date | None:
        """Return the day from which the inbox has to be asked again; all of it if none.

        One day more than seems needed: what was received just before midnight may be recorded just
        after. A day in the future, from a clock that was wrong, must not hide what comes now. After a
        start the whole inbox is asked for once, since a clock may have been wrong the other way.

        Args:
            day: Today.
        """
        with self._database.reading() as session:
            newest = session.scalar(select(func.max(ArrivalRow.day)))
        return min(newest, day) - timedelta(days=1) if newest else None

    def learn(self, notices: Iterable[Notice]) -> int:
        """Mark the submissions that nobody has told of before as new for every reviewer; say how many they were."""
        told = {notice.submission_id: notice for notice in notices}
        if not self._unknown(told):
            return 0
        with self._database.writing() as session:
            reviewer_ids = session.scalars(select(ReviewerRow.reviewer_id).where(~ReviewerRow.disabled)).all()
            # Asked again: another thread may have learnt them between the look and the lock.
            unknown = [told[submission_id] for submission_id in _unknown(session, told)]
            _insert_all(session, unknown, reviewer_ids)
        return len(unknown)

    def known(self) -> frozenset[str]:
        """Return the ids of all submissions that were learnt."""
        with self._database.reading() as session:
            return frozenset(session.scalars(select(ArrivalRow.submission_id)))

    def unlearn(self, submission_ids: Collection[str]) -> None:
        """Forget submissions that were destroyed, and who worked on a collection of which nothing is left."""
        if not submission_ids:
            return
        with self._database.writing() as session:
            for chunk in _chunks(submission_ids):
                session.execute(delete(UnseenRow).where(UnseenRow.submission_id.in_(chunk)))
                session.execute(delete(ArrivalRow).where(ArrivalRow.submission_id.in_(chunk)))
            left = select(ArrivalRow.collection_id)
            session.execute(delete(AssignedRow).where(AssignedRow.collection_id.not_in(left)))

    def new(self, reviewer_id: str, after: Fresh | None = None, limit: int = PAGE) -> list[Fresh]:
        """List the collections with something new, the newest day first.

        Args:
            reviewer_id: For whom.
            after: The last one of the page before.
            limit: How many at most.
        """
        with self._database.reading() as session:
            found = session.execute(new_query(reviewer_id, after).limit(limit))
            return [Fresh(collection_id, day) for day, collection_id in found]

    def new_submissions(self, reviewer_id: str) -> list[str]:
        """Return the ids of all submissions that the reviewer has not seen."""
        with self._database.reading() as session:
            return sorted(session.scalars(select(UnseenRow.submission_id).where(UnseenRow.reviewer_id == reviewer_id)))

    def new_in(self, reviewer_id: str, collection_id: str) -> frozenset[str]:
        """Return the ids of what the reviewer has not seen of one collection."""
        with self._database.reading() as session:
            return frozenset(
                session.scalars(
                    select(UnseenRow.submission_id).where(
                        UnseenRow.reviewer_id == reviewer_id, UnseenRow.collection_id == collection_id
                    )
                )
            )

    def count_new(self, reviewer_id: str, collection_ids: Collection[str]) -> dict[str, int]:
        """Count what is new in each of these collections; those without anything are left out."""
        counts: dict[str, int] = {}
        with self._database.reading() as session:
            for chunk in _chunks(collection_ids):
                found = session.execute(
                    select(UnseenRow.collection_id, func.count())
                    .where(UnseenRow.reviewer_id == reviewer_id, UnseenRow.collection_id.in_(chunk))
                    .group_by(UnseenRow.collection_id)
                )
                counts |= dict(found.all())
        return counts

    def see(self, reviewer_id: str, submission_ids: Collection[str]) -> None:
        """Mark submissions as seen by one reviewer."""
        with self._database.writing() as session:
            for chunk in _chunks(submission_ids):
                session.execute(
                    delete(UnseenRow).where(UnseenRow.reviewer_id == reviewer_id, UnseenRow.submission_id.in_(chunk))
                )

    def assign(self, reviewer_id: str, collection_id: str) -> None:
        """Give a collection to a reviewer; giving it twice changes nothing."""
        with self._database.writing() as session:
            if session.get(AssignedRow, (reviewer_id, collection_id)) is None:
                session.add(AssignedRow(reviewer_id=reviewer_id, collection_id=collection_id))

    def unassign(self, reviewer_id: str, collection_id: str) -> None:
        """Take a collection from a reviewer."""
        with self._database.writing() as session:
            session.execute(
                delete(AssignedRow).where(
                    AssignedRow.reviewer_id == reviewer_id, AssignedRow.collection_id == collection_id
                )
            )

    def assigned(self, reviewer_id: str, after: str = "", limit: int = PAGE) -> list[str]:
        """List the collections that a reviewer works on, by id, after the last one of the page before."""
        with self._database.reading() as session:
            return list(session.scalars(assigned_query(reviewer_id, after).limit(limit)))

    def assignees(self, collection_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Say who works on each of these collections; those on which nobody works are left out."""
        found: dict[str, set[str]] = {}
        with self._database.reading() as session:
            for chunk in _chunks(collection_ids):
                query = select(AssignedRow).where(AssignedRow.collection_id.in_(chunk))
                for row in session.scalars(query):
                    found.setdefault(row.collection_id, set()).add(row.reviewer_id)
        return {collection_id: frozenset(who) for collection_id, who in found.items()}

    def note_fetch(self, reviewer_id: str, day: date) -> None:
        """Remember that a reviewer fetched a bag on *day*."""
        with self._database.writing() as session:
            if session.get(FetchRow, (reviewer_id, day)) is None:
                session.add(FetchRow(reviewer_id=reviewer_id, day=day))

    def last_fetch(self) -> date | None:
        """Return the last day on which anybody fetched: when it grows old, there is an alarm."""
        with self._database.reading() as session:
            return session.scalar(select(func.max(FetchRow.day)))

    def _unknown(self, told: Collection[str]) -> list[str]:
        with self._database.reading() as session:
            return _unknown(session, told)


def new_query(reviewer_id: str, after: Fresh | None) -> Select[date, str]:
    """Build the statement that walks along what is new, each collection at its newest day."""
    newer = aliased(UnseenRow)
    has_newer = (
        select(newer.submission_id)
        .where(
            newer.reviewer_id == reviewer_id, newer.collection_id == UnseenRow.collection_id, newer.day > UnseenRow.day
        )
        .exists()
    )
    query = (
        select(UnseenRow.day, UnseenRow.collection_id)
        .distinct()
        .where(UnseenRow.reviewer_id == reviewer_id, ~has_newer)
        .order_by(UnseenRow.day.desc(), UnseenRow.collection_id.desc())
    )
    if after is None:
        return query
    return query.where(tuple_(UnseenRow.day, UnseenRow.collection_id) < (after.day, after.collection_id))


def assigned_query(reviewer_id: str, after: str) -> Select[str]:
    """Build the statement that walks along what a reviewer works on."""
    mine = and_(AssignedRow.reviewer_id == reviewer_id, AssignedRow.collection_id > after)
    return select(AssignedRow.collection_id).where(mine).order_by(AssignedRow.collection_id)


def _unknown(session: Session, told: Collection[str]) -> list[str]:
    known = {
        submission_id
        for chunk in _chunks(told)
        for submission_id in session.scalars(
            select(ArrivalRow.submission_id).where(ArrivalRow.submission_id.in_(chunk))
        )
    }
    return [submission_id for submission_id in told if submission_id not in known]


def _insert_all(session: Session, notices: Sequence[Notice], reviewer_ids: Sequence[str]) -> None:
    arrivals = [
        {"submission_id": notice.submission_id, "collection_id": notice.collection_id, "day": notice.day}
        for notice in notices
    ]
    unseen = [{"reviewer_id": reviewer_id, **arrival} for arrival in arrivals for reviewer_id in reviewer_ids]
    if arrivals:
        session.execute(insert(ArrivalRow), arrivals)
    if unseen:
        session.execute(insert(UnseenRow), unseen)


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    left = iter(values)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk
