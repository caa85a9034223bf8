"""Keep the forms that reports were answered in: without its form a report is names and codes."""

from hardening.files import private_folder, write_whole
from questionnaire.errors import FormFileError
from questionnaire.load import parse_form
from questionnaire.model import Form
from workstation.about import Layout
from workstation.errors import FormUnknownError


def learn_form(untrusted: bytes, layout: Layout) -> Form:
    """Take a compiled form up; again is fine. It is found by its hash alone, so it can stand in for no other.

    Raises:
        FormUnknownError: It is no compiled form.
    """
    try:
        form = parse_form(untrusted)
    except FormFileError as error:
        raise FormUnknownError(f"this is no compiled form: {error}") from error
    write_whole(private_folder(layout.forms) / f"{form.sha256}.json", untrusted)
    return form


def known_form(sha256: str, layout: Layout) -> Form | None:
    """Give the form with this hash, if it was taken up here and still is what it was."""
    path = layout.forms / f"{sha256}.json"
    try:
        form = parse_form(path.read_bytes())
    except (FileNotFoundError, FormFileError):
        return None
    return form if form.sha256 == sha256 else None
