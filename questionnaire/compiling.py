"""Make a form of the tables that experts write (XLSForm), or tell them, row by row, what stands in the way.

Our conventions are in docs/forms.md. Everything is looked at before anything is refused, so that one run tells all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from questionnaire.asked import Lists, RowReader
from questionnaire.errors import FormFileError
from questionnaire.findings import Finding, Findings, Row
from questionnaire.load import named
from questionnaire.model import Choice, Form
from questionnaire.survey import Survey
from questionnaire.table import Table
from questionnaire.wording import Wording, is_words, wording_of
from questionnaire.xlsform import check_xlsform


@dataclass(frozen=True, slots=True)
class Compiled:
    """What came of a table.

    Attributes:
        form: None: there are errors among the findings.
        rows: Where each page and each question stands.
    """

    form: Form | None
    findings: tuple[Finding, ...]
    rows: Mapping[str, Row]


def compile_table(table: Table) -> Compiled:
    """Make a form of *table*, and say everything that there is to say about it."""
    findings = Findings()
    settings = table.sheet("settings")[0]
    wording = wording_of(table, settings, findings)
    lists = _lists(table, wording, findings)
    survey = Survey(RowReader(wording, lists, findings, _names(table), _codes(table, lists)))
    for row in table.sheet("survey"):
        survey.take(row)
    survey.close()
    if not findings.errors:
        check_xlsform(table, findings)
    form = None if findings.errors else _form(settings, wording, survey, findings)
    return Compiled(form, tuple(sorted(findings.told)), survey.rows)


def _form(settings: Row, wording: Wording, survey: Survey, findings: Findings) -> Form | None:
    title = {wording.languages[0]: settings["form_title"]} | wording.text(settings, "form_title")
    try:
        return named(
            Form(
                form_id=settings["form_id"],
                version=settings["version"],
                title=title,
                languages=wording.languages,
                hidden=tuple(survey.hidden),
                pages=tuple(survey.pages),
            )
        )
    except FormFileError as error:
        findings.error(settings, "form", f"{error}: mend form_id or version")
        return None


def _lists(table: Table, wording: Wording, findings: Findings) -> Lists:
    lists: dict[str, dict[str, Choice]] = {}
    for row in table.sheet("choices"):
        options = lists.setdefault(row["list_name"], {})
        code = row["name"]
        wording.check(row, "label", findings)
        if not row["list_name"]:
            findings.error(row, "list", "this option belongs to no list: write the list's name into list_name")
        elif not code:
            findings.error(row, "code", "this option has no code: write a short word without spaces into name")
        elif code in options:
            findings.error(row, "code", f"code “{code}” stands twice in list “{row['list_name']}”: give each its own")
        else:
            marks = {column: text for column, text in row.cells.items() if _is_mark(column)}
            try:
                options[code] = Choice(code, wording.text(row, "label"), marks)
            except FormFileError as error:
                findings.error(row, "code", f"“{code}” cannot be a code: {error}")
    return {name: tuple(options.values()) for name, options in lists.items()}


def _is_mark(column: str) -> bool:
    return column not in ("#", "list_name", "name") and not is_words(column)


def _names(table: Table) -> frozenset[str]:
    return frozenset(row["name"] for row in table.sheet("survey") if row["name"])


def _codes(table: Table, lists: Lists) -> dict[str, frozenset[str]]:
    """Give the codes of every question that has a list, also of those that come later."""
    words = {row["name"]: row["type"].split() for row in table.sheet("survey")}
    found = {name: lists.get(told[1], ()) for name, told in words.items() if len(told) == 2 and told[0] != "begin"}
    return {name: frozenset(one.code for one in choices) for name, choices in found.items() if choices}
