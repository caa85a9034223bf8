"""The page for experts is tried as they would try it: every command that it shows, in its order."""

import shlex
import shutil
from pathlib import Path

import pytest

from svidok.cli import main
from tests.docs.repository import ROOT, shown_commands

PAGE = ROOT / "docs" / "forms.md"
# What needs a drop or somebody's key is tried by tests/svidok/test_form_approving.py.
_ELSEWHERE = {"sign", "install", "status", "--approved"}


def test_every_command_of_the_page_does_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "questionnaire" / "forms").mkdir(parents=True)
    shutil.copy(ROOT / "questionnaire" / "forms" / "report.yaml", tmp_path / "questionnaire" / "forms")
    monkeypatch.chdir(tmp_path)
    commands = [shlex.split(one)[1:] for one in shown_commands(PAGE) if one.startswith("svidok form ")]
    tried = [words for words in commands if not _ELSEWHERE.intersection(words)]

    codes = {" ".join(words): main(words) for words in tried}

    assert {words[1] for words in tried} == {"export", "lint", "preview", "import", "compile", "print"}
    assert {words: code for words, code in codes.items() if code not in ((0, 3) if " lint " in words else (0,))} == {}
    assert (tmp_path / "report.json").read_bytes() == (ROOT / "questionnaire" / "forms" / "report.json").read_bytes()
    assert (tmp_path / "report.pdf").stat().st_size > (tmp_path / "report-ar.pdf").stat().st_size
    assert (tmp_path / "pages" / "en-safety.html").exists()
