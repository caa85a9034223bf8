"""Look at our own onion services from outside: the sources' must answer, the reviewers' must refuse (M11, M14)."""

import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from socksio.socks5 import (
    SOCKS5AuthMethod,
    SOCKS5AuthMethodsRequest,
    SOCKS5Command,
    SOCKS5CommandRequest,
    SOCKS5Connection,
)

from onion.service import OnionAddress
from onion.torrc import SERVICE_PORT

# Reply codes of tor's SocksPort with ExtendedErrors (proposal 304) that mean: a key is needed, or it is wrong.
_NEEDS_KEY = frozenset({0xF4, 0xF5})
_SUCCEEDED = 0x00


class Outcome(Enum):
    """What a stranger met."""

    ANSWERED = "answered"
    NEEDS_KEY = "needs a key"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Probe:
    """A stranger without any key who goes through the client-only tor."""

    socks: Path
    limit_seconds: float = 60.0

    def knock(self, address: OnionAddress) -> Outcome:
        """Try to open a connection to *address*, on a circuit of its own, and close it at once."""
        try:
            code = self._connect(address)
        except (OSError, EOFError):
            return Outcome.UNREACHABLE
        if code == _SUCCEEDED:
            return Outcome.ANSWERED
        return Outcome.NEEDS_KEY if code in _NEEDS_KEY else Outcome.UNREACHABLE

    def _connect(self, address: OnionAddress) -> int:
        connection = SOCKS5Connection()
        with closing(socket.socket(socket.AF_UNIX)) as wire:
            wire.settimeout(self.limit_seconds)
            wire.connect(str(self.socks))
            _send(connection, SOCKS5AuthMethodsRequest([SOCKS5AuthMethod.NO_AUTH_REQUIRED]))
            wire.sendall(connection.data_to_send())
            reply = connection.receive_data(_exactly(wire, 2))
            if getattr(reply, "method", None) is not SOCKS5AuthMethod.NO_AUTH_REQUIRED:
                raise EOFError("tor does not speak SOCKS 5 here")
            _send(connection, SOCKS5CommandRequest.from_address(SOCKS5Command.CONNECT, (str(address), SERVICE_PORT)))
            wire.sendall(connection.data_to_send())
            # RFC 1928, section 6: version, reply code. The library knows no extended codes, so the byte is read here.
            return _exactly(wire, 2)[1]


def _send(connection: SOCKS5Connection, request: SOCKS5AuthMethodsRequest | SOCKS5CommandRequest) -> None:
    # The library decorates `send` in a way that type checkers cannot follow.
    send: Callable[[object], None] = connection.send  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue, reportUnknownVariableType]
    send(request)


def _exactly(wire: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        piece = wire.recv(count - len(content))
        if not piece:
            raise EOFError("tor closed the connection")
        content += piece
    return content
