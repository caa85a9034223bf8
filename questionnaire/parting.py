"""Divide what was answered among the documents of a report, so that giving one away gives nothing else."""

from typing import Final

from hardening.canonical import JSON
from questionnaire.answers import Answers
from questionnaire.model import REPORT_PARTS, Form, Item, Note, Part, Repeat
from questionnaire.parts import AnswersPart, Heading

ONCE: Final = "c1"
"""Stands in no form: it is asked where a report is sent. `yes`: read once, then destroy."""


def report_parts(form: Form, answers: Answers, heading: Heading) -> tuple[AnswersPart, ...]:
    """Make the four documents that every sending of a report has, whether anything was answered or not (G12).

    Args:
        form: Its hidden answers, and what is no answer to it, are left out; but for `ONCE`.
        answers: All that was answered.
        heading: Of this sending.
    """
    return tuple(AnswersPart(part, heading, _answers(part, form, answers)) for part in REPORT_PARTS)


def consents_part(form: Form, answers: Answers, heading: Heading) -> AnswersPart:
    """Make the one document by which a source changes later what she allows."""
    return AnswersPart("consents", heading, _answers("consents", form, answers))


def notes_part(form: Form, answers: Answers, heading: Heading, about: str) -> AnswersPart:
    """Make the document that says something of a file, named by its part's id."""
    page = form.file_page
    return AnswersPart("notes", heading, _of(page.items, "notes", answers) if page else {}, about)


def _answers(part: Part, form: Form, answers: Answers) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for page in form.flow:
        found |= _of(page.items, part, answers)
    if part == "consents" and ONCE in answers:
        found[ONCE] = answers[ONCE]
    return found


def _of(items: tuple[Item, ...], part: Part, answers: Answers) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for item in items:
        if isinstance(item, Note) or item.name not in answers:
            continue
        if isinstance(item, Repeat):
            people = _people(item, part, answers[item.name])
            if any(people):
                found[item.name] = people
        elif item.part == part:
            found[item.name] = answers[item.name]
    return found


def _people(repeat: Repeat, part: Part, told: JSON) -> list[JSON]:
    """Give what of each person belongs into *part*; who has nothing there keeps the place, so that parts agree."""
    names = {question.name for question in repeat.questions if question.part == part}
    people = told if isinstance(told, list) else []
    return [{name: value for name, value in one.items() if name in names} for one in people if isinstance(one, dict)]
