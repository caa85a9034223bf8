"""Read the inbox as the reviewers' process and the keeper do: they cannot change it (P8).

Pages go by the last row seen and not by a count of rows, so that the last page costs what the first
one does. What is new for whom is known to the reviewers' store alone, and no statement can join two
stores that belong to two users: that store learns from `arrived_since` which submissions there are,
answers with collection ids, and `named` shows those collections.

What a source has withdrawn is neither listed nor found: it counts as gone, while she can still take it back.
"""

from collections.abc import Collection as Sized
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import BinaryIO, TypeVar

from sqlalchemy import Select, and_, exists, func, select
from sqlalchemy.orm import Session

from hardening.database import Database
from vault.designations import plain_designation
from vault.errors import NotFoundError
from vault.objects import Shelves
from vault.records import Collection, Part, Submission, SubmissionNotice
from vault.tables import DeletedReplyRow, PartRow, PendingLeafRow, SourceRow, SubmissionRow

PAGE = 50

_Value = TypeVar("_Value", str, bytes)

# Some databases take no more than 999 values in one statement.
_CHUNK = 500
_SHOWN = SourceRow.withdrawn_day.is_(None)


class InboxReader:
    """The inbox of one drop, for reading.

    Args:
        database: Its store, open for reading.
        shelves: Its files.
    """

    def __init__(self, database: Database, shelves: Shelves) -> None:
        self._database = database
        self._shelves = shelves

    def newest(self, after: Collection | None = None, limit: int = PAGE) -> list[Collection]:
        """List collections, the last touched day first, and by designation within a day.

        Args:
            after: The last one of the page before.
            limit: How many at most.
        """
        with self._database.reading() as session:
            return _with_counts(
                session, [row for query in newest_queries(after) for row in session.scalars(query.limit(limit))][:limit]
            )

    def search(self, untrusted_prefix: str, after: Collection | None = None, limit: int = PAGE) -> list[Collection]:
        """List the collections whose designation begins so, by designation; arguments as for `newest`."""
        with self._database.reading() as session:
            return _with_counts(session, list(session.scalars(search_query(untrusted_prefix, after).limit(limit))))

    def named(self, collection_ids: Iterable[str]) -> list[Collection]:
        """Return those of the collections that exist and are not withdrawn, in the order of the ids."""
        wanted = list(collection_ids)
        with self._database.reading() as session:
            rows = [
                row
                for chunk in _chunks(wanted)
                for row in session.scalars(select(SourceRow).where(_SHOWN, SourceRow.collection_id.in_(chunk)))
            ]
            found = {collection.collection_id: collection for collection in _with_counts(session, rows)}
        return [found[collection_id] for collection_id in wanted if collection_id in found]

    def collection(self, collection_id: str) -> Collection:
        """Return one collection.

        Raises:
            NotFoundError: There is none with this id.
        """
        found = self.named([collection_id])
        if not found:
            raise NotFoundError("there is no such collection")
        return found[0]

    def reply_keys(self, collection_ids: Iterable[str]) -> dict[str, bytes]:
        """Map each of these collections to the key that its replies are sealed to; closed ones are left out."""
        found: dict[str, bytes] = {}
        with self._database.reading() as session:
            for chunk in _chunks(sorted(set(collection_ids))):
                rows = session.execute(
                    select(SourceRow.collection_id, SourceRow.public_key).where(SourceRow.collection_id.in_(chunk))
                )
                found |= {collection_id: key for collection_id, key in rows if key is not None}
        return found

    def submissions_of(self, collection_id: str) -> list[Submission]:
        """List a collection's submissions, by day; within a day they have no order."""
        with self._database.reading() as session:
            rows = session.scalars(
                _submissions()
                .where(SubmissionRow.collection_id == collection_id)
                .order_by(SubmissionRow.day, SubmissionRow.submission_id)
            )
            return _with_parts(session, list(rows))

    def submissions(self, submission_ids: Iterable[str]) -> list[Submission]:
        """Return those of the submissions that exist and are not withdrawn, by id."""
        with self._database.reading() as session:
            rows = [
                row
                for chunk in _chunks(sorted(set(submission_ids)))
                for row in session.scalars(_submissions().where(SubmissionRow.submission_id.in_(chunk)))
            ]
            return sorted(_with_parts(session, rows), key=lambda submission: submission.submission_id)

    def present(self, submission_ids: Iterable[str]) -> frozenset[str]:
        """Return those of the submissions that exist and are not withdrawn."""
        query = _submissions().with_only_columns(SubmissionRow.submission_id)
        with self._database.reading() as session:
            return frozenset(
                submission_id
                for chunk in _chunks(sorted(set(submission_ids)))
                for submission_id in session.scalars(query.where(SubmissionRow.submission_id.in_(chunk)))
            )

    def arrived_since(self, day: date | None) -> list[SubmissionNotice]:
        """List the submissions of *day* and later, or all, for the reviewers' store to learn of them.

        Withdrawn ones are among them until they are destroyed: were they taken back, nobody would learn of them else.
        """
        query = select(SubmissionRow.submission_id, SubmissionRow.collection_id, SubmissionRow.day)
        if day is not None:
            query = query.where(SubmissionRow.day >= day)
        with self._database.reading() as session:
            return [SubmissionNotice(*found) for found in session.execute(query)]

    def open_part(self, part_id: str) -> BinaryIO:
        """Open a sealed part, exactly as it lies (P12); the caller closes it.

        Raises:
            NotFoundError: There is none, or no longer; once open it can be read to its end (J11).
        """
        with self._database.reading() as session:
            row = session.get(PartRow, part_id)
            if row is None:
                raise NotFoundError("there is no such part")
            return self._shelves.open(row.submission_id, row.part_id)

    def holders(self, ct_sha256s: Iterable[str]) -> dict[str, str]:
        """Map each of these hashes that a stored part has to the part's collection."""
        found: dict[str, str] = {}
        with self._database.reading() as session:
            for chunk in _chunks(list(ct_sha256s)):
                found |= dict(
                    session.execute(
                        select(PartRow.ct_sha256, SubmissionRow.collection_id)
                        .join(SubmissionRow, SubmissionRow.submission_id == PartRow.submission_id)
                        .where(PartRow.ct_sha256.in_(chunk))
                    ).all()
                )
        return found

    def pending(self, leaf_hash: bytes) -> bool:
        """Say whether an entry still waits for the ledger's daily merge, so that a bag needs a promise for it."""
        with self._database.reading() as session:
            return bool(session.scalar(select(exists().where(PendingLeafRow.leaf_hash == leaf_hash))))

    def pending_among(self, leaf_hashes: Iterable[bytes]) -> frozenset[bytes]:
        """Return those of the entries that still wait for the merge, as `pending` says of one."""
        found: set[bytes] = set()
        with self._database.reading() as session:
            for chunk in _chunks(sorted(set(leaf_hashes))):
                found.update(
                    session.scalars(select(PendingLeafRow.leaf_hash).where(PendingLeafRow.leaf_hash.in_(chunk)))
                )
        return frozenset(found)

    def deleted_replies(self) -> frozenset[str]:
        """Return the ids of the replies that sources have deleted and the outbox has to destroy."""
        with self._database.reading() as session:
            return frozenset(session.scalars(select(DeletedReplyRow.reply_id)))

    def unknown(self, collection_ids: Iterable[str]) -> frozenset[str]:
        """Return those of the ids that no collection has, a withdrawn one neither."""
        wanted = frozenset(collection_ids)
        with self._database.reading() as session:
            return wanted.difference(
                collection_id
                for chunk in _chunks(sorted(wanted))
                for collection_id in session.scalars(
                    select(SourceRow.collection_id).where(SourceRow.collection_id.in_(chunk))
                )
            )

    def withdrawn_since(self, day: date) -> list[str]:
        """List the designations of what was withdrawn on *day* or later, for reviewers to destroy what they hold."""
        with self._database.reading() as session:
            return sorted(session.scalars(select(SourceRow.designation).where(SourceRow.withdrawn_day >= day)))

    def closed(self) -> frozenset[str]:
        """Return the ids of the closed collections; the outbox has to destroy and refuse replies to them."""
        with self._database.reading() as session:
            return frozenset(session.scalars(select(SourceRow.collection_id).where(SourceRow.closed)))


def newest_queries(after: Collection | None) -> Sequence[Select[SourceRow]]:
    """Build the statements that together list what comes after a collection; each walks along one index.

    One statement with "later day, or same day and later word" would sort or skip its way through the table.
    """
    ordered = select(SourceRow).where(_SHOWN).order_by(SourceRow.last_day.desc(), SourceRow.designation)
    if after is None:
        return (ordered,)
    same_day = and_(SourceRow.last_day == after.last_day, SourceRow.designation > after.designation)
    return (ordered.where(same_day), ordered.where(SourceRow.last_day < after.last_day))


def search_query(untrusted_prefix: str, after: Collection | None) -> Select[SourceRow]:
    """Build the statement that lists designations with a prefix: a range, so that an index serves it."""
    prefix = plain_designation(untrusted_prefix)
    query = select(SourceRow).order_by(SourceRow.designation).where(_SHOWN, SourceRow.designation >= prefix)
    if prefix:
        # Designations are made of letters below the tilde-like end of ASCII.
        query = query.where(SourceRow.designation < prefix + "\x7f")
    return query if after is None else query.where(SourceRow.designation > after.designation)


def _submissions() -> Select[SubmissionRow]:
    return select(SubmissionRow).join(SourceRow, SourceRow.collection_id == SubmissionRow.collection_id).where(_SHOWN)


def _with_counts(session: Session, rows: Sequence[SourceRow]) -> list[Collection]:
    counts: dict[str, int] = {}
    for chunk in _chunks([row.collection_id for row in rows]):
        counts |= dict(
            session.execute(
                select(SubmissionRow.collection_id, func.count())
                .where(SubmissionRow.collection_id.in_(chunk))
                .group_by(SubmissionRow.collection_id)
            ).all()
        )
    return [
        Collection(row.collection_id, row.designation, row.last_day, counts.get(row.collection_id, 0), row.closed)
        for row in rows
    ]


def _with_parts(session: Session, rows: Sequence[SubmissionRow]) -> list[Submission]:
    parts: dict[str, list[Part]] = {row.submission_id: [] for row in rows}
    for chunk in _chunks(list(parts)):
        query = select(PartRow).where(PartRow.submission_id.in_(chunk)).order_by(PartRow.part_id)
        for row in session.scalars(query):
            parts[row.submission_id].append(Part(row.part_id, row.kind, row.ct_sha256, row.size_bytes))
    return [Submission(row.submission_id, row.collection_id, row.day, tuple(parts[row.submission_id])) for row in rows]


def _chunks(values: Sized[_Value]) -> Iterator[list[_Value]]:
    left = iter(values)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk
