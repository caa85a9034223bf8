"""Promise, signed, that a leaf will be in the log by the end of the next day, until a proof can say that it is."""

from dataclasses import dataclass
from datetime import date

from ledger.entry import parse_day
from ledger.errors import EntryError, PromiseError
from ledger.merkle import HASH_BYTES
from ledger.note import Sign, VerifierKey, Verify, decode_hash, encode_hash, is_key_name, open_note, sign_note

# A checkpoint has a number in its second line, so one key can sign both without confusion.
_KIND = "promise v1"


@dataclass(frozen=True, slots=True)
class Promise:
    """The word of the log named *origin* that it holds *leaf_hash* since *day*."""

    origin: str
    leaf_hash: bytes
    day: date

    def __post_init__(self) -> None:
        if not is_key_name(self.origin):
            raise PromiseError("an origin has neither spaces nor plus signs nor control characters")
        if len(self.leaf_hash) != HASH_BYTES:
            raise PromiseError(f"a leaf hash has {HASH_BYTES} bytes, not {len(self.leaf_hash)}")

    def text(self) -> str:
        """Write what is signed."""
        return f"{self.origin}\n{_KIND}\n{encode_hash(self.leaf_hash)}\n{self.day.isoformat()}\n"


def parse_promise(text: str) -> Promise:
    """Read the text of a promise.

    Raises:
        PromiseError: It is no promise, or written in another way than ours.
    """
    lines = text.split("\n")
    if len(lines) != 5 or lines[4] or lines[1] != _KIND:
        raise PromiseError("a promise has four lines: origin, kind, leaf hash and day")
    leaf = decode_hash(lines[2])
    if leaf is None:
        raise PromiseError("a promise holds a SHA-256 hash in base64")
    try:
        return Promise(lines[0], leaf, parse_day(lines[3]))
    except EntryError as error:
        raise PromiseError(str(error)) from error


def sign_promise(promise: Promise, key: VerifierKey, sign: Sign) -> bytes:
    """Sign *promise* as its log; the leaf must already be where the next merge will find it.

    Raises:
        PromiseError: The key is that of another log.
    """
    if promise.origin != key.name:
        raise PromiseError("a log signs only promises of its own")
    return sign_note(promise.text(), key, sign)


def open_promise(untrusted: bytes, key: VerifierKey, verify: Verify) -> Promise:
    """Read a promise that *key* signed for its own log.

    Raises:
        NoteError: The note is malformed or not signed by *key*.
        PromiseError: The note says something else, or speaks for another log.
    """
    promise = parse_promise(open_note(untrusted, (key,), verify))
    if promise.origin != key.name:
        raise PromiseError("this promise speaks for another log than the key that signed it")
    return promise
