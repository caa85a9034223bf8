"""Print a form as a PDF: the same questions and codes, for people who come in person (`forms.lock`)."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from hardening.clock import SystemClock, today
from hardening.files import write_whole
from keys.gpg import Gpg
from keys.keyset_store import load
from questionnaire.model import Form
from questionnaire.printing import write_pdf
from svidok.approved_form import beliefs, read_installed, what_of
from svidok.errors import CommandError
from svidok.forms.reading import known_language, read_form
from svidok.signed_approval import Belief, Signers, read_until

_PLAIN_FILE = 0o644


def run(arguments: argparse.Namespace) -> int:
    """Write the file; what nobody has approved is marked as a draft, and said."""
    form = read_form(arguments.form)
    languages = [known_language(form, one) for one in arguments.language] or list(form.languages)
    found = _beliefs(form, arguments.approved, arguments.keyset)
    read = {language: read_until(one.approval) for language, one in found.items() if one.holds and one.approval}
    write_whole(arguments.out, write_pdf(form, languages, read), _PLAIN_FILE)
    print(f"{form.form_id} {form.version} in {', '.join(languages)}: {arguments.out}")
    for language in languages:
        draft = f"a draft: {found[language].fault or 'not approved'}"
        print(f"  {language}: {f'read until {read[language]}' if language in read else draft}")
    return 0


def _beliefs(form: Form, approved: Path | None, keyset: Path | None) -> Mapping[str, Belief]:
    """Say of each language what is to be thought of its approval; without the two folders there is none."""
    if approved is None and keyset is None:
        return {language: Belief(what_of(form, language)) for language in form.languages}
    if approved is None or keyset is None:
        raise CommandError("--approved and --keyset go together: the one is judged by the other")
    other = read_installed(approved)
    if other.sha256 != form.sha256:
        raise CommandError(f"{approved} holds another form: {other.form_id} {other.version}, SHA-256 {other.sha256}")
    # There is no drop here whose gpg could judge, and nothing that it sees is secret.
    with TemporaryDirectory(prefix="svidok-") as judge:
        signers = Signers(load(keyset).keyset, Gpg(Path(judge)), today(SystemClock()))
        print(f"judged by keyset {signers.keyset.serial}, {signers.keyset.hash}")
        return beliefs(approved, form, signers)
