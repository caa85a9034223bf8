"""Show who did what on which day, and whether a line of it was changed or dropped."""

import asyncio
import re
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from journalist_interface.errors import MissingError
from journalist_interface.site import Caller, Site
from reviewers.audit import CONSOLE, AuditHead
from reviewers.records import AuditLine

LINES_PER_PAGE = 50

_POSITION = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)


class Shown(NamedTuple):
    """A page of the log, and the verdict about all of it."""

    lines: list[AuditLine]
    head: AuditHead
    first_bad: int | None
    names: dict[str, str]


async def show(request: Request, site: Site, caller: Caller) -> Response:
    """Show a page of the log; all of it is verified each time."""
    before = request.query_params.get("before", "")
    if before and not _POSITION.fullmatch(before):
        raise MissingError("there is no such line")
    shown = await asyncio.to_thread(_shown, site, int(before) if before else None)
    more = shown.lines[-1].position if shown.lines and shown.lines[-1].position > 1 else None
    return site.page(caller, "audit.html", shown=shown, more=more, console=CONSOLE, first=not before)


def _shown(site: Site, before: int | None) -> Shown:
    audit = site.stores.audit
    names = {reviewer.reviewer_id: reviewer.display_name for reviewer in site.stores.accounts.all()}
    return Shown(audit.lines(before, LINES_PER_PAGE), audit.head(), audit.verify(), names)
