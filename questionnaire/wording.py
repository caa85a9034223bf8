"""The words of a table's rows in each language, and which of them are missing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from questionnaire.findings import Findings, Row
from questionnaire.table import Table

_KINDS: Final = ("label", "hint", "self_label")
# `label::English (en)`: the code in brackets is what counts.
_COLUMN: Final = re.compile(r"(label|hint|self_label|form_title)::([^()]*)\(([a-z]{2,3})\)\Z")


@dataclass(frozen=True, slots=True)
class Wording:
    """Which columns hold words.

    Attributes:
        names: From each language's code to its name as the columns write it; the one that all is written in is first.
    """

    names: Mapping[str, str]

    @property
    def languages(self) -> tuple[str, ...]:
        """The codes."""
        return tuple(self.names)

    def text(self, row: Row, kind: str) -> dict[str, str]:
        """Give what the columns of *kind* (`label`, `hint`, …) say."""
        columns = {language: row[f"{kind}::{name}"] for language, name in self.names.items()}
        return {language: words for language, words in columns.items() if words}

    def check(self, row: Row, kind: str, findings: Findings) -> None:
        """Tell where words are missing: an error in the first language, which must stand in for the others."""
        there = self.text(row, kind)
        first = self.languages[0]
        called = f" of “{row['name'] or row['type']}”"
        if first not in there:
            says = f"the {kind}{called} has no {self.names[first]} words: write them, every other language needs them"
            findings.error(row, "label", says)
        elif lacking := [name for language, name in self.names.items() if language not in there]:
            says = f"the {kind}{called} is missing in {', '.join(lacking)}: there people will read {self.names[first]}"
            findings.warn(row, "translation", says)


def is_words(column: str) -> bool:
    """Say whether a column holds words in a language."""
    return _COLUMN.match(column) is not None


def wording_of(table: Table, settings: Row, findings: Findings) -> Wording:
    """Find the languages of *table*; without any, English stands for them."""
    for sheet in ("survey", "choices"):
        for column in table.headers[sheet]:
            if column.split(":")[0] in _KINDS and not is_words(column):
                row = Row(1, f"{sheet}, column {column}")
                findings.error(row, "language", "write the column's name like this: label::English (en)")
    found = _named([*table.headers["survey"], *table.headers["choices"]])
    first = settings["default_language"]
    ordered = {code: name for code, name in found.items() if name == first} | found
    if first not in found.values():
        says = "default_language must name a language as the columns do: for label::English (en) write English (en)"
        findings.error(settings, "language", says)
    return Wording(ordered or {"en": "English (en)"})


def _named(columns: Sequence[str]) -> dict[str, str]:
    matches = [match for column in columns if (match := _COLUMN.match(column)) and match[1] == "label"]
    return {match[3]: f"{match[2]}({match[3]})" for match in matches}
