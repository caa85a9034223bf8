"""The tables keep what experts wrote, in either of their two files."""

from pathlib import Path

import openpyxl
import pytest

from questionnaire.findings import FormTextError
from questionnaire.table import read_table, write_spreadsheet, write_yaml
from tests.questionnaire.tables import EXAMPLE, example


def test_text_becomes_a_spreadsheet_and_the_same_text_again(tmp_path: Path) -> None:
    spreadsheet, text = tmp_path / "form.xlsx", tmp_path / "form.yaml"

    spreadsheet.write_bytes(write_spreadsheet(example()))
    text.write_text(write_yaml(read_table(spreadsheet)), "utf-8")

    assert read_table(spreadsheet).content == example().content
    assert read_table(text).content == example().content
    assert read_table(spreadsheet).headers == example().headers


def test_a_row_knows_its_line_in_the_text_and_its_row_in_the_spreadsheet(tmp_path: Path) -> None:
    spreadsheet = tmp_path / "form.xlsx"
    spreadsheet.write_bytes(write_spreadsheet(example()))
    (asked,) = [row for row in example().sheet("survey") if row["name"] == "w1"]
    (shown,) = [row for row in read_table(spreadsheet).sheet("survey") if row["name"] == "w1"]
    lines = EXAMPLE.read_text("utf-8").splitlines()
    cells = [row[1].value for row in openpyxl.load_workbook(spreadsheet)["survey"].iter_rows()]  # type: ignore[attr-defined]

    assert asked.where == f"survey, line {asked.line}"
    assert lines[asked.line] == "  name: w1"
    assert shown.where == f"survey, row {shown.line}"
    assert cells[shown.line - 1] == "w1"


def test_a_row_that_holds_a_comment_alone_says_nothing(tmp_path: Path) -> None:
    commented = tmp_path / "form.yaml"
    text = EXAMPLE.read_text("utf-8").replace("survey:\n", "survey:\n- '#': for Olena\n", 1)
    commented.write_text(text, "utf-8")

    assert read_table(commented).content == example().content


def test_a_number_that_a_spreadsheet_made_of_a_code_is_the_code(tmp_path: Path) -> None:
    spreadsheet = tmp_path / "form.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active  # type: ignore[attr-defined]
    sheet.title = "survey"
    for name, rows in {
        "survey": [["name"], [3.0]],
        "choices": [["name"], [12]],
        "settings": [["version"], [1]],
    }.items():
        filled = sheet if name == "survey" else book.create_sheet(name)  # type: ignore[attr-defined]
        for row in rows:
            filled.append(row)
    book.save(spreadsheet)  # type: ignore[attr-defined]

    content = read_table(spreadsheet).content

    assert content == {"survey": [{"name": "3"}], "choices": [{"name": "12"}], "settings": [{"version": "1"}]}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("form.docx", b"", "spreadsheet .* or its text"),
        ("form.xlsx", b"PK\x03\x04 no archive", "no spreadsheet"),
        ("form.xlsx", b"", "no spreadsheet"),
        ("form.yaml", b"\xff\xfe", "no text that we can read"),
        ("form.yaml", b"survey: {a: b}", "no text that we can read"),
        ("form.yaml", b"survey: words", "must be a list of rows"),
        ("form.yaml", b"survey:\n- words\n", "line 2: error: a row is a list of columns"),
        ("form.yaml", b"survey:\n- name:\n  - a\n", "a row is a list of columns"),
        ("form.yaml", b"survey:\n- name: a\n", "not there, or are empty: choices, settings"),
        ("form.yaml", b"- a\n", "not there, or are empty: survey, choices, settings"),
        ("form.yaml", b" " * (16 * 1024 * 1024 + 1), "at most 16 MiB"),
    ],
)
def test_what_is_no_table_is_refused_in_words(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(FormTextError, match=says):
        read_table(path)


def test_a_column_without_a_name_is_named_by_its_row(tmp_path: Path) -> None:
    spreadsheet = tmp_path / "form.xlsx"
    spreadsheet.write_bytes(write_spreadsheet(example()))
    book = openpyxl.load_workbook(spreadsheet)
    book["survey"].cell(row=5, column=40, value="lost words")  # type: ignore[attr-defined]
    book.save(spreadsheet)  # type: ignore[attr-defined]

    with pytest.raises(FormTextError, match=r"survey, row 5: error: “lost words” stands in a column without a name"):
        read_table(spreadsheet)
