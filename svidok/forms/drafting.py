"""Change a form between spreadsheet and text, judge it, compile it: what needs the experts' tools (`forms.lock`)."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from hardening.files import write_whole
from questionnaire.findings import Finding, FormTextError
from questionnaire.linting import lint
from questionnaire.load import format_form
from questionnaire.model import Form
from questionnaire.table import read_table, write_spreadsheet, write_yaml
from svidok.errors import CommandError

WARNINGS = 3

_PLAIN_FILE = 0o644


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    match arguments.action:
        case "import" | "export":
            return _convert(arguments.form, arguments.out)
        case "compile":
            return _compile(arguments.form, arguments.out)
        case _:
            return _lint(arguments.form, as_json=arguments.json)


def compiled(path: Path) -> Form:
    """Compile the table at *path*.

    Raises:
        CommandError: There are errors in it; all are told.
    """
    form, findings = _judged(path)
    errors = [one for one in findings if one.level == "error"]
    if form is None or errors:
        raise CommandError("\n".join([f"{path} is not a form yet:", *map(str, errors)]))
    return form


def _convert(source: Path, target: Path) -> int:
    table = read_table(source)
    match target.suffix.lower():
        case ".yaml":
            content = write_yaml(table).encode("utf-8")
        case ".xlsx":
            content = write_spreadsheet(table)
        case _:
            raise CommandError(f"{target} must end in .yaml (import) or .xlsx (export)")
    write_whole(target, content, _PLAIN_FILE)
    return 0


def _compile(source: Path, target: Path) -> int:
    form = compiled(source)
    write_whole(target, format_form(form), _PLAIN_FILE)
    print(f"{form.form_id} {form.version}, SHA-256 {form.sha256}")
    return 0


def _lint(path: Path, *, as_json: bool) -> int:
    _, findings = _judged(path)
    if as_json:
        facts = [{"line": one.line, "where": one.where, "level": one.level, "rule": one.rule, "says": one.says}
                 for one in findings]  # fmt: skip
        print(json.dumps(facts, ensure_ascii=False))
    else:
        for one in findings:
            print(one)
        print(_counted(findings))
    if any(one.level == "error" for one in findings):
        return 1
    return WARNINGS if findings else 0


def _judged(path: Path) -> tuple[Form | None, tuple[Finding, ...]]:
    try:
        return lint(read_table(path))
    except FormTextError as error:
        return None, error.findings


def _counted(findings: Sequence[Finding]) -> str:
    errors = sum(one.level == "error" for one in findings)
    return f"{errors} errors, {len(findings) - errors} warnings"
