"""Files that belong to a report: durable at once, by a button of their own."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from keys.sealing import Sealed
from source_interface.letter import Letter
from source_interface.parts import MIB
from source_interface.posting import Posting, post
from source_interface.problems import Problem
from source_interface.receiving import receive, refuse_closed
from source_interface.report_state import MOST_NOTED, ReportState, SentFile
from source_interface.site import Site, Visitor
from source_interface.visit import Sending, Visit

ADDRESS = "/report/files"

_FILES_FORM = "files"
# Enough to tell a file by; the whole name is sealed. All that a visit can send finds room in it beside the answers.
_SHOWN_CHARACTERS = 80


async def show(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the form for files, and what has arrived by it."""
    if visitor.visit.report is None:
        return site.pages.goto(request, "/send")
    await asyncio.to_thread(refuse_closed, site, visitor.visit)
    return _page(request, site, visitor, visitor.visit.report, None)


async def send(request: Request, site: Site, visitor: Visitor) -> Response:
    """Take files in, durably and whole; or say why not."""

    async def keep(letter: Letter) -> str:
        sealed = await receive(request, site, visitor, letter.items())
        site.remember_kept(visitor, lambda visit: _arrived(visit, sealed, letter))
        return ADDRESS

    def refuse(_: Letter, problem: Problem) -> Response:
        report = visitor.visit.report
        return _page(request, site, visitor, report, problem) if report else site.pages.goto(request, "/send")

    return await post(request, site, visitor, Posting(_FILES_FORM, keep, refuse))


def _arrived(visit: Visit, sealed: Sequence[Sealed], letter: Letter) -> Visit:
    named = zip(sealed, letter.names, strict=True)
    files = [SentFile(part_id=one.part_id, name=name[:_SHOWN_CHARACTERS]) for one, name in named]
    encrypted = sum(one.preencrypted for one in sealed)
    sending = Sending(files=len(files), encrypted=encrypted, empty_names=tuple(letter.empty_names))
    report = visit.report and replace(visit.report, files=(*visit.report.files, *files))
    return replace(visit, sending=sending, notice="", report=report)


def _page(request: Request, site: Site, visitor: Visitor, report: ReportState, problem: Problem | None) -> Response:
    limits = site.limits
    response = site.pages.page(
        request,
        "files.html",
        problem.status if problem else 200,
        token=visitor.token,
        once=site.forms.issue(visitor.session.key, _FILES_FORM),
        problem=problem.name if problem else "",
        files=report.files,
        most_noted=MOST_NOTED,
        notes=site.form_of_questions.file_page is not None,
        sending=visitor.visit.sending,
        pending_codename=visitor.visit.codename is not None and visitor.visit.sending is not None,
        uploads=limits.uploads,
        files_limit=limits.files_per_post,
        megabytes=limits.post_bytes // MIB,
        message_limit=limits.message_characters,
        idle_minutes=site.idle_minutes,
        visit_minutes=site.visit_minutes,
        languages=site.asked_languages,
    )
    response.headers.update(problem.headers if problem else {})
    return response
