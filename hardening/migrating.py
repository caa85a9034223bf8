"""Make a store, or bring an old one up to this program; no process that serves does either."""

import os
from contextlib import closing
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hardening.database import STORE_MODE, Schema, database_file, open_store
from hardening.database_errors import DatabaseError
from hardening.files import sync_folder


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
    with closing(open_store(url, "rw")) as database, database.writing() as session:
        connection = session.connection()
        if connection.dialect.has_table(connection, "alembic_version"):
            raise StoreExistsError(f"there is a store for {schema.name} already")
        command.upgrade(_config(schema, connection), "head")


def upgrade(url: str, schema: Schema) -> None:
    """Bring a store to this program's version, wholly or not at all.

    Raises:
        DatabaseError: It is missing, newer than this program, or not to be had.
    """
    with closing(open_store(url, "rw")) as database, database.writing() as session:
        command.upgrade(_config(schema, session.connection()), "head")


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
