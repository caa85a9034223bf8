"""Send a report: all of it from the summary, or what there is so far from any page; the last sending holds."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import replace
from typing import Final, Literal, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from hardening.canonical import JSON
from keys.manifest import FormVersion
from questionnaire.model import Form
from questionnaire.parting import ONCE, notes_part, report_parts
from questionnaire.parts import AnswersPart, FormName, Heading
from source_interface.checking import REPORT_FORM, page
from source_interface.problems import EXPECTED, logged_problem
from source_interface.progress import Progress, form_mark
from source_interface.receiving import OfReport, receive, stored_progress
from source_interface.report_state import ReportState
from source_interface.site import Site, Visitor
from source_interface.uploads import Item, report_items
from source_interface.visit import Sending, Visit

CONTACT: Final = "c2"
"""The permission to write to the source in her inbox."""

Extent: TypeAlias = Literal["whole", "part"]


async def send(request: Request, site: Site, visitor: Visitor) -> Response:
    """Send the whole report; the form's own token stands for the visit's."""
    form = await site.form(request, None, "once", ONCE)
    if visitor.visit.report is None:
        return site.pages.goto(request, "/inbox")
    report = replace(visitor.visit.report, once_only=form.get(ONCE) == "yes")
    return await _send(request, site, visitor, report, (form.get("once"), "whole"))


async def send_so_far(
    request: Request, site: Site, visitor: Visitor, report: ReportState, untrusted_once: str
) -> Response:
    """Send what was told so far; it can be gone on with afterwards."""
    return await _send(request, site, visitor, report, (untrusted_once, "part"))


def heading(form: Form, language: str, progress: Progress, *, complete: bool) -> Heading:
    """Write what the documents of one sending have in common."""
    return Heading(
        form=FormName(form.form_id, form.version, form.sha256),
        language=language,
        report=progress.report_id,
        seq=progress.seq,
        way=progress.way,
        complete=complete,
    )


def of_report(form: Form, progress: Progress) -> OfReport:
    """Say what goes with the documents of a report."""
    return OfReport(FormVersion(form.form_id, form.version, form.sha256), progress)


async def sealable(documents: Iterable[AnswersPart]) -> AsyncGenerator[Item]:
    """Give documents as items to be sealed."""
    for item in report_items(documents):
        yield item


async def _send(
    request: Request, site: Site, visitor: Visitor, report: ReportState, order: tuple[str, Extent]
) -> Response:
    """Send *report* unless the same form has done it already, and say which page tells about it (T8)."""
    untrusted_once, extent = order
    try:
        async with site.forms.turn(visitor.session.key, REPORT_FORM, untrusted_once) as turn:
            if turn.outcome is None:
                if extent == "whole":
                    # What she ticked holds from now on, also for what waits for its turn beside this.
                    site.remember(visitor, lambda visit: _once_only(visit, report))
                async with site.turn_of(visitor.visit):
                    await _keep(request, site, visitor, report, extent)
                turn.settle("/codename" if visitor.visit.codename else "/sent")
            return site.pages.goto(request, turn.outcome or "")
    except EXPECTED as error:
        problem = logged_problem(error)
    return page(request, site, visitor, report, problem)


async def _keep(request: Request, site: Site, visitor: Visitor, report: ReportState, extent: Extent) -> None:
    form, language = site.form_of_questions, site.pages.language(request).code
    stored = await asyncio.to_thread(stored_progress, site, visitor.visit)
    numbered = _numbered(site, visitor, report, stored.seq if stored else 0)
    contact = allowed(numbered.answers.get(CONTACT))
    if contact is None and stored and numbered.earlier:
        # She has said it in an earlier visit, and was not asked again.
        contact = stored.contact
    progress = Progress(
        report_id=numbered.report_id,
        seq=numbered.seq,
        way=numbered.way,
        reached=tuple(one.name for one in form.flow if one.name in numbered.reached),
        form=form_mark(form.sha256),
        ahead=numbered.ahead(form),
        contact=contact,
        language=language,
        others=tuple(one for one in stored.reports if one != numbered.report_id) if stored else (),
    )
    head = heading(form, language, progress, complete=extent == "whole")
    items = sealable([*report_parts(form, _answers(numbered), head), *_notes(form, numbered, head)])
    await receive(request, site, visitor, items, of_report(form, progress))
    site.remember_kept(visitor, lambda visit: _sent(visit, extent))


def allowed(answer: JSON) -> bool | None:
    """Read a permission; None while nothing was said."""
    return {"yes": True, "no": False}.get(answer) if isinstance(answer, str) else None


def _answers(report: ReportState) -> dict[str, JSON]:
    return {**report.answers, ONCE: "yes"} if report.once_only else dict(report.answers)


def _notes(form: Form, report: ReportState, head: Heading) -> list[AnswersPart]:
    return [notes_part(form, file.notes, head, file.part_id) for file in report.files if file.notes]


def _numbered(site: Site, visitor: Visitor, report: ReportState, last: int) -> ReportState:
    """Take the number of this sending: whatever becomes of it, the next one has a greater one.

    What was chosen while it waited for its turn holds: it is sent as it is known now.
    """

    def counted(visit: Visit) -> Visit:
        now = visit.report or report
        return replace(visit, report=replace(now, seq=max(now.seq, last + 1) + 1))

    now = site.remember(visitor, counted).report or report
    return replace(now, seq=now.seq - 1)


def _once_only(visit: Visit, report: ReportState) -> Visit:
    return replace(visit, report=replace(visit.report or report, once_only=report.once_only))


def _sent(visit: Visit, extent: Extent) -> Visit:
    return replace(
        visit, sending=Sending(report=extent), notice="", report=visit.report and replace(visit.report, sent=True)
    )
