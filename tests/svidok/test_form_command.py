"""`svidok form` as an expert types it."""

import json
from pathlib import Path

import pytest

from svidok.cli import main
from tests.questionnaire.tables import COMPILED, EXAMPLE


def _form(*words: object) -> int:
    return main(["form", *map(str, words)])


def test_a_form_goes_to_a_spreadsheet_and_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _form("export", EXAMPLE, tmp_path / "form.xlsx") == 0
    assert _form("import", tmp_path / "form.xlsx", tmp_path / "form.yaml") == 0
    assert _form("compile", tmp_path / "form.yaml", tmp_path / "form.json") == 0

    assert (tmp_path / "form.json").read_bytes() == COMPILED.read_bytes()
    assert "example 1, SHA-256 " in capsys.readouterr().out


def test_lint_tells_what_programs_and_people_need(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = EXAMPLE.read_text("utf-8")
    warned, broken = tmp_path / "warned.yaml", tmp_path / "broken.yaml"
    warned.write_text(text.replace("  label::Arabic (ar): نعم\n", ""), "utf-8")
    broken.write_text(text.replace("  part: identity\n", ""), "utf-8")

    assert (_form("lint", EXAMPLE), capsys.readouterr().out) == (0, "0 errors, 0 warnings\n")
    assert _form("lint", warned) == 3
    assert "warning: the label of “yes” is missing in Arabic (ar)" in capsys.readouterr().out
    assert _form("lint", broken, "--json") == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["level"], found["rule"]) == ("error", "part")
    assert text.splitlines()[found["line"] - 1] == "- type: text"


def test_what_has_errors_is_not_compiled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text(EXAMPLE.read_text("utf-8").replace("  part: identity\n", ""), "utf-8")

    assert _form("compile", broken, tmp_path / "form.json") == 1
    assert "must say which sealed part" in capsys.readouterr().err
    assert not (tmp_path / "form.json").exists()


def test_a_file_that_is_no_form_is_refused_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "form.yaml").write_text("not a form", "utf-8")

    assert _form("lint", tmp_path / "form.yaml") == 1
    assert _form("export", tmp_path / "form.yaml", tmp_path / "form.xlsx") == 1
    assert _form("export", EXAMPLE, tmp_path / "form.doc") == 1
    assert _form("preview", tmp_path / "missing.json") == 1
    assert "must end in .yaml (import) or .xlsx (export)" in capsys.readouterr().err


def test_a_preview_is_the_way_of_one_kind_of_person(capsys: pytest.CaptureFixture[str]) -> None:
    assert _form("preview", COMPILED, "--way", "help", "--language", "uk") == 0
    shown = capsys.readouterr().out

    assert "Сторінка 1 з 3: Перш ніж почати [safety]" in shown
    assert "[what]" not in shown


def test_a_preview_can_be_looked_at_in_a_browser(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _form("preview", EXAMPLE, "--html", tmp_path / "pages") == 0

    written = sorted(path.name for path in (tmp_path / "pages").iterdir())
    assert capsys.readouterr().out.strip() == str(tmp_path / "pages" / "en-safety.html")
    assert len(written) == 15
    assert "ar-what.html" in written


@pytest.mark.parametrize("words", [("--language", "de"), ("--role", "king"), ("--way", "up")])
def test_a_preview_of_what_is_not_in_the_form_is_refused(words: tuple[str, str]) -> None:
    assert _form("preview", COMPILED, *words) == 1


def test_a_form_is_printed_in_all_its_languages_or_in_some(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _form("print", COMPILED, tmp_path / "all.pdf") == 0
    assert _form("print", EXAMPLE, tmp_path / "some.pdf", "--language", "ar", "--language", "uk") == 0

    assert "in en, uk, ar:" in capsys.readouterr().out
    assert (tmp_path / "some.pdf").read_bytes().startswith(b"%PDF-")
    assert (tmp_path / "some.pdf").stat().st_size < (tmp_path / "all.pdf").stat().st_size
