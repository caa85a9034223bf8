"""Print a form as a PDF: the same questions and codes, for people who come in person (`forms.lock`)."""

import argparse

from hardening.files import write_whole
from questionnaire.printing import write_pdf
from svidok.forms.looking import known_language, read_form

_PLAIN_FILE = 0o644


def run(arguments: argparse.Namespace) -> int:
    """Write the file."""
    form = read_form(arguments.form)
    languages = [known_language(form, one) for one in arguments.language] or list(form.languages)
    write_whole(arguments.out, write_pdf(form, languages, ()), _PLAIN_FILE)
    print(f"{form.form_id} {form.version} in {', '.join(languages)}: {arguments.out}")
    return 0
