"""Say what a form may carry, and name everything that can be wrong with one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hardening.errors import HardeningError


@dataclass(frozen=True, slots=True, kw_only=True)
class FormLimits:
    """How much of everything one form may have; a page with many answers needs these figures, a small form fewer."""

    body_bytes: int = 500 * 1024 * 1024
    """The whole body, counted as it arrives and never taken from Content-Length alone (E6)."""
    fields: int = 200
    files: int = 10
    """0 closes the form for files: the first one is answered with 403 (E15)."""
    text_bytes: int = 1024 * 1024
    """All text fields together."""
    field_characters: int = 100_000
    """One text field; a line end counts as one character, as it does in a browser's `maxlength`."""
    small_fields: int = 50
    """The fields of a form that is not multipart."""
    small_bytes: int = 128 * 1024
    """The body of a form that is not multipart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormNames:
    """The names that a form's controls have; any other name is refused (E12)."""

    single: frozenset[str] = frozenset()
    """Text that comes at most once."""
    repeated: frozenset[str] = frozenset()
    """Text that may come any number of times: the boxes of one question."""
    files: frozenset[str] = frozenset()
    """Files; one control may send several."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The text of a form, exactly as it was sent, in the order in which it was sent."""

    pairs: tuple[tuple[str, str], ...]

    def get(self, name: str, absent: str = "") -> str:
        """Give the first text under *name*."""
        return next((text for key, text in self.pairs if key == name), absent)

    def every(self, name: str) -> tuple[str, ...]:
        """Give all texts under *name*."""
        return tuple(text for key, text in self.pairs if key == name)

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.pairs)

    def single(self) -> Mapping[str, str]:
        """Give the first text of each name."""
        return dict(reversed(self.pairs))


class FormError(HardeningError):
    """A form was refused; `status` is what the refusal is called in HTTP.

    No message of this family quotes a name, a text or a file name: all of them are logged.
    """

    status: ClassVar[int] = 400


class MalformedFormError(FormError):
    """The body is not a form as browsers write it, or not one of this page."""


class EmptyFormError(FormError):
    """There is no body: nothing was sent."""


class UnfinishedFormError(FormError):
    """The body stopped before the form was over: whatever came of it is not to be kept."""


class TooManyPartsError(FormError):
    """More fields or more files than the form may have."""


class FieldTooLongError(FormError):
    """A text is longer than its field may be; everything that was typed is in `given`, to be shown again (E8)."""

    def __init__(self, message: str, name: str, given: Fields) -> None:
        super().__init__(message)
        self.name = name
        self.given = given


class FilesRefusedError(FormError):
    """A file came although the form is closed for files."""

    status = 403


class FormTooLargeError(FormError):
    """More bytes than the form may have."""

    status = 413


class UnsupportedFormError(FormError):
    """The body says it is something else than a form, or is compressed."""

    status = 415
