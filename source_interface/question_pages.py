"""Write a page of questions: what stands in its controls, what is wrong with it, and where its form goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.responses import Response

from questionnaire.model import MOST_SLOTS, Item, Page, Repeat
from questionnaire.reading import EXACT, Given
from source_interface.asking import Trouble, in_trouble
from source_interface.checking import REPORT_FORM
from source_interface.errors import CrammedError
from source_interface.pages import MONTHS_ALONE
from source_interface.problems import Problem
from source_interface.report_form import Posted
from source_interface.report_state import ReportState
from source_interface.saying import as_given
from source_interface.site import Site, Visitor


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked.

    Attributes:
        template: Of the page.
        report: What was answered so far.
        items: In their order.
        unsure: The names of those of which nobody here can know whether they are meant for her.
    """

    template: str
    report: ReportState
    items: Sequence[Item]
    unsure: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tried:
    """What stands in the controls.

    Attributes:
        troubles: What is wrong, by the control's name.
        status: Of the answer.
        problem: Why nothing was sent, if that is so.
    """

    given: Given
    troubles: Mapping[str, Trouble] = field(default_factory=dict[str, Trouble])
    status: int = 200
    problem: Problem | None = None


def write(
    request: Request, site: Site, visitor: Visitor, questions: Questions, tried: Tried, **facts: object
) -> Response:
    """Write a page of questions."""
    asked = site.asking(request, questions.report, tried.given, tried.troubles).shown(questions.items)
    response = site.pages.page(
        request,
        questions.template,
        tried.status,
        token=visitor.token,
        once=site.forms.issue(visitor.session.key, REPORT_FORM),
        asked=asked,
        unsure=questions.unsure,
        troubles=in_trouble(asked),
        problem=tried.problem.name if tried.problem else "",
        message_limit=site.limits.message_characters,
        crammed=tried.status == CrammedError.status,
        unapproved=site.asks_a_draft,
        months=MONTHS_ALONE,
        exact=EXACT,
        languages=site.asked_languages,
        **facts,
    )
    response.headers.update(tried.problem.headers if tried.problem else {})
    return response


def given_back(request: Request, site: Site, page: Page, posted: Posted, kind: str) -> Response:
    """Show what was typed on a page that belongs to no living visit."""
    slots = {item.name: MOST_SLOTS for item in page.items if isinstance(item, Repeat)}
    begun = replace(ReportState.begun("report"), slots=slots)
    asking = site.asking(request, begun, posted.given, {})
    typed = as_given(asking, asking.shown(page.items))
    return site.pages.page(request, "error.html", 403, kind=kind, typed=typed)
