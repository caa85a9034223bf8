"""Know the stores of a drop, refuse to run with old ones, and bring them up to this program together."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from hardening.database import open_to_read
from hardening.database_errors import DatabaseError, OldVersionError
from hardening.migrating import upgrading
from hardening.schema import Schema
from reviewers.tables import REVIEWERS
from settings import Settings
from svidok.errors import CommandError
from svidok.place import Place
from svidok.running import is_running
from vault.tables import INBOX, OUTBOX


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What became of one store; *before* and *now* are the same if nothing had to be done."""

    store: str
    before: str
    now: str


def refuse_old(place: Place, settings: Settings) -> None:
    """Return unless a store was made by an older program.

    Anything else that is wrong with a store its own process says, or mends.

    Raises:
        CommandError: The message names the command that helps.
    """
    for url, schema in _stores(place, settings):
        try:
            open_to_read(url, schema).close()
        except OldVersionError as error:
            told = f"the {schema.name} store was made by an older version; bring it up first"
            raise CommandError(f"{told}: svidok upgrade {place.root}") from error
        except DatabaseError:
            continue


def upgrade_stores(place: Place, settings: Settings) -> tuple[Upgraded, ...]:
    """Bring every store of a drop that does not run to this program's version.

    All of them, or none: no step of one is kept before the steps of all have been taken. A power cut in the moment in
    which they are kept may leave some of them; then the same command does the rest.

    Raises:
        CommandError: The drop runs.
        DatabaseError: A store is missing, broken, newer than this program, or not to be had; nothing was changed.
    """
    if is_running(place):
        raise CommandError(f"the drop in {place.root} runs: stop it first")
    with ExitStack() as together:
        return tuple(
            Upgraded(schema.name, together.enter_context(upgrading(url, schema)), schema.version)
            for url, schema in _stores(place, settings)
        )


def _stores(place: Place, settings: Settings) -> Iterator[tuple[str, Schema]]:
    yield place.database("inbox", settings.stores.inbox), INBOX
    yield place.database("outbox", settings.stores.outbox), OUTBOX
    yield place.database("reviewers", settings.stores.reviewers), REVIEWERS
