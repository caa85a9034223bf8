"""What a source says about each file: asked after it has arrived, sent with the report."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from hardening.csrf import CsrfError
from questionnaire.answers import visible
from questionnaire.model import Page
from source_interface.asking import filled
from source_interface.errors import CrammedError, RefusedError, VisitEndedError
from source_interface.question_pages import Questions, Tried, given_back, write
from source_interface.report_files import ADDRESS
from source_interface.report_form import read_posted, understand
from source_interface.report_state import ReportState, SentFile
from source_interface.site import SPARE_BYTES, Site, Visitor
from source_interface.visit import Visit


async def show(request: Request, site: Site, visitor: Visitor) -> Response:
    """Ask about one file."""
    report = visitor.visit.report
    file = _file(request, report)
    if report is None or file is None:
        return site.pages.goto(request, ADDRESS)
    return _page(request, site, visitor, report, Tried(filled(_questions(site).items, file.notes)))


async def save(request: Request, site: Site, visitor: Visitor) -> Response:
    """Keep what was said about one file."""
    page = _questions(site)
    posted = await read_posted(request, site, page.items)
    report = visitor.visit.report
    file = _file(request, report)
    if report is None or file is None:
        return given_back(request, site, page, posted, "ended")
    try:
        site.check(visitor, posted.given)
        understood = understand(posted, page.items, site.today(), site.parts.places)
        if understood.troubles:
            return _page(request, site, visitor, report, Tried(posted.given, understood.troubles, 400))
        told = replace(file, notes=understood.answers)
        site.remember(visitor, lambda visit: _noted(visit, told), SPARE_BYTES)
    except CrammedError as error:
        return _page(request, site, visitor, report, Tried(posted.given, status=error.status))
    except (CsrfError, VisitEndedError) as error:
        return given_back(request, site, page, posted, "stale" if isinstance(error, CsrfError) else "ended")
    # The regions of a country are shown on the same page.
    return site.pages.goto(request, f"{_address(request)}#more" if posted.button == "regions" else ADDRESS)


async def give_back(request: Request, site: Site) -> Response:
    """Answer what was said about a file of a visit that has ended: it is shown once more, to be copied."""
    page = _questions(site)
    return given_back(request, site, page, await read_posted(request, site, page.items), "ended")


def _questions(site: Site) -> Page:
    page = site.form_of_questions.file_page
    if page is None:
        raise RefusedError("nothing is asked about files")
    return page


def _number(request: Request) -> int:
    return int(request.scope["path"].rpartition("/")[2])


def _address(request: Request) -> str:
    return f"{ADDRESS}/{_number(request)}"


def _file(request: Request, report: ReportState | None) -> SentFile | None:
    files = report.files if report else ()
    return files[_number(request) - 1] if _number(request) <= len(files) else None


def _noted(visit: Visit, told: SentFile) -> Visit:
    if visit.report is None:
        raise VisitEndedError("the report is gone")
    files = tuple(told if one.part_id == told.part_id else one for one in visit.report.files)
    return replace(visit, report=replace(visit.report, files=files))


def _page(request: Request, site: Site, visitor: Visitor, report: ReportState, tried: Tried) -> Response:
    page, file = _questions(site), _file(request, report)
    return write(
        request,
        site,
        visitor,
        Questions("notes.html", report, visible(page, report.answers)),
        tried,
        action=_address(request),
        page_title=site.form_of_questions.said(page.title, site.pages.language(request).code),
        name=file.name if file else "",
    )
