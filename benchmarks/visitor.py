"""A source who costs next to nothing: raw requests over one connection, so that what is measured is the server."""

import os
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

_HOST = "localhost"
_FORM = re.compile(rb'<form method="post" action="([^"]*)" enctype="multipart/form-data">')
# What the first page's form carries; it is not asked for, because the beginning alone is measured.
_FIRST = b"direct=href%3D%22fake.onion%22"
_ONCE = re.compile(rb'<input type="hidden" name="once" value="([^"]*)">')
_BOUNDARY = f"----geckoformboundary{secrets.token_hex(16)}"
_PART = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; "
_AFTER = f"\r\n--{_BOUNDARY}--\r\n".encode()
_SECONDS = 600.0
# The server ends a connection after its hundredth request.
_REQUESTS = 100


class RefusedError(Exception):
    """The server gave another answer than the one that was measured for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read to its end."""

    status: int
    head: bytes
    body: bytes


class Visitor:
    """One source with one connection."""

    def __init__(self, path: Path, seconds: float = _SECONDS) -> None:
        self._path = path
        self._seconds = seconds
        self._cookie = ""
        self._asked = 0
        self._connection = self._connected()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._connection.close()

    def connect_anew(self) -> None:
        """Leave the connection: the server ends one that was idle for long."""
        self._connection.close()
        self._connection = self._connected()
        self._asked = 0

    def begin(self, way: str = "send") -> None:
        """Go in through the door *way* and keep the cookie."""
        first = _FIRST + f"&way={way}".encode()
        answer = self.ask("POST", "/begin", first, "application/x-www-form-urlencoded")
        found = re.search(rb"(?i)\r\nset-cookie: ([^;]+);", answer.head)
        if answer.status != 303 or found is None:
            raise RefusedError(f"begin was answered with {answer.status}")
        self._cookie = f"Cookie: {found[1].decode()}\r\n"

    def form(self) -> tuple[str, bytes]:
        """Open the page to send with; gives where its form goes, and the form's token."""
        page = self.ask("GET", "/send").body
        form, once = _FORM.search(page), _ONCE.search(page)
        if form is None or once is None:
            raise RefusedError("there was no form to send with")
        return form[1].decode(), once[1]

    def send(self, form: tuple[str, bytes], message: bytes, file: BinaryIO | None = None) -> None:
        """Send *message* and, if there is one, the whole of *file*; return at the 303."""
        self._begin_sending(form, message, file)
        if file is not None:
            self._connection.sendfile(file)
        self._connection.sendall(_AFTER)
        answer = self._read()
        if answer.status != 303:
            raise RefusedError(f"a sending was answered with {answer.status}")

    def send_half(self, form: tuple[str, bytes], message: bytes, file: BinaryIO) -> None:
        """Send *message* and half of *file*, and be gone."""
        self._begin_sending(form, message, file)
        self._connection.sendfile(file, count=os.fstat(file.fileno()).st_size // 2)
        self._connection.close()

    def answer(self, path: str, fields: Mapping[str, str]) -> str:
        """Send the form of a page of questions; return where that leads."""
        parts = "".join(f'{_PART}name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items())
        body = parts.encode() + _AFTER.removeprefix(b"\r\n")
        answer = self.ask("POST", path, body, _MULTIPART)
        found = re.search(rb"(?i)\r\nlocation: (\S+)", answer.head)
        if answer.status != 303 or found is None:
            raise RefusedError(f"answers were answered with {answer.status}")
        return found[1].decode()

    def _begin_sending(self, form: tuple[str, bytes], message: bytes, file: BinaryIO | None) -> None:
        action, once = form
        size_bytes = 0 if file is None else os.fstat(file.fileno()).st_size
        before = f'{_PART}name="once"\r\n\r\n'.encode() + once
        before += f'\r\n{_PART}name="message"\r\n\r\n'.encode() + message
        name = "" if file is None else "recording.bin"
        before += f'\r\n{_PART}name="files"; filename="{name}"\r\n'.encode()
        before += b"Content-Type: application/octet-stream\r\n\r\n"
        head = self._head("POST", action, len(before) + size_bytes + len(_AFTER), _MULTIPART)
        self._connection.sendall(head + before)

    def ask(self, method: str, path: str, body: bytes | None = None, media_type: str = "") -> Answer:
        """Ask for a page."""
        head = self._head(method, path, None if body is None else len(body), media_type)
        self._connection.sendall(head + (body or b""))
        return self._read()

    def _head(self, method: str, path: str, size_bytes: int | None, media_type: str) -> bytes:
        if self._asked == _REQUESTS:
            self.connect_anew()
        self._asked += 1
        posted = f"Content-Type: {media_type}\r\nContent-Length: {size_bytes}\r\nOrigin: null\r\n"
        posted += "Sec-Fetch-Site: same-origin\r\n"
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {_HOST}\r\n{self._cookie}{posted if size_bytes is not None else ''}\r\n"
        ).encode()

    def _read(self) -> Answer:
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        head, body = bytes(received[:end]), received[end + 4 :]
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        while length is not None and len(body) < int(length[1]):
            body += self._more()
        return Answer(int(head[9:12]), head, bytes(body))

    def _more(self) -> bytes:
        piece = self._connection.recv(65536)
        if not piece:
            raise RefusedError("the server ended the connection")
        return piece

    def _connected(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self._seconds)
        connection.connect(str(self._path))
        return connection


_MULTIPART = f"multipart/form-data; boundary={_BOUNDARY}"
