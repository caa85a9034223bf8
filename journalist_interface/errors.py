"""What can go wrong between a reviewer and us; each kind is a page that says what happened and what to do."""

from typing import ClassVar


class JournalistInterfaceError(Exception):
    """The journalist interface could not do what it was asked for; nothing was changed.

    Attributes:
        problem: Which words of ``problem.html`` tell about it.
        status: What it is called in HTTP.
    """

    problem: ClassVar[str] = "failed"
    status: ClassVar[int] = 500


class MissingError(JournalistInterfaceError):
    """There is no such thing, or none for this reviewer: the two look alike (P1)."""

    problem = "missing"
    status = 404


class EndedError(JournalistInterfaceError):
    """The session ended before the form came."""

    problem = "ended"
    status = 403


class CrowdedError(JournalistInterfaceError):
    """Too many sign in at once."""

    problem = "busy"
    status = 503


class NothingChosenError(JournalistInterfaceError):
    """The form was sent without a choice."""

    problem = "nothing"
    status = 400


class NoKeysetError(JournalistInterfaceError):
    """No keyset is installed, so no bag can say to whom its parts are sealed."""

    problem = "keyset"
    status = 503


class KeeperError(JournalistInterfaceError):
    """The keeper did not answer, or refused."""

    problem = "keeper"
    status = 503


class RangeError(JournalistInterfaceError):
    """The download was asked for in a range that it does not have, or in several."""

    problem = "range"
    status = 416


class PreconditionError(JournalistInterfaceError):
    """The download is not the one that its asker began with."""

    problem = "changed"
    status = 412


class FormOrderError(JournalistInterfaceError):
    """The parts of the form came in another order, or another number, than its page sends them in."""

    problem = "malformed"
    status = 400
