"""What can go wrong between a source and us; each kind is a page that she can read."""

from typing import ClassVar


class SourceInterfaceError(Exception):
    """The source interface could not do what it was asked for."""


class CatalogueError(SourceInterfaceError):
    """A translation is written in a way that could be misread."""


class HelpError(SourceInterfaceError):
    """A file that says who helps is written in a way that could mislead somebody."""


class RefusedError(SourceInterfaceError):
    """A sending was not taken; nothing of it was kept.

    Attributes:
        problem: Which words of ``problem.html`` tell the source about it.
        status: What the refusal is called in HTTP.
    """

    problem: ClassVar[str] = "failed"
    status: ClassVar[int] = 500


class NothingToSendError(RefusedError):
    """The message was blank and no file was chosen."""

    problem = "empty"
    status = 400


class OnlyEmptyFilesError(NothingToSendError):
    """There were files, but none of them held a byte."""

    problem = "empty_files"


class CodenameToldError(NothingToSendError):
    """The message held a codename, and nothing else came with it."""

    problem = "codename"


class QuotaError(RefusedError):
    """The source has sent as much as one may send in a day."""

    problem = "quota"
    status = 413


class FullDiskError(RefusedError):
    """The disk is nearly full."""

    problem = "disk"
    status = 507


class ClosedError(RefusedError):
    """There are not enough valid keys to seal to."""

    problem = "closed"
    status = 503


class UnknownSourceError(RefusedError):
    """Nothing has arrived under this codename, so nothing can be added to it."""

    problem = "unknown"
    status = 403


class CrowdedError(RefusedError):
    """Too many ask for the same costly work at once."""

    problem = "busy"
    status = 503


class GatewayError(RefusedError):
    """The form came back changed as gateways to the clear web change pages."""

    problem = "proxy"
    status = 403


class MisorderedError(RefusedError):
    """The parts of the form came in another order than any browser sends them in."""

    problem = "malformed"
    status = 400


class VisitEndedError(RefusedError):
    """The visit ended while its sending was still on its way."""

    problem = "stale"
    status = 403


class CrammedError(RefusedError):
    """More was told than one visit can remember; what was told before is still there."""

    problem = "crammed"
    status = 413
