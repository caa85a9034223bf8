"""Make the keys of an onion service ourselves, so that its address is known before any tor runs."""

import base64
import binascii
import hashlib
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from nacl.bindings import crypto_scalarmult_ed25519_base_noclamp

from hardening.files import private_folder, write_whole
from onion.errors import AddressError, OnionKeysError

SECRET_FILE = "hs_ed25519_secret_key"  # noqa: S105 - the name of a file, fixed by tor
PUBLIC_FILE = "hs_ed25519_public_key"
HOSTNAME_FILE = "hostname"

_SECRET_HEADER = b"== ed25519v1-secret: type0 ==\0\0\0"
_PUBLIC_HEADER = b"== ed25519v1-public: type0 ==\0\0\0"
_VERSION = b"\x03"
_LABEL_LENGTH = 56
_SUFFIX = ".onion"


@dataclass(frozen=True, slots=True)
class OnionAddress:
    """The address of a version 3 onion service; made by `parse` or `of` only, so that its checksum holds."""

    label: str
    """The 56 characters without `.onion`."""

    @classmethod
    def of(cls, public_key: bytes) -> Self:
        """Tell the address that an Ed25519 *public_key* has (rend-spec-v3, section 6)."""
        packed = public_key + _checksum(public_key) + _VERSION
        return cls(base64.b32encode(packed).decode("ascii").lower())

    @classmethod
    def parse(cls, untrusted: str) -> Self:
        """Read an address, with `.onion` or without.

        Raises:
            AddressError: It is not a version 3 address in lower case, or its checksum fails.
        """
        label = untrusted.removesuffix(_SUFFIX)
        if len(label) != _LABEL_LENGTH:
            raise AddressError(f"an onion address has {_LABEL_LENGTH} characters before its ending, not {len(label)}")
        try:
            packed = base64.b32decode(label.upper())
        except (binascii.Error, ValueError) as error:
            raise AddressError("an onion address consists of base32 characters") from error
        public_key, checksum, version = packed[:32], packed[32:34], packed[34:]
        if version != _VERSION or checksum != _checksum(public_key) or label != label.lower():
            raise AddressError("the checksum, version or letter case of an onion address is wrong")
        return cls(label)

    def __str__(self) -> str:
        return self.label + _SUFFIX


@dataclass(frozen=True, slots=True)
class OnionKeys:
    """An onion service's folder (tor's HiddenServiceDir) whose keys were checked."""

    folder: Path
    address: OnionAddress

    @classmethod
    def create(cls, folder: Path, random: Callable[[int], bytes] = secrets.token_bytes) -> Self:
        """Make new keys in *folder*, which must not hold any; its parent must exist.

        Args:
            folder: Becomes private (0700); the files in it too (0600) (M13).
            random: Where the 32 secret bytes come from.

        Raises:
            OnionKeysError: There are keys already: an address is never overwritten.
        """
        private_folder(folder)
        if (folder / SECRET_FILE).exists():
            raise OnionKeysError("the folder of the onion service holds keys already")
        expanded = _expand(random(32))
        public_key = _public_half(expanded)
        address = OnionAddress.of(public_key)
        # The secret comes last: a crash before it leaves a folder that counts as empty.
        write_whole(folder / HOSTNAME_FILE, f"{address}\n".encode("ascii"))
        write_whole(folder / PUBLIC_FILE, _PUBLIC_HEADER + public_key)
        write_whole(folder / SECRET_FILE, _SECRET_HEADER + expanded)
        return cls(folder, address)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Take up the keys in *folder*.

        Raises:
            OnionKeysError: A file is missing, damaged, does not fit the others, or others may read it.
        """
        secret = _content(folder, SECRET_FILE, _SECRET_HEADER, 64)
        public_key = _content(folder, PUBLIC_FILE, _PUBLIC_HEADER, 32)
        if _public_half(secret) != public_key:
            raise OnionKeysError("the two halves of the onion service's key do not belong together")
        address = OnionAddress.of(public_key)
        hostname = folder / HOSTNAME_FILE
        if not hostname.is_file() or hostname.read_bytes() != f"{address}\n".encode("ascii"):
            raise OnionKeysError("the host name file does not hold the address of the onion service's key")
        return cls(folder, address)


def _checksum(public_key: bytes) -> bytes:
    return hashlib.sha3_256(b".onion checksum" + public_key + _VERSION).digest()[:2]


def _expand(seed: bytes) -> bytes:
    """Turn a seed into the 64 bytes that tor stores: RFC 8032, 5.1.5, steps 1 and 2."""
    digest = bytearray(hashlib.sha512(seed).digest())
    digest[0] &= 248
    digest[31] &= 63
    digest[31] |= 64
    return bytes(digest)


def _public_half(expanded: bytes) -> bytes:
    return crypto_scalarmult_ed25519_base_noclamp(expanded[:32])


def _content(folder: Path, name: str, header: bytes, length: int) -> bytes:
    path = folder / name
    try:
        mode = path.lstat().st_mode
        content = path.read_bytes()
    except OSError as error:
        raise OnionKeysError("a key file of the onion service cannot be read") from error
    if not stat.S_ISREG(mode) or mode & 0o077 or folder.stat().st_mode & 0o077:
        raise OnionKeysError("a key file of the onion service is open to other users")
    if len(content) != len(header) + length or not content.startswith(header):
        raise OnionKeysError("a key file of the onion service is damaged")
    return content[len(header) :]
