"""Show a form on the terminal, or as pages for a browser."""

import argparse

from hardening.files import private_folder, write_whole
from questionnaire.paper import screen_html, screen_name
from questionnaire.paths import WAYS, longest
from questionnaire.showing import role_of, shown
from svidok.errors import CommandError
from svidok.forms.reading import known_language, read_form

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
