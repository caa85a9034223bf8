"""Take submissions in and let sources in: the inbox as the source process, its only writer, sees it."""

import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from datetime import date

from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError

from hardening.clock import Clock, today
from hardening.database import Database
from hardening.database_errors import DamagedError, DatabaseError, FullError
from vault import withdrawing
from vault.errors import NothingKeptError, PartMismatchError, ShareError, SourceExistsError
from vault.objects import Receiving, Shelves
from vault.records import PROGRESS_BYTES, Arrival, Source, Usage
from vault.rows import all_parts, arrivals, find_source, used
from vault.tables import DeletedReplyRow, SourceRow, SubmissionRow
from vault.writing import Lots, write_rows

# Two first submissions at once may draw the same designation, or make the same source: then one draws again.
_ATTEMPTS = 8


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
        self._lots = Lots(tuple(words), randbelow)

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
            return Source(self._lots.new_id(), self._lots.designation(session.connection()), lookup_id, public_key)

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
            WithdrawnError: The source has withdrawn everything.
            SourceExistsError: Another source has the same codename.
            ShareError: The source would have sent more than *share*.
            FullError: There is no room.
            BusyError: The store did not come free in time.
        """
        with self._shelves.lend(self._lots.new_id()) as receiving:
            yield receiving
            if not receiving.parts:
                raise NothingKeptError("a submission has one part at least")
            if receiving.progress is not None and len(receiving.progress) != PROGRESS_BYTES:
                raise ValueError(f"a sealed progress has {PROGRESS_BYTES} bytes, not {len(receiving.progress)}")
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
            return arrivals(session.connection(), source)

    def progress(self, source: Source) -> bytes | None:
        """Return the sealed progress of *source*; none if there is no such source, or she has closed her inbox."""
        with self._database.reading() as session:
            return session.scalar(select(SourceRow.progress).where(SourceRow.collection_id == source.collection_id))

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
            withdrawing.close(session, source)

    def withdraw(self, source: Source) -> None:
        """Hide everything from *source* at once; after `UNDO_DAYS` `destroy_withdrawn` destroys it.

        Raises:
            NotFoundError: The source has closed its inbox.
        """
        with self._database.writing() as session:
            withdrawing.mark(session, source, today(self._clock))

    def take_back(self, source: Source) -> None:
        """Show reviewers everything from *source* again.

        Raises:
            NotFoundError: It is destroyed, or the source has closed its inbox.
        """
        with self._database.writing() as session:
            withdrawing.unmark(session, source)

    def destroy_withdrawn(self) -> int:
        """Destroy for good what was withdrawn and not taken back in time; call it at each start and once a day.

        Its rows are gone, and its destruction is among the pending leaves, before the first file goes; files that a
        crash leaves are destroyed by `sweep`.

        Returns:
            How many submissions were destroyed.
        """
        with self._database.writing() as session:
            gone = withdrawing.destroy_due(session, today(self._clock))
        for submission_id in gone:
            self._shelves.unshelve(submission_id)
        return len(gone)

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
                    store = session.connection()
                    write_rows(store, source, receiving, day, self._lots)
                    if share is not None and not used(store, source, day).within(share):
                        raise ShareError("a source may not send so much in a day")
            except IntegrityError as error:
                if attempt == _ATTEMPTS - 1:
                    raise PartMismatchError("a part is stored once") from error
            else:
                return

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
