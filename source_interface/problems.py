"""Say which words tell a source about an error, and what the refusal is called in HTTP."""

import logging
from typing import NamedTuple

from hardening.csrf import CsrfError
from hardening.database_errors import BusyError, DatabaseError, FullError
from hardening.forms import (
    FieldTooLongError,
    FilesRefusedError,
    FormError,
    FormTooLargeError,
    TooManyPartsError,
    UnfinishedFormError,
)
from keys.errors import KeysError, NoRoomError
from source_interface.errors import RefusedError
from vault.errors import ShareError, SourceClosedError, VaultError, WithdrawnError

# A minute: what makes us busy passes quickly, and nobody should sit before the page and press again.
RETRY_AFTER_SECONDS = "60"

_logger = logging.getLogger(__name__)


class Problem(NamedTuple):
    """A kind of trouble.

    Attributes:
        name: The words for it, in ``problem.html`` and ``error.html``.
        status: The HTTP status.
    """

    name: str
    status: int

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the status."""
        return {"retry-after": RETRY_AFTER_SECONDS} if self.status == 503 else {}


EXPECTED = (CsrfError, DatabaseError, FormError, KeysError, RefusedError, VaultError)
"""What a handler may end in; everything else is a fault of ours."""

_NAMES: tuple[tuple[type[Exception], Problem], ...] = (
    (CsrfError, Problem("stale", 403)),
    (BusyError, Problem("busy", 503)),
    (FullError, Problem("disk", 507)),
    (NoRoomError, Problem("disk", 507)),
    (SourceClosedError, Problem("unknown", 403)),
    (WithdrawnError, Problem("withdrawn", 403)),
    (ShareError, Problem("quota", 413)),
    (FormTooLargeError, Problem("large", 413)),
    (TooManyPartsError, Problem("many", 400)),
    (FieldTooLongError, Problem("long", 400)),
    (UnfinishedFormError, Problem("unfinished", 400)),
    (FilesRefusedError, Problem("uploads", 403)),
)


def logged_problem(error: Exception) -> Problem:
    """Find the words for *error*, and log a fault of ours."""
    problem = _problem_of(error)
    if problem.status == 500:
        # The message of an error may quote what was sent; its kind cannot.
        _logger.error("a page failed: %s", type(error).__name__)
    return problem


def _problem_of(error: Exception) -> Problem:
    """Find the words for *error*."""
    if isinstance(error, RefusedError):
        return Problem(error.problem, error.status)
    for kind, problem in _NAMES:
        if isinstance(error, kind):
            return problem
    return Problem("malformed", error.status) if isinstance(error, FormError) else Problem("failed", 500)
