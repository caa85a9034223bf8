"""Come back with a codename, read replies, delete them, close the inbox, log out."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response

from hardening.clock import today
from keys.source_key import ReplyError, open_reply
from source_interface.codename_pages import SlipError, read_codename
from source_interface.parts import SESSIONS_PER_SOURCE, SourceParts
from source_interface.progress import MOST_REPORTS, Progress, open_progress
from source_interface.report_way import open_page, steps
from source_interface.site import Site, Visitor
from source_interface.visit import Visit
from vault.records import Arrival, Reply, Source
from vault.withdrawing import last_day_to_take_back

_WEEK = timedelta(days=7)
_MONTH = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class OpenReply:
    """A reply as its source reads it; without a text if it cannot be opened."""

    reply_id: str
    day: date
    text: str | None


@dataclass(frozen=True, slots=True)
class ArrivedDay:
    """What arrived on one day and is kept since: how much, and nothing else."""

    day: date
    messages: int
    files: int
    reports: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What an inbox shows.

    Attributes:
        read: People have read something of it, and the source allows us to tell her.
        reply_by: The day by which we try to answer; None when there is nothing to say of it.
        until: She has withdrawn everything, and can take that back until this day.
        progress: How far she has come with her last report; None if she has told none.
    """

    known: bool
    replies: tuple[OpenReply, ...]
    arrived: tuple[ArrivedDay, ...]
    read: bool
    reply_by: date | None
    until: date | None
    collected: str
    progress: Progress | None


async def show_login(request: Request, site: Site) -> Response:
    """Ask for the codename."""
    return login_page(request, site, 200, None)


async def login(request: Request, site: Site) -> Response:
    """Open the inbox of a codename; whether there is one is not even looked up here (C17, C18)."""
    try:
        codename = await read_codename(request, site, None)
    except SlipError as slip:
        return login_page(request, site, 400, slip)
    derived = await site.secrets_of(codename, request, beginning=False)
    desk = await asyncio.to_thread(site.desks.open)
    site.leave(request)
    crowded = site.parts.sessions.alive(derived.lookup_id) >= SESSIONS_PER_SOURCE
    visit = Visit(
        secrets=derived,
        day=site.today(),
        keyset_hash=desk.keyset.hash if desk else None,
        notice="older" if crowded else "",
    )
    return site.welcome(request, visit, "/inbox")


async def show(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the replies and what has arrived."""
    visit = visitor.visit
    contents = await asyncio.to_thread(_contents, site.parts, visit)
    if visit.newcomer and not contents.known:
        return site.pages.goto(request, open_page(site.form_of_questions, visit.report) if visit.report else "/send")
    language = site.pages.language(request)
    progress = contents.progress if site.asks_in(language) else None
    return site.pages.page(
        request,
        "inbox.html",
        visiting=True,
        token=visitor.token,
        notice=visit.notice,
        pending_codename=visit.codename is not None,
        contents=contents,
        collected=contents.collected,
        guided=site.asks_in(language),
        open=visit.report is not None or progress is None or len(progress.reports) < MOST_REPORTS,
        begun=visit.report is not None or progress is not None,
        steps=steps(site.form_of_questions, progress, language.code) if progress else (),
        way=visit.report.way if visit.report else progress.way if progress else "report",
    )


async def delete_reply(request: Request, site: Site, visitor: Visitor) -> Response:
    """Delete a reply for good; one that is gone already, or was never hers, is gone all the same."""
    form = await site.form(request, visitor, "reply")
    await asyncio.to_thread(_delete, site.parts, visitor.visit, form.get("reply"))
    site.notice(visitor, "deleted")
    return site.pages.goto(request, "/inbox")


async def ask_close(request: Request, site: Site, visitor: Visitor) -> Response:
    """Say what closing means, and ask."""
    source = await asyncio.to_thread(site.parts.inbox.find, visitor.visit.secrets.lookup_id)
    withdrawn = source is not None and source.withdrawn_day is not None
    return site.pages.page(request, "close.html", visiting=True, token=visitor.token, withdrawn=withdrawn)


async def close(request: Request, site: Site, visitor: Visitor) -> Response:
    """Close the inbox and end every visit to it (C5)."""
    await site.form(request, visitor)
    await asyncio.to_thread(_close, site.parts, visitor.visit)
    site.parts.sessions.end_owner(visitor.visit.secrets.lookup_id)
    return site.farewell(site.pages.goto(request, "/closed"))


async def logout(request: Request, site: Site, visitor: Visitor) -> Response:
    """End the visit."""
    await site.form(request, visitor)
    site.parts.sessions.end(visitor.session)
    return site.farewell(site.pages.goto(request, "/left"))


def login_page(request: Request, site: Site, status: int, slip: SlipError | None, *, ended: bool = False) -> Response:
    """Write the page that asks for the codename."""
    return site.pages.page(request, "login.html", status, slip=slip, ended=ended)


def collected(parts: SourceParts) -> str:
    """Say, roughly, how long ago reviewers last collected reports."""
    day = parts.outbox.last_collected()
    if day is None:
        return "never"
    age = today(parts.clock) - day
    return "week" if age <= _WEEK else "month" if age <= _MONTH else "older"


def _contents(parts: SourceParts, visit: Visit) -> Contents:
    """Read an inbox; for an unknown codename the same questions are asked of the same stores (C18)."""
    source = parts.inbox.find(visit.secrets.lookup_id)
    asked = source or _nobody(visit)
    deleted = parts.inbox.deleted_replies(asked)
    replies = [reply for reply in parts.outbox.replies(asked.collection_id) if reply.reply_id not in deleted]
    arrived = _by_day(parts.inbox.arrivals(asked))
    progress = open_progress(parts.inbox.progress(asked), visit.secrets)
    imported = parts.outbox.imported(asked.collection_id)
    refused = progress is not None and progress.contact is False
    return Contents(
        known=source is not None,
        replies=tuple(
            OpenReply(reply.reply_id, reply.day, _opened(reply.box, visit.secrets.seed)) for reply in reversed(replies)
        ),
        arrived=arrived,
        read=imported and progress is not None and progress.contact is True,
        reply_by=None if refused or asked.withdrawn_day else _reply_by(parts, arrived, replies),
        until=last_day_to_take_back(asked.withdrawn_day) if asked.withdrawn_day else None,
        collected=collected(parts),
        progress=progress,
    )


def _delete(parts: SourceParts, visit: Visit, untrusted_id: str) -> None:
    source = parts.inbox.find(visit.secrets.lookup_id)
    asked = source or _nobody(visit)
    if any(reply.reply_id == untrusted_id for reply in parts.outbox.replies(asked.collection_id)):
        parts.inbox.delete_reply(asked, untrusted_id)


def _close(parts: SourceParts, visit: Visit) -> None:
    source = parts.inbox.find(visit.secrets.lookup_id)
    if source is not None:
        parts.inbox.close(source)


def _nobody(visit: Visit) -> Source:
    """Name the source that an unknown codename would have; no collection has an id that was not drawn."""
    lookup_id = visit.secrets.lookup_id
    return Source(hashlib.sha256(lookup_id).hexdigest()[:32], "", lookup_id, visit.secrets.public_key)


def _opened(box: bytes, seed: bytes) -> str | None:
    try:
        return open_reply(box, seed)
    except ReplyError:
        return None


def _by_day(arrivals: Sequence[Arrival]) -> tuple[ArrivedDay, ...]:
    """Sort what arrived by day, the latest first."""
    counts = {(arrival.day, arrival.kind): arrival.count for arrival in arrivals}
    return tuple(
        ArrivedDay(day, *(counts.get((day, kind), 0) for kind in ("message", "file", "report")))
        for day in sorted({arrival.day for arrival in arrivals}, reverse=True)
    )


def _reply_by(parts: SourceParts, arrived: Sequence[ArrivedDay], replies: Sequence[Reply]) -> date | None:
    """Tell the day by which we try to answer what came last; none once it was answered, or the day has passed."""
    if not parts.facts.reply_days or not arrived or any(reply.day > arrived[0].day for reply in replies):
        return None
    day = arrived[0].day + timedelta(days=parts.facts.reply_days)
    return day if today(parts.clock) <= day else None
