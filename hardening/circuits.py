"""Learn from tor which circuit a connection came through.

With `HiddenServiceExportCircuitID haproxy` tor opens each connection with one PROXY line (version 1). Its source
address is no address: the last 32 bits are the circuit's identifier, which the keeper's broker can close. It lives in
memory as long as the connection, and is never logged (D1).
"""

import re
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv6Address, IPv6Network

from hardening.errors import HardeningError

# Longest version 1 line, with its CR LF (PROXY protocol specification, 2.1).
MAX_LINE_BYTES = 107
_PREFIX = IPv6Network("fc00:dead:beef:4dad::/64")
_LINE = re.compile(rb"PROXY TCP6 ([0-9a-f:]{2,39}) ([0-9a-f:]{2,39}) ([0-9]{1,5}) ([0-9]{1,5})\r\n")
_CIRCUIT_BITS = 0xFFFFFFFF


class ProxyLineError(HardeningError):
    """Whoever connected is not tor."""


def take_proxy_line(untrusted: bytes) -> tuple[tuple[str, int], bytes] | None:
    """Take the PROXY line off the front of a connection.

    Returns:
        The client as ASGI names it and the bytes after the line; None while the line is incomplete.

    Raises:
        ProxyLineError: There is no such line.
    """
    end = untrusted.find(b"\n", 0, MAX_LINE_BYTES)
    if end < 0:
        if len(untrusted) >= MAX_LINE_BYTES or not b"PROXY TCP6 ".startswith(untrusted[:11]):
            raise ProxyLineError("the connection does not begin with tor's line")
        return None
    match = _LINE.fullmatch(untrusted[: end + 1])
    if match is None:
        raise ProxyLineError("the connection does not begin with tor's line")
    client = match[1].decode("ascii")
    if _circuit(client) is None:
        raise ProxyLineError("the line does not name a circuit")
    return (client, int(match[3])), untrusted[end + 1 :]


def circuit_id(scope: Mapping[str, object]) -> int | None:
    """Tell the circuit that a request came through; None when tor's line was not asked for."""
    match scope.get("client"):
        case (str() as client, int()):
            return _circuit(client)
        case _:
            return None


def _circuit(client: str) -> int | None:
    try:
        address = IPv6Address(client)
    except AddressValueError:
        return None
    return int(address) & _CIRCUIT_BITS if address in _PREFIX else None
