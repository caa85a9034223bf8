"""Sign in with name, password and code; sign out. The third factor, the onion client key, was asked for by tor."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from journalist_interface.house import learn
from journalist_interface.site import Caller, Site

_TEXT = "text/plain; charset=utf-8"


async def show(request: Request, site: Site) -> Response:
    """Ask who is there; whoever has signed in goes to work."""
    if await site.caller(request) is not None:
        return site.pages.goto("/collections")
    ended = bool(request.cookies.get(site.parts.sessions.cookie_name))
    return site.pages.page("sign_in.html", ended=ended, refused=False)


async def sign_in(request: Request, site: Site) -> Response:
    """Let a reviewer in whose name, password and code are right; say nothing about which was wrong (C17)."""
    given = await site.fields(request, "name", "password", "code")
    reviewer = await site.sign_in(request, given)
    if reviewer is None:
        return site.pages.page("sign_in.html", 403, ended=False, refused=True)
    await asyncio.to_thread(site.stores.audit.append, reviewer.reviewer_id, "signed-in")
    await asyncio.to_thread(learn, site.stores, site.today())
    return site.welcome(request, reviewer)


async def sign_out(request: Request, site: Site, caller: Caller) -> Response:
    """End the session."""
    given = await site.fields(request)
    async with site.turn(given, caller, "sign-out") as turn:
        turn.settle("/")
    return site.farewell(caller)


async def style(_request: Request, site: Site) -> Response:
    """Give the one style sheet."""
    return Response(site.style, headers={"content-type": "text/css; charset=utf-8"})


async def robots(_request: Request, _site: Site) -> Response:
    """Ask search engines to stay away."""
    return Response(b"User-agent: *\nDisallow: /\n", headers={"content-type": _TEXT})
