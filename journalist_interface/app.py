"""Every address of the journalist interface and who may use it, on one screen: what is not listed does not exist."""

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from hardening.headers import (
    DOWNLOAD_CSP,
    REVIEWER_CSP,
    App,
    HeaderPolicy,
    Receive,
    Refusal,
    RefusalPage,
    Scope,
    SecureResponses,
    Send,
    refusal_page,
)
from journalist_interface import accounts, audit, collections, downloads, keyset, login, returns
from journalist_interface.errors import MissingError
from journalist_interface.house import House
from journalist_interface.pages import Pages
from journalist_interface.parts import ReviewerParts
from journalist_interface.problems import EXPECTED, problem_of
from journalist_interface.site import Caller, Site

Handler = Callable[[Request, Site], Awaitable[Response]]
CallerHandler = Callable[[Request, Site, Caller], Awaitable[Response]]


class Open(NamedTuple):
    """An address for everybody whom tor lets in."""

    get: Handler | None = None
    post: Handler | None = None


class Reviewing(NamedTuple):
    """An address for every reviewer who has signed in."""

    get: CallerHandler | None = None
    post: CallerHandler | None = None


class Managing(NamedTuple):
    """An address for those who may manage accounts; to others it does not exist."""

    get: CallerHandler | None = None
    post: CallerHandler | None = None


Address = Open | Reviewing | Managing

# `{id}` stands for 32 hexadecimal digits: collections, bags and accounts have such names.
ADDRESSES: dict[str, Address] = {
    "/": Open(get=login.show),
    "/sign-in": Open(post=login.sign_in),
    "/sign-out": Reviewing(post=login.sign_out),
    "/style.css": Open(get=login.style),
    "/robots.txt": Open(get=login.robots),
    "/collections": Reviewing(get=collections.show_all),
    "/collections/{id}": Reviewing(get=collections.show),
    "/collections/{id}/assign": Reviewing(post=collections.assign),
    "/collections/{id}/unassign": Reviewing(post=collections.unassign),
    "/seen": Reviewing(post=collections.see),
    "/bags": Reviewing(get=downloads.show_all, post=downloads.make),
    "/bags/{id}": Reviewing(get=downloads.show),
    "/bags/{id}/download": Reviewing(get=downloads.download),
    "/returns": Reviewing(get=returns.show, post=returns.take),
    "/keys": Reviewing(get=keyset.show),
    "/audit": Reviewing(get=audit.show),
    "/accounts": Managing(get=accounts.show, post=accounts.add),
    "/accounts/{id}/disable": Managing(post=accounts.disable),
    "/accounts/{id}/reset": Managing(post=accounts.reset),
    "/accounts/{id}/key": Managing(post=accounts.change_key),
}

_ID = re.compile(r"(?<=/)[0-9a-f]{32}(?=/|\Z)", re.ASCII)
_DOWNLOAD = re.compile(r"/bags/[0-9a-f]{32}/download", re.ASCII)
_REFUSALS = {
    Refusal.HOST: "missing",
    Refusal.PROXY: "proxy",
    Refusal.FOREIGN: "stale",
    Refusal.METHOD: "method",
    Refusal.BROKEN: "failed",
}


class JournalistApp:
    """The journalist interface as an ASGI app, without the headers that `build_app` puts around it."""

    def __init__(self, parts: ReviewerParts) -> None:
        self.site = Site(parts)
        self.house = House(self.site)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        response = await self._answer(Request(scope, receive))
        if response is not None:
            await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response | None:
        try:
            return await self._ask(request)
        except ClientDisconnect:
            return None
        except EXPECTED as error:
            problem = problem_of(error)
            response = self._problem(problem.name, problem.status)
            response.headers.update(problem.headers)
            return response

    async def _ask(self, request: Request) -> Response:
        posted = request.method == "POST"
        pattern, request.scope["path_params"] = _understood(request.scope["path"])
        match ADDRESSES.get(pattern):
            case Open(get, post):
                handler = post if posted else get
                return await handler(request, self.site) if handler else self._problem("method", 405)
            case Reviewing(get, post) | Managing(get, post) as address:
                caller_handler = post if posted else get
                if caller_handler is None:
                    return self._problem("method", 405)
                caller = await self.site.caller(request)
                if caller is None:
                    return self._stranger(request)
                if isinstance(address, Managing) and not caller.reviewer.is_admin:
                    raise MissingError("this address is not for this reviewer")
                return await caller_handler(request, self.site, caller)
            case None:
                raise MissingError("there is no such address")

    def _stranger(self, request: Request) -> Response:
        """Answer somebody who has not signed in, or not any more (C5)."""
        return self._problem("ended", 403) if request.method == "POST" else self.site.pages.goto("/")

    def _problem(self, kind: str, status: int) -> Response:
        return self.site.pages.page("problem.html", status, kind=kind)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self.house.clear_work()
        except OSError:
            await send({"type": "lifespan.startup.failed", "message": "the folder for return bags cannot be used"})
            return
        keeping = asyncio.create_task(self.house.live())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        self.site.close()
        await send({"type": "lifespan.shutdown.complete"})


def _understood(path: str) -> tuple[str, dict[str, str]]:
    """Return the address that *path* is written for, and the id in it; none is written with braces."""
    if "{" in path:
        return "", {}
    found = _ID.search(path)
    if found is None:
        return path, {}
    return _ID.sub("{id}", path, count=1), {"id": found[0]}


def build_app(parts: ReviewerParts) -> App:
    """Put the journalist interface together; whoever serves it makes the parts and owns them."""
    return SecureResponses(JournalistApp(parts), _policy(parts))


def build_refusal(parts: ReviewerParts) -> RefusalPage:
    """Prepare what `hardening.serving` answers to bytes that are no request."""
    return refusal_page(_policy(parts))


def _policy(parts: ReviewerParts) -> HeaderPolicy:
    written = Pages(parts.facts.name, evaluation=parts.facts.evaluation)
    pages = {refusal: written.refusal(kind) for refusal, kind in _REFUSALS.items()}
    return HeaderPolicy(
        csp=REVIEWER_CSP,
        hosts=parts.hosts,
        csp_for=lambda path: DOWNLOAD_CSP if _DOWNLOAD.fullmatch(path) else None,
        page=pages.__getitem__,
    )
