"""Take submissions in and let sources in: the inbox as the source process, its only writer, sees it."""

import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import date

from sqlalchemy import Connection, bindparam, delete, exists, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hardening.clock import Clock, today
from hardening.database import Database
from hardening.database_errors import DamagedError, DatabaseError, FullError
from ledger.entry import Received, size_class
from vault.designations import draw_designation
from vault.errors import (
    NothingKeptError,
    PartMismatchError,
    ShareError,
    SourceClosedError,
    SourceExistsError,
    VaultError,
)
from vault.objects import Receiving, Shelves
from vault.records import Arrival, Source, Usage
from vault.rows import all_parts, find_source, used
from vault.tables import DeletedReplyRow, PartRow, PendingLeafRow, SourceRow, SubmissionRow

_ID_LIMIT = 1 << 128
# Two first submissions at once may draw the same designation, or make the same source: then one draws again.
_ATTEMPTS = 8
_DRAWS = 1000
# Made once, as those of `vault.rows` are: these are executed while all other writers wait.
_STATE = select(SourceRow.closed, SourceRow.last_day).where(SourceRow.collection_id == bindparam("collection_id"))
_SUBMISSION = insert(SubmissionRow)
_PARTS = insert(PartRow)
_LEAVES = insert(PendingLeafRow)


class Inbox:
    """The inbox of one drop.

    Args:
        database: Its store, open for writing.
        shelves: Its files.
        clock: Asked for the day and for nothing finer.
        words: For designations.
        randbelow: The source of every id.
    """

    def __init__(
        self,
        database: Database,
        shelves: Shelves,
        clock: Clock,
        words: Sequence[str],
        randbelow: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._database = database
        self._shelves = shelves
        self._clock = clock
        self._words = words
        self._randbelow = randbelow

    def find(self, lookup_id: bytes) -> Source | None:
        """Return the source that a codename leads to; none if there is none, or it has closed its inbox."""
        with self._database.reading() as session:
            return find_source(session.connection(), lookup_id)

    def standing(self, lookup_id: bytes) -> tuple[Source, Usage] | None:
        """Return what `find` does, and what that source has sent today (D10), both at the same moment."""
        with self._database.reading() as session:
            store = session.connection()
            source = find_source(store, lookup_id)
            return (source, used(store, source, today(self._clock))) if source else None

    def new_source(self, lookup_id: bytes, public_key: bytes) -> Source:
        """Think of a source; nothing is written before its first submission (C11).

        Raises:
            SourceExistsError: The codename is taken: draw another one (C13).
        """
        with self._database.reading() as session:
            if session.scalar(select(exists().where(SourceRow.lookup_id == lookup_id))):
                raise SourceExistsError("the lookup id is in use")
            return Source(self._new_id(), self._free_designation(session.connection()), lookup_id, public_key)

    @contextmanager
    def receiving(self, source: Source, share: Usage | None = None) -> Generator[Receiving]:
        """Lend a folder for one submission; keep what was kept when the block ends well, else nothing.

        After the block the submission is durable: files and folder are synced, moved in one rename,
        and known in one transaction. However it ends otherwise, nothing of it is left, and what even
        the power cut left `sweep` destroys.

        Args:
            source: Whom from.
            share: What she may have sent today, this included: judged in the same transaction, so that many at once
                do not get more than one after the other (D10).

        Raises:
            NothingKeptError: The block kept no part.
            PartMismatchError: There are files that the block did not keep.
            SourceClosedError: The source has closed its inbox meanwhile.
            SourceExistsError: Another source has the same codename.
            ShareError: The source would have sent more than *share*.
            FullError: There is no room.
            BusyError: The store did not come free in time.
        """
        with self._shelves.lend(self._new_id()) as receiving:
            yield receiving
            if not receiving.parts:
                raise NothingKeptError("a submission has one part at least")
            day = today(self._clock)
            try:
                self._shelves.shelve(receiving)
                self._record(source, receiving, share, day)
            except BaseException as error:
                if not self._settle(receiving.submission_id) or not isinstance(error, DatabaseError):
                    raise

    def arrivals(self, source: Source) -> list[Arrival]:
        """List what arrived from a source, by day and kind."""
        with self._database.reading() as session:
            found = session.execute(
                select(SubmissionRow.day, PartRow.kind, func.count())
                .join(PartRow, PartRow.submission_id == SubmissionRow.submission_id)
                .where(SubmissionRow.collection_id == source.collection_id)
                .group_by(SubmissionRow.day, PartRow.kind)
                .order_by(SubmissionRow.day, PartRow.kind)
            )
            return [Arrival(day, kind, count) for day, kind, count in found]

    def deleted_replies(self, source: Source) -> frozenset[str]:
        """Return the ids of the replies that must not be shown to this source any more."""
        with self._database.reading() as session:
            return frozenset(
                session.scalars(
                    select(DeletedReplyRow.reply_id).where(DeletedReplyRow.collection_id == source.collection_id)
                )
            )

    def delete_reply(self, source: Source, reply_id: str) -> None:
        """Hide a reply at once and for good; whoever calls knows that it is one of this source's."""
        with self._database.writing() as session:
            if not session.get(DeletedReplyRow, reply_id):
                session.add(DeletedReplyRow(reply_id=reply_id, collection_id=source.collection_id))

    def all_deletions(self) -> frozenset[str]:
        """Return the ids of all replies that sources have deleted and whose marks are still here."""
        with self._database.reading() as session:
            return frozenset(session.scalars(select(DeletedReplyRow.reply_id)))

    def forget_deletions(self, destroyed: Sequence[str]) -> None:
        """Drop the marks of replies that the outbox has destroyed; they say no more than that there were some."""
        with self._database.writing() as session:
            session.execute(delete(DeletedReplyRow).where(DeletedReplyRow.reply_id.in_(destroyed)))

    def close(self, source: Source) -> None:
        """Make the codename lead nowhere and give up the replies; the submissions stay with the reviewers.

        The lookup id and the key for replies are erased, so that nobody can tell later whose it was.
        """
        with self._database.writing() as session:
            session.execute(
                update(SourceRow)
                .where(SourceRow.collection_id == source.collection_id)
                .values(lookup_id=None, public_key=None, closed=True)
            )
            # Every reply of a closed collection is to be destroyed: single marks would only count them.
            session.execute(delete(DeletedReplyRow).where(DeletedReplyRow.collection_id == source.collection_id))

    def sweep(self) -> int:
        """Mend what a crash left: call it when the process starts, before anything is received.

        The store's own journal is rolled back, which readers wait for. Afterwards every row has its
        files, every file has its row, and no row's place tells its age; that last only if there is room for it.

        Returns:
            How many leftovers were destroyed.

        Raises:
            DamagedError: Rows have lost their files, which no crash can do; nothing was destroyed.
        """
        with self._database.writing() as session:
            known = all_parts(session)
        lost = self._shelves.missing(known)
        if lost:
            raise DamagedError(f"{lost} stored parts are missing or cut short: restore them from a backup")
        swept = self._shelves.sweep_incoming() + self._shelves.sweep_unknown(known)
        # A full disk is no reason to stay closed: sources can read their replies, and are told that it is full.
        with suppress(FullError):
            self._database.forget_order()
        return swept

    def forget_order(self) -> None:
        """Hide which of today's rows came first; call it once a day (K3)."""
        self._database.forget_order()

    def _record(self, source: Source, receiving: Receiving, share: Usage | None, day: date) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                with self._database.writing() as session:
                    self._write_rows(session, source, receiving, day)
                    if share is not None and not used(session.connection(), source, day).within(share):
                        raise ShareError("a source may not send so much in a day")
            except IntegrityError as error:
                if attempt == _ATTEMPTS - 1:
                    raise PartMismatchError("a part is stored once") from error
            else:
                return

    def _write_rows(self, session: Session, source: Source, receiving: Receiving, day: date) -> None:
        # Statements and no objects: this is the one turn for which all other writers wait.
        store = session.connection()
        self._write_source(store, source, day)
        store.execute(
            _SUBMISSION,
            {"submission_id": receiving.submission_id, "collection_id": source.collection_id, "day": day},
        )
        parts = receiving.parts.values()
        store.execute(
            _PARTS,
            [
                {
                    "part_id": part.part_id,
                    "submission_id": receiving.submission_id,
                    "kind": part.kind,
                    "ct_sha256": part.sha256,
                    "size_bytes": part.size_bytes,
                }
                for part in parts
            ],
        )
        entries = [Received(part.sha256, size_class(part.size_bytes), day) for part in parts]
        store.execute(_LEAVES, [{"leaf_hash": entry.leaf_hash()} for entry in entries])

    def _write_source(self, store: Connection, source: Source, day: date) -> None:
        row = store.execute(_STATE, {"collection_id": source.collection_id}).one_or_none()
        if row is None:
            self._write_new_source(store, source, day)
        elif row.closed:
            raise SourceClosedError("the inbox is closed")
        elif row.last_day < day:
            store.execute(update(SourceRow).where(SourceRow.collection_id == source.collection_id).values(last_day=day))

    def _write_new_source(self, store: Connection, source: Source, day: date) -> None:
        if store.scalar(select(exists().where(SourceRow.lookup_id == source.lookup_id))):
            raise SourceExistsError("the lookup id is in use")
        taken = store.scalar(select(exists().where(SourceRow.designation == source.designation)))
        store.execute(
            insert(SourceRow).values(
                collection_id=source.collection_id,
                designation=self._free_designation(store) if taken else source.designation,
                lookup_id=source.lookup_id,
                public_key=source.public_key,
                last_day=day,
                closed=False,
            )
        )

    def _settle(self, submission_id: str) -> bool:
        """After a failure, keep the files if their rows are there, and destroy them if not; say which.

        A commit may be done although it was never confirmed. When not even that can be found out, the
        files stay for `sweep`: a file too many is mended, a file too few is a lost submission.
        """
        try:
            with self._database.reading() as session:
                known = session.get(SubmissionRow, submission_id) is not None
        except DatabaseError:
            return False
        if not known:
            self._shelves.unshelve(submission_id)
        return known

    def _free_designation(self, store: Connection) -> str:
        for _ in range(_DRAWS):
            designation = draw_designation(self._words, self._randbelow)
            if not store.scalar(select(exists().where(SourceRow.designation == designation))):
                return designation
        raise VaultError("the word list has no free designation left")

    def _new_id(self) -> str:
        return f"{self._randbelow(_ID_LIMIT):032x}"
