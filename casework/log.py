"""Keep the case log: append-only, in a database that opens with the reviewer's passphrase alone (SQLCipher)."""

import errno
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from sqlite3 import Connection
from typing import Self

import sqlcipher3.dbapi2 as sqlcipher
from sqlalchemy import CheckConstraint, Engine, LargeBinary, String, create_engine, event, select
from sqlalchemy import Connection as SqlConnection
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from casework.errors import EventError, StoreFailedError, StoreLockedError, StoreVersionError
from casework.events import Event, Kind, parse
from hardening.canonical import JSON
from hardening.files import destroy, sync_folder

_SCHEMA_VERSION = 1
# Events are read a few at a time: one may hold a whole bag.
_ROWS_AT_ONCE = 16

Sign = Callable[[bytes], bytes]
"""Makes the reviewer's detached signature over an event."""


class _Base(DeclarativeBase):
    pass


class _EventRow(_Base):
    __tablename__ = "events"
    # SQLite keeps any type in any column unless it is told not to.
    __table_args__ = (CheckConstraint("typeof(body) = 'blob' AND typeof(signature) = 'blob'"),)

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


CheckSignature = Callable[[SignedEvent], None]
"""Returns only if the event's own reviewer made this signature, and raises `EventError` otherwise."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found sound: how many events, and the chain hash after the last one of each reviewer.

    A chain cannot show that its end was cut off; whoever keeps these hashes elsewhere can.
    """

    events: int
    heads: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class CaseLog:
    """An open case log; `close` it."""

    _engine: Engine

    @classmethod
    def create(cls, path: Path, passphrase: str) -> Self:
        """Make an empty case log at *path*, which must not exist; a crash leaves none there.

        Raises:
            FileExistsError: Something is there; it was not touched.
            StoreLockedError: The passphrase is none.
        """
        if path.exists():
            raise FileExistsError(errno.EEXIST, "a case log is here already", str(path))
        partial = path.with_name(f".{path.name}.part")
        # A journal that a crash left would be played back into the new file.
        for leftover in (partial, partial.with_name(f"{partial.name}-journal")):
            destroy(leftover)
        partial.touch(mode=0o600, exist_ok=False)
        engine = _engine(partial, passphrase)
        try:
            with _plainly(), engine.begin() as connection:
                _Base.metadata.create_all(connection)
                connection.exec_driver_sql(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        finally:
            engine.dispose()
        partial.rename(path)
        sync_folder(path.parent)
        return cls.open(path, passphrase)

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
        """Lend the end of *reviewer*'s chain; a clean end keeps what was appended, all of it or nothing.

        Raises:
            StoreFailedError: The log is damaged, or its disk full; nothing was appended.
        """
        with _plainly(), Session(self._engine) as session, session.begin():
            yield Appender(session, reviewer, sign)

    def append(self, reviewer: str, sign: Sign, day: date, what: tuple[Kind, dict[str, JSON]]) -> Event:
        """Sign and keep one event; errors as for `Appender.append` and `appending`."""
        with self.appending(reviewer, sign) as end:
            return end.append(day, what)

    def events(self) -> Iterator[SignedEvent]:
        """Give all events, each reviewer's in the order of her chain.

        Raises:
            EventError: One is malformed; it is named by its place.
            StoreFailedError: The log is damaged.
        """
        wanted = select(_EventRow).order_by(_EventRow.reviewer, _EventRow.index)
        with _plainly(), Session(self._engine) as session:
            for row in session.scalars(wanted.execution_options(yield_per=_ROWS_AT_ONCE)):
                yield SignedEvent(_parsed(row), row.body, row.signature)

    def verify(self, check: CheckSignature) -> Verified:
        """Check every chain and every signature.

        Raises:
            EventError: One is out of its place, changed, or not signed by its reviewer.
            StoreFailedError: The log is damaged.
        """
        count = 0
        heads: dict[str, bytes] = {}
        before: Event | None = None
        for signed in self.events():
            found = signed.event
            if before is not None and before.reviewer != found.reviewer:
                before = None
            if found != Event.following(before, found.reviewer, found.day, (found.kind, found.body)):
                raise EventError(f"event {found.index} of {found.reviewer} does not follow the one before it")
            check(signed)
            heads[found.reviewer] = found.hash()
            before, count = found, count + 1
        return Verified(count, heads)


@dataclass(slots=True)
class Appender:
    """The end of one reviewer's chain, inside one transaction."""

    _session: Session
    _reviewer: str
    _sign: Sign

    def append(self, day: date, what: tuple[Kind, dict[str, JSON]]) -> Event:
        """Sign one event and put it behind the last.

        Raises:
            EventError: It cannot be written, or the last one cannot be read.
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
        return None if row is None else _parsed(row)


def _parsed(row: _EventRow) -> Event:
    try:
        found = parse(row.body)
    except EventError as error:
        raise EventError(f"event {row.index} of {row.reviewer}: {error}") from error
    if (found.reviewer, found.index) != (row.reviewer, row.index):
        raise EventError(f"event {row.index} of {row.reviewer} says that it is another one")
    return found


def _engine(path: Path, passphrase: str) -> Engine:
    # To SQLCipher an empty key means a database in clear.
    if not passphrase or "\0" in passphrase:
        raise StoreLockedError("a case log has a passphrase")

    def connect() -> Connection:
        return sqlcipher.connect(str(path), isolation_level=None, check_same_thread=False)

    engine = create_engine("sqlite://", creator=connect, module=sqlcipher)

    def unlock(connection: Connection, _record: object) -> None:
        _unlock(connection, passphrase)

    event.listen(engine, "connect", unlock)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def _plainly() -> Generator[None]:
    try:
        yield
    except DatabaseError as error:
        raise StoreFailedError(f"the case log cannot be read or written: {error.orig}") from error


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
