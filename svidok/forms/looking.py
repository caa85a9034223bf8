"""Read a form from any of its files, and show it on the terminal or as pages for a browser."""

import argparse
import importlib
from pathlib import Path

from hardening.files import private_folder, write_whole
from questionnaire.load import MOST_FORM_BYTES, parse_form
from questionnaire.model import Form
from questionnaire.paper import screen_html, screen_name
from questionnaire.paths import WAYS, longest
from questionnaire.showing import role_of, shown
from svidok.errors import CommandError

_PLAIN_FILE = 0o644
_PLAIN_FOLDER = 0o755


def run(arguments: argparse.Namespace) -> int:
    """Show what was asked for."""
    form = read_form(arguments.form)
    language = known_language(form, arguments.language)
    if not role_of(form, arguments.role) or arguments.way not in WAYS:
        raise CommandError(f"the form has no role {arguments.role!r}, or there is no way {arguments.way!r}")
    pages = longest(form, arguments.role, arguments.way)
    if arguments.html is None:
        print("\n".join(shown(form, pages, language, arguments.role)))
        return 0
    folder = private_folder(arguments.html, _PLAIN_FOLDER)
    for one in form.languages:
        for at, page in enumerate(pages):
            written = screen_html(form, one, pages, at).encode("utf-8")
            write_whole(folder / screen_name(page, one), written, _PLAIN_FILE)
    print(folder / screen_name(pages[0], language))
    return 0


def read_form(path: Path) -> Form:
    """Read a compiled form, or compile the table at *path*; that alone needs the experts' tools."""
    if path.suffix.lower() != ".json":
        form = importlib.import_module("svidok.forms.drafting").compiled(path)
        assert isinstance(form, Form)  # noqa: S101 - what a module is called by its name gives, is not known to mypy
        return form
    with path.open("rb") as file:
        return parse_form(file.read(MOST_FORM_BYTES + 1))


def known_language(form: Form, language: str | None) -> str:
    """Give *language*, or the one that the form is written in.

    Raises:
        CommandError: The form has no words in it.
    """
    if language is not None and language not in form.languages:
        raise CommandError(f"the form has no {language!r}; its languages are {', '.join(form.languages)}")
    return language or form.languages[0]
