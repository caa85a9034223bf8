"""`svidok form`: write the questionnaire, judge it, print it, approve it, and have a drop ask it."""

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path

from svidok.errors import CommandError

# Only drafting and paper need the experts' tools; a server that installs a form has none of them.
_MODULES = {
    "import": "drafting",
    "export": "drafting",
    "lint": "drafting",
    "compile": "drafting",
    "preview": "looking",
    "print": "paper",
    "sign": "approving",
    "install": "approving",
    "status": "approving",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _conversions(actions.add_parser)
    preview = actions.add_parser("preview", help="show the pages that one kind of person is led over")
    _form(preview)
    preview.add_argument("--language", help="a code like uk; without it, the form's first")
    preview.add_argument("--role", default="", help="a code of the question about roles, like victim")
    preview.add_argument("--way", default="report", help="the door: report or help")
    preview.add_argument("--html", type=Path, metavar="FOLDER", help="write pages for a browser instead")
    paper = actions.add_parser("print", help="write the form as a PDF for people who come in person")
    _form(paper)
    paper.add_argument("out", type=Path, metavar="OUT.pdf", help="the file to write")
    paper.add_argument("--language", action="append", default=[], help="a code like uk; again for more; default: all")
    paper.add_argument(
        "--approved", type=Path, metavar="FOLDER", help="what `sign` wrote: what holds there is no draft"
    )
    paper.add_argument("--keyset", type=Path, metavar="KEYSET", help="the drop's keyset, whose signers approve")
    _approvals(actions.add_parser)


def run(arguments: argparse.Namespace) -> int:
    """Load what the action needs and do it.

    Raises:
        CommandError: The experts' tools are needed and not there.
    """
    try:
        module = importlib.import_module(f"svidok.forms.{_MODULES[arguments.action]}")
        return int(module.run(arguments))
    except ModuleNotFoundError as error:
        says = f"{error.name} is missing: this needs the packages of requirements/forms.lock"
        raise CommandError(says) from error


def _conversions(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    for name, says, source, target in (
        ("import", "turn a spreadsheet into the text that the repository keeps", "FILE.xlsx", "OUT.yaml"),
        ("export", "turn that text into a spreadsheet", "FORM.yaml", "OUT.xlsx"),
        ("compile", "make of it what is signed and served", "FORM.yaml", "OUT.json"),
    ):
        parser = add_parser(name, help=says)
        parser.add_argument("form", type=Path, metavar=source, help="the file to read")
        parser.add_argument("out", type=Path, metavar=target, help="the file to write")
    lint = add_parser("lint", help="say what must or should be mended; exit code 1: errors, 3: warnings")
    lint.add_argument("form", type=Path, metavar="FORM.yaml", help="the file to judge; a spreadsheet will do")
    lint.add_argument("--json", action="store_true")


def _approvals(add_parser: Callable[..., argparse.ArgumentParser]) -> None:
    sign = add_parser("sign", help="say, with a signer's key, that people have read the form in a language")
    sign.add_argument("form", type=Path, metavar="FORM.json", help="the compiled form that they have read")
    sign.add_argument("out", type=Path, metavar="OUT", help="a folder for the server; again for the next language")
    sign.add_argument("--language", required=True, help="the language that they have read")
    for role, says in (
        ("native", "who speaks the language as her own and has read all of it"),
        ("survivor", "who has lived through what is asked about and has read all of it"),
    ):
        sign.add_argument(f"--{role}", action="append", required=True, metavar="NAME", help=says)
    for role in ("lawyer", "doctor", "expert"):
        sign.add_argument(f"--{role}", action="append", default=[], metavar="NAME", help="who has read it as that")
    sign.add_argument("--gnupg", type=Path, required=True, help="the signer's GnuPG home")
    sign.add_argument("--signer", required=True, help="the fingerprint of a signer of the drop's keyset")
    sign.add_argument("--passphrase-file", type=Path, help="otherwise gpg asks")
    install = add_parser("install", help="on the server: check a signed form and ask it from the next start on")
    install.add_argument("drop", type=Path, metavar="DIR", help="the drop's folder")
    install.add_argument("signed", type=Path, metavar="FOLDER", help="what `sign` wrote")
    install.add_argument("--older", action="store_true", help="also if its version is not newer than the installed one")
    status = add_parser("status", help="which form a drop asks, in which languages, and who has read it")
    status.add_argument("drop", type=Path, metavar="DIR", help="the drop's folder")


def _form(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("form", type=Path, metavar="FORM", help="the text, the spreadsheet, or the compiled form")
