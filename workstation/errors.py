"""What the workstation refuses."""


class WorkstationError(Exception):
    """Root of all errors of this package."""


class DeskError(WorkstationError):
    """The workstation's folder is missing, in use, damaged, or cannot be made where it was asked for."""


class AdoptionError(WorkstationError):
    """A GnuPG home does not hold the key that was to be adopted, or gpg refused."""


class IntakeError(WorkstationError):
    """A bag is for another drop, sealed to a keyset that was not verified here, or not whole."""


class UnknownIdError(WorkstationError):
    """No collection, submission or part answers to this name, or more than one does."""


class ReadingError(WorkstationError):
    """A submission does not agree with what its sealed manifest says; nothing of it was released."""


class ReleaseError(WorkstationError):
    """There is no place into which plaintext may be let out."""


class FormUnknownError(WorkstationError):
    """What was to be taken up is no form."""


class LanguageUnknownError(WorkstationError):
    """A report was to be told in a language that its form does not have; nothing was released."""


class OutboxError(WorkstationError):
    """A reply cannot be written, or there is nothing to send back."""
