"""An XLSForm as its tables: read from YAML (as the repository keeps it) or a spreadsheet, and written as either.

Every row remembers where it stands in its file, so that whoever wrote it can be told where to look.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import openpyxl
import strictyaml
import yxf

from questionnaire.findings import WHOLE, Row, refusal

SHEETS: Final = ("survey", "choices", "settings")
MOST_FILE_BYTES: Final = 16 * 1024 * 1024

_COMMENT: Final = "#"


@dataclass(frozen=True, slots=True)
class Table:
    """The three sheets; rows that hold a comment alone are left out of them.

    Attributes:
        headers: The columns of each sheet, in their order.
        rows: Everything as it was read, comments included.
    """

    headers: Mapping[str, Sequence[str]]
    rows: Mapping[str, Sequence[Row]]

    def sheet(self, name: str) -> tuple[Row, ...]:
        """Give the rows of a sheet that say something."""
        return tuple(row for row in self.rows.get(name, ()) if set(row.cells) - {_COMMENT})

    @property
    def content(self) -> dict[str, list[dict[str, str]]]:
        """What it says, wherever it stands: equal for two tables that mean the same."""
        return {name: [dict(row.cells) for row in self.sheet(name)] for name in SHEETS}


def read_table(path: Path) -> Table:
    """Read an XLSForm from `.xlsx`, or as yxf writes it from `.yaml`.

    Raises:
        FormTextError: It is neither, or too large.
    """
    if path.stat().st_size > MOST_FILE_BYTES:
        raise refusal(WHOLE, "file", f"the file has at most {MOST_FILE_BYTES // 1024 // 1024} MiB")
    match path.suffix.lower():
        case ".xlsx":
            table = _from_spreadsheet(path)
        case ".yaml" | ".yml":
            table = _from_yaml(path)
        case _:
            raise refusal(WHOLE, "file", "a form is a spreadsheet (.xlsx) or its text (.yaml)")
    missing = [name for name in SHEETS if not table.sheet(name)]
    if missing:
        raise refusal(WHOLE, "file", f"these sheets are not there, or are empty: {', '.join(missing)}")
    return table


def write_yaml(table: Table) -> str:
    """Write *table* as text."""
    return yxf.write_yaml(_as_yxf(table))


def write_spreadsheet(table: Table) -> bytes:
    """Write *table* as a spreadsheet, with colours for what belongs together."""
    file = io.BytesIO()
    yxf.write_xlsform(_as_yxf(table), file)
    return file.getvalue()


def _as_yxf(table: Table) -> dict[str, object]:
    sheets: dict[str, object] = {name: [dict(row.cells) for row in table.rows[name]] for name in table.rows}
    return {**sheets, "yxf": {"headers": {name: list(columns) for name, columns in table.headers.items()}}}


def _from_spreadsheet(path: Path) -> Table:
    try:
        book = openpyxl.load_workbook(path, read_only=True)
    # openpyxl passes on whatever a broken file makes it stumble over.
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise refusal(WHOLE, "file", "this is no spreadsheet (.xlsx): save it again as one") from error
    headers: dict[str, list[str]] = {}
    rows: dict[str, list[Row]] = {}
    for name in SHEETS:
        if name in book.sheetnames:
            lines = [[_text(cell) for cell in line] for line in book[name].iter_rows(values_only=True)]
            headers[name] = [column for column in lines[0] if column] if lines else []
            rows[name] = list(_rows_of(name, lines))
    book.close()
    return Table(headers, rows)


def _rows_of(sheet: str, lines: list[list[str]]) -> Iterator[Row]:
    """Give the rows below the first, which names the columns; what is empty separates and says nothing."""
    for number, line in enumerate(lines[1:], start=2):
        where = f"{sheet}, row {number}"
        pairs = [(column, cell) for column, cell in zip(lines[0], line, strict=False) if cell]
        nameless = [cell for column, cell in pairs if not column]
        if nameless:
            says = f"“{nameless[0][:40]}” stands in a column without a name: name the column in row 1, or remove it"
            raise refusal(Row(number, where), "column", says)
        if pairs:
            yield Row(number, where, dict(pairs))


def _text(cell: object) -> str:
    """Give a cell as text; a number that a spreadsheet made of a code is written as the code."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _from_yaml(path: Path) -> Table:
    try:
        text = path.read_text("utf-8")
        document = strictyaml.load(text)
    except (strictyaml.YAMLError, UnicodeDecodeError) as error:
        raise refusal(WHOLE, "file", f"this is no text that we can read: {_one_line(error)}") from error
    parts = {str(key.data): value for key, value in document.items()} if document.is_mapping() else {}
    rows: dict[str, list[Row]] = {name: list(_yaml_rows(name, parts[name], text)) for name in SHEETS if name in parts}
    return Table(_headers(parts.get("yxf"), rows), rows)


def _yaml_rows(sheet: str, told: strictyaml.YAML, text: str) -> Iterator[Row]:
    if not told.is_sequence():
        raise refusal(WHOLE, "file", f"{sheet} must be a list of rows, each beginning with a hyphen")
    for one, line in zip(told, _lines_of(sheet, text), strict=True):
        where = f"{sheet}, line {line}"
        if not one.is_mapping() or not all(value.is_scalar() for _, value in one.items()):
            says = "a row is a list of columns, each with a colon and its text"
            raise refusal(Row(line, where), "row", says)
        cells = {str(key.data): str(value.data).strip() for key, value in one.items()}
        yield Row(line, where, {column: cell for column, cell in cells.items() if cell})


def _lines_of(sheet: str, text: str) -> Iterator[int]:
    """Give the line of each row; strictyaml's own count goes wrong after a long line.

    StrictYAML has block style alone, so a row begins with a hyphen, as far from the margin as the first one.
    """
    margin: str | None = None
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(rf"{sheet}\s*:", line):
            inside = True
        elif inside and (found := re.match(r"(\s*)-(?:\s|$)", line)) and margin in (None, found[1]):
            margin = found[1]
            yield number
        elif re.match(r"[^\s#-]", line):
            inside = False


def _headers(told: strictyaml.YAML | None, rows: Mapping[str, Sequence[Row]]) -> dict[str, list[str]]:
    """Give the columns in the order that the file names; those that it forgot come behind them."""
    named: dict[str, list[str]] = {}
    for key, value in told.items() if told is not None and told.is_mapping() else ():
        if key.data == "headers" and value.is_mapping():
            named = {str(name.data): [str(one.data) for one in columns] for name, columns in value.items()}
    found = {name: dict.fromkeys(column for row in listed for column in row.cells) for name, listed in rows.items()}
    return {name: list(dict.fromkeys([*named.get(name, []), *columns])) for name, columns in found.items()}


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
