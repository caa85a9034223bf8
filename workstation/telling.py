"""Say a report in words: what was asked as its form asks it, what was answered, and whether it still holds."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from hardening.canonical import JSON
from hardening.files import write_whole
from questionnaire.answers import Answers
from questionnaire.model import MOST_SLOTS, ROLE, VICTIM, Form, Question, Repeat
from questionnaire.parting import ONCE
from questionnaire.parts import AnswersPart
from workstation.about import Layout
from workstation.errors import LanguageUnknownError
from workstation.forms import known_form
from workstation.names import escaped_json
from workstation.reports import ORDER, Report, SentDocument, join
from workstation.saying import plain, said

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
    """A question where it stands in a form: its name there, its words, and how an answer to it is said."""

    name: str
    words: str
    say: Callable[[JSON], str]
    permission: bool


@dataclass(frozen=True, slots=True)
class ToldDocument:
    """One document.

    Attributes:
        told_in: The language that questions and answers are told in; None: the form is not here, so names and codes
            stand for themselves.
        file: What notes are about, by the name under which it was let out with them; empty if it was not.
        answers: In the order of the form; permissions that were not given are among them.
    """

    sent: SentDocument
    told_in: str | None
    file: str
    answers: tuple[ToldAnswer, ...]


@dataclass(frozen=True, slots=True)
class ToldReport:
    """One report."""

    report: Report
    documents: tuple[ToldDocument, ...]


def tell(
    sent: Iterable[SentDocument], files: Mapping[str, str], layout: Layout, language: str | None = None
) -> tuple[ToldReport, ...]:
    """Join documents into reports and put them into words.

    Args:
        sent: What was let out.
        files: The names of files that were let out, by part id.
        layout: Where the forms lie.
        language: To tell them in; a form without it, and None, are told in the form's first language.
    """

    def told(one: SentDocument, report: Report) -> ToldDocument:
        form = known_form(one.document.heading.form.sha256, layout)
        file = files.get(one.document.about or "", "")
        if form is None:
            return ToldDocument(one, None, file, tuple(_answers(one.document, ())))
        told_in = language if language and language in form.languages else form.languages[0]
        victim = any(other.document.answers.get(ROLE) == VICTIM for other in report.documents)
        asked = _asked(form, one.document.part, told_in, victim=victim)
        return ToldDocument(one, told_in, file, tuple(_answers(one.document, asked)))

    return tuple(ToldReport(report, tuple(told(one, report) for one in report.documents)) for report in join(sent))


def refuse_language(language: str | None, forms: Iterable[str], layout: Layout) -> None:
    """Refuse a language that none of *forms*, by their hashes, is written in; what is not here decides nothing.

    Raises:
        LanguageUnknownError: So it is.
    """
    here = [form for sha256 in forms if (form := known_form(sha256, layout))]
    offered = dict.fromkeys(one for form in here for one in form.languages)
    if language is not None and here and language not in offered:
        raise LanguageUnknownError(f"this can be told in {', '.join(offered)}, and in no other language")


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
            "here": told.told_in is not None,
        },
        "told_in": told.told_in,
        "language": heading.language,
        "way": heading.way,
        "complete": heading.complete,
        "about": document.about,
        "file": told.file,
        "answers": [
            {"name": one.name, "question": one.question, "answer": one.value, "said": one.said} for one in told.answers
        ],
    }


def _answers(document: AnswersPart, asked: Iterable[_Asked]) -> Iterator[ToldAnswer]:
    left = _flat(document.answers)
    if ONCE in left:
        yield ToldAnswer(ONCE, _ONCE, left[ONCE], plain(left.pop(ONCE)))
    for one in asked:
        if one.name in left:
            yield ToldAnswer(one.name, one.words, left[one.name], one.say(left.pop(one.name)))
        elif one.permission:
            yield ToldAnswer(one.name, one.words, None, _NOT_ALLOWED)
    # Nothing that was said is lost because a form does not know it.
    for name, value in sorted(left.items()):
        yield ToldAnswer(name, "", value, plain(value))


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


def _asked(form: Form, part: str, language: str, *, victim: bool) -> Iterator[_Asked]:
    def asked(question: Question, name: str, before: str) -> _Asked:
        words = form.said(question.self_label if victim and question.self_label else question.label, language)
        say = partial(said, question=question, form=form, language=language)
        return _Asked(name, before + words, say, permission=question.use == "consent")

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
