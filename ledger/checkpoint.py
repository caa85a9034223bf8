"""Say how large the log is and what its root is, signed (c2sp.org/tlog-checkpoint)."""

import re
from dataclasses import dataclass

from ledger.errors import CheckpointError
from ledger.merkle import HASH_BYTES
from ledger.note import Sign, VerifierKey, Verify, decode_hash, encode_hash, is_key_name, open_note, sign_note

MAX_SIZE = 2**63 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of the log named *origin* when it had *size* leaves."""

    origin: str
    size: int
    root: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.origin):
            raise CheckpointError("an origin has neither spaces nor plus signs nor control characters")
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != HASH_BYTES:
            raise CheckpointError(f"a checkpoint has a size below 2^63 and a root of {HASH_BYTES} bytes")

    def text(self) -> str:
        """Write what is signed."""
        return f"{self.origin}\n{self.size}\n{encode_hash(self.root)}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint.

    Extension lines are refused: no monitor can audit them, and our log writes none.

    Raises:
        CheckpointError: It is no checkpoint, or written in another way than ours.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not _SIZE.fullmatch(lines[1]):
        raise CheckpointError("a checkpoint has three lines: origin, size and root")
    root = decode_hash(lines[2])
    if root is None:
        raise CheckpointError("the root of a checkpoint is a SHA-256 hash in base64")
    return Checkpoint(lines[0], int(lines[1]), root)


def sign_checkpoint(checkpoint: Checkpoint, key: VerifierKey, sign: Sign) -> bytes:
    """Sign *checkpoint* as its log; the caller has made sure that it only adds to the one before.

    Raises:
        CheckpointError: The key is that of another log.
    """
    if checkpoint.origin != key.name:
        raise CheckpointError("a log signs only checkpoints of its own")
    return sign_note(checkpoint.text(), key, sign)


def open_checkpoint(untrusted: bytes, key: VerifierKey, verify: Verify) -> Checkpoint:
    """Read a checkpoint that *key* signed for its own log.

    Raises:
        NoteError: The note is malformed or not signed by *key*.
        CheckpointError: The note says something else, or speaks for another log.
    """
    checkpoint = parse_checkpoint(open_note(untrusted, (key,), verify))
    if checkpoint.origin != key.name:
        raise CheckpointError("this checkpoint speaks for another log than the key that signed it")
    return checkpoint
