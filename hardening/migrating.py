"""Make a store, or bring an old one up to this program; no process that serves does either."""

import os
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from hardening.database import STORE_MODE, database_file, open_store
from hardening.database_errors import DamagedError, DatabaseError, OldVersionError
from hardening.files import sync_folder
from hardening.schema import Schema, version_of


class StoreExistsError(DatabaseError):
    """There is a store already; it was not touched."""


def create(url: str, schema: Schema, mode: int = STORE_MODE) -> None:
    """Make an empty store.

    Args:
        url: Where; for SQLite the file must not exist, for PostgreSQL there must be no tables.
        schema: What it will hold.
        mode: Of the SQLite file; whoever reads it belongs to the group of its folder.

    Raises:
        StoreExistsError: Something is there; it was not touched.
    """
    file = database_file(url)
    if file is not None:
        _empty_file(file, mode)
    with closing(open_store(url, "remake")) as database, database.writing() as session:
        connection = session.connection()
        if connection.dialect.has_table(connection, "alembic_version"):
            raise StoreExistsError(f"there is a store for {schema.name} already")
        command.upgrade(_config(schema, connection), "head")


def upgrade(url: str, schema: Schema) -> None:
    """Bring a store to this program's version, wholly or not at all; raises as `upgrading` does."""
    with upgrading(url, schema):
        pass


@contextmanager
def upgrading(url: str, schema: Schema) -> Generator[str]:
    """Bring a store to this program's version when the block ends well; if it does not, nothing was changed.

    Lends the version that the store had. Several stores are brought up together by a block within the other's.

    Raises:
        VersionError: It is newer than this program, or no store of this kind.
        DatabaseError: It is missing, broken or not to be had.
    """
    with closing(open_store(url, "remake")) as database, database.writing() as session:
        connection = session.connection()
        found = version_of(connection, schema)
        try:
            schema.check(found)
        except OldVersionError:
            command.upgrade(_config(schema, connection), "head")
        if database_file(url) is not None and session.execute(text("PRAGMA foreign_key_check")).first() is not None:
            raise DamagedError(f"the {schema.name} store refers to what is not there: restore it from a backup")
        yield found


def last_version(schema: Schema) -> str | None:
    """Say where the migrations lead; a test holds it against `Schema.version`."""
    return ScriptDirectory.from_config(_config(schema, None)).get_current_head()


def _config(schema: Schema, connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migration"))
    # One option holds several folders; the separator must be one that no path of ours holds.
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(schema.migrations))
    config.attributes["connection"] = connection
    return config


def _empty_file(file: Path, mode: int) -> None:
    """Make the file that SQLite will fill, with its mode from the first moment; the journal takes it over."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except FileExistsError as error:
        raise StoreExistsError(f"there is a store at {file.name} already") from error
    try:
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(file.parent)
