"""Have what a visit sends sealed and kept: whom to, from whom, how much; and go on only while that is possible."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date

from starlette.requests import Request

from hardening.forms import FormTooLargeError
from keys.manifest import FormVersion
from keys.sealing import Sealed
from source_interface.errors import ClosedError, QuotaError, UnknownSourceError, VisitEndedError
from source_interface.parts import MIB, Desk
from source_interface.progress import Progress, open_progress, seal_progress
from source_interface.site import Site, Visitor
from source_interface.uploads import Envelope, Item
from source_interface.visit import Visit
from source_interface.withdrawal import refuse_withdrawn
from vault.records import Source, Usage

# After a refusal so much of what is still coming is thrown away: a browser reads no answer before it has sent all.
_DRAINED_BYTES = 64 * MIB


@dataclass(frozen=True, slots=True)
class OfReport:
    """What goes with the documents of a report.

    Attributes:
        form: What was asked.
        progress: How far the source has come once they are kept.
    """

    form: FormVersion
    progress: Progress


async def receive(
    request: Request,
    site: Site,
    visitor: Visitor,
    items: AsyncGenerator[Item],
    of_report: OfReport | None = None,
) -> tuple[Sealed, ...]:
    """Seal *items* into one submission of this visit's source, durable when this returns; nothing is kept if it raises.

    Raises:
        RefusedError: It cannot be taken.
        KeysError: It was not sealed.
        VaultError: It was not kept.
    """
    announced = int(request.headers.get("content-length", "0"))
    if announced > site.limits.post_bytes:
        raise FormTooLargeError("more is announced than one sending may have")
    async with aclosing(items):
        # Nothing is made before there is something to keep (E14).
        first = await anext(items)
        site.refuse_when_full(announced)
        language = site.pages.language(request).code
        envelope = await asyncio.to_thread(_envelope, site, visitor.visit, language, of_report)
        if announced > envelope.left_bytes:
            raise QuotaError("more is announced than the source may still send today")
        return await site.uploads.receive(_chained(first, items), envelope, lambda: _go_on(site, visitor))


async def progress(body: AsyncIterator[bytes], site: Site, visitor: Visitor) -> AsyncGenerator[bytes]:
    """Give the body, and keep the visit alive by it; an upload ends with its visit."""
    async for piece in body:
        _refuse_ended(site, visitor)
        yield piece


def stored_progress(site: Site, visit: Visit) -> Progress | None:
    """Tell how far this visit's source has come with her last report; None if she has told none."""
    source = site.parts.inbox.find(visit.secrets.lookup_id)
    return open_progress(site.parts.inbox.progress(source), visit.secrets) if source else None


async def drain(body: AsyncIterator[bytes]) -> None:
    """Read what is still coming of a refused sending, so that its answer is read."""
    left = _DRAINED_BYTES
    async for piece in body:
        left -= len(piece)
        if left <= 0:
            break


def refuse_closed(site: Site, visit: Visit) -> None:
    """Refuse a visit of which nothing could be taken, before anything is typed.

    Raises:
        ClosedError: There is nobody to seal to.
        UnknownSourceError: Nothing has ever arrived from it.
        WithdrawnError: Everything of it was withdrawn.
    """
    _desk(site, visit)
    refuse_withdrawn(site.parts.inbox.find(visit.secrets.lookup_id) or _newcomer(visit))


async def _chained(first: Item, items: AsyncGenerator[Item]) -> AsyncGenerator[Item]:
    yield first
    async for item in items:
        yield item


def _refuse_ended(site: Site, visitor: Visitor) -> None:
    if not site.parts.sessions.touch(visitor.session):
        raise VisitEndedError("the visit ended while its sending was on its way")


def _go_on(site: Site, visitor: Visitor) -> None:
    """Refuse what has become impossible while it arrived: what others send meanwhile fills the same disk (D10)."""
    _refuse_ended(site, visitor)
    site.refuse_when_full()


def _desk(site: Site, visit: Visit) -> tuple[Desk, date]:
    """Find whom this visit seals to, and the day on which they were chosen (G6)."""
    known = site.desks.of(visit.keyset_hash, visit.day) if visit.keyset_hash else None
    if known is not None:
        return known, visit.day
    desk = site.desks.open()
    if desk is None:
        raise ClosedError("fewer keys can be used than the quorum")
    return desk, site.today()


def _newcomer(visit: Visit) -> Source:
    if visit.newcomer is None:
        raise UnknownSourceError("no source has this codename")
    return visit.newcomer


def _envelope(site: Site, visit: Visit, language: str, of_report: OfReport | None) -> Envelope:
    desk, day = _desk(site, visit)
    standing = site.parts.inbox.standing(visit.secrets.lookup_id)
    source, used = standing or (_newcomer(visit), Usage(0, 0))
    return Envelope(
        source=refuse_withdrawn(source),
        recipients=desk.recipients,
        keyset_day=day,
        language=language,
        left_bytes=site.limits.source_bytes_per_day - used.size_bytes,
        left_items=site.limits.source_items_per_day - used.items,
        share=Usage(site.limits.source_bytes_per_day, site.limits.source_items_per_day),
        form=of_report.form if of_report else None,
        progress=seal_progress(of_report.progress, visit.secrets) if of_report else None,
    )
