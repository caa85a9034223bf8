"""What everybody may see: the first page, the advice, the keys; and the ways out."""

import asyncio
from datetime import date
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from keys.keyset import usable
from source_interface.inbox import collected
from source_interface.site import Site

_TEXT = "text/plain; charset=utf-8"
_SIGNATURES = (".asc", ".sig")


class ShownKey(NamedTuple):
    """A reviewer's key as people compare it."""

    fingerprint: str
    not_after: date


async def landing(request: Request, site: Site) -> Response:
    """Show the first page; it is the same for everybody, whoever is visiting."""
    desk, when = await asyncio.to_thread(lambda: (site.desks.open(), collected(site.parts)))
    guided = site.asks_in(site.pages.language(request))
    return site.pages.page(request, "landing.html", open=desk is not None, guided=guided, collected=when)


async def safety(request: Request, site: Site) -> Response:
    """Show how to be safe."""
    return site.pages.page(request, "safety.html")


async def limits(request: Request, site: Site) -> Response:
    """Show what nobody is protected from."""
    return site.pages.page(request, "limits.html")


async def keys(request: Request, site: Site) -> Response:
    """Show the address and the fingerprints, and what is signed about them."""
    desk = await asyncio.to_thread(site.desks.open)
    offered = sorted(site.parts.facts.files)
    return site.pages.page(
        request,
        "keys.html",
        onion_address=site.parts.facts.onion_address,
        keys=[ShownKey(_grouped(str(key.fingerprint)), key.not_after) for key in usable(desk.keyset, site.today())]
        if desk
        else [],
        serial=desk.keyset.serial if desk else 0,
        files=offered,
        signed=[(name, name + suffix) for name in offered for suffix in _SIGNATURES if name + suffix in offered],
    )


async def key_file(request: Request, site: Site) -> Response:
    """Give one of the files that the page of keys offers; only their own addresses lead here."""
    name = request.scope["path"].rpartition("/")[2]
    return Response(site.parts.facts.files[name], headers={"content-type": _TEXT})


async def style(_request: Request, site: Site) -> Response:
    """Give the one style sheet."""
    return Response(site.style, headers={"content-type": "text/css; charset=utf-8"})


async def robots(_request: Request, _site: Site) -> Response:
    """Ask search engines to stay away."""
    return Response(b"User-agent: *\nDisallow: /\n", headers={"content-type": _TEXT})


async def leave(request: Request, site: Site) -> Response:
    """End a visit at once, by the one GET that changes anything; HEAD changes nothing (A17)."""
    visitor = site.visitor(request)
    if visitor is not None and request.method == "GET":
        site.parts.sessions.end(visitor.session)
    return site.farewell(site.pages.goto(request, "/blank"))


async def blank(request: Request, site: Site) -> Response:
    """Show a page that says nothing."""
    return site.pages.page(request, "blank.html")


async def left(request: Request, site: Site) -> Response:
    """Say that the visit is over."""
    return site.pages.page(request, "left.html", closed=False)


async def closed(request: Request, site: Site) -> Response:
    """Say that the inbox is closed."""
    return site.pages.page(request, "left.html", closed=True)


def _grouped(fingerprint: str) -> str:
    return " ".join(fingerprint[start : start + 4] for start in range(0, len(fingerprint), 4))
