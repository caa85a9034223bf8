"""What the vault refuses, each kind named by what is wrong; `hardening.database_errors` adds busy, full and damaged."""


class VaultError(Exception):
    """The vault refused something, and nothing was changed."""


class NothingKeptError(VaultError):
    """A submission without a single sealed part is no submission."""


class PartMismatchError(VaultError):
    """What lies in the lent folder is not what was announced, or was announced twice."""


class SourceExistsError(VaultError):
    """The codename's lookup id is in use already."""


class SourceClosedError(VaultError):
    """The source has closed the inbox; nothing more is taken for it."""


class WithdrawnError(VaultError):
    """The source has withdrawn everything; nothing more is taken before she takes that back."""


class ShareError(VaultError):
    """The source has had its share of this day."""


class NotFoundError(VaultError):
    """There is no such thing, or no longer."""


class BagConflictError(VaultError):
    """A return bag contradicts what was accepted before; nothing of it was taken."""
