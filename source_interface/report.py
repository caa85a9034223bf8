"""The questions, page by page: show one, take what was answered on it, and lead on."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from hardening.canonical import JSON
from hardening.csrf import CsrfError
from questionnaire.answers import visible
from questionnaire.model import MOST_SLOTS, Form, Page, Repeat
from source_interface.asking import filled
from source_interface.errors import CrammedError, VisitEndedError
from source_interface.progress import MOST_REPORTS
from source_interface.question_pages import Questions, Tried, given_back, write
from source_interface.receiving import stored_progress
from source_interface.report_form import read_posted, understand
from source_interface.report_sending import send_so_far
from source_interface.report_state import ReportState
from source_interface.report_way import CHECK, address, backward, enter, onward, open_page, step
from source_interface.saying import asked_of
from source_interface.site import SPARE_BYTES, Site, Visitor
from source_interface.visit import Visit

# What can be looked at from among the questions, which are kept in the visit meanwhile.
_ELSEWHERE = frozenset({"/help", "/safety", "/limits", "/keys"})
# What buttons begin with that leave her on the page, or bring her back to it.
_STAYING = ("add.", "language.", "see/")


async def enter_again(request: Request, site: Site, visitor: Visitor) -> Response:
    """Go into the questions from inside a visit."""
    way = (await site.form(request, visitor, "way")).get("way")
    stored = await asyncio.to_thread(stored_progress, site, visitor.visit)
    if visitor.visit.report is None and stored and len(stored.reports) >= MOST_REPORTS:
        return site.pages.goto(request, "/inbox")
    return site.pages.goto(request, enter(site, visitor, "help" if way == "help" else "report", stored))


async def show(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show a page of questions with what was answered on it."""
    form, page, report = site.form_of_questions, _page(request, site), visitor.visit.report
    if report is None:
        return site.pages.goto(request, "/inbox")
    if page not in report.walk(form):
        return site.pages.goto(request, open_page(form, report))
    return _shown(request, site, visitor, Tried(filled(page.items, report.answers)))


async def save(request: Request, site: Site, visitor: Visitor) -> Response:
    """Take the answers of a page; or say what is wrong, with everything given back."""
    page = _page(request, site)
    posted = await read_posted(request, site, page.items)
    if visitor.visit.report is None:
        return given_back(request, site, page, posted, "ended")
    try:
        site.check(visitor, posted.given)
        understood = understand(posted, page.items, site.today(), site.parts.places)
        if understood.troubles:
            return _shown(request, site, visitor, Tried(posted.given, understood.troubles, 400))
        report = _saved(site, visitor, page, posted.button, understood.answers)
    except CrammedError as error:
        return _shown(request, site, visitor, Tried(posted.given, status=error.status))
    except (CsrfError, VisitEndedError) as error:
        return given_back(request, site, page, posted, "stale" if isinstance(error, CsrfError) else "ended")
    if posted.button == "send":
        return await send_so_far(request, site, visitor, report, posted.given.get("once"))
    return _led_on(request, site, page, report, posted.button)


async def give_back(request: Request, site: Site) -> Response:
    """Answer answers whose visit has ended: they are shown once more, to be copied."""
    page = _page(request, site)
    return given_back(request, site, page, await read_posted(request, site, page.items), "ended")


def _page(request: Request, site: Site) -> Page:
    return site.form_of_questions.flow[int(request.scope["path"].rpartition("/")[2]) - 1]


def _saved(site: Site, visitor: Visitor, page: Page, button: str, answers: Mapping[str, JSON]) -> ReportState:
    form = site.form_of_questions

    def told(visit: Visit) -> Visit:
        return replace(visit, report=visit.report and _told(form, visit.report, page, button, answers))

    report = site.remember(visitor, told, SPARE_BYTES).report
    if report is None:
        raise VisitEndedError("the report is gone")
    return report


def _told(form: Form, report: ReportState, page: Page, button: str, answers: Mapping[str, JSON]) -> ReportState:
    stays = button == "regions" or button.startswith(_STAYING)
    saved = report.told(form, page, answers, passed=not stays)
    for item in page.items:
        if isinstance(item, Repeat):
            count = max(saved.slots.get(item.name, 1), 1) + (button == f"add.{item.name}")
            saved = replace(saved, slots={**saved.slots, item.name: min(MOST_SLOTS, count)})
    ended = not stays and button != "back" and onward(form, saved, page) == CHECK
    return replace(saved, checked=saved.checked or ended)


def _led_on(request: Request, site: Site, page: Page, report: ReportState, button: str) -> Response:
    form = site.form_of_questions
    here = address(form, page)
    if button == "back":
        return site.pages.goto(request, backward(form, report, page))
    if button == "regions" or button.startswith("add."):
        return site.pages.goto(request, f"{here}#more")
    if button.removeprefix("see") in _ELSEWHERE:
        return site.pages.goto(request, button.removeprefix("see"))
    for language in site.asked_languages:
        if button == f"language.{language.code}":
            return site.pages.goto_in(language, here)
    return site.pages.goto(request, onward(form, report, page))


def _shown(request: Request, site: Site, visitor: Visitor, tried: Tried) -> Response:
    form, page, report = site.form_of_questions, _page(request, site), visitor.visit.report
    if report is None:
        raise VisitEndedError("the visit has no report")
    language = site.pages.language(request).code
    at, of = step(form, report, page) if page in report.walk(form) else (0, 0)
    return write(
        request,
        site,
        visitor,
        Questions("report.html", report, visible(page, report.answers), report.unsure(form, page)),
        tried,
        action=address(form, page),
        page_title=form.said(page.title, language),
        dropped=asked_of(site.asking(request, report, tried.given, {}), report.dropped),
        step=at,
        steps=of,
        earlier=page.name in report.earlier,
        first=backward(form, report, page) == address(form, page),
    )
