"""Say which words tell a reviewer about an error, and what the refusal is called in HTTP."""

from typing import NamedTuple

from bags.errors import BagsError
from hardening.csrf import CsrfError
from hardening.database_errors import BusyError, DatabaseError, FullError
from hardening.forms import FormError, FormTooLargeError, UnfinishedFormError
from hardening.sessions import SessionGoneError
from journalist_interface.errors import JournalistInterfaceError
from keys.errors import KeysError
from reviewers.errors import LastAdminError, ReviewersError, TooManyTriesError
from reviewers.errors import NotFoundError as NoReviewerError
from vault.errors import NotFoundError, VaultError

_RETRY_AFTER_SECONDS = "60"


class Problem(NamedTuple):
    """A kind of trouble.

    Attributes:
        name: The words for it, in ``problem.html``.
        status: The HTTP status.
    """

    name: str
    status: int

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the status."""
        return {"retry-after": _RETRY_AFTER_SECONDS} if self.status in {429, 503} else {}


EXPECTED = (
    BagsError,
    CsrfError,
    DatabaseError,
    FormError,
    JournalistInterfaceError,
    KeysError,
    ReviewersError,
    SessionGoneError,
    VaultError,
)
"""What a handler may end in; everything else is a fault of ours."""

_PROBLEMS: tuple[tuple[type[Exception], Problem], ...] = (
    (NotFoundError, Problem("missing", 404)),
    (NoReviewerError, Problem("missing", 404)),
    (CsrfError, Problem("stale", 403)),
    (SessionGoneError, Problem("ended", 403)),
    (BusyError, Problem("busy", 503)),
    (FullError, Problem("disk", 507)),
    (FormTooLargeError, Problem("large", 413)),
    (UnfinishedFormError, Problem("unfinished", 400)),
    (TooManyTriesError, Problem("tries", 429)),
    (LastAdminError, Problem("last", 409)),
)


def problem_of(error: Exception) -> Problem:
    """Find the words for *error*."""
    if isinstance(error, JournalistInterfaceError):
        return Problem(error.problem, error.status)
    for kind, problem in _PROBLEMS:
        if isinstance(error, kind):
            return problem
    return Problem("malformed", error.status) if isinstance(error, FormError) else Problem("failed", 500)
