"""Read a page of answers as it was posted: what was understood, what was not, and all of it to be shown again."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from starlette.requests import Request

from hardening.canonical import JSON
from hardening.forms import Fields, FieldTooLongError, FormLimits, FormNames, declared_type, fields
from questionnaire.model import Item
from questionnaire.reading import controls, read
from source_interface.asking import Trouble
from source_interface.parts import MIB, Places
from source_interface.site import Site
from source_interface.telling import without_codenames

# More than a visit remembers (`hardening.sessions`), so that what is too much can be given back.
_TEXT_BYTES = 2 * MIB
_BODY_BYTES = 4 * MIB
_OWN = frozenset({"token", "once", "do"})
# A codename is longer than any code, any date and most of what is typed into one line.
_SHORTER_THAN_CODENAMES = 16


@dataclass(frozen=True, slots=True)
class Posted:
    """A page as it came.

    Attributes:
        given: All of it, without any codename.
        troubles: What is wrong with a text as such, by its control.
    """

    given: Fields
    troubles: Mapping[str, Trouble]

    @property
    def button(self) -> str:
        """Which button was pressed."""
        return self.given.get("do", "next")


@dataclass(frozen=True, slots=True)
class Understood:
    """A page as it was understood; what is in trouble is not among the answers."""

    answers: Mapping[str, JSON]
    troubles: Mapping[str, Trouble]


async def read_posted(
    request: Request, site: Site, items: Sequence[Item], more: frozenset[str] = frozenset()
) -> Posted:
    """Read the form of *items*; *more* are controls of its page that belong to no question.

    Raises:
        FormError: It is not the form of this page.
    """
    known = controls(items)
    names = FormNames(single=known.single | _OWN | more, repeated=known.repeated)
    limits = FormLimits(
        body_bytes=_BODY_BYTES, text_bytes=_TEXT_BYTES, files=0, field_characters=site.limits.message_characters
    )
    troubles: dict[str, Trouble] = {}
    try:
        given = await fields(declared_type(request.scope["headers"], limits), request.stream(), limits, names)
    except FieldTooLongError as error:
        given = error.given
        troubles[error.name] = "long"
    told = await asyncio.to_thread(_without_codenames, given)
    troubles |= {
        name: "codename" for (name, before), (_, after) in zip(given.pairs, told, strict=True) if before != after
    }
    return Posted(Fields(told), troubles)


def understand(posted: Posted, items: Sequence[Item], today: date, places: Places) -> Understood:
    """Understand what was posted for *items*."""
    reading = read(items, posted.given, today, places)
    found: dict[str, Trouble] = {problem.control: problem.fault for problem in reading.problems}
    if posted.button == "regions":
        # Another country was chosen, and its regions are what was asked for.
        found = {control: fault for control, fault in found.items() if fault != "region"}
    return Understood(reading.answers, {**found, **posted.troubles})


def _without_codenames(given: Fields) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, text if len(text) < _SHORTER_THAN_CODENAMES or name in _OWN else without_codenames(text))
        for name, text in given.pairs
    )
