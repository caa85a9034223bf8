"""Tell in a second tab how far an upload is: a page that loads itself again while something is on its way."""

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from source_interface.arriving import Arriving
from source_interface.parts import MIB
from source_interface.site import Site, Visitor

_AGAIN_SECONDS = "10"


class Shown(NamedTuple):
    """How far one sending is, in the words of its page.

    Attributes:
        state: ``running``, ``sealing`` (all of it is here and is being sealed), ``kept`` or ``failed``.
        arrived: Whole megabytes.
        announced: The same, rounded up; 0 if the browser did not say.
        files: How many have arrived to their end.
    """

    state: str
    arrived: int
    announced: int
    files: int


async def show(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show what is on its way in this visit, and load the page again while there is something."""
    shown = [shown_of(arriving) for arriving in site.arrivals.of(visitor.session.token_hash)]
    response = site.pages.page(
        request,
        "progress.html",
        visiting=True,
        token=visitor.token,
        shown=shown,
        idle_minutes=site.idle_minutes,
        visit_minutes=site.visit_minutes,
    )
    if any(one.state in ("running", "sealing") for one in shown):
        response.headers["refresh"] = _AGAIN_SECONDS
    return response


def shown_of(arriving: Arriving) -> Shown:
    """Put it as roughly as a person asks."""
    state = "running"
    if arriving.kept is not None:
        state = "kept" if arriving.kept else "failed"
    elif 0 < arriving.announced_bytes <= arriving.arrived_bytes:
        state = "sealing"
    announced = -(-arriving.announced_bytes // MIB)
    return Shown(state, arriving.arrived_bytes // MIB, announced, arriving.whole_files)
