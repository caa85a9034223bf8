"""Ask pyxform, which is XLSForm's own compiler, whether a table is XLSForm at all."""

import re
from collections.abc import Mapping
from typing import Final

from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert

from questionnaire.findings import WHOLE, Findings, Row
from questionnaire.model import Kind
from questionnaire.table import Table

OUR_TYPES: Final[Mapping[str, Kind]] = {"partial-date": "date", "place-region": "region", "place-point": "point"}
"""What XLSForm has no type for, and the kind that we make of it."""

_ROW: Final = re.compile(r"\[row : (\d+)\]\s*")
_SURVEY: Final = ("type", "name", "appearance", "relevant")


def check_xlsform(table: Table, findings: Findings) -> None:
    """Note what pyxform refuses; what is ours alone is left out of what it sees."""
    survey, choices = table.sheet("survey"), table.sheet("choices")
    settings = {column: text for column, text in table.sheet("settings")[0].cells.items() if "::" not in column}
    try:
        convert({"survey": [_plain(row) for row in survey], "choices": [_option(row) for row in choices],
                 "settings": [settings]}, warnings=[])  # fmt: skip
    except PyXFormError as error:
        message = str(error).splitlines()[0]
        match = _ROW.match(message)
        sheet = choices if "'choices' sheet" in message else survey
        at = int(match[1]) - 2 if match else -1
        # pyxform counts from the heading on, without the rows that only separate.
        row = sheet[at] if 0 <= at < len(sheet) else WHOLE
        findings.error(row, "xlsform", f"XLSForm does not allow this: {_ROW.sub('', message)}")


def _plain(row: Row) -> dict[str, str | None]:
    told: dict[str, str | None] = {
        column: text
        for column, text in row.cells.items()
        if column in _SURVEY or column.startswith(("label::", "hint::"))
    }
    return told | {"type": "text"} if row["type"] in OUR_TYPES else told


def _option(row: Row) -> dict[str, str | None]:
    return {
        column: text for column, text in row.cells.items() if column in ("list_name", "name") or "label::" in column
    }
