"""Say which reviewers may reach the reviewer service, in files that can never open it to everybody."""

import base64
import binascii
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from nacl.bindings import crypto_scalarmult, crypto_scalarmult_base
from nacl.exceptions import RuntimeError as RefusedPointError

from hardening.files import destroy, private_folder, write_whole
from onion.errors import ClientKeyError, NobodyAuthorizedError, ReviewerNameError
from onion.service import OnionAddress

PLACEHOLDER = "placeholder"
_KEY_LENGTH = 52  # 32 bytes in base32, without the padding
_PREFIX = "descriptor:x25519:"
_ENDING = ".auth"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClientKey:
    """The public half of a reviewer's x25519 key; made by `parse` only."""

    text: str
    """52 base32 characters."""

    @classmethod
    def parse(cls, untrusted: str) -> Self:
        """Read the base32 form that tor uses, without padding.

        Raises:
            ClientKeyError: It is not 32 bytes in canonical base32, or a point that keeps no secret.
        """
        content = _unpack(untrusted)
        try:
            # libsodium refuses the points of small order, with which everybody agrees on the same "secret".
            crypto_scalarmult(secrets.token_bytes(32), content)
        except RefusedPointError as error:
            raise ClientKeyError("the client key is a point of small order") from error
        return cls(untrusted)

    def line(self) -> str:
        """Write the content of this key's file on the service's side."""
        return f"{_PREFIX}{self.text}\n"


@dataclass(frozen=True, slots=True)
class ClientPair:
    """Both halves of a reviewer's x25519 key in base32; the private one is made on the reviewer's machine."""

    public: str
    private: str


def client_pair(random: Callable[[int], bytes] = secrets.token_bytes) -> ClientPair:
    """Make a pair; *random* gives the 32 secret bytes."""
    private = random(32)
    return ClientPair(public=_pack(crypto_scalarmult_base(private)), private=_pack(private))


def auth_private_line(address: OnionAddress, private: str) -> str:
    """Write the content of a `.auth_private` file, which a reviewer's tor reads.

    Raises:
        ClientKeyError: *private* is not 32 bytes in canonical base32.
    """
    _unpack(private)
    return f"{address.label}:{_PREFIX}{private}\n"


@dataclass(frozen=True, slots=True)
class AuthorizedClients:
    """The folder `authorized_clients` of a service's folder.

    Tor opens a service to everybody when it finds no valid file here, be it that the folder is empty or
    that every file is malformed. So a key that nobody owns always lies among the reviewers' (M11).
    """

    folder: Path

    @classmethod
    def prepare(cls, service_folder: Path) -> Self:
        """Make the folder and the placeholder where they are missing; *service_folder* must exist."""
        clients = cls(private_folder(service_folder / "authorized_clients"))
        for leftover in clients.folder.glob(".*.part"):
            destroy(leftover)  # A power cut while a key was written; the old file still holds.
        if not clients._path(PLACEHOLDER).exists():
            clients._write(PLACEHOLDER, ClientKey.parse(client_pair().public))
        return clients

    def names(self) -> tuple[str, ...]:
        """Name the reviewers who are authorised, in order."""
        found = (path.name.removesuffix(_ENDING) for path in self.folder.glob(f"*{_ENDING}"))
        return tuple(sorted(name for name in found if name != PLACEHOLDER))

    def holds(self, name: str, public_key: ClientKey) -> bool:
        """Tell whether *name* is authorised with this very key.

        Raises:
            ReviewerNameError: *name* cannot be a reviewer's.
        """
        path = self._path(_checked_name(name))
        return path.is_file() and path.read_bytes() == public_key.line().encode("ascii")

    def add(self, name: str, public_key: ClientKey) -> None:
        """Authorise *public_key* under *name*, in place of what was there.

        Raises:
            ReviewerNameError: *name* cannot be a reviewer's.
        """
        self._write(_checked_name(name), public_key)

    def remove(self, name: str) -> None:
        """Take the key of *name* away; a name that is unknown is fine.

        Raises:
            ReviewerNameError: *name* cannot be a reviewer's.
        """
        destroy(self._path(_checked_name(name)))

    def verify(self) -> None:
        """Return only if tor, reading this folder now, would let in the reviewers and nobody else.

        Raises:
            ClientKeyError: The placeholder is missing, or something here is not a well-formed key file.
            NobodyAuthorizedError: There is no reviewer.
        """
        if not self._path(PLACEHOLDER).is_file():
            raise ClientKeyError("the placeholder among the authorised clients is missing")
        for path in self.folder.iterdir():
            _verify_file(path)
        if not self.names():
            raise NobodyAuthorizedError("no reviewer is authorised, so the reviewer service stays down")

    def _write(self, name: str, key: ClientKey) -> None:
        write_whole(self._path(name), key.line().encode("ascii"))

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}{_ENDING}"


def _checked_name(untrusted: str) -> str:
    if not _NAME.fullmatch(untrusted) or untrusted == PLACEHOLDER:
        raise ReviewerNameError("a reviewer's name for tor has 1 to 64 of a-z, 0-9, hyphen and underscore")
    return untrusted


def _verify_file(path: Path) -> None:
    if path.is_symlink() or not path.is_file() or path.suffix != _ENDING:
        raise ClientKeyError("among the authorised clients lies something that is not a key file")
    untrusted = path.read_bytes()[: len(_PREFIX) + _KEY_LENGTH + 2]
    try:
        text = untrusted.decode("ascii")
    except UnicodeDecodeError as error:
        raise ClientKeyError("a key file among the authorised clients is not text") from error
    key = ClientKey.parse(text.removeprefix(_PREFIX).removesuffix("\n"))
    if key.line() != text:
        raise ClientKeyError("a key file among the authorised clients has the wrong form")


def _pack(content: bytes) -> str:
    return base64.b32encode(content).decode("ascii").rstrip("=")


def _unpack(untrusted: str) -> bytes:
    if len(untrusted) != _KEY_LENGTH:
        raise ClientKeyError(f"a client key has {_KEY_LENGTH} characters, not {len(untrusted)}")
    try:
        content = base64.b32decode(untrusted + "====")
    except (binascii.Error, ValueError) as error:
        raise ClientKeyError("a client key consists of base32 characters in upper case") from error
    if _pack(content) != untrusted:
        raise ClientKeyError("a client key has bits set where its text has none to carry")
    return content
