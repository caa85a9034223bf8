"""Which questionnaire a drop asks, and in which languages: what was installed and approved, or the draft that we ship.

No process that serves reads an expert's table: both are compiled already (`questionnaire.load`).
"""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from questionnaire.errors import FormFileError
from questionnaire.load import MOST_FORM_BYTES, parse_form
from questionnaire.model import Form

FORM = "form.json"
"""The compiled form, in the folder that `svidok form install` fills."""

_PACKAGED = "report.json"


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """A form as it is served.

    Attributes:
        approved: The languages that it may be asked in.
        draft: Nobody has approved it: every page says so.
    """

    form: Form
    approved: frozenset[str]
    draft: bool


def packaged() -> Form | None:
    """Read the form that comes with the software."""
    resource = files("questionnaire") / "forms" / _PACKAGED
    return parse_form(resource.read_bytes()) if resource.is_file() else None


def draft(folder: Path) -> Questionnaire | None:
    """Give what an evaluation drop asks: what is installed in *folder* or else what we ship, in all its languages.

    Raises:
        FormFileError: What is installed is malformed.
    """
    form = _installed(folder) or packaged()
    return None if form is None else Questionnaire(form, frozenset(form.languages), draft=True)


def _installed(folder: Path) -> Form | None:
    path = folder / FORM
    if not path.exists():
        return None
    try:
        with path.open("rb") as file:
            return parse_form(file.read(MOST_FORM_BYTES + 1))
    except OSError as error:
        raise FormFileError(f"the installed form cannot be read ({type(error).__name__})") from error
