"""What is wrong with a table that experts wrote, and where, in words for people who write no programs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from questionnaire.errors import QuestionnaireError

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sheet.

    Attributes:
        line: Where it stands in its file: a row of the spreadsheet, a line of the YAML; 0: it is about the whole.
        where: The same in words.
        cells: From each column to its text; empty ones are not there.
    """

    line: int
    where: str
    cells: Mapping[str, str] = field(default_factory=dict[str, str])

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


WHOLE = Row(0, "the form")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that must (error) or should (warning) be mended.

    Attributes:
        rule: A short name that does not change, for programs.
        says: What is wrong, and what to do.
    """

    line: int
    where: str
    level: Level
    rule: str
    says: str

    def __str__(self) -> str:
        return f"{self.where}: {self.level}: {self.says}"


@dataclass(frozen=True, slots=True)
class Findings:
    """Gathers what is found, so that one run tells all."""

    told: list[Finding] = field(default_factory=list[Finding])

    def error(self, row: Row, rule: str, says: str) -> None:
        """Note what must be mended."""
        self.told.append(Finding(row.line, row.where, "error", rule, says))

    def warn(self, row: Row, rule: str, says: str) -> None:
        """Note what should be mended."""
        self.told.append(Finding(row.line, row.where, "warning", rule, says))

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What must be mended."""
        return tuple(one for one in self.told if one.level == "error")


class FormTextError(QuestionnaireError):
    """A table is no form: every reason that was found."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Keep *findings*, of which at least one is an error."""
        super().__init__("\n".join(str(one) for one in findings))
        self.findings = tuple(findings)


def refusal(row: Row, rule: str, says: str) -> FormTextError:
    """Make the error of a single finding."""
    return FormTextError([Finding(row.line, row.where, "error", rule, says)])
