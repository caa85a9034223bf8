"""A SOCKS5 client that says exactly how a tor refused."""

import json
import socket
import time
from http import HTTPStatus

# What tor answers with `ExtendedErrors` (socks-extensions): the visitor has no key, or the wrong one.
NO_KEY = 0xF4
WRONG_KEY = 0xF5
_PAUSE_SECONDS = 0.1


class SocksRefusedError(Exception):
    """Tor did not connect us."""

    def __init__(self, code: int) -> None:
        super().__init__(f"SOCKS answer {code:#04x}")
        self.code = code


def connect(port: int, host: str, circuit: str = "one", limit_seconds: float = 30) -> socket.socket:
    """Open a stream to *host*, port 80; streams with the same *circuit* share one."""
    stream = socket.create_connection(("127.0.0.1", port), limit_seconds)
    try:
        _ask(stream, circuit.encode(), host.encode())
    except BaseException:
        stream.close()
        raise
    return stream


def fetch(port: int, host: str, circuit: str = "one", limit_seconds: float = 30) -> str:
    """Get a page and tell the pseudo-address under which the backend saw us."""
    with connect(port, host, circuit, limit_seconds) as stream:
        stream.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        answer = b""
        while received := stream.recv(65536):
            answer += received
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 %d" % HTTPStatus.OK):
        raise ConnectionResetError("the stream died before the answer")
    return str(json.loads(body)["client"])


def hold(port: int, host: str, circuit: str = "one") -> socket.socket:
    """Open a stream that the backend keeps open, and return it once the backend has it."""
    stream = connect(port, host, circuit)
    stream.sendall(b"GET /hold HTTP/1.1\r\n\r\n")
    _exactly(stream, 4)
    return stream


def fetch_soon(port: int, host: str, limit_seconds: float = 60) -> float:
    """Get a page, on a new circuit each time, until it comes; tell how many seconds that took."""
    begun = time.monotonic()
    attempt = 0
    while True:
        try:
            fetch(port, host, f"soon{attempt}-{begun}")
        except (SocksRefusedError, OSError):
            if time.monotonic() - begun > limit_seconds:
                raise
            attempt += 1
            time.sleep(_PAUSE_SECONDS)  # Nothing tells a visitor that a service came back.
        else:
            return time.monotonic() - begun


def _ask(stream: socket.socket, user: bytes, name: bytes) -> None:
    # Tor reads one message at a time, so each waits for its answer.
    stream.sendall(b"\x05\x01\x02")
    _exactly(stream, 2)
    stream.sendall(b"\x01" + bytes([len(user)]) + user + b"\x01x")
    _exactly(stream, 2)
    stream.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + (80).to_bytes(2))
    code = _exactly(stream, 10)[1]
    if code:
        raise SocksRefusedError(code)


def _exactly(stream: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        more = stream.recv(length - len(received))
        if not more:
            raise ConnectionResetError("the stream ended early")
        received += more
    return received
