"""Open a server's store so that it keeps little, waits briefly, and never begins anew over an old one.

SQLite is the default. Its files use a rollback journal and not a write-ahead log, because other
users read them: a reader of a write-ahead log must be able to write beside it. The same code runs on
PostgreSQL by a URL; what that gives away is told in docs/specs/stores.md.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from hardening.database_errors import BusyError, DamagedError, MissingStoreError, named
from hardening.files import FROZEN_AT
from hardening.schema import Schema, version_of

BUSY_SECONDS = 5.0
"""Nobody waits longer than this for a store (J5)."""

STORE_MODE = 0o640

_POOLED = 4
_OVERFLOW = 60
_WAIT = "svidok_wait_seconds"

# F6. EXTRA is FULL, and the folder is synced after the journal went: with FULL alone a power cut just
# after a commit brings the journal back, and with it the state before what was acknowledged (J2).
_PRAGMAS = (
    "PRAGMA temp_store=MEMORY",
    "PRAGMA secure_delete=ON",
    "PRAGMA trusted_schema=OFF",
    "PRAGMA foreign_keys=ON",
    "PRAGMA cell_size_check=ON",
    "PRAGMA synchronous=EXTRA",
)
_MORE_PRAGMAS = {"ro": ("PRAGMA query_only=ON",), "remake": ("PRAGMA foreign_keys=OFF",)}


class Database:
    """One store, open in this process; safe to share between threads."""

    def __init__(self, engine: Engine, file: Path | None) -> None:
        self._engine = engine
        # SQLite's reader sees one state anyhow; PostgreSQL must be asked to.
        self._reader = engine if file else engine.execution_options(isolation_level="REPEATABLE READ")
        self._file = file
        # SQLite lets waiting writers poll; a queue of our own is fair, so that none of fifty starves.
        self._turn = threading.Lock()

    @contextmanager
    def reading(self) -> Generator[Session]:
        """Lend one consistent view of the store; keep it short, since it holds a writer up.

        Raises:
            BusyError: Somebody wrote for longer than `BUSY_SECONDS`, or broke off and has not yet come back.
        """
        with named(), _session(self._reader) as session, session.begin():
            yield session

    @contextmanager
    def writing(self) -> Generator[Session]:
        """Lend one transaction: everything in it happens, or nothing does.

        Raises:
            BusyError: No turn came within `BUSY_SECONDS`; nothing was written.
            FullError: There is no room; nothing was written.
            IntegrityError: Of SQLAlchemy; a row was there already, nothing was written.
        """
        with self._my_turn() as left:
            with named(), _session(self._engine) as session, session.begin():
                # Ask for the lock here and not at the first statement: then nothing after it can meet a busy store.
                session.connection(execution_options={_WAIT: left})
                yield session
            self._forget_when()

    def forget_order(self) -> None:
        """Lay all rows anew in the order of their random keys, so that their place tells nothing of their age (K3).

        SQLite puts a new row into the free space of a page: until this has run, the bytes of a page
        show which of its rows came later.
        """
        with self._my_turn() as left, named():
            if self._file is None:
                with self._engine.begin() as connection:
                    _cluster(connection)
                return
            with closing(_connector(self._file, "rw")()) as connection:
                connection.execute(_busy_timeout(left))
                connection.execute("VACUUM")
            self._forget_when()

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextmanager
    def _my_turn(self) -> Generator[float]:
        """Wait for the threads before us, and lend what is left of the time."""
        started = time.monotonic()
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise BusyError("too many wait to write into this store")
        try:
            yield max(BUSY_SECONDS - (time.monotonic() - started), 0.1)
        finally:
            self._turn.release()

    def _forget_when(self) -> None:
        """Take the moment of the last change from the file and its folder (K2)."""
        if self._file is not None:
            moment = (FROZEN_AT.timestamp(), FROZEN_AT.timestamp())
            # What was committed is committed: times that cannot be set are no reason to say otherwise.
            with suppress(OSError):
                os.utime(self._file, moment)
                os.utime(self._file.parent, moment)


def open_to_write(url: str, schema: Schema) -> Database:
    """Open a store that exists and has exactly this schema; what a killed writer left is rolled back.

    Raises:
        MissingStoreError: There is no store; one is made by `svidok init` and by nothing else (J6).
        VersionError: It is older or newer than this program.
        DamagedError: It is no database, or a broken one.
        BusyError: Somebody holds it.
    """
    with _closed_if_refused(open_store(url, "rw")) as database, database.reading() as session:
        schema.check(version_of(session.connection(), schema))
        if database_file(url) is not None and session.scalar(text("PRAGMA quick_check(1)")) != "ok":
            raise DamagedError(f"the {schema.name} store is damaged: restore it from a backup")
    return database


def open_to_read(url: str, schema: Schema) -> Database:
    """Open another process's store, which this one cannot change; raises as `open_to_write` does."""
    with _closed_if_refused(open_store(url, "ro")) as database, database.reading() as session:
        schema.check(version_of(session.connection(), schema))
    return database


def open_store(url: str, mode: str) -> Database:
    """Open a store without asking for its version: only whoever makes or upgrades it does that.

    Args:
        url: ``sqlite:////absolute/path`` or ``postgresql+psycopg://...``.
        mode: ``ro``, ``rw`` or ``remake``; none ever creates a file. With ``remake`` SQLite lets a table go that others
            refer to, so that it can be made anew: the caller sees to it that all they refer to is there again.
    """
    file = database_file(url)
    if file is not None and not file.is_file():
        raise MissingStoreError(f"there is no store at {file.name}: restore it, or make a new drop")
    return Database(_engine(url, mode), file)


def database_file(url: str) -> Path | None:
    """Say which file a URL means, or `None` for a server's database."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    if not parsed.database or not parsed.database.startswith("/"):
        raise MissingStoreError("a SQLite store is named by the absolute path of its file")
    return Path(parsed.database)


def _engine(url: str, mode: str) -> Engine:
    file = database_file(url)
    if file is None:
        return _postgresql(make_url(url), mode)
    # hide_parameters: an error's text must not carry ids and hashes into a log.
    engine = create_engine(
        "sqlite://",
        creator=_connector(file, mode),
        poolclass=QueuePool,
        pool_size=_POOLED,
        max_overflow=_OVERFLOW,
        pool_timeout=BUSY_SECONDS,
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    return engine


def _session(engine: Engine) -> Session:
    # Nothing is ever read again behind our back, and a row that was read stays as it was read.
    return Session(engine, expire_on_commit=False)


@contextmanager
def _closed_if_refused(database: Database) -> Generator[Database]:
    try:
        yield database
    except BaseException:
        database.close()
        raise


def _connector(file: Path, mode: str) -> Callable[[], sqlite3.Connection]:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(file))}?mode={'ro' if mode == 'ro' else 'rw'}",
            uri=True,
            timeout=BUSY_SECONDS,
            # We begin transactions ourselves; the module's own habit of beginning late loses reads.
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            for pragma in (*_PRAGMAS, *_MORE_PRAGMAS.get(mode, ())):
                connection.execute(pragma)
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _begin(connection: Connection) -> None:
    wait = connection.get_execution_options().get(_WAIT)
    if wait is None:
        connection.exec_driver_sql(_busy_timeout(BUSY_SECONDS))
        connection.exec_driver_sql("BEGIN")
        return
    connection.exec_driver_sql(_busy_timeout(wait))
    # EXCLUSIVE: whoever has begun to write cannot be held up any more, so the wait is bounded once and for all.
    connection.exec_driver_sql("BEGIN EXCLUSIVE")


def _busy_timeout(seconds: float) -> str:
    return f"PRAGMA busy_timeout={int(seconds * 1000)}"


def _postgresql(url: URL, mode: str) -> Engine:
    settings = {"lock_timeout": f"{BUSY_SECONDS:.0f}s", "statement_timeout": "30s", "client_min_messages": "warning"}
    if mode == "ro":
        settings["default_transaction_read_only"] = "on"
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    asked = url.query.get("options", "")
    return create_engine(
        url.set(query={}),
        connect_args={
            **{name: value for name, value in url.query.items() if name != "options"},
            "options": f"{asked} {options}".strip(),
            "connect_timeout": int(BUSY_SECONDS),
        },
        pool_size=_POOLED,
        max_overflow=_OVERFLOW,
        pool_timeout=BUSY_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _cluster(connection: Connection) -> None:
    """Do on PostgreSQL what VACUUM does on SQLite: its heap keeps rows in the order of their coming."""
    found = connection.execute(
        text(
            "SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index"
            " JOIN pg_class ON pg_class.oid = indrelid"
            " WHERE indisprimary AND relnamespace = current_schema()::regnamespace"
        )
    )
    for table, index in found.all():
        connection.exec_driver_sql(f"CLUSTER {table} USING {index}")
