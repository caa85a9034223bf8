import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from hardening.database import open_to_read, open_to_write
from hardening.database_errors import (
    BusyError,
    DamagedError,
    DatabaseError,
    FullError,
    MissingStoreError,
    VersionError,
    translate,
)
from hardening.migrating import StoreExistsError, create, last_version, upgrade
from hardening.schema import Schema
from reviewers.tables import REVIEWERS
from tests.stores import Stores, files, postgresql, sqlite_url, stores
from vault.tables import INBOX, OUTBOX, CollectedRow

__all__ = ["files", "postgresql", "stores"]

EVERY = pytest.mark.parametrize("schema", [INBOX, OUTBOX, REVIEWERS], ids=lambda schema: schema.name)

# All that the stores hold: a column that is not here has to be argued for (F6, K1, K7).
COLUMNS = {
    "sources": {
        "collection_id",
        "designation",
        "lookup_id",
        "public_key",
        "progress",
        "last_day",
        "withdrawn_day",
        "closed",
    },
    "submissions": {"submission_id", "collection_id", "day"},
    "parts": {"part_id", "submission_id", "kind", "ct_sha256", "size_bytes"},
    "pending_leaves": {"leaf_hash"},
    "deleted_replies": {"reply_id", "collection_id"},
    "replies": {"reply_id", "collection_id", "day", "box"},
    "returns": {"signer", "sequence", "sha256"},
    "receipts": {"ct_sha256", "collection_id"},
    "collected": {"single", "day"},
    "reviewers": {
        "reviewer_id",
        "display_name",
        "skeleton",
        "password_hash",
        "totp_secret",
        "onion_key",
        "session_owner",
        "is_admin",
        "disabled",
        "signed_in_day",
    },
    "arrivals": {"submission_id", "collection_id", "day"},
    "unseen": {"reviewer_id", "submission_id", "collection_id", "day"},
    "assigned": {"reviewer_id", "collection_id"},
    "fetches": {"reviewer_id", "day"},
    "selections": {"selection_id", "reviewer_id", "keyset_hash", "facts", "day"},
    "selection_parts": {"selection_id", "part_id"},
    "audit": {"position", "who", "what", "object_id", "day", "hash"},
    "audit_head": {"single", "length", "hash"},
}


@EVERY
@pytest.mark.check("F6", "K1")
def test_the_tables_hold_what_was_agreed_and_no_time_finer_than_a_day(schema: Schema) -> None:
    for table in schema.metadata.sorted_tables:
        assert set(table.columns.keys()) == COLUMNS[table.name]
        for column in table.columns:
            assert "TIME" not in str(column.type).upper()
            assert ("day" in column.name) == (str(column.type) == "DATE")


@EVERY
@pytest.mark.check("K3")
def test_no_table_has_a_hidden_number(schema: Schema, files: Stores, tmp_path: Path) -> None:
    files.url(schema)

    with closing(sqlite3.connect(tmp_path / f"{schema.name}.db")) as raw:
        tables = raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    for name, made in tables:
        assert name == "alembic_version" or "WITHOUT ROWID" in made
        assert "AUTOINCREMENT" not in made


@EVERY
@pytest.mark.check("F6")
def test_every_connection_has_the_pragmas(schema: Schema, files: Stores) -> None:
    for database in (files.to_write(schema), files.to_read(schema)):
        with database.reading() as session:
            read = {
                name: session.scalar(text(f"PRAGMA {name}"))
                for name in ("temp_store", "secure_delete", "trusted_schema", "foreign_keys", "journal_mode")
            }
            synchronous = session.scalar(text("PRAGMA synchronous"))
        assert read == {
            "temp_store": 2,
            "secure_delete": 1,
            "trusted_schema": 0,
            "foreign_keys": 1,
            "journal_mode": "delete",
        }
        # FULL is 2; EXTRA is 3 and more.
        assert synchronous == 3


@EVERY
def test_the_migrations_lead_to_the_tables(schema: Schema, files: Stores, tmp_path: Path) -> None:
    files.url(schema)
    made = create_engine(f"sqlite:///{tmp_path}/{schema.name}.db")
    wanted = create_engine("sqlite://")

    with made.begin() as one, wanted.begin() as other:
        schema.metadata.create_all(other)
        shapes = _shape(one), _shape(other)
    made.dispose()
    wanted.dispose()

    assert shapes[0] == shapes[1]
    assert last_version(schema) == schema.version


def _shape(connection: Connection) -> dict[str, object]:
    """Everything that SQLite knows of the tables but the order in which their constraints are written."""
    shape: dict[str, object] = {}
    for name, made in connection.execute(text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")):
        if name != "alembic_version":
            words = made.replace("(", " ").replace(")", " ").replace(",", " ").replace('"', "").split()
            shape[name] = sorted(words)
    return shape


@EVERY
@pytest.mark.check("J6")
def test_a_missing_store_is_refused_and_never_made(schema: Schema, tmp_path: Path) -> None:
    with pytest.raises(MissingStoreError):
        open_to_write(sqlite_url(tmp_path, schema.name), schema)
    with pytest.raises(MissingStoreError):
        open_to_read(sqlite_url(tmp_path, schema.name), schema)
    with pytest.raises(MissingStoreError):
        upgrade(sqlite_url(tmp_path, schema.name), schema)
    with pytest.raises(MissingStoreError):
        open_to_write("sqlite:///relative.db", schema)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.check("J6")
def test_a_store_is_never_made_over_another(stores: Stores) -> None:
    url = stores.url(OUTBOX)
    with stores.to_write(OUTBOX).writing() as session:
        session.add(CollectedRow(single=1, day=date(2026, 3, 4)))

    with pytest.raises(StoreExistsError):
        create(url, OUTBOX)

    with stores.to_write(OUTBOX).reading() as session:
        assert session.get(CollectedRow, 1) is not None


@pytest.mark.check("J6")
def test_another_version_is_refused(stores: Stores) -> None:
    url = stores.url(OUTBOX)
    with stores.to_write(OUTBOX).writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'outbox_9999'"))

    with pytest.raises(VersionError, match="outbox_9999"):
        open_to_write(url, OUTBOX)
    with pytest.raises(VersionError):
        open_to_read(url, OUTBOX)


@pytest.mark.check("J6")
def test_a_store_without_a_version_is_refused(stores: Stores) -> None:
    url = stores.url(OUTBOX)
    with stores.to_write(OUTBOX).writing() as session:
        session.execute(text("DROP TABLE alembic_version"))

    with pytest.raises(VersionError):
        open_to_write(url, OUTBOX)


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 500, b"SQLite format 3\0" + bytes(4080)])
@pytest.mark.check("J6")
def test_what_is_no_store_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(content)

    with pytest.raises((DamagedError, VersionError)):
        open_to_write(sqlite_url(tmp_path, "outbox"), OUTBOX)

    assert path.read_bytes() == content


@pytest.mark.check("J6")
def test_a_broken_page_is_refused(files: Stores, tmp_path: Path) -> None:
    url = files.url(INBOX)
    path = tmp_path / "inbox.db"
    content = bytearray(path.read_bytes())
    content[5 * 4096 : 6 * 4096] = b"\xff" * 4096
    path.write_bytes(content)

    with pytest.raises(DamagedError):
        open_to_write(url, INBOX)


def test_an_upgrade_of_a_store_that_is_new_changes_nothing(stores: Stores) -> None:
    url = stores.url(OUTBOX)

    upgrade(url, OUTBOX)

    stores.to_write(OUTBOX)


def test_a_reader_cannot_write(stores: Stores) -> None:
    reader = stores.to_read(OUTBOX)

    with pytest.raises(BusyError), reader.reading() as session:
        session.add(CollectedRow(single=1, day=date(2026, 3, 4)))
        session.flush()


_HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.check("J5")
def test_a_store_that_another_process_holds_is_busy_within_five_seconds(files: Stores, tmp_path: Path) -> None:
    writer, reader = files.to_write(OUTBOX), files.to_read(OUTBOX)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, tmp_path / "outbox.db"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        started = time.monotonic()
        with pytest.raises(BusyError), writer.writing():
            pass
        assert 4 <= time.monotonic() - started <= 6
        started = time.monotonic()
        with pytest.raises(BusyError), reader.reading() as session:
            session.get(CollectedRow, 1)
        assert 4 <= time.monotonic() - started <= 6
        holder.communicate()

    with writer.writing() as session:
        session.add(CollectedRow(single=1, day=date(2026, 3, 4)))
    with reader.reading() as session:
        assert session.get(CollectedRow, 1) is not None


@pytest.mark.check("J5")
def test_a_waiting_writer_goes_on_when_the_store_comes_free(stores: Stores) -> None:
    writer = stores.to_write(OUTBOX)
    begun, done = threading.Event(), threading.Event()

    def hold() -> None:
        with writer.writing():
            begun.set()
            done.wait(0.3)

    thread = threading.Thread(target=hold)
    thread.start()
    begun.wait()
    with writer.writing() as session:
        session.add(CollectedRow(single=1, day=date(2026, 3, 4)))
    thread.join()


@pytest.mark.check("J5")
def test_a_store_on_a_read_only_disk_is_busy(files: Stores, tmp_path: Path) -> None:
    files.to_write(OUTBOX).close()
    reader = open_to_read(files.url(OUTBOX), OUTBOX)

    with pytest.raises(BusyError), reader.writing() as session:
        session.add(CollectedRow(single=1, day=date(2026, 3, 4)))
    reader.close()


def test_an_error_says_nothing_of_its_values(files: Stores) -> None:
    """Ids and hashes would otherwise go into a log with the exception."""
    with pytest.raises(DatabaseError) as caught, files.to_write(OUTBOX).writing() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:canary)"), {"canary": "canary-value"})

    assert "canary-value" not in f"{caught.value} {caught.value.__cause__}"


def test_postgresql_states_have_their_kinds() -> None:
    def state(code: str | None) -> DatabaseError:
        error = RuntimeError()
        error.sqlstate = code  # type: ignore[attr-defined]
        return translate(error)

    assert isinstance(state("55P03"), BusyError)
    assert isinstance(state(None), BusyError)
    assert isinstance(state("53100"), FullError)
    assert not isinstance(state("42601"), BusyError | FullError)
