"""Write down who did what on which day, so that nobody changes or drops a line unseen (L3).

Each line is hashed together with all before it (`hardening.audit`), and the length and the last hash
are kept beside the lines. Whoever can write this store can still make a whole new log; the last hash
of an earlier day, kept elsewhere, shows that.
"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from hardening.audit import START, link
from hardening.canonical import canonical_json
from hardening.clock import Clock, today
from hardening.database import Database
from hardening.database_errors import BusyError
from reviewers.records import AuditLine
from reviewers.tables import AuditHeadRow, AuditRow

CONSOLE = "console"
"""Who did it, when it was done on the machine itself and not by a reviewer."""

_ONLY = 1
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class AuditHead:
    """How long the log is and how it ends."""

    length: int
    hash: bytes


class AuditLog:
    """The audit log of one drop.

    Args:
        database: The reviewers' store, open for writing.
        clock: Asked for the day and for nothing finer.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def append(self, who: str, what: str, object_id: str = "") -> AuditLine:
        """Add a line, durably; do it before what it tells of is shown.

        Args:
            who: A reviewer's id, or `CONSOLE`.
            what: One word of the caller's vocabulary, like ``fetched``.
            object_id: Opaque; never a name.
        """
        for _ in range(_ATTEMPTS):
            try:
                with self._database.writing() as session:
                    return self._append(session, who, what, object_id)
            except IntegrityError:
                # Another process was faster (SQLite never comes here: one writes at a time).
                continue
        raise BusyError("too many write the audit log at once")

    def lines(self, before: int | None = None, limit: int = 50) -> list[AuditLine]:
        """List the last lines, the newest first; *before* is the position of the last one of the page before."""
        query = select(AuditRow).order_by(AuditRow.position.desc()).limit(limit)
        if before is not None:
            query = query.where(AuditRow.position < before)
        with self._database.reading() as session:
            return [_line(row) for row in session.scalars(query)]

    def head(self) -> AuditHead:
        """Return the log's length and last hash, to be kept elsewhere."""
        with self._database.reading() as session:
            return _head(session)

    def verify(self) -> int | None:
        """Find the first line that was changed or dropped; its position, or none if all are as they were written."""
        with self._database.reading() as session:
            head = _head(session)
            previous, expected = START, 1
            for row in session.scalars(select(AuditRow).order_by(AuditRow.position)).yield_per(1000):
                if row.position != expected or row.hash != link(previous, _body(row)):
                    return expected
                previous, expected = row.hash, expected + 1
            return None if (expected - 1, previous) == (head.length, head.hash) else expected

    def _append(self, session: Session, who: str, what: str, object_id: str) -> AuditLine:
        row = session.get(AuditHeadRow, _ONLY, with_for_update=True)
        if row is None:
            row = AuditHeadRow(single=_ONLY, length=0, hash=START)
            session.add(row)
        line = AuditRow(
            position=row.length + 1, who=who, what=what, object_id=object_id, day=today(self._clock), hash=b""
        )
        line.hash = link(row.hash, _body(line))
        row.length, row.hash = line.position, line.hash
        session.add(line)
        session.flush()
        return _line(line)


def _head(session: Session) -> AuditHead:
    row = session.get(AuditHeadRow, _ONLY)
    return AuditHead(row.length, row.hash) if row else AuditHead(0, START)


def _body(row: AuditRow) -> bytes:
    """Write what is hashed: every field, the position too, so that a line cannot be moved."""
    return canonical_json(
        {
            "v": 1,
            "position": row.position,
            "who": row.who,
            "what": row.what,
            "object": row.object_id,
            "day": row.day.isoformat(),
        }
    )


def _line(row: AuditRow) -> AuditLine:
    return AuditLine(row.position, row.who, row.what, row.object_id, row.day, row.hash)
