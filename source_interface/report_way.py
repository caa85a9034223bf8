"""The way through the questionnaire: through which door somebody comes in, and which page comes next."""

from dataclasses import replace

from starlette.requests import Request

from questionnaire.answers import after, before, walk
from questionnaire.model import WAY, Form, Page
from source_interface.progress import Progress
from source_interface.report_state import GUIDED_WAYS, ReportState
from source_interface.site import Site, Visitor
from source_interface.visit import Visit

CHECK = "/report/check"


def begun(site: Site, request: Request, untrusted_way: str) -> ReportState | None:
    """Begin a report through a door; None if it leads to no questionnaire, or to none in this language."""
    if untrusted_way not in GUIDED_WAYS or not site.asks_in(site.pages.language(request)):
        return None
    return ReportState.begun(untrusted_way)


def enter(site: Site, visitor: Visitor, way: str, stored: Progress | None) -> str:
    """Go in through the door *way*, or on with what was told already; gives the address of the page.

    *stored* is what is known of earlier visits.

    Raises:
        VisitEndedError: The session is gone.
    """
    form = site.form_of_questions

    def entered(visit: Visit) -> Visit:
        if visit.report:
            return replace(visit, report=visit.report.going(form, way))
        return replace(visit, report=ReportState.resumed(form, way, stored) if stored else ReportState.begun(way))

    report = site.remember(visitor, entered).report
    return CHECK if report is None else open_page(form, report)


def address(form: Form, page: Page | None) -> str:
    """Give where *page* is; None stands for the end of the questions."""
    return CHECK if page is None else f"/report/{form.flow.index(page) + 1}"


def open_page(form: Form, report: ReportState) -> str:
    """Give where the first page is that was not reached yet."""
    return address(form, next((page for page in report.walk(form) if page.name not in report.reached), None))


def onward(form: Form, report: ReportState, page: Page) -> str:
    """Give where to go from *page*: to the next one, but from the summary's corrections back to the summary."""
    following = after(form, report.answers, page.name, report.led_over)
    return open_page(form, report) if report.checked and following else address(form, following)


def backward(form: Form, report: ReportState, page: Page) -> str:
    """Give where to go back from *page*."""
    return address(form, before(form, report.answers, page.name, report.led_over) or page)


def steps(form: Form, progress: Progress, language: str) -> tuple[tuple[str, bool], ...]:
    """List the pages of a report that was begun in an earlier visit, each with whether it was reached.

    Of those ahead only the ones that everybody meets who has answered nothing, and none that she may have passed by:
    any other would show at a glance what she had answered.
    """
    known = walk(form, {WAY: progress.way})
    last = max((at for at, page in enumerate(form.flow) if page.name in progress.reached), default=-1)
    return tuple(
        (form.said(page.title, language), page.name in progress.reached)
        for at, page in enumerate(form.flow)
        if page.name in progress.reached or (page in known and at > last)
    )


def step(form: Form, report: ReportState, page: Page) -> tuple[int, int]:
    """Say which step *page* is, and of how many, as far as that can be known."""
    pages = report.walk(form)
    return pages.index(page) + 1, len(pages)
