"""Say a report in words: what was asked as its form asks it, what was answered, and whether it still holds."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hardening.canonical import JSON
from hardening.files import write_whole
from questionnaire.answers import Answers
from questionnaire.model import MOST_SLOTS, ROLE, VICTIM, Form, Question, Repeat
from questionnaire.parting import ONCE
from questionnaire.parts import AnswersPart
from workstation.about import Layout
from workstation.forms import known_form
from workstation.names import escaped_json
from workstation.reports import ORDER, Report, SentDocument, join

REPORT = "report.json"
IDENTITY = "identity.json"

_NOT_ALLOWED = "not answered, which means no"
_ONCE = "Read this once, then destroy it"


@dataclass(frozen=True, slots=True)
class ToldAnswer:
    """One answer.

    Attributes:
        name: Of its question; in a list of people with the list and the place before it: `person.1.v2`.
        question: In words; empty if nobody here knows them.
        value: As it was sealed; None: not answered.
        said: In words, as far as they are known.
    """

    name: str
    question: str
    value: JSON
    said: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as a form asks it: its name where it stands, its words, the words of its codes."""

    name: str
    question: str
    codes: Mapping[str, str]
    permission: bool


@dataclass(frozen=True, slots=True)
class ToldDocument:
    """One document.

    Attributes:
        form_here: If not, names and codes stand for themselves.
        file: What notes are about, by the name under which it was let out with them; empty if it was not.
        answers: In the order of the form; permissions that were not given are among them.
    """

    sent: SentDocument
    form_here: bool
    file: str
    answers: tuple[ToldAnswer, ...]


@dataclass(frozen=True, slots=True)
class ToldReport:
    """One report."""

    report: Report
    documents: tuple[ToldDocument, ...]


def tell(sent: Iterable[SentDocument], files: Mapping[str, str], layout: Layout) -> tuple[ToldReport, ...]:
    """Join documents into reports and put them into words.

    Args:
        sent: What was let out.
        files: The names of files that were let out, by part id.
        layout: Where the forms lie.
    """
    return tuple(
        ToldReport(report, tuple(_told(one, report, files, layout) for one in report.documents))
        for report in join(sent)
    )


def write_reports(told: Sequence[ToldReport], folder: Path) -> None:
    """Write the reports into *folder*, if there are any; who the source is stands in a file of its own."""
    for name, parts in ((IDENTITY, frozenset({"identity"})), (REPORT, frozenset(ORDER) - {"identity"})):
        facts = [report_facts(one, parts) for one in told]
        if any(one["documents"] for one in facts):
            write_whole(folder / name, escaped_json(facts))


def report_facts(told: ToldReport, parts: Collection[str] = ORDER) -> dict[str, JSON]:
    """Tell of a report what a program may ask; of these documents alone."""
    return {
        "report": told.report.report,
        "collection": told.report.collection_id,
        "number": told.report.number,
        "count": told.report.count,
        "goes_on": told.report.goes_on,
        "conflicts": [part for part in told.report.conflicts if part in parts],
        "documents": [_facts(one) for one in told.documents if one.sent.document.part in parts],
    }


def _facts(told: ToldDocument) -> dict[str, JSON]:
    sent, document = told.sent, told.sent.document
    heading = document.heading
    return {
        "part": document.part,
        "id": sent.part_id,
        "submission": sent.submission.submission_id,
        "seq": heading.seq,
        "form": {
            "id": heading.form.form_id,
            "version": heading.form.version,
            "sha256": heading.form.sha256,
            "here": told.form_here,
        },
        "language": heading.language,
        "way": heading.way,
        "complete": heading.complete,
        "about": document.about,
        "file": told.file,
        "answers": [
            {"name": one.name, "question": one.question, "answer": one.value, "said": one.said} for one in told.answers
        ],
    }


def _told(sent: SentDocument, report: Report, files: Mapping[str, str], layout: Layout) -> ToldDocument:
    document = sent.document
    form = known_form(document.heading.form.sha256, layout)
    victim = any(one.document.answers.get(ROLE) == VICTIM for one in report.documents)
    asked = _asked(form, document.part, victim=victim) if form else ()
    file = files.get(document.about or "", "")
    return ToldDocument(sent, form is not None, file, tuple(_answers(document, asked)))


def _answers(document: AnswersPart, asked: Iterable[_Asked]) -> Iterator[ToldAnswer]:
    left = _flat(document.answers)
    if ONCE in left:
        yield ToldAnswer(ONCE, _ONCE, left[ONCE], _plain(left.pop(ONCE)))
    for one in asked:
        if one.name in left:
            yield ToldAnswer(one.name, one.question, left[one.name], _said(left.pop(one.name), one.codes))
        elif one.permission:
            yield ToldAnswer(one.name, one.question, None, _NOT_ALLOWED)
    # Nothing that was said is lost because a form does not know it.
    for name, value in sorted(left.items()):
        yield ToldAnswer(name, "", value, _plain(value))


def _flat(answers: Answers) -> dict[str, JSON]:
    """Give each person's answers names of their own."""
    flat: dict[str, JSON] = {}
    for name, value in answers.items():
        people = [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
        for place, one in enumerate(people, 1):
            flat |= {f"{name}.{place}.{inner}": answer for inner, answer in one.items()}
        if not people:
            flat[name] = value
    return flat


def _asked(form: Form, part: str, *, victim: bool) -> Iterator[_Asked]:
    language = form.languages[0]

    def asked(question: Question, name: str, before: str) -> _Asked:
        words = form.said(question.self_label if victim and question.self_label else question.label, language)
        codes = {one.code: form.said(one.label, language) for one in question.choices}
        return _Asked(name, before + words, codes, permission=question.use == "consent")

    for page in form.pages:
        for item in page.items:
            if isinstance(item, Question) and item.part == part:
                yield asked(item, item.name, "")
            elif isinstance(item, Repeat):
                for place in range(1, MOST_SLOTS + 1):
                    before = f"{form.said(item.label, language)} {place}: "
                    yield from (
                        asked(one, f"{item.name}.{place}.{one.name}", before)
                        for one in item.questions
                        if one.part == part
                    )


def _said(value: JSON, codes: Mapping[str, str]) -> str:
    match value:
        case str():
            return codes.get(value, value)
        case list():
            return ", ".join(codes.get(str(one), str(one)) for one in value)
        case _:
            return _plain(value)


def _plain(value: JSON) -> str:
    match value:
        case list():
            return ", ".join(str(one) for one in value)
        case dict():
            return ", ".join(f"{name} {one}" for name, one in sorted(value.items()))
        case _:
            return str(value)
