"""What can be wrong with something of the ledger, each kind named by what is wrong."""


class LedgerError(Exception):
    """Something of the ledger is malformed or does not prove what it should."""


class EntryError(LedgerError):
    """An entry is not in its one written form."""


class ProofError(LedgerError):
    """A proof does not lead to the root it was given for."""


class NoteError(LedgerError):
    """A signed note is malformed."""


class VerifierKeyError(NoteError):
    """A verifier key is malformed or contradicts itself."""


class NoteSignatureError(NoteError):
    """No known key signed a note, or a known key's signature is wrong."""


class CheckpointError(LedgerError):
    """A text is no checkpoint, or one of another log."""


class PromiseError(LedgerError):
    """A text is no promise, or one of another log."""
