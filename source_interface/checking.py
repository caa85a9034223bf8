"""The summary before a report is sent: all of it in words, what else was sent, and what sending means."""

from starlette.requests import Request
from starlette.responses import Response

from questionnaire.model import Form
from questionnaire.parting import ONCE
from questionnaire.reading import EXACT
from source_interface.asking import filled
from source_interface.problems import Problem
from source_interface.report_state import ReportState
from source_interface.report_way import address
from source_interface.saying import asked_of, summary
from source_interface.site import Site, Visitor

REPORT_FORM = "report"
"""What the one-time tokens are for that send a report (T8)."""


async def show(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the summary."""
    if visitor.visit.report is None:
        return site.pages.goto(request, "/inbox")
    return page(request, site, visitor, visitor.visit.report, None)


def page(request: Request, site: Site, visitor: Visitor, report: ReportState, problem: Problem | None) -> Response:
    """Write the summary, and why nothing was sent if that is so."""
    form = site.form_of_questions
    asking = site.asking(request, report, filled((), {}), {})
    response = site.pages.page(
        request,
        "check.html",
        problem.status if problem else 200,
        token=visitor.token,
        once=site.forms.issue(visitor.session.key, REPORT_FORM),
        problem=problem.name if problem else "",
        summary=summary(asking, report.walk(form), report.earlier),
        dropped=asked_of(asking, report.dropped),
        files=report.files,
        once_name=ONCE,
        once_only=report.once_only,
        sent=report.sent,
        exact=EXACT,
        back=_last(form, report),
        languages=site.asked_languages,
        message_limit=site.limits.message_characters,
    )
    response.headers.update(problem.headers if problem else {})
    return response


def _last(form: Form, report: ReportState) -> str:
    return address(form, report.walk(form)[-1])
