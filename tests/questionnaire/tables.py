"""The example that experts could have written, and changes to it."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from questionnaire.compiling import compile_table
from questionnaire.findings import Finding, Row
from questionnaire.linting import lint
from questionnaire.model import Form
from questionnaire.table import Table, read_table

EXAMPLE = Path(__file__).parents[1] / "vectors" / "form" / "example.yaml"
COMPILED = EXAMPLE.with_suffix(".json")


@cache
def example() -> Table:
    return read_table(EXAMPLE)


def changed(sheet: str, change: Callable[[list[dict[str, str]]], object]) -> Table:
    """Give the example with the cells of one sheet changed in place; rows count from 1."""
    table = example()
    cells = [dict(row.cells) for row in table.sheet(sheet)]
    change(cells)
    return table_of({**table.content, sheet: cells})


def with_cells(sheet: str, name: str, cells: Mapping[str, str]) -> Table:
    """Give the example with some cells of the row *name* changed; an empty text empties the cell."""

    def change(rows: list[dict[str, str]]) -> None:
        (row,) = [row for row in rows if row.get("name") == name]
        row.update(cells)

    return changed(sheet, change)


def table_of(content: Mapping[str, Sequence[Mapping[str, str]]]) -> Table:
    headers = {sheet: list(dict.fromkeys(column for row in rows for column in row)) for sheet, rows in content.items()}
    rows = {
        sheet: [
            Row(number, f"{sheet}, row {number}", {column: cell for column, cell in row.items() if cell})
            for number, row in enumerate(told, start=1)
        ]
        for sheet, told in content.items()
    }
    return Table(headers, rows)


def compile_form(table: Table) -> Form:
    """Give the form of a table that has no errors."""
    compiled = compile_table(table)
    assert compiled.form is not None, compiled.findings
    return compiled.form


def findings(table: Table) -> dict[str, Finding]:
    """Give the first of what is found by each rule."""
    return {one.rule: one for one in reversed(lint(table)[1])}


def question(name: str, **cells: str) -> dict[str, str]:
    """Give the row of a question with words in every language of the example."""
    labels = {f"label::{language}": "Words" for language in ("English (en)", "Ukrainian (uk)", "Arabic (ar)")}
    return {"type": "text", "name": name, "part": "account", **labels, **cells}


def page(name: str, *rows: dict[str, str], **cells: str) -> list[dict[str, str]]:
    """Give the rows of a page."""
    head = question(name, type="begin_group", appearance="field-list", **cells)
    head.pop("part")
    return [head, *rows, {"type": "end_group"}]
