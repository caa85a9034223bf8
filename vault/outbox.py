"""Carry sealed replies from the workstation to the sources: the reviewers' process writes, the source process reads."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import date
from itertools import islice

from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hardening.clock import Clock, today
from hardening.database import Database
from hardening.database_errors import FullError
from vault.errors import BagConflictError
from vault.records import Accepted, Reply, ReturnBag, ReturnedReply
from vault.tables import CollectedRow, ReceiptRow, ReplyRow, ReturnRow

_CHUNK = 500
_ONLY = 1


class Outbox:
    """The outbox of one drop, for its only writer.

    Args:
        database: Its store, open for writing.
        clock: Asked for the day and for nothing finer.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def accept(self, bag: ReturnBag, closed: Collection[str] = ()) -> Accepted:
        """Take a return bag, wholly or not at all; the same bag again changes nothing.

        Bags may come in any order, since media travel at their own pace; each number is taken once.

        Args:
            bag: Its signature has been verified.
            closed: Collections whose sources have gone: replies to them are dropped.

        Raises:
            BagConflictError: The signer's number belongs to another bag, or a reply's id to another reply.
        """
        try:
            with self._database.writing() as session:
                known = session.get(ReturnRow, (bag.signer, bag.sequence))
                if known is not None and known.sha256 == bag.sha256:
                    return Accepted(0, 0, already=True)
                if known is not None:
                    raise BagConflictError("this number was accepted with another bag")
                session.add(ReturnRow(signer=bag.signer, sequence=bag.sequence, sha256=bag.sha256))
                replies = sum(
                    self._add_reply(session, reply) for reply in bag.replies if reply.collection_id not in closed
                )
                return Accepted(replies, _add_receipts(session, bag), already=False)
        except IntegrityError as error:
            raise BagConflictError("the bag, or a reply in it, is being accepted by somebody else") from error

    def note_collected(self, day: date) -> None:
        """Remember that submissions were fetched on *day*; only the last day is kept."""
        with self._database.writing() as session:
            row = session.get(CollectedRow, _ONLY)
            if row is None:
                session.add(CollectedRow(single=_ONLY, day=day))
            else:
                row.day = max(row.day, day)

    def destroy_deleted(self, reply_ids: Collection[str]) -> int:
        """Destroy the replies that sources have deleted; SQLite overwrites their bytes. Say how many there were."""
        with self._database.writing() as session:
            return sum(
                len(
                    session.scalars(
                        delete(ReplyRow).where(ReplyRow.reply_id.in_(chunk)).returning(ReplyRow.reply_id)
                    ).all()
                )
                for chunk in _chunks(reply_ids)
            )

    def destroy_closed(self, collection_ids: Collection[str]) -> int:
        """Destroy all replies to closed collections, and what was said of their imports; say how many replies."""
        destroyed = 0
        with self._database.writing() as session:
            for chunk in _chunks(collection_ids):
                gone = session.scalars(
                    delete(ReplyRow).where(ReplyRow.collection_id.in_(chunk)).returning(ReplyRow.reply_id)
                )
                destroyed += len(gone.all())
                session.execute(delete(ReceiptRow).where(ReceiptRow.collection_id.in_(chunk)))
        return destroyed

    def sweep(self) -> None:
        """Roll back what a crash left; call it when the process starts, so that readers can go on."""
        with self._database.writing():
            pass
        with suppress(FullError):
            self._database.forget_order()

    def forget_order(self) -> None:
        """Hide which of today's rows came first; call it once a day (K3)."""
        self._database.forget_order()

    def _add_reply(self, session: Session, reply: ReturnedReply) -> int:
        known = session.get(ReplyRow, reply.reply_id)
        if known is None:
            session.add(
                ReplyRow(
                    reply_id=reply.reply_id,
                    collection_id=reply.collection_id,
                    day=today(self._clock),
                    box=reply.box,
                )
            )
            return 1
        if (known.collection_id, known.box) != (reply.collection_id, reply.box):
            raise BagConflictError("a reply's id was accepted with another reply")
        return 0


class OutboxReader:
    """The outbox of one drop, for reading."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replies(self, collection_id: str) -> list[Reply]:
        """List the replies to one source, by day; the caller leaves out what `Inbox.deleted_replies` names."""
        with self._database.reading() as session:
            rows = session.scalars(
                select(ReplyRow)
                .where(ReplyRow.collection_id == collection_id)
                .order_by(ReplyRow.day, ReplyRow.reply_id)
            )
            return [Reply(row.reply_id, row.day, row.box) for row in rows]

    def existing(self, reply_ids: Collection[str]) -> frozenset[str]:
        """Return those of the replies that have not been destroyed yet."""
        with self._database.reading() as session:
            return frozenset(
                reply_id
                for chunk in _chunks(reply_ids)
                for reply_id in session.scalars(select(ReplyRow.reply_id).where(ReplyRow.reply_id.in_(chunk)))
            )

    def last_collected(self) -> date | None:
        """Return the last day on which submissions were fetched."""
        with self._database.reading() as session:
            return session.scalar(select(CollectedRow.day))

    def imported(self, collection_id: str) -> bool:
        """Say whether a workstation has taken in anything from this source."""
        with self._database.reading() as session:
            return bool(session.scalar(select(exists().where(ReceiptRow.collection_id == collection_id))))


def _add_receipts(session: Session, bag: ReturnBag) -> int:
    added = 0
    for receipt in {receipt.ct_sha256: receipt for receipt in bag.receipts}.values():
        if session.get(ReceiptRow, receipt.ct_sha256) is None:
            session.add(ReceiptRow(ct_sha256=receipt.ct_sha256, collection_id=receipt.collection_id))
            added += 1
    return added


def _chunks(values: Collection[str]) -> Iterator[list[str]]:
    left = iter(values)
    while chunk := list(islice(left, _CHUNK)):
        yield chunk
