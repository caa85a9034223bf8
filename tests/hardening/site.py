"""A small site on a real Unix socket, spoken to in raw bytes."""

import asyncio
import hashlib
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from hardening.forms import (
    FieldTooLongError,
    FormError,
    FormLimits,
    FormNames,
    declared_type,
    fields,
    parts,
)
from hardening.headers import (
    DOWNLOAD_CSP,
    RESUMABLE,
    SOURCE_CSP,
    HeaderPolicy,
    Receive,
    Scope,
    SecureResponses,
    Send,
    attachment_headers,
    refusal_page,
)
from hardening.serving import DropServer, Listener, ServingLimits, bind_unix, circuit_id, trust_upload

HOST = "drop.onion"
POLICY = HeaderPolicy(
    csp=SOURCE_CSP,
    hosts=frozenset({HOST}),
    csp_for=lambda path: DOWNLOAD_CSP if path.startswith("/bags/") else None,
)
NAMES = FormNames(
    single=frozenset({"message", *(f"f{number}" for number in range(60))}),
    repeated=frozenset({"box"}),
    files=frozenset({"file"}),
)


@dataclass(slots=True)
class Kept:
    """What a form left behind when it had arrived whole."""

    texts: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    files: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])


@dataclass
class Site:
    path: Path
    limits: FormLimits = field(default_factory=FormLimits)
    kept: list[Kept] = field(default_factory=list[Kept])
    circuits: list[int | None] = field(default_factory=list[int | None])
    paths: list[str] = field(default_factory=list[str])
    entered: threading.Event = field(default_factory=threading.Event)
    server: DropServer | None = None

    async def app(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/broken":
            raise RuntimeError("the-message-of-the-fault at /home/somebody/app.py")
        await self.pages()(scope, receive, send)

    def pages(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/style.css", self.style),
                Route("/late", self.late),
                Route("/header", self.header),
                Route("/leaky", self.leaky),
                Route("/long", self.long),
                Route("/squeezed", self.squeezed),
                Route("/bags/1", self.bag),
                Route("/send", self.send, methods=["POST"]),
                Route("/small", self.small, methods=["POST"]),
                Route("/trusted", self.trusted, methods=["POST"]),
            ]
        )

    async def page(self, request: Request) -> Response:
        self.circuits.append(circuit_id(request.scope))
        self.paths.append(request.url.query)
        return HTMLResponse("<p>page</p>")

    async def style(self, _request: Request) -> Response:
        return Response("p { color: black }", media_type="text/css")

    async def late(self, _request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            yield b"begun"
            raise RuntimeError("late")

        return StreamingResponse(body())

    async def header(self, request: Request) -> Response:
        return PlainTextResponse("ok", headers={"x-said": request.query_params["say"]})

    async def leaky(self, _request: Request) -> Response:
        names = ("Date", "Server", "X-Powered-By", "Via", "Alt-Svc", "Onion-Location", "Strict-Transport-Security")
        more = ("ETag", "Last-Modified", "Accept-Ranges", "Age", "Cache-Control", "Referrer-Policy")
        return PlainTextResponse("ok", headers=dict.fromkeys((*names, *more), "leak"))

    async def long(self, _request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            self.entered.set()
            for _ in range(256):
                yield bytes(64 * 1024)

        return StreamingResponse(body())

    async def squeezed(self, _request: Request) -> Response:
        return Response(b"", headers={"content-encoding": "gzip"})

    async def bag(self, _request: Request) -> Response:
        marks = {RESUMABLE: "1", "etag": '"abc"', "accept-ranges": "bytes", "last-modified": "never"}
        return Response(b"sealed", headers={**attachment_headers("bag-1.tar"), **marks})

    async def send(self, request: Request) -> Response:
        self.entered.set()
        kept = Kept()
        try:
            async for part in parts(
                declared_type(request.scope["headers"], self.limits), request.stream(), self.limits, NAMES
            ):
                if part.filename is None:
                    kept.texts.append((part.name, await part.text()))
                    continue
                digest, size = hashlib.sha256(), 0
                async for chunk in part.chunks:
                    digest.update(chunk)
                    size += len(chunk)
                if part.filename or size:
                    kept.files.append((part.filename, digest.hexdigest(), size))
        except FieldTooLongError as error:
            return PlainTextResponse(f"too long\n{error.given.get(error.name)}", error.status)
        except FormError as error:
            return PlainTextResponse(type(error).__name__, error.status)
        self.kept.append(kept)
        return PlainTextResponse("received")

    async def small(self, request: Request) -> Response:
        try:
            given = await fields(
                declared_type(request.scope["headers"], self.limits), request.stream(), self.limits, NAMES
            )
        except FieldTooLongError as error:
            return PlainTextResponse(f"too long\n{error.given.get(error.name)}", error.status)
        except FormError as error:
            return PlainTextResponse(type(error).__name__, error.status)
        self.kept.append(Kept(texts=list(given.pairs)))
        return PlainTextResponse("received")

    async def trusted(self, request: Request) -> Response:
        trust_upload(request.scope)
        return await self.send(request)


@contextmanager
def running(
    site: Site, limits: ServingLimits | None = None, policy: HeaderPolicy = POLICY, *, proxy_line: bool = False
) -> Iterator[Site]:
    listener = Listener(bind_unix(site.path), proxy_line)
    app = SecureResponses(site.app, policy)
    site.server = DropServer(app, [listener], limits or ServingLimits(), refusal_page(policy))
    thread = threading.Thread(target=asyncio.run, args=(site.server.run(),))
    thread.start()
    try:
        yield site
    finally:
        site.server.stop()
        thread.join(40)
        assert not thread.is_alive()


@contextmanager
def folder() -> Iterator[Path]:
    """A short private folder: socket paths are short."""
    with tempfile.TemporaryDirectory(prefix="sv", dir="/tmp") as name:
        Path(name).chmod(0o750)
        yield Path(name)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    raw: bytes

    def every(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


class Client:
    """A raw connection to a site."""

    def __init__(self, site: Site, seconds: float = 20) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(seconds)
        self.socket.connect(str(site.path))
        self.began = time.monotonic()
        self.buffer = bytearray()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, raw: bytes) -> Self:
        # A server that has heard enough may hang up; its answer is still to be read.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(raw)
        return self

    def answer(self, *, bodiless: bool = False) -> Answer:
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        status_line, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        body = b"" if bodiless else self._body(dict(headers))
        return Answer(int(status_line.split()[1]), headers, body, bytes(head))

    def _body(self, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            size = int(headers["content-length"])
            while len(self.buffer) < size:
                self._more()
            body, self.buffer = self.buffer[:size], self.buffer[size:]
            return bytes(body)
        while not self.buffer.endswith(b"0\r\n\r\n"):
            self._more()
        body, self.buffer = self.buffer, bytearray()
        return bytes(body)

    def closed(self) -> float:
        """Wait until the server hangs up; how long it took since the connection began."""
        with suppress(ConnectionResetError):
            while chunk := self.socket.recv(65536):
                self.buffer += chunk
        return time.monotonic() - self.began

    def _more(self) -> None:
        chunk = self.socket.recv(65536)
        if not chunk:
            raise EOFError(f"the server hung up after {self.buffer!r}")
        self.buffer += chunk


def request(method: str = "GET", target: str = "/", *headers: str, body: bytes = b"", host: str = HOST) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


def ask(site: Site, raw: bytes, *, bodiless: bool = False) -> Answer:
    with Client(site) as client:
        return client.send(raw).answer(bodiless=bodiless)
