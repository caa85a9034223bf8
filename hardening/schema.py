"""Say what a store must look like, and tell an old one from one that is none of ours."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, MetaData, text

from hardening.database_errors import OldVersionError, VersionError


@dataclass(frozen=True, slots=True)
class Schema:
    """What a store must look like.

    Attributes:
        name: For messages.
        metadata: The tables.
        version: The last migration; a store at another one is refused (J6).
        migrations: The folder with the steps that lead there, each named by the version that it makes.
    """

    name: str
    metadata: MetaData
    version: str
    migrations: Path

    def check(self, found: str) -> None:
        """Return if a store of version *found* is one that this program works with.

        Raises:
            OldVersionError: It was, for an earlier version of this program.
            VersionError: It is newer, or something else.
        """
        if found != self.version:
            told = f"the {self.name} store has version {found}, this program needs {self.version}"
            if (self.migrations / f"{found}.py").is_file():
                raise OldVersionError(f"{told}: svidok upgrade brings it up")
            raise VersionError(told)


def version_of(connection: Connection, schema: Schema) -> str:
    """Tell which version a store has.

    Raises:
        VersionError: It has none.
    """
    if not connection.dialect.has_table(connection, "alembic_version"):
        raise VersionError(f"the {schema.name} store has no version: it is empty or something else")
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
