"""What can be wrong with the case log."""


class CaseworkError(Exception):
    """Root of all errors of this package."""


class EventError(CaseworkError):
    """An event is malformed, out of its place, or not signed by its reviewer."""


class StoreLockedError(CaseworkError):
    """The passphrase does not open the case log, or it is not a case log at all."""


class StoreFailedError(CaseworkError):
    """The case log cannot be read or written: it was damaged, or its disk is full."""


class StoreVersionError(CaseworkError):
    """The case log was written by another version of this program."""
