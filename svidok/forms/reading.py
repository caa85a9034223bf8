"""Read a form from any of its files; whoever signs a compiled one needs no tools for it."""

import importlib
from pathlib import Path

from questionnaire.load import MOST_FORM_BYTES, parse_form
from questionnaire.model import Form
from svidok.errors import CommandError


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
