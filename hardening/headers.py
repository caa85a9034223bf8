"""Give every response the same strict headers, and turn away requests that no page of ours can have made.

Pure ASGI and outermost, so that error pages and static files pass through it too.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias

from hardening.errors import HardeningError

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

LANDING_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Without `sandbox`: a sandboxed page counts as script-less, and could not warn that scripts are on."""
SOURCE_CSP = f"{LANDING_CSP}; sandbox allow-forms allow-same-origin"
UPLOAD_CSP = f"{SOURCE_CSP} allow-popups allow-popups-to-escape-sandbox"
"""For a page with a link that opens in a second tab while the page itself is sending.

A tab that inherits a sandbox cannot show a page of ours, whose opener policy forbids that. So it inherits none; its own
page brings one."""
REVIEWER_CSP = f"{SOURCE_CSP} allow-downloads"
DOWNLOAD_CSP = "default-src 'none'; sandbox"

RESUMABLE = "x-svidok-resumable"
"""An app sets this header on the one response that may be resumed; it is taken off on the way out (A10)."""

_FIXED: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-embedder-policy", b"require-corp"),
    (
        b"permissions-policy",
        b"camera=(), display-capture=(), fullscreen=(), geolocation=(), microphone=(), payment=(), serial=(), usb=()",
    ),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, noarchive"),
)
# What would tell the clock, the software, another address, or a former visit.
_NEVER = frozenset(
    {b"date", b"server", b"x-powered-by", b"via", b"alt-svc", b"onion-location", b"strict-transport-security"}
    | {b"last-modified", b"age", b"expires", b"pragma", b"content-security-policy"}
    | {name for name, _ in _FIXED}
)
_NOT_RESUMABLE = frozenset({b"etag", b"accept-ranges", RESUMABLE.encode()})
_METHODS = frozenset({"GET", "HEAD", "POST"})
_PROXY_HEADERS = frozenset({b"via", b"forwarded", b"x-real-ip", b"true-client-ip", b"cf-connecting-ip", b"x-tor2web"})
_PROXY_PREFIXES = (b"x-forwarded-", b"x-tor2web-")
_HEADER_VALUE = re.compile(rb"[^\0-\x08\x0a-\x1f\x7f]*")
_ATTACHMENT_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")

_logger = logging.getLogger(__name__)


class Refusal(Enum):
    """Why a request is turned away before the app sees it."""

    HOST = 400
    PROXY = 403
    FOREIGN = 4031
    METHOD = 405
    BROKEN = 500

    @property
    def status(self) -> int:
        """The HTTP status."""
        return 403 if self is Refusal.FOREIGN else self.value


class AnswerError(HardeningError):
    """The app gave an answer that must not leave, or broke off in the middle of one."""


def plain_page(refusal: Refusal) -> bytes:
    """Say the same few words to whoever is turned away; an app supplies pages of its own."""
    words = "Something went wrong here" if refusal is Refusal.BROKEN else "This request is not answered here"
    return f'<!DOCTYPE html>\n<html lang="en"><title>Page</title><p>{words}.</p></html>\n'.encode()


def _no_override(_path: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderPolicy:
    """What one interface demands of requests and adds to responses."""

    csp: str
    hosts: frozenset[str]
    """Every value that Host may have, with its port, in lower case (A8)."""
    refuse_proxies: bool = True
    csp_for: Callable[[str], str | None] = field(default=_no_override)
    """Another policy for one path, or None."""
    page: Callable[[Refusal], bytes] = field(default=plain_page)
    """The body of a refusal, in HTML. It is shown to proxies too, so it holds nothing."""


@dataclass(frozen=True, slots=True)
class RefusalPage:
    """What is said where no request could be understood, so that no app can answer."""

    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def refusal_page(policy: HeaderPolicy) -> RefusalPage:
    """Prepare the answer to bytes that are no request, with the headers of every other answer."""
    content_type = (b"content-type", b"text/html; charset=utf-8")
    return RefusalPage((content_type, *fixed_headers(policy.csp)), policy.page(Refusal.METHOD))


def fixed_headers(csp: str) -> tuple[tuple[bytes, bytes], ...]:
    """List the headers that every response carries, in their one order."""
    return ((b"content-security-policy", csp.encode("ascii")), *_FIXED)


def attachment_headers(name: str) -> dict[str, str]:
    """Make a response a download under *name*, which the server made itself (A18).

    Raises:
        AnswerError: *name* is not plain ASCII, or could mean something in a header or a path.
    """
    if not _ATTACHMENT_NAME.fullmatch(name):
        raise AnswerError("the name of a download is made of letters, digits, dots and dashes")
    return {"content-type": "application/octet-stream", "content-disposition": f'attachment; filename="{name}"'}


class SecureResponses:
    """Stand around an app and let nothing in or out that breaks its policy."""

    def __init__(self, app: App, policy: HeaderPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise AnswerError("only HTTP is spoken here")
        answer = _Answer(self._policy.csp_for(scope["path"]) or self._policy.csp, receive, send)
        refusal = refuse(scope["method"], scope["headers"], self._policy)
        if refusal is None:
            refusal = await self._ask_app(scope, answer)
        if refusal is not None:
            await answer.refuse(refusal, self._policy.page(refusal))

    async def _ask_app(self, scope: Scope, answer: "_Answer") -> Refusal | None:
        try:
            await self._app(scope, answer.receive, answer.send)
        except Exception as error:  # noqa: BLE001
            # Whatever went wrong inside, the answer carries the headers of every other answer (A1).
            if answer.disconnected or answer.complete:
                return None
            # Neither the message nor the locals: both may hold what somebody wrote (F11, L2).
            _logger.error("a request failed: %s at %s", type(error).__name__, _place(error))  # noqa: TRY400
            if answer.started:
                raise AnswerError("an answer broke off") from None
        return None if answer.started or answer.disconnected else Refusal.BROKEN


def refuse(method: str, headers: RawHeaders, policy: HeaderPolicy) -> Refusal | None:
    """Judge a request by its method and headers alone; None lets it pass."""
    hosts = _every(headers, b"host")
    if policy.refuse_proxies and _came_through_proxy(headers, hosts, policy.hosts):
        return Refusal.PROXY
    if len(hosts) != 1 or hosts[0].lower().decode("latin-1") not in policy.hosts:
        return Refusal.HOST
    if method not in _METHODS:
        return Refusal.METHOD
    if _is_foreign(method, headers, hosts[0].lower()):
        return Refusal.FOREIGN
    return None


class _Answer:
    """The response of one request, on its way out."""

    def __init__(self, csp: str, receive: Receive, send: Send) -> None:
        self._csp = csp
        self._receive = receive
        self._send = send
        self.started = False
        self.complete = False
        self.disconnected = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.disconnected = True
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": strict_headers(message.get("headers", ()), self._csp)}
            self.started = True
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            self.complete = True
        await self._send(message)

    async def refuse(self, refusal: Refusal, body: bytes) -> None:
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
        if refusal is Refusal.METHOD:
            headers.append((b"allow", b"GET, HEAD, POST"))
        await self.send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def strict_headers(headers: Iterable[tuple[bytes, bytes]], csp: str) -> RawHeaders:
    """Take away what must not be told, refuse what must not be sent, add what is always said.

    Raises:
        AnswerError: A control character in a value (A13), or a compressed body (A12).
    """
    lowered = [(name.lower(), value) for name, value in headers]
    resumable = any(name == RESUMABLE.encode() for name, _ in lowered)
    dropped = _NEVER | ({RESUMABLE.encode()} if resumable else _NOT_RESUMABLE)
    kept: RawHeaders = []
    for name, value in lowered:
        if name == b"content-encoding":
            raise AnswerError("a response is never compressed")
        if not _HEADER_VALUE.fullmatch(value):
            raise AnswerError("a header of the response holds a control character")
        if name not in dropped:
            kept.append((name, value))
    return [*kept, *fixed_headers(csp)]


def _came_through_proxy(headers: RawHeaders, hosts: list[bytes], ours: frozenset[str]) -> bool:
    if any(name in _PROXY_HEADERS or name.startswith(_PROXY_PREFIXES) for name, _ in headers):
        return True
    # A tor2web gateway is found at the onion address with its own domain behind it.
    return any(host.lower().startswith(f"{our}.".encode()) for host in hosts for our in ours)


def _is_foreign(method: str, headers: RawHeaders, host: bytes) -> bool:
    origins = _every(headers, b"origin")
    # Our own no-referrer policy makes browsers send `null`; the form token decides then (A6).
    if any(origin not in {b"null", b"http://" + host} for origin in origins) or len(origins) > 1:
        return True
    if set(_every(headers, b"sec-fetch-site")) <= {b"same-origin", b"none"}:
        return False
    # A link on another site may lead here, but nothing from there may post, embed or fetch.
    navigates = _every(headers, b"sec-fetch-mode") == [b"navigate"]
    to_page = _every(headers, b"sec-fetch-dest") in ([b"document"], [])
    return method == "POST" or not (navigates and to_page)


def _every(headers: RawHeaders, wanted: bytes) -> list[bytes]:
    return [value for name, value in headers if name == wanted]


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "nowhere" if trace is None else f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}"
