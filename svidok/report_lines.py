"""Write a report for a terminal, first what may be done with it; no line begins with what the source wrote."""

from collections.abc import Iterator

from questionnaire.parts import AnswersPart
from workstation.names import shown
from workstation.reports import Report
from workstation.telling import ToldDocument, ToldReport

_EXTENT = {True: "sent whole", False: "NOT COMPLETE: this is what she had answered when she sent it"}
_WAYS = {"report": "tell what happened", "help": "only help is wanted"}
_ROOM = "      "


def report_lines(told: ToldReport) -> Iterator[str]:
    """Give the lines of one report."""
    yield f"--- report {told.report.report}"
    yield from _place(told.report)
    for part in told.report.conflicts:
        yield f"CONFLICT: two sendings of its {part} have the same number and differ; nobody can tell which holds"
    yield from dict.fromkeys(_form(one) for one in told.documents)
    for one in told.documents:
        yield _title(one)
        if not one.answers:
            yield "  nothing was answered"
        for answer in one.answers:
            yield f"  {shown(answer.name)}  {shown(answer.question)}".rstrip()
            yield from (_ROOM + line for line in shown(answer.said, lines=True).split("\n"))
    parts = {one.sent.document.part for one in told.documents}
    if "account" in parts and "identity" not in parts:
        yield "[identity] sealed for itself and not opened: --identity opens it"


def _place(report: Report) -> Iterator[str]:
    if report.count == 1:
        return
    place = f"report {report.number} of {report.count} of this source that are open here"
    if report.goes_on:
        # She could not be shown what she had answered before, so what is missing here may stand there.
        yield f"{place}: written later, goes on with {report.goes_on} and replaces nothing of it"
    elif report.number > 1:
        yield f"{place}: nobody can tell whether it was written later; it replaces nothing of the others"
    else:
        yield place


def _form(told: ToldDocument) -> str:
    form = told.sent.document.heading.form
    here = (
        f"; told in {told.told_in}"
        if told.told_in
        else "; it is not here, so names and codes stand for themselves: take it up with `form`"
    )
    return f"  form {form.form_id}, version {form.version}, {form.sha256}{here}"


def _title(told: ToldDocument) -> str:
    document = told.sent.document
    heading = document.heading
    sending = f"sending {heading.seq}, submission {told.sent.submission.submission_id}"
    return (
        f"[{document.part}{_about(told, document)}] {_EXTENT[heading.complete]}; "
        f"language {heading.language}; way: {_WAYS[heading.way]}; {sending}"
    )


def _about(told: ToldDocument, document: AnswersPart) -> str:
    if document.about is None:
        return ""
    return f" about {shown(told.file)}" if told.file else f" about part {document.about}, which was not opened now"
