"""Hold the one key of the ledger and give the log's word with it: an Ed25519 key that never leaves the keeper."""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hardening.files import write_whole
from keeper.errors import LogKeyError, UnknownLeafError
from ledger.entry import Received
from ledger.note import VerifierKey
from ledger.promise import Promise, sign_promise

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class LogKey:
    """The signing half, and the name and public half that others pin."""

    private: Ed25519PrivateKey
    verifier: VerifierKey

    @classmethod
    def create(cls, path: Path, origin: str) -> Self:
        """Make the key of the log named *origin* at *path*, which must not exist.

        Raises:
            LogKeyError: There is a key already: what it has signed must stay verifiable.
        """
        if path.exists():
            raise LogKeyError("there is a log key already")
        private = Ed25519PrivateKey.generate()
        write_whole(path, private.private_bytes_raw())
        return cls(private, VerifierKey(origin, private.public_key().public_bytes_raw()))

    @classmethod
    def load(cls, path: Path, verifier: VerifierKey) -> Self:
        """Take up the key at *path*, which must be the private half of *verifier*.

        Raises:
            LogKeyError: It is missing, damaged, open to others, or another log's key.
        """
        try:
            mode, content = path.lstat().st_mode, path.read_bytes()
        except OSError as error:
            raise LogKeyError("the log key cannot be read") from error
        if not stat.S_ISREG(mode) or mode & 0o077:
            raise LogKeyError("the log key is open to other users")
        if len(content) != _KEY_BYTES:
            raise LogKeyError(f"the log key has {_KEY_BYTES} bytes, not {len(content)}")
        private = Ed25519PrivateKey.from_private_bytes(content)
        if private.public_key().public_bytes_raw() != verifier.public_key:
            raise LogKeyError("the log key is not the one that this drop has published")
        return cls(private, verifier)

    def promise(self, entry: Received, pending: Callable[[bytes], bool]) -> bytes:
        """Sign that *entry*, which arrived and waits for the merge, will be in the log.

        Args:
            entry: What arrived; its day is proved by its hash.
            pending: Tells whether an entry with this leaf hash waits.

        Raises:
            UnknownLeafError: It does not.
        """
        leaf_hash = entry.leaf_hash()
        if not pending(leaf_hash):
            raise UnknownLeafError("no such entry waits for the merge")
        return sign_promise(Promise(self.verifier.name, leaf_hash, entry.day), self.verifier, self.private.sign)
