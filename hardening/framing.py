"""Let only such bytes through to the HTTP parser that have one meaning (RFC 9112, read strictly).

h11 forgives bare line feeds, folded headers, a Content-Length beside chunks, chunk extensions and a missing
Host in HTTP/1.0. Each of these is where two parsers come to disagree about where a request ends.
"""

import re
from dataclasses import dataclass
from enum import Enum

from hardening.errors import HardeningError

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([!-~]+) HTTP/1\.([01])")
_HEADER_LINE = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([^\0-\x08\x0a-\x1f\x7f]*)")
# 15 digits are a petabyte; a leading zero is another spelling of the same number.
_LENGTH = re.compile(rb"0|[1-9][0-9]{0,14}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}\r\n")
_CHUNK_SIZE_BYTES = 10
_ALONE = frozenset({b"host", b"content-length", b"transfer-encoding", b"content-type", b"origin"})
_ORIGIN_FORM = frozenset({b"GET", b"HEAD", b"POST"})


class FramingError(HardeningError):
    """A request has no meaning or two; it is answered with `status`, and its connection ends."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadLimits:
    """How long the head of a request may be (D8)."""

    line_bytes: int = 8 * 1024
    head_bytes: int = 16 * 1024
    headers: int = 64


class _Stage(Enum):
    HEAD = "head"
    LENGTH = "length"
    CHUNK_SIZE = "chunk size"
    CHUNK = "chunk"
    CHUNK_END = "chunk end"
    LAST_CHUNK_END = "last chunk end"
    COMPLETE = "complete"


class RequestGate:
    """Follow the requests of one connection from byte to byte."""

    def __init__(self, limits: HeadLimits) -> None:
        self._limits = limits
        self._stage = _Stage.HEAD
        self._held = b""
        self._line_start = 0
        self._remaining = 0

    @property
    def untouched(self) -> bool:
        """Whether not one byte of a request has come."""
        return self._stage is _Stage.HEAD and not self._held

    @property
    def in_head(self) -> bool:
        """Whether the head of a request is still awaited."""
        return self._stage is _Stage.HEAD

    @property
    def complete(self) -> bool:
        """Whether the request has arrived whole."""
        return self._stage is _Stage.COMPLETE

    def next_request(self) -> None:
        """Await another request, after a complete one."""
        self._stage = _Stage.HEAD
        self._line_start = 0

    def take(self, untrusted: bytes) -> tuple[bytes, bytes]:
        """Take the next bytes of the connection.

        Returns:
            What may go to the parser now, and what was not looked at yet. Nothing is looked at
            after a complete request until `next_request`.

        Raises:
            FramingError: The connection is of no use any more.
        """
        match self._stage:
            case _Stage.HEAD:
                return self._take_head(untrusted)
            case _Stage.LENGTH | _Stage.CHUNK:
                return self._take_counted(untrusted)
            case _Stage.CHUNK_SIZE:
                return self._take_chunk_size(untrusted)
            case _Stage.CHUNK_END | _Stage.LAST_CHUNK_END:
                return self._take_line_end(untrusted)
            case _Stage.COMPLETE:
                return b"", untrusted

    def _take_head(self, untrusted: bytes) -> tuple[bytes, bytes]:
        held = self._held + untrusted[: self._limits.head_bytes + 1 - len(self._held)]
        while (end := held.find(b"\n", self._line_start)) >= 0:
            line = held[self._line_start : end + 1]
            self._check_line(line, first=self._line_start == 0)
            self._line_start = end + 1
            if line == b"\r\n":
                rest = untrusted[self._line_start - len(self._held) :]
                self._held = b""
                self._begin_body(held[: self._line_start])
                return held[: self._line_start], rest
        self._held = held
        if len(held) - self._line_start > self._limits.line_bytes or len(held) > self._limits.head_bytes:
            raise FramingError("the head of a request is too long", 431)
        return b"", b""

    def _check_line(self, line: bytes, *, first: bool) -> None:
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise FramingError("a line ends in CR LF and holds neither alone")
        if len(line) > self._limits.line_bytes:
            raise FramingError("a line of the head is too long", 431)
        if first and not _REQUEST_LINE.fullmatch(line[:-2]):
            raise FramingError("this is no HTTP/1 request")

    def _begin_body(self, head: bytes) -> None:
        request_line, *lines = head[:-4].split(b"\r\n")
        match = _REQUEST_LINE.fullmatch(request_line)
        if match is None:
            raise FramingError("this is no HTTP/1 request")
        if match[1] in _ORIGIN_FORM and not match[2].startswith(b"/"):
            raise FramingError("a request names a path, not a whole address")
        if len(lines) > self._limits.headers:
            raise FramingError(f"a request has at most {self._limits.headers} headers", 431)
        headers = _headers(lines)
        if b"host" not in headers:
            raise FramingError("a request names its host")
        if b"upgrade" in headers or b"http2-settings" in headers:
            raise FramingError("this connection stays HTTP/1")
        self._choose_body(headers, last_version=match[3] == b"1")

    def _choose_body(self, headers: dict[bytes, bytes], *, last_version: bool) -> None:
        length, coding = headers.get(b"content-length"), headers.get(b"transfer-encoding")
        if coding is not None:
            if length is not None or not last_version or coding.lower() != b"chunked":
                raise FramingError("a body is either counted or chunked")
            self._stage = _Stage.CHUNK_SIZE
            return
        if length is not None and not _LENGTH.fullmatch(length):
            raise FramingError("a length is one number")
        self._remaining = int(length or b"0")
        self._stage = _Stage.LENGTH if self._remaining else _Stage.COMPLETE

    def _take_counted(self, untrusted: bytes) -> tuple[bytes, bytes]:
        ready, rest = untrusted[: self._remaining], untrusted[self._remaining :]
        self._remaining -= len(ready)
        if not self._remaining:
            self._stage = _Stage.COMPLETE if self._stage is _Stage.LENGTH else _Stage.CHUNK_END
        return ready, rest

    def _take_chunk_size(self, untrusted: bytes) -> tuple[bytes, bytes]:
        held = self._held + untrusted[:_CHUNK_SIZE_BYTES]
        end = held.find(b"\n")
        if end < 0 and len(held) < _CHUNK_SIZE_BYTES:
            self._held = held
            return b"", b""
        line = held[: end + 1]
        if not _CHUNK_SIZE.fullmatch(line):
            raise FramingError("a chunk begins with its size, and nothing else")
        rest = untrusted[len(line) - len(self._held) :]
        self._held = b""
        self._remaining = int(line, 16)
        self._stage = _Stage.CHUNK if self._remaining else _Stage.LAST_CHUNK_END
        return line, rest

    def _take_line_end(self, untrusted: bytes) -> tuple[bytes, bytes]:
        held = self._held + untrusted[: 2 - len(self._held)]
        rest = untrusted[len(held) - len(self._held) :]
        if not b"\r\n".startswith(held):
            raise FramingError("a chunk ends in CR LF, and no trailer follows the last")
        if len(held) < 2:
            self._held = held
            return b"", b""
        self._held = b""
        self._stage = _Stage.CHUNK_SIZE if self._stage is _Stage.CHUNK_END else _Stage.COMPLETE
        return held, rest


def _headers(lines: list[bytes]) -> dict[bytes, bytes]:
    headers: dict[bytes, bytes] = {}
    for line in lines:
        match = _HEADER_LINE.fullmatch(line)
        if match is None:
            raise FramingError("a header is a name, a colon and a value")
        name = match[1].lower()
        if name in headers and name in _ALONE:
            raise FramingError("a header that may come once came twice")
        headers[name] = match[2].rstrip(b" \t")
    return headers
