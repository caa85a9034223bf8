"""Keep the case log: append-only, in a database that opens with the reviewer's passphrase alone (SQLCipher)."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from sqlite3 import Connection
from typing import Self

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, LargeBinary, String, create_engine, event, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from casework.errors import EventError, StoreLockedError, StoreVersionError
from casework.events import Event, Kind, parse
from hardening.canonical import JSON

_SCHEMA_VERSION = 1

Sign = Callable[[bytes], bytes]
"""Makes the reviewer's detached signature over an event."""

Verify = Callable[[bytes, bytes], str]
"""Tells the fingerprint of whoever made this signature over this event, or raises `EventError`."""


class _Base(DeclarativeBase):
    pass


class _EventRow(_Base):
    __tablename__ = "events"

    reviewer: Mapped[str] = mapped_column(String(64), primary_key=True)
    index: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class SignedEvent:
    """An event as it is kept: its bytes and the reviewer's detached OpenPGP signature over them."""

    event: Event
    body: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class CaseLog:
    """An open case log; `close` it."""

    _engine: Engine

    @classmethod
    def create(cls, path: Path, passphrase: str) -> Self:
        """Make an empty case log at *path*, which must not exist.

        Raises:
            FileExistsError: Something is there; it was not touched.
        """
        path.touch(mode=0o600, exist_ok=False)
        log = cls(_engine(path, passphrase))
        with log._engine.begin() as connection:
            connection.exec_driver_sql(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        _Base.metadata.create_all(log._engine)
        return log

    @classmethod
    def open(cls, path: Path, passphrase: str) -> Self:
        """Open the case log at *path*.

        Raises:
            StoreLockedError: There is none, or the passphrase is wrong.
            StoreVersionError: Another version wrote it.
        """
        if not path.is_file():
            raise StoreLockedError("there is no case log here")
        log = cls(_engine(path, passphrase))
        try:
            with log._engine.connect() as connection:
                version = connection.exec_driver_sql("PRAGMA user_version").scalar()
        except DatabaseError as error:
            log.close()
            raise StoreLockedError("the passphrase does not open the case log") from error
        if version != _SCHEMA_VERSION:
            log.close()
            raise StoreVersionError(f"this program reads case logs of version {_SCHEMA_VERSION}, not {version}")
        return log

    def close(self) -> None:
        """Let go of the file and of the key."""
        self._engine.dispose()

    @contextmanager
    def appending(self, reviewer: str, sign: Sign) -> Generator["Appender"]:
        """Lend the end of *reviewer*'s chain; a clean end keeps what was appended, all of it or nothing."""
        with Session(self._engine) as session, session.begin():
            yield Appender(session, reviewer, sign)

    def append(self, reviewer: str, sign: Sign, day: date, what: tuple[Kind, dict[str, JSON]]) -> Event:
        """Sign and keep one event.

        Raises:
            EventError: It cannot be written.
        """
        with self.appending(reviewer, sign) as end:
            return end.append(day, what)

    def events(self) -> Iterator[SignedEvent]:
        """Give all events, each reviewer's in the order of her chain."""
        with Session(self._engine) as session:
            for row in session.scalars(select(_EventRow).order_by(_EventRow.reviewer, _EventRow.index)):
                yield SignedEvent(parse(row.body), row.body, row.signature)

    def verify(self, verify: Verify) -> int:
        """Check every chain and every signature; give the number of events.

        Raises:
            EventError: One is out of its place, changed, or not signed by its reviewer.
        """
        count = 0
        before: Event | None = None
        for signed in self.events():
            found = signed.event
            if before is not None and before.reviewer != found.reviewer:
                before = None
            expected = Event.following(before, found.reviewer, found.day, (found.kind, found.body))
            if expected != found:
                raise EventError(f"event {found.index} of {found.reviewer} does not follow the one before it")
            if verify(signed.body, signed.signature) != found.reviewer:
                raise EventError(f"event {found.index} of {found.reviewer} is signed by somebody else")
            before, count = found, count + 1
        return count


@dataclass(slots=True)
class Appender:
    """The end of one reviewer's chain, inside one transaction."""

    _session: Session
    _reviewer: str
    _sign: Sign

    def append(self, day: date, what: tuple[Kind, dict[str, JSON]]) -> Event:
        """Sign one event and put it behind the last.

        Raises:
            EventError: It cannot be written.
        """
        made = Event.following(self._last(), self._reviewer, day, what)
        body = made.format()
        self._session.add(_EventRow(reviewer=self._reviewer, index=made.index, body=body, signature=self._sign(body)))
        self._session.flush()
        return made

    def _last(self) -> Event | None:
        row = self._session.scalars(
            select(_EventRow).where(_EventRow.reviewer == self._reviewer).order_by(_EventRow.index.desc()).limit(1)
        ).first()
        return None if row is None else parse(row.body)


def _engine(path: Path, passphrase: str) -> Engine:
    def connect() -> Connection:
        return sqlcipher.connect(str(path), isolation_level=None, check_same_thread=False)

    engine = create_engine("sqlite://", creator=connect, module=sqlcipher)

    def unlock(connection: Connection, _record: object) -> None:
        _unlock(connection, passphrase)

    event.listen(engine, "connect", unlock)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: SqlConnection) -> None:
    # Two programs on one log: the second waits for its turn instead of failing half-way.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _unlock(connection: Connection, passphrase: str) -> None:
    # SQL has no parameters in a PRAGMA; a doubled quotation mark is the only character that needs care.
    quoted = passphrase.replace("'", "''")
    for statement in (
        # SQLCipher would tell the terminal about a wrong passphrase before we can.
        "PRAGMA cipher_log = OFF",
        f"PRAGMA key = '{quoted}'",
        "PRAGMA cipher_memory_security = ON",
        "PRAGMA secure_delete = ON",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA synchronous = EXTRA",
    ):
        connection.execute(statement)
