"""What can go wrong with keys, each kind named by what is wrong."""


class KeysError(Exception):
    """Something about a key, a signature or a sealed thing is wrong."""


class FingerprintError(KeysError):
    """A text is no full fingerprint."""


class UnsafeArgumentError(KeysError, ValueError):
    """A value would change its meaning on its way into gpg."""


class GpgError(KeysError):
    """Gpg did not do what it was asked for."""


class GpgMissingError(GpgError):
    """There is no gpg on this machine."""


class GpgTimeoutError(GpgError):
    """Gpg stopped moving and was killed."""


class GpgFailedError(GpgError):
    """Gpg refused, broke off, or said something that nobody asked for."""


class PacketError(KeysError):
    """Bytes are no OpenPGP packets of the kinds that belong there."""


class CertificateError(KeysError):
    """A certificate cannot be read, or is not the one that was announced."""


class PolicyError(KeysError):
    """A certificate is sound but too weak, too long-lived or not made for submissions."""


class SignatureError(KeysError):
    """A signature is missing, wrong, or by somebody who may not give it."""


class KeysetError(KeysError):
    """A keyset is malformed or contradicts its certificates."""


class KeysetChangeError(KeysetError):
    """A keyset may not take the place of the one before it."""


class SealingError(KeysError):
    """Something was not sealed; what lies at its place is to be destroyed."""


class NoRoomError(SealingError):
    """The disk, or the share of it that we may use, is full."""
