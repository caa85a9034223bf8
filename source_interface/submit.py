"""Begin, send a message or files, and say what became of them."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from hardening.forms import FormTooLargeError
from hardening.serving import trust_upload
from keys.codename import new
from keys.sealing import Sealed
from source_interface.errors import ClosedError, QuotaError, RefusedError, UnknownSourceError, VisitEndedError
from source_interface.letter import Letter
from source_interface.parts import MIB, Desk
from source_interface.problems import EXPECTED, Problem, problem_of
from source_interface.site import Site, Visitor
from source_interface.uploads import Envelope, Item
from source_interface.visit import Sending, Visit
from vault.errors import SourceExistsError
from vault.records import Source, Usage

_SEND_FORM = "send"
# Two codenames that lead to one inbox: nobody will ever see it, and still it is handled (C13).
_DRAWS = 4
# After a refusal so much of what is still coming is thrown away: a browser reads no answer before it has sent all.
_DRAINED_BYTES = 64 * MIB

_logger = logging.getLogger(__name__)


async def begin(request: Request, site: Site) -> Response:
    """Make a codename and what it opens, and keep both in the session alone until something arrives (C11)."""
    visitor = site.visitor(request)
    if visitor is not None and visitor.visit.newcomer is not None:
        return site.pages.goto(request, "/send")
    desk = await asyncio.to_thread(site.desks.open)
    if desk is None:
        raise ClosedError("fewer keys can be used than the quorum")
    site.refuse_when_full()
    await site.first_form(request)
    for _ in range(_DRAWS):
        codename = new(secrets.randbelow)
        derived = await site.secrets_of(codename, request, beginning=True)
        with suppress(SourceExistsError):
            source = await asyncio.to_thread(site.parts.inbox.new_source, derived.lookup_id, derived.public_key)
            visit = Visit(
                secrets=derived,
                day=site.today(),
                newcomer=source,
                keyset_hash=desk.keyset.hash,
                codename=codename,
            )
            return site.welcome(request, visit, "/send")
    raise RefusedError("no codename was free")


async def show_form(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form, unless what would be written into it could not be taken."""
    _desk(site, visitor.visit)
    await asyncio.to_thread(_source, site, visitor.visit)
    return _form(request, site, visitor, Letter(), None)


async def send(request: Request, site: Site, visitor: Visitor) -> Response:
    """Take a sending in, durably and whole; or say why not, with the text given back."""
    letter, body = Letter(), request.stream()
    try:
        with site.arrivals.told(visitor.session.token_hash, letter.arriving):
            return site.pages.goto(request, await _take_in(request, site, visitor, letter, body))
    except EXPECTED as error:
        problem = problem_of(error)
        if problem.status == 500:
            # The message of an error may quote what was sent; its kind cannot.
            _logger.error("a sending was not sealed: %s", type(error).__name__)  # noqa: TRY400
    finally:
        await letter.close()
    if problem.name != "large":
        await _drain(body)
    return _form(request, site, visitor, letter, problem)


async def give_back(request: Request, site: Site) -> Response:
    """Answer a sending whose visit has ended: nothing is kept, and the text is shown once more to be copied."""
    letter, body = Letter(), request.stream()
    with suppress(*EXPECTED):
        await letter.read_token(request.scope["headers"], body, site.limits)
        await letter.read_text()
    await letter.close()
    await _drain(body)
    return site.pages.page(request, "error.html", 403, kind="ended", typed=letter.text)


async def show_sent(request: Request, site: Site, visitor: Visitor) -> Response:
    """Say what became of the last sending."""
    return site.pages.page(request, "sent.html", visiting=True, token=visitor.token, sending=visitor.visit.sending)


async def _take_in(request: Request, site: Site, visitor: Visitor, letter: Letter, body: AsyncIterator[bytes]) -> str:
    """Take the sending in and say which page tells about it; the same form again gets the first answer (T8)."""
    once = await letter.read_token(request.scope["headers"], _progress(body, site, visitor), site.limits)
    async with site.forms.turn(visitor.session.key, _SEND_FORM, once) as turn:
        trust_upload(request.scope)
        if turn.outcome is not None:
            await letter.skip()
            return turn.outcome
        await letter.read_text()
        sealed = await _seal(request, site, visitor, letter)
        sending = _sending(sealed, letter)
        # Kept is kept: should the visit have ended in this very moment, the answer is the login page.
        with suppress(VisitEndedError):
            site.remember(visitor, lambda visit: replace(visit, sending=sending, notice=""))
        turn.settle("/codename" if visitor.visit.codename else "/sent")
        return turn.outcome or ""


async def _seal(request: Request, site: Site, visitor: Visitor, letter: Letter) -> tuple[Sealed, ...]:
    announced = int(request.headers.get("content-length", "0"))
    if announced > site.limits.post_bytes:
        raise FormTooLargeError("more is announced than one sending may have")
    async with aclosing(letter.items()) as items:
        # Nothing is made before there is something to keep (E14).
        first = await anext(items)
        site.refuse_when_full(announced)
        envelope = await asyncio.to_thread(_envelope, site, visitor.visit, site.pages.language(request).code)
        if announced > envelope.left_bytes:
            raise QuotaError("more is announced than the source may still send today")
        return await site.uploads.receive(_chained(first, items), envelope, lambda: _go_on(site, visitor))


async def _chained(first: Item, items: AsyncGenerator[Item]) -> AsyncGenerator[Item]:
    yield first
    async for item in items:
        yield item


async def _progress(body: AsyncIterator[bytes], site: Site, visitor: Visitor) -> AsyncGenerator[bytes]:
    """Give the body, and keep the visit alive by it; an upload ends with its visit."""
    async for piece in body:
        _refuse_ended(site, visitor)
        yield piece


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


def _source(site: Site, visit: Visit) -> Source:
    return site.parts.inbox.find(visit.secrets.lookup_id) or _newcomer(visit)


def _newcomer(visit: Visit) -> Source:
    if visit.newcomer is None:
        raise UnknownSourceError("no source has this codename")
    return visit.newcomer


def _envelope(site: Site, visit: Visit, language: str) -> Envelope:
    desk, day = _desk(site, visit)
    standing = site.parts.inbox.standing(visit.secrets.lookup_id)
    source, used = standing or (_newcomer(visit), Usage(0, 0))
    return Envelope(
        source=source,
        recipients=desk.recipients,
        keyset_day=day,
        language=language,
        left_bytes=site.limits.source_bytes_per_day - used.size_bytes,
        left_items=site.limits.source_items_per_day - used.items,
        share=Usage(site.limits.source_bytes_per_day, site.limits.source_items_per_day),
    )


def _sending(sealed: Iterable[Sealed], letter: Letter) -> Sending:
    kinds = [one.kind for one in sealed]
    return Sending(
        messages=kinds.count("message"),
        files=kinds.count("file"),
        encrypted=sum(one.preencrypted for one in sealed),
        codename_kept_out=letter.codename_kept_out,
        empty_names=tuple(letter.empty_names),
    )


def _form(request: Request, site: Site, visitor: Visitor, letter: Letter, problem: Problem | None) -> Response:
    limits = site.limits
    response = site.pages.page(
        request,
        "send.html",
        problem.status if problem else 200,
        visiting=True,
        token=visitor.token,
        once=site.forms.issue(visitor.session.key, _SEND_FORM),
        problem=problem.name if problem else "",
        typed=letter.text,
        uploads=limits.uploads,
        files_limit=limits.files_per_post,
        message_limit=limits.message_characters,
        megabytes=limits.post_bytes // MIB,
        idle_minutes=site.idle_minutes,
        visit_minutes=site.visit_minutes,
    )
    response.headers.update(problem.headers if problem else {})
    return response


async def _drain(body: AsyncIterator[bytes]) -> None:
    left = _DRAINED_BYTES
    async for piece in body:
        left -= len(piece)
        if left <= 0:
            break
