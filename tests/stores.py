"""Real stores for tests: SQLite files, and a private PostgreSQL that nobody else can reach."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from hardening.database import Database, open_to_read, open_to_write
from hardening.migrating import create
from hardening.schema import Schema

_NOBODY_ELSE = "postgres"


class Stores:
    """Makes stores and opens them; closes them all at the end."""

    def __init__(self, url_of: Callable[[str], str], made: Collection[str] = ()) -> None:
        self._url_of = url_of
        self._open: list[Database] = []
        self.made = set(made)

    def url(self, schema: Schema) -> str:
        """The store of this schema, made when it is first asked for."""
        url = self._url_of(schema.name)
        if schema.name not in self.made:
            create(url, schema)
            self.made.add(schema.name)
        return url

    def to_write(self, schema: Schema) -> Database:
        return self._kept(open_to_write(self.url(schema), schema))

    def to_read(self, schema: Schema) -> Database:
        return self._kept(open_to_read(self.url(schema), schema))

    def close(self) -> None:
        for database in self._open:
            database.close()

    def _kept(self, database: Database) -> Database:
        self._open.append(database)
        return database


def sqlite_url(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}.db"


def earlier(schema: Schema, version: str, folder: Path) -> Schema:
    """What an earlier program took for this schema: its steps up to *version*, copied into an empty *folder*."""
    for step in sorted(schema.migrations.glob(f"{schema.name}_*.py")):
        if step.stem <= version:
            shutil.copy(step, folder)
    return Schema(schema.name, schema.metadata, version, folder)


@pytest.fixture(scope="session")
def postgresql() -> Generator[str]:
    """The URL of a throwaway PostgreSQL on a Unix socket; it never runs as root."""
    folder = Path(tempfile.mkdtemp(prefix="svpg", dir="/tmp"))
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    cluster = folder / "cluster"
    if os.geteuid() == 0:
        shutil.chown(folder, _NOBODY_ELSE, _NOBODY_ELSE)

    def run(program: str, *arguments: str) -> None:
        user = ["setpriv", f"--reuid={_NOBODY_ELSE}", f"--regid={_NOBODY_ELSE}", "--init-groups"]
        lower = user if os.geteuid() == 0 else []
        subprocess.run(
            [*lower, programs / program, *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=120
        )

    try:
        run("initdb", "-D", str(cluster), "-A", "trust", "-U", "svidok", "--no-sync", "-E", "UTF8", "--locale=C")
        settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
        run("pg_ctl", "start", "-w", "-D", str(cluster), "-l", str(folder / "log"), "-o", settings)
        try:
            yield f"postgresql+psycopg://svidok@/postgres?host={folder}"
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(cluster))
    finally:
        shutil.rmtree(folder)


@contextmanager
def _schemas(server: str) -> Generator[Callable[[str], str]]:
    """Give every test names of its own within one database."""
    prefix = f"t{secrets.token_hex(6)}"
    engine = create_engine(server, poolclass=NullPool)
    made: set[str] = set()

    def url_of(name: str) -> str:
        schema = f"{prefix}_{name}"
        if schema not in made:
            with engine.begin() as connection:
                connection.execute(text(f"CREATE SCHEMA {schema}"))
            made.add(schema)
        return f"{server}&options=-csearch_path%3D{schema}"

    try:
        yield url_of
    finally:
        with engine.begin() as connection:
            for schema in made:
                connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


@pytest.fixture(params=["sqlite", "postgresql"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Stores]:
    """Stores on both databases: whoever uses this runs twice."""
    if request.param == "sqlite":
        made = Stores(lambda name: sqlite_url(tmp_path, name))
        yield made
        made.close()
        return
    with _schemas(request.getfixturevalue("postgresql")) as url_of:
        made = Stores(url_of)
        yield made
        made.close()


@pytest.fixture
def files(tmp_path: Path) -> Generator[Stores]:
    """Stores on SQLite, for what only files can show."""
    made = Stores(lambda name: sqlite_url(tmp_path, name))
    yield made
    made.close()


__all__ = ["Stores", "earlier", "files", "postgresql", "sqlite_url", "stores"]
