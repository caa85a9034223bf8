"""Withdraw everything, with a week to think better of it; nobody else has a say in it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from source_interface.site import Site, Visitor
from vault.errors import NotFoundError, WithdrawnError
from vault.records import Source
from vault.withdrawing import last_day_to_take_back


async def show(request: Request, site: Site, visitor: Visitor) -> Response:
    """Say what withdrawing does and what it cannot do, and ask; or say until when it can be taken back."""
    source = await asyncio.to_thread(site.parts.inbox.find, visitor.visit.secrets.lookup_id)
    if source is None:
        return site.pages.goto(request, "/inbox")
    until = last_day_to_take_back(source.withdrawn_day) if source.withdrawn_day else None
    return site.pages.page(request, "withdraw.html", visiting=True, token=visitor.token, until=until)


async def withdraw(request: Request, site: Site, visitor: Visitor) -> Response:
    """Hide everything at once; what was hidden already stays so."""
    await site.form(request, visitor)
    await asyncio.to_thread(_change, site, visitor, site.parts.inbox.withdraw)
    return site.pages.goto(request, "/withdraw")


async def undo(request: Request, site: Site, visitor: Visitor) -> Response:
    """Take the withdrawal back."""
    await site.form(request, visitor)
    await asyncio.to_thread(_change, site, visitor, site.parts.inbox.take_back)
    site.notice(visitor, "taken_back")
    return site.pages.goto(request, "/inbox")


def refuse_withdrawn(source: Source) -> Source:
    """Return *source* if something can be taken from her.

    Raises:
        WithdrawnError: She has withdrawn everything.
    """
    if source.withdrawn_day is not None:
        raise WithdrawnError("everything was withdrawn")
    return source


def _change(site: Site, visitor: Visitor, change: Callable[[Source], None]) -> None:
    source = site.parts.inbox.find(visitor.visit.secrets.lookup_id)
    # Who has closed her inbox in another window finds nothing here, and the next page says so.
    with suppress(NotFoundError):
        if source is not None:
            change(source)
