"""Tell what ends a process for good from what another start may mend."""

from collections.abc import Generator
from contextlib import contextmanager

from hardening.database_errors import BusyError, DatabaseError, FullError
from svidok.errors import CommandError


@contextmanager
def refusing(*kinds: type[Exception]) -> Generator[None]:
    """Turn an error of a store, or one of *kinds*, into a refusal, which ends the whole drop.

    Raises:
        BusyError: A store is held, or was left in the middle of a change by a writer that is gone. It passes: the
            process is started again after a pause, and the drop goes on meanwhile.
        FullError: There is no room; the same.
        CommandError: Anything else of these.
    """
    lasting: tuple[type[Exception], ...] = (DatabaseError, *kinds)
    try:
        yield
    except (BusyError, FullError):
        raise
    except lasting as error:
        raise CommandError(str(error)) from error
