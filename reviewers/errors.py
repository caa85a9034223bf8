"""What the reviewers' store refuses; `hardening.database_errors` adds busy, full and damaged."""


class ReviewersError(Exception):
    """Something about a reviewer's account or marks was refused, and nothing was changed."""


class DisplayNameError(ReviewersError):
    """A display name holds what could make it look like another one."""


class NameTakenError(ReviewersError):
    """There is a reviewer whose name looks the same."""


class OnionKeyError(ReviewersError):
    """An onion client key is malformed, or belongs to somebody already."""


class LastAdminError(ReviewersError):
    """Without this account nobody could add or reset reviewers any more."""


class NotFoundError(ReviewersError):
    """There is no such reviewer, selection or mark."""


class TooManyTriesError(ReviewersError):
    """This name was tried too often within a minute, whether it exists or not."""
