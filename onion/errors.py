"""What can go wrong with Tor, named by what is wrong."""


class OnionError(Exception):
    """Root of all errors of this package."""


class AddressError(OnionError):
    """A text is not the address of a version 3 onion service."""


class OnionKeysError(OnionError):
    """The key files of an onion service are missing, damaged, or open to others."""


class ConfigurationError(OnionError):
    """A setting cannot be written into a configuration of tor, or does not belong there."""


class ClientKeyError(OnionError):
    """A key for client authorisation, or the file that holds it, is malformed."""


class ReviewerNameError(OnionError):
    """A name cannot stand for a reviewer in the folder of authorised clients."""


class NobodyAuthorizedError(OnionError):
    """No reviewer is authorised: the reviewer service must be down, for tor would open it to everybody (M11)."""


class CircuitError(OnionError):
    """A number or address does not name a circuit of tor."""


class TorMissingError(OnionError):
    """The tor program cannot be run on this machine."""


class TorTooOldError(OnionError):
    """The tor program is older than the version floor (M1)."""


class TorModuleError(OnionError):
    """The tor program was built without a module that we need (M4)."""


class TorStartError(OnionError):
    """A tor stopped, or stayed silent, before it could be controlled."""

    def __init__(self, message: str, last_words: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.last_words = last_words
        """The end of tor's own log: for the operator's screen, as it may name paths."""


class TorStoppedError(OnionError):
    """A running tor has stopped."""


class ControlError(OnionError):
    """Tor refused a control command, or its answer makes no sense."""


class BootstrapError(OnionError):
    """A tor did not reach the network in the time given."""


class NotPublishedError(OnionError):
    """An onion service did not publish its descriptor in the time given."""


class NetworkError(OnionError):
    """The private test network could not be made."""
