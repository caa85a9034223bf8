"""Ask the inbox's rows what is there: who, how much of whom on a day, and all of it."""

from datetime import date

from sqlalchemy import Connection, bindparam, case, distinct, func, select
from sqlalchemy.orm import Session

from vault.records import Arrival, Source, Usage
from vault.tables import PartRow, SourceRow, SubmissionRow

REPORT = "report"
"""The kind that the rows give to every part of a report, so that they do not tell which parts a report has."""

# A report is one thing, of however many parts.
_THING = distinct(case((PartRow.kind == REPORT, PartRow.submission_id), else_=PartRow.part_id))
# Made once: what a statement looks up in its cache by is then known, and building it again for each request would cost
# more than asking it does.
_SOURCE = select(SourceRow.collection_id, SourceRow.designation, SourceRow.public_key, SourceRow.withdrawn_day).where(
    SourceRow.lookup_id == bindparam("lookup_id")
)
_USED = (
    select(
        func.coalesce(func.sum(PartRow.size_bytes), 0),
        func.count(_THING).filter(PartRow.kind != "manifest"),
    )
    .join(SubmissionRow, PartRow.submission_id == SubmissionRow.submission_id)
    .where(SubmissionRow.collection_id == bindparam("collection_id"))
    .where(SubmissionRow.day == bindparam("day"))
)


def find_source(store: Connection, lookup_id: bytes) -> Source | None:
    """Return the source that a codename leads to, if there is one."""
    found = store.execute(_SOURCE, {"lookup_id": lookup_id}).one_or_none()
    # A closed inbox has neither a lookup id nor a key.
    if found is None or found.public_key is None:
        return None
    return Source(found.collection_id, found.designation, lookup_id, found.public_key, found.withdrawn_day)


def used(store: Connection, source: Source, day: date) -> Usage:
    """Measure what *source* has sent on *day*, counted from the parts, so that nothing else has to be kept (D10)."""
    size_bytes, count = store.execute(_USED, {"collection_id": source.collection_id, "day": day}).one()
    return Usage(int(size_bytes), count)


def arrivals(store: Connection, source: Source) -> list[Arrival]:
    """List what arrived from *source*, by day and kind."""
    found = store.execute(
        select(SubmissionRow.day, PartRow.kind, func.count(_THING))
        .join(PartRow, PartRow.submission_id == SubmissionRow.submission_id)
        .where(SubmissionRow.collection_id == source.collection_id)
        .group_by(SubmissionRow.day, PartRow.kind)
        .order_by(SubmissionRow.day, PartRow.kind)
    )
    return [Arrival(day, kind, count) for day, kind, count in found]


def all_parts(session: Session) -> dict[str, dict[str, int]]:
    """List every submission, and in it every part with its size."""
    known: dict[str, dict[str, int]] = {}
    for submission_id, part_id, size_bytes in session.execute(
        select(PartRow.submission_id, PartRow.part_id, PartRow.size_bytes)
    ):
        known.setdefault(submission_id, {})[part_id] = size_bytes
    return known
