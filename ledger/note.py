"""Write, sign and open C2SP signed notes (c2sp.org/signed-note), the form of all that the log says."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from ledger.errors import NoteError, NoteSignatureError, VerifierKeyError

Sign = Callable[[bytes], bytes]
"""Makes an Ed25519 signature over a message; whoever passes it holds the key."""

Verify = Callable[[bytes, bytes, bytes], bool]
"""Says whether an Ed25519 signature is right: (public key, signature, message)."""

# c2sp.org/signed-note: at least 16 signatures must be accepted, and some have nearly 5 kB.
MAX_SIGNATURES = 16
MAX_NOTE_BYTES = 128 * 1024
MAX_NAME_CHARACTERS = 128

_ED25519 = b"\x01"
_PUBLIC_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
_KEY_ID_BYTES = 4
_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_VERIFIER_KEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})", re.ASCII)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a log's Ed25519 key, under the name that it signs with."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if len(self.public_key) != _PUBLIC_KEY_BYTES:
            raise VerifierKeyError(f"an Ed25519 key has {_PUBLIC_KEY_BYTES} bytes, not {len(self.public_key)}")
        if not is_key_name(self.name):
            raise VerifierKeyError("the name of a key has neither spaces nor plus signs nor control characters")

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(_ED25519 + self.public_key)}"

    @property
    def key_id(self) -> bytes:
        """The four bytes that name this key in a signature; no more than a name."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:_KEY_ID_BYTES]

    @classmethod
    def parse(cls, untrusted: str) -> Self:
        """Read a C2SP verifier key (``name+id+key``).

        Raises:
            VerifierKeyError: Malformed, not an Ed25519 key, or the id belongs to another key.
        """
        parts = _VERIFIER_KEY.fullmatch(untrusted)
        if parts is None:
            raise VerifierKeyError("a verifier key has the form name+id+key")
        encoded = _from_base64(parts[3])
        if encoded is None or encoded[:1] != _ED25519:
            raise VerifierKeyError("a verifier key holds an Ed25519 key in base64")
        key = cls(parts[1], encoded[1:])
        if key.key_id.hex() != parts[2]:
            raise VerifierKeyError("the id of a verifier key is that of another key")
        return key


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line; nothing says yet that it is right."""

    name: str
    key_id: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise NoteError("the name of a key has neither spaces nor plus signs nor control characters")
        if len(self.key_id) != _KEY_ID_BYTES or not self.signature:
            raise NoteError("a signature has a key id of four bytes and is not empty")


@dataclass(frozen=True, slots=True)
class UntrustedNote:
    """A well-formed note. Its text means nothing before `open_note` has checked it."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def __post_init__(self) -> None:
        if not self.text.endswith("\n") or _CONTROL.search(self.text):
            raise NoteError("the text of a note ends in a newline and has no other control characters")
        if not 1 <= len(self.signatures) <= MAX_SIGNATURES:
            raise NoteError(f"a note has 1 to {MAX_SIGNATURES} signatures, not {len(self.signatures)}")

    def format(self) -> bytes:
        """Write the note in its one form."""
        lines = [f"{_DASH}{each.name} {_base64(each.key_id + each.signature)}\n" for each in self.signatures]
        return _utf8(self.text + "\n" + "".join(lines))


def is_key_name(text: str) -> bool:
    """Say whether *text* may name a key: printable, without spaces and plus signs, not too long."""
    return 0 < len(text) <= MAX_NAME_CHARACTERS and text.isprintable() and " " not in text and "+" not in text


def sign_note(text: str, key: VerifierKey, sign: Sign) -> bytes:
    """Make the note that says *text*, signed by *key* alone.

    Raises:
        NoteError: The text cannot stand in a note.
    """
    signature = sign(_utf8(text))
    if len(signature) != _SIGNATURE_BYTES:
        raise NoteError(f"an Ed25519 signature has {_SIGNATURE_BYTES} bytes, not {len(signature)}")
    return UntrustedNote(text, (NoteSignature(key.name, key.key_id, signature),)).format()


def parse_note(untrusted: bytes) -> UntrustedNote:
    """Read the form of a note, trusting nothing it says.

    Raises:
        NoteError: Too long, or not the form that `UntrustedNote.format` writes.
    """
    if len(untrusted) > MAX_NOTE_BYTES:
        raise NoteError(f"a note has at most {MAX_NOTE_BYTES} bytes")
    try:
        whole = untrusted.decode()
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8") from error
    # The text may hold empty lines; the last one ends it.
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise NoteError("a note has a text, an empty line and signature lines")
    return UntrustedNote(text + "\n", tuple(_signature(line) for line in lines[:-1].split("\n")))


def open_note(untrusted: bytes, keys: Iterable[VerifierKey], verify: Verify) -> str:
    """Return the text of a note that one of *keys* signed.

    Signatures by unknown keys are ignored (a witness, the next key of the log); a wrong signature
    by a known key spoils the note.

    Raises:
        NoteSignatureError: No known key signed it, or a known key's signature is wrong.
        NoteError: It is no note.
    """
    note = parse_note(untrusted)
    message = note.text.encode()
    known = {(key.name, key.key_id): key for key in keys}
    signed = False
    for each in note.signatures:
        key = known.get((each.name, each.key_id))
        if key is None:
            continue
        if len(each.signature) != _SIGNATURE_BYTES or not verify(key.public_key, each.signature, message):
            raise NoteSignatureError("the signature of a known key is wrong")
        signed = True
    if not signed:
        raise NoteSignatureError("no known key signed this note")
    return note.text


def encode_hash(value: bytes) -> str:
    """Write a hash as it stands in a note: base64, RFC 4648, section 4."""
    return _base64(value)


def decode_hash(untrusted: str) -> bytes | None:
    """Read a SHA-256 hash from a note; nothing if it is none or is written in another way."""
    value = _from_base64(untrusted)
    return value if value is not None and len(value) == hashlib.sha256().digest_size else None


def _signature(untrusted_line: str) -> NoteSignature:
    name, space, encoded = untrusted_line.removeprefix(_DASH).partition(" ")
    blob = _from_base64(encoded)
    if not untrusted_line.startswith(_DASH) or not space or blob is None:
        raise NoteError("a signature line is a dash, a name and base64")
    return NoteSignature(name, blob[:_KEY_ID_BYTES], blob[_KEY_ID_BYTES:])


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _from_base64(untrusted: str) -> bytes | None:
    try:
        value = base64.b64decode(untrusted, validate=True)
    except (binascii.Error, ValueError):
        return None
    # Base64 leaves spare bits in its last digit: only one of the ways to write a value is ours.
    return value if _base64(value) == untrusted else None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NoteError("a note is UTF-8") from error
