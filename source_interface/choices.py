"""Change or withdraw permissions later: all of them are asked anew, because nobody here can read the old ones."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from hardening.canonical import JSON
from hardening.forms import Fields
from questionnaire.answers import chosen
from questionnaire.logic import Condition
from questionnaire.model import WAY, Form, Page, Question
from questionnaire.parting import ONCE, consents_part
from source_interface.errors import UnknownSourceError
from source_interface.problems import EXPECTED, logged_problem
from source_interface.progress import Progress
from source_interface.question_pages import Questions, Tried, write
from source_interface.receiving import receive, refuse_closed, stored_progress
from source_interface.report_form import Posted, read_posted, understand
from source_interface.report_sending import CONTACT, allowed, heading, of_report, sealable
from source_interface.report_state import ReportState
from source_interface.site import Site, Visitor
from source_interface.visit import Visit

_CHOICES_FORM = "choices"
_ONCE = frozenset({ONCE})


class _Asked(NamedTuple):
    """What is asked, and which of it nobody here can know to be meant for her."""

    items: tuple[Question, ...]
    unsure: frozenset[str]


async def show(request: Request, site: Site, visitor: Visitor) -> Response:
    """Ask for every permission, with nothing filled in."""
    progress = await asyncio.to_thread(stored_progress, site, visitor.visit)
    if progress is None:
        return site.pages.goto(request, "/inbox")
    await asyncio.to_thread(refuse_closed, site, visitor.visit)
    asked = _questions(site.form_of_questions, progress, visitor.visit.report)
    return _page(request, site, visitor, asked, Tried(Fields(())))


async def send(request: Request, site: Site, visitor: Visitor) -> Response:
    """Send the permissions that hold from now on; the same form again gets the first answer (T8)."""
    progress = await asyncio.to_thread(stored_progress, site, visitor.visit)
    if progress is None:
        raise UnknownSourceError("no report has arrived that this could be about")
    asked = _questions(site.form_of_questions, progress, visitor.visit.report)
    posted = await read_posted(request, site, asked.items, _ONCE)
    understood = understand(posted, asked.items, site.today(), site.parts.places)
    try:
        async with site.forms.turn(visitor.session.key, _CHOICES_FORM, posted.given.get("once")) as turn:
            if turn.outcome is None and understood.troubles:
                return _page(request, site, visitor, asked, Tried(posted.given, understood.troubles, 400))
            if turn.outcome is None:
                async with site.turn_of(visitor.visit):
                    await _keep(request, site, visitor, {**understood.answers, **_once_only(posted)})
                turn.settle("/inbox")
            return site.pages.goto(request, turn.outcome or "")
    except EXPECTED as error:
        problem = logged_problem(error)
    return _page(request, site, visitor, asked, Tried(posted.given, status=problem.status, problem=problem))


async def _keep(request: Request, site: Site, visitor: Visitor, answers: Mapping[str, JSON]) -> None:
    form, language = site.form_of_questions, site.pages.language(request).code
    stored = await asyncio.to_thread(stored_progress, site, visitor.visit)
    if stored is None:
        raise UnknownSourceError("no report has arrived that this could be about")
    report = visitor.visit.report
    seq = max(stored.seq + 1, report.seq if report else 0)
    progress = replace(stored, seq=seq, contact=allowed(answers.get(CONTACT)), language=language)
    head = heading(form, language, progress, complete=True)
    # Of the documents of each report the last ones hold (docs/specs/report.md, 10): so each gets its own; but all of
    # them arrive, or none does.
    documents = [consents_part(form, answers, replace(head, report=report_id)) for report_id in stored.reports]
    await receive(request, site, visitor, sealable(documents), of_report(form, progress))
    site.remember_kept(visitor, lambda visit: _decided(form, visit, answers, seq + 1))


def _decided(form: Form, visit: Visit, answers: Mapping[str, JSON], seq: int) -> Visit:
    """See that a report of this visit is numbered on, and allows no more than she does now, when it is sent again."""
    report = visit.report and visit.report.decided(form, answers, once_only=ONCE in answers, seq=seq)
    return replace(visit, notice="choices", report=report)


def _questions(form: Form, progress: Progress, report: ReportState | None) -> _Asked:
    """Choose what may have been allowed, as far as what is known of the source does not rule it out."""
    # What is chosen holds for all reports of hers; what is known of one may be otherwise in the others.
    known: Mapping[str, JSON] = {} if progress.others else {WAY: progress.way}
    # Of a report that was all told in this visit everything is known, also what was left out.
    whole = report is not None and progress.reports == (report.report_id,)
    if report is not None and whole:
        known = report.answers
    codes = chosen(known)

    def holds(condition: Condition | None) -> bool | None:
        return condition is None or condition.judge(codes, () if whole else condition.names - known.keys())

    def may_have_asked(page: Page) -> bool:
        held = holds(page.relevant)
        # Another form may have called its pages otherwise.
        met = held or page.name in progress.ahead or not progress.is_of(form.sha256)
        return held is not False and (page.name in progress.reached or (met and _asks_permission(page)))

    asked = [
        (holds(question.relevant), question)
        for page in form.flow
        if may_have_asked(page)
        for question in page.items
        if isinstance(question, Question) and question.part == "consents"
    ]
    sure, unsure = ([question for held, question in asked if held is wanted] for wanted in (True, None))
    return _Asked((*sure, *unsure), frozenset(one.name for one in unsure))


def _asks_permission(page: Page) -> bool:
    return any(one.use == "consent" for one in page.questions)


def _once_only(posted: Posted) -> dict[str, JSON]:
    return {ONCE: "yes"} if posted.given.get(ONCE) == "yes" else {}


def _page(request: Request, site: Site, visitor: Visitor, asked: _Asked, tried: Tried) -> Response:
    return write(
        request,
        site,
        visitor,
        Questions("choices.html", visitor.visit.report or ReportState.begun("report"), *asked),
        tried,
        visiting=True,
        again=site.forms.issue(visitor.session.key, _CHOICES_FORM),
        once_name=ONCE,
        once_only=tried.given.get(ONCE) == "yes",
    )
