"""Let a source go: close an inbox, withdraw everything, take that back in time, and destroy what nobody took back.

A withdrawn collection is hidden from readers at once (`vault.reading`). Its rows go before its files: whatever ends the
process in between, what is left is files that no row speaks of, and the next start destroys those.
"""

from datetime import date, timedelta

from sqlalchemy import Connection, delete, exists, insert, select, update
from sqlalchemy.orm import Session

from ledger.entry import Destroyed, Received, size_class
from vault.errors import NotFoundError
from vault.records import Source
from vault.tables import DeletedReplyRow, PartRow, PendingLeafRow, SourceRow, SubmissionRow

UNDO_DAYS = 7
"""So many whole days a source has for taking her withdrawal back; what is destroyed then is destroyed for good."""


def last_day_to_take_back(withdrawn_day: date) -> date:
    """Return the last day on which nothing is destroyed yet."""
    return withdrawn_day + timedelta(days=UNDO_DAYS)


def mark(session: Session, source: Source, day: date) -> None:
    """Hide everything from *source*; the first day counts, however often she asks."""
    _mark(session, source, day)


def unmark(session: Session, source: Source) -> None:
    """Show everything again.

    Raises:
        NotFoundError: It is destroyed, or the source has closed its inbox.
    """
    _mark(session, source, None)


def close(session: Session, source: Source) -> None:
    """Erase what leads from the codename to *source*, and what her codename opens."""
    _close(session, source.collection_id)


def destroy_due(session: Session, day: date) -> list[str]:
    """Destroy the rows of all that was withdrawn and not taken back in time, and enter that into the log.

    The collection's own row stays, closed, with the day of the withdrawal alone: its two words are never given to
    anybody else, and replies that are still on their way are refused.

    Returns:
        The submissions whose files have to go now.
    """
    store = session.connection()
    has_something = exists().where(SubmissionRow.collection_id == SourceRow.collection_id)
    due = store.execute(
        select(SourceRow.collection_id, SourceRow.withdrawn_day)
        .where(SourceRow.withdrawn_day < day - timedelta(days=UNDO_DAYS))
        .where(has_something)
    ).all()
    gone: list[str] = []
    for collection_id, withdrawn_day in due:
        gone += _destroy(store, collection_id, day)
        _close(session, collection_id)
        store.execute(update(SourceRow).where(SourceRow.collection_id == collection_id).values(last_day=withdrawn_day))
    return gone


def _mark(session: Session, source: Source, day: date | None) -> None:
    row = session.get(SourceRow, source.collection_id)
    if row is None or row.closed:
        raise NotFoundError("there is no such source any more")
    if day is None or row.withdrawn_day is None:
        row.withdrawn_day = day


def _close(session: Session, collection_id: str) -> None:
    erased = {"lookup_id": None, "public_key": None, "progress": None, "closed": True}
    session.execute(update(SourceRow).where(SourceRow.collection_id == collection_id).values(erased))
    # Every reply of a closed collection is to be destroyed: single marks would only count them.
    session.execute(delete(DeletedReplyRow).where(DeletedReplyRow.collection_id == collection_id))


def _destroy(store: Connection, collection_id: str, day: date) -> list[str]:
    mine = SubmissionRow.collection_id == collection_id
    ids = list(store.scalars(select(SubmissionRow.submission_id).where(mine)))
    parts = store.execute(
        select(PartRow.ct_sha256, PartRow.size_bytes, SubmissionRow.day)
        .join(SubmissionRow, SubmissionRow.submission_id == PartRow.submission_id)
        .where(mine)
    ).all()
    entries = [
        Destroyed(Received(sha256, size_class(size), came).leaf_hash().hex(), day) for sha256, size, came in parts
    ]
    store.execute(insert(PendingLeafRow), [{"leaf_hash": entry.leaf_hash()} for entry in entries])
    store.execute(delete(PartRow).where(PartRow.submission_id.in_(select(SubmissionRow.submission_id).where(mine))))
    store.execute(delete(SubmissionRow).where(mine))
    return ids
