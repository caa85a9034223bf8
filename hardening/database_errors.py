"""Say in our own words what a database refused, so that every caller knows what to answer."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from hardening.errors import HardeningError


class DatabaseError(HardeningError):
    """A store could not do what it was asked for."""


class BusyError(DatabaseError):
    """The store cannot be used for the moment; nothing was changed, and it may work again soon."""


class FullError(DatabaseError):
    """There is no room; nothing was changed, and it works again as soon as there is."""


class MissingStoreError(DatabaseError):
    """There is no store where one should be."""


class VersionError(DatabaseError):
    """The store was made by an older or newer program."""


class OldVersionError(VersionError):
    """The store was made by an older program, and can be brought up to this one."""


class DamagedError(DatabaseError):
    """The store contradicts itself; only a person can tell what to do."""


_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
# READONLY: a journal that a killed writer left can be rolled back by the writer alone. CANTOPEN: the
# same, when the reader may not even read that journal.
_CLOSED = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
# SQLite says "full" for ENOSPC alone; a quota or a file size limit comes out as a failed write.
_FULL_EXTENDED = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_TRUNCATE}
_BROKEN = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

# PostgreSQL: locks, deadlocks, cancelled statements, lost or refused connections, read-only transactions.
_BUSY_STATES = ("55P03", "57014", "40001", "40P01", "53300", "08", "57P", "25006")
_FULL_STATES = ("53100", "53400")


@contextmanager
def named() -> Generator[None]:
    """Turn what the database raises in this block into one of ours; a row that is there already stays as it is."""
    try:
        yield
    except PoolTimeoutError as error:
        raise BusyError("too many use this store at once") from error
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise translate(error.orig) from error
    except sqlite3.Error as error:
        raise translate(error) from error


def translate(cause: BaseException | None) -> DatabaseError:
    """Find the kind of a driver's error."""
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    return _of_postgresql(getattr(cause, "sqlstate", None))


def _of_sqlite(cause: sqlite3.Error) -> DatabaseError:
    extended = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    code = extended & 0xFF
    if code in _BUSY:
        return BusyError("the store is locked by another process")
    if code in _CLOSED:
        return BusyError("the store cannot be used before its own process has started again")
    if code == sqlite3.SQLITE_FULL or extended in _FULL_EXTENDED:
        return FullError("the store has no room")
    if code in _BROKEN:
        return DamagedError("the store is damaged: restore it from a backup")
    return DatabaseError(f"the store failed with code {extended}")


def _of_postgresql(state: str | None) -> DatabaseError:
    # No state at all: the server could not be reached.
    if state is None or state.startswith(_BUSY_STATES):
        return BusyError("the store cannot be reached or is locked")
    if state in _FULL_STATES:
        return FullError("the store has no room")
    return DatabaseError(f"the store failed with state {state}")
