"""Begin, send a message or files, and say what became of them."""

import asyncio
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from keys.codename import new
from keys.sealing import Sealed
from source_interface.errors import ClosedError, RefusedError
from source_interface.letter import Letter
from source_interface.parts import MIB
from source_interface.posting import Posting, post
from source_interface.problems import EXPECTED, Problem
from source_interface.receiving import drain, receive, refuse_closed
from source_interface.report_way import begun, enter, open_page
from source_interface.site import Site, Visitor
from source_interface.visit import Sending, Visit
from vault.errors import SourceExistsError

_SEND_FORM = "send"
# Two codenames that lead to one inbox: nobody will ever see it, and still it is handled (C13).
_DRAWS = 4


async def begin(request: Request, site: Site) -> Response:
    """Make a codename and what it opens, and keep both in the session alone until something arrives (C11)."""
    visitor = site.visitor(request)
    if visitor is not None and (visitor.visit.newcomer is not None or visitor.visit.report is not None):
        return await _begin_again(request, site, visitor)
    desk = await asyncio.to_thread(site.desks.open)
    if desk is None:
        raise ClosedError("fewer keys can be used than the quorum")
    site.refuse_when_full()
    way = (await site.first_form(request, "way")).get("way")
    report = begun(site, request, way)
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
                report=report,
            )
            return site.welcome(request, visit, "/report/1" if report else "/send")
    raise RefusedError("no codename was free")


async def show_form(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form, unless what would be written into it could not be taken."""
    await asyncio.to_thread(refuse_closed, site, visitor.visit)
    return _form(request, site, visitor, Letter(), None)


async def send(request: Request, site: Site, visitor: Visitor) -> Response:
    """Take a sending in, durably and whole; or say why not, with the text given back."""

    async def keep(letter: Letter) -> str:
        await letter.read_text()
        sealed = await receive(request, site, visitor, letter.items())
        sending = _sending(sealed, letter)
        site.remember_kept(visitor, lambda visit: replace(visit, sending=sending, notice=""))
        return "/codename" if visitor.visit.codename else "/sent"

    def refuse(letter: Letter, problem: Problem) -> Response:
        return _form(request, site, visitor, letter, problem)

    return await post(request, site, visitor, Posting(_SEND_FORM, keep, refuse))


async def give_back(request: Request, site: Site) -> Response:
    """Answer a sending whose visit has ended: nothing is kept, and the text is shown once more to be copied."""
    letter, body = Letter(), request.stream()
    with suppress(*EXPECTED):
        await letter.read_token(request.scope["headers"], body, site.limits)
        await letter.read_text()
    await letter.close()
    await drain(body)
    return site.pages.page(request, "error.html", 403, kind="ended", typed=letter.text)


async def show_sent(request: Request, site: Site, visitor: Visitor) -> Response:
    """Say what became of the last sending."""
    visit = visitor.visit
    report = open_page(site.form_of_questions, visit.report) if visit.report else ""
    return site.pages.page(
        request, "sent.html", visiting=True, token=visitor.token, sending=visit.sending, report=report
    )


async def _begin_again(request: Request, site: Site, visitor: Visitor) -> Response:
    """Go on with what has begun in this visit, perhaps through another door; nothing that was told is lost by it."""
    way = (await site.first_form(request, "way")).get("way")
    if begun(site, request, way) is None:
        return site.pages.goto(request, "/send")
    return site.pages.goto(request, enter(site, visitor, way, None))


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
