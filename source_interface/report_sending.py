"""Send a report: all of it from the summary, or what there is so far from any page; the last sending holds."""

import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import replace
from typing import Literal, cast

from starlette.requests import Request
from starlette.responses import Response

from hardening.canonical import Writable, canonical_json
from source_interface.checking import REPORT_FORM, page
from source_interface.errors import VisitEndedError
from source_interface.problems import EXPECTED, problem_of
from source_interface.receiving import receive
from source_interface.report_state import ReportState
from source_interface.site import Site, Visitor
from source_interface.uploads import Item
from source_interface.visit import Sending, Visit

Extent = Literal["whole", "part"]

_logger = logging.getLogger(__name__)


async def send(request: Request, site: Site, visitor: Visitor) -> Response:
    """Send the whole report; the form's own token stands for the visit's."""
    form = await site.form(request, None, "once", "c1_once")
    if visitor.visit.report is None:
        return site.pages.goto(request, "/inbox")
    report = replace(visitor.visit.report, once_only=form.get("c1_once") == "yes")
    return await _send(request, site, visitor, report, (form.get("once"), "whole"))


async def send_so_far(
    request: Request, site: Site, visitor: Visitor, report: ReportState, untrusted_once: str
) -> Response:
    """Send what was told so far; it can be gone on with afterwards."""
    return await _send(request, site, visitor, report, (untrusted_once, "part"))


async def _send(
    request: Request, site: Site, visitor: Visitor, report: ReportState, order: tuple[str, Extent]
) -> Response:
    """Send *report* unless the same form has done it already, and say which page tells about it (T8)."""
    untrusted_once, extent = order
    try:
        async with site.forms.turn(visitor.session.key, REPORT_FORM, untrusted_once) as turn:
            if turn.outcome is None:
                await receive(request, site, visitor, _items(site, _numbered(site, visitor, report), extent))
                # Kept is kept: should the visit have ended in this very moment, the answer is the login page.
                with suppress(VisitEndedError):
                    site.remember(visitor, lambda visit: replace(visit, sending=Sending(report=extent), notice=""))
                turn.settle("/codename" if visitor.visit.codename else "/sent")
            return site.pages.goto(request, turn.outcome or "")
    except EXPECTED as error:
        problem = problem_of(error)
        if problem.status == 500:
            # The message of an error may quote what was sent; its kind cannot.
            _logger.error("a report was not sealed: %s", type(error).__name__)  # noqa: TRY400
    return page(request, site, visitor, report, problem)


def _numbered(site: Site, visitor: Visitor, report: ReportState) -> ReportState:
    """Take the number of this sending: whatever becomes of it, the next one has a greater one."""

    def counted(visit: Visit) -> Visit:
        seq = visit.report.seq if visit.report else report.seq
        return replace(visit, report=replace(report, seq=seq + 1))

    counted_report = site.remember(visitor, counted).report or report
    return replace(report, seq=counted_report.seq - 1)


async def _items(site: Site, report: ReportState, extent: Extent) -> AsyncGenerator[Item]:
    form = site.form_of_questions
    told: dict[str, Writable] = {"form": form.form_id, "seq": report.seq, "complete": extent == "whole"}
    yield Item("message", "", "application/json", canonical_json({**told, "answers": cast("Writable", report.answers)}))
