"""What can go wrong in the keeper."""


class KeeperError(Exception):
    """Root of all errors of this package."""


class LogKeyError(KeeperError):
    """The key of the log is missing, damaged, or open to others."""


class UnknownLeafError(KeeperError):
    """A promise was asked for something that did not arrive here."""
