"""Read one row of a survey: its name, its condition, and the question that it asks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, cast

from questionnaire.comparisons import comparisons
from questionnaire.errors import ExpressionError, FormFileError
from questionnaire.findings import Findings, Row
from questionnaire.logic import Condition, parse
from questionnaire.model import PARTS, Choice, Item, Kind, Part, Question, Use, refuse_name
from questionnaire.wording import Wording, is_words
from questionnaire.xlsform import OUR_TYPES

CONSENT_CODES: Final[frozenset[str]] = frozenset({"yes", "no", "later"})
UNNAMED: Final = "unnamed"
"""Stands for a name that cannot be, until that has been mended."""

_USES: Final[Mapping[str, Use]] = {"consent": "consent", "consent-scope": "scope"}
_COLUMNS: Final = frozenset({"#", "type", "name", "appearance", "relevant", "part", "required"})
_NOT_REQUIRED: Final = frozenset({"", "no", "false", "false()"})

Lists = Mapping[str, tuple[Choice, ...]]


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads rows, and notes what is wrong with them.

    Attributes:
        lists: The options of each list.
        names: Everything that is asked anywhere in the form.
        codes: Of each question that has some.
    """

    wording: Wording
    lists: Lists
    findings: Findings
    names: frozenset[str]
    codes: Mapping[str, frozenset[str]]

    def check_columns(self, row: Row) -> None:
        """Refuse what must not be there, or would do nothing."""
        if row["required"].lower() not in _NOT_REQUIRED:
            says = f"“{row['name']}” is required: nothing ever is, people answer what they can; empty the cell"
            self.findings.error(row, "required", says)
        for column in row.cells:
            if column not in _COLUMNS and not is_words(column):
                self.findings.error(row, "column", f"column {column} means nothing here: empty the cell")

    def name(self, row: Row) -> str:
        """Give the row's name, or one that stands for it."""
        try:
            refuse_name(row["name"])
        except FormFileError as error:
            self.findings.error(row, "name", f"“{row['name']}” cannot be a name: {error}")
            return UNNAMED
        return row["name"]

    def condition(self, row: Row, known: Collection[str]) -> Condition | None:
        """Read when the row is shown; *known* is what was asked on earlier pages."""
        if not row["relevant"]:
            return None
        try:
            condition = parse(row["relevant"])
        except ExpressionError as error:
            says = f"the condition in relevant cannot be read ({error}): write it like selected(${{r1}}, 'victim')"
            self.findings.error(row, "relevant", says)
            return None
        for name in sorted(condition.names - set(known)):
            says = f"relevant looks at “{name}”, which is asked on this page or later: it can follow earlier pages only"
            if name not in self.names:
                says = f"relevant looks at “{name}”, and nothing has that name: mend it"
            self.findings.error(row, "reference", says)
        for one in comparisons(row["relevant"]):
            if one.code and one.name in self.codes and one.code not in self.codes[one.name]:
                says = f"relevant asks whether “{one.name}” is “{one.code}”, which is no option of it: mend the code"
                self.findings.error(row, "reference", says)
        return condition

    def question(self, row: Row, known: Collection[str], before: Item | None, *, per_file: bool) -> Question | None:
        """Read a question; None if there is none to be had."""
        name = self.name(row)
        for words in ("label", "hint", "self_label"):
            if words == "label" or self.wording.text(row, words):
                self.wording.check(row, words, self.findings)
        kind, choices = self._kind(row)
        use: Use = _USES.get(row["appearance"], "plain")
        self._check_consent(row, choices, before)
        condition = self.condition(row, known)
        part = self._part(row, per_file=per_file)
        if kind is None:
            return None
        return Question(
            name=name,
            kind=kind,
            label=self.wording.text(row, "label"),
            part=part,
            choices=choices,
            self_label=self.wording.text(row, "self_label"),
            hint=self.wording.text(row, "hint"),
            relevant=condition,
            use=use,
        )

    def _kind(self, row: Row) -> tuple[Kind | None, tuple[Choice, ...]]:
        match row["type"].split():
            case ["select_one" | "select_multiple" as word, name]:
                if not self.lists.get(name):
                    says = f"there is no list “{name}” on the sheet choices: add its options, or mend the name"
                    self.findings.error(row, "list", says)
                    return None, ()
                return "one" if word == "select_one" else "many", self.lists[name]
            case ["text"] if row["appearance"] in OUR_TYPES:
                return OUR_TYPES[row["appearance"]], ()
            case ["text"]:
                return "text" if row["appearance"] == "multiline" else "line", ()
            case [name] if name in OUR_TYPES:
                return OUR_TYPES[name], ()
            case _:
                known = "select_one LIST, select_multiple LIST, text, " + ", ".join(OUR_TYPES)
                self.findings.error(row, "type", f"“{row['type']}” is no type of question that we have: {known}")
                return None, ()

    def _part(self, row: Row, *, per_file: bool) -> Part:
        part = row["part"]
        if part not in PARTS:
            says = f"“{row['name']}” must say which sealed part its answer goes into: {', '.join(sorted(PARTS))}"
            self.findings.error(row, "part", says)
            return "account"
        if (part == "notes") != per_file:
            says = "part notes belongs on the page about files, and nothing else does there: write another part"
            self.findings.error(row, "part", says)
        return cast("Part", part)

    def _check_consent(self, row: Row, choices: tuple[Choice, ...], before: Item | None) -> None:
        match row["appearance"]:
            case "consent":
                if not row["type"].startswith("select_one ") or frozenset(one.code for one in choices) != CONSENT_CODES:
                    says = f"permission “{row['name']}” must be a select_one with the codes yes, no and later"
                    self.findings.error(row, "consent", says)
            case "consent-scope":
                if not row["type"].startswith("select_multiple ") or not _belongs(before):
                    says = f"“{row['name']}” must be a select_multiple directly behind its permission: move it there"
                    self.findings.error(row, "consent", says)
            case _:
                pass


def _belongs(before: Item | None) -> bool:
    """Say whether a scope can stand behind *before*: a permission, or another scope of one."""
    return isinstance(before, Question) and before.use in ("consent", "scope")
