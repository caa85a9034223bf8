"""Read what a page's form brought: each control by its name, every text bounded, every code held against its list.

A control is called as its question, with a dot and a word behind it where a question has several: `t1.y`,
`p1.country`; in a repeat with the repeat and the slot before it: `person.0.v2`. What cannot be taken is a `Problem`,
and whoever shows it again shows what was typed, not what was understood.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal, Protocol

from hardening.canonical import JSON
from questionnaire.dates import PartialDate
from questionnaire.errors import DateError
from questionnaire.model import MOST_SLOTS, Item, Note, Question, Repeat

Fault = Literal["choice", "date", "year", "future", "region", "coordinates", "half", "zero"]
"""What was wrong: no such choice; no such day; a month without its year; not yet; a region of another country; no
numbers of this earth; one coordinate without the other; the point 0, 0, which devices tell when they know no place."""

DATE_CONTROLS: Final = ("y", "m", "d", "about")
REGION_CONTROLS: Final = ("country", "region")
POINT_CONTROLS: Final = ("words", "lat", "lon", "exact")
EXACT: Final = ("exact", "km", "town", "district", "region")
"""How exact a point is, from the best."""

_DEGREES: Final = re.compile(r"[+-]?\d{1,3}(?:\.\d{1,20})?")
_STEP: Final = Decimal("0.000001")


class Given(Protocol):
    """The text of a form, as `hardening.form_rules.Fields` has it."""

    def get(self, name: str, absent: str = "") -> str:
        """Give the first text under *name*."""
        ...

    def every(self, name: str) -> tuple[str, ...]:
        """Give all texts under *name*."""
        ...


class Regions(Protocol):
    """Knows the countries and their regions."""

    def is_country(self, code: str) -> bool:
        """Say whether there is a country with this code."""
        ...

    def is_region(self, country: str, code: str) -> bool:
        """Say whether *country* has a region with this code."""
        ...


@dataclass(frozen=True, slots=True)
class Problem:
    """What of a page could not be taken.

    Attributes:
        control: The first control that it is about.
        fault: What was wrong with it.
    """

    control: str
    fault: Fault


@dataclass(frozen=True, slots=True)
class Reading:
    """A page as it was understood."""

    answers: Mapping[str, JSON]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Controls:
    """The names that a page's form may bring."""

    single: frozenset[str]
    repeated: frozenset[str]


def controls(items: Sequence[Item]) -> Controls:
    """Name the controls of what a page shows, all slots of a repeat included."""
    single: set[str] = set()
    repeated: set[str] = set()
    for question, prefix in _asked(items, MOST_SLOTS):
        name = prefix + question.name
        match question.kind:
            case "many":
                repeated.add(name)
            case "date":
                single |= {f"{name}.{one}" for one in DATE_CONTROLS}
            case "region":
                single |= {f"{name}.{one}" for one in REGION_CONTROLS}
            case "point":
                single |= {f"{name}.{one}" for one in POINT_CONTROLS}
            case "one" | "line" | "text":
                single.add(name)
    return Controls(frozenset(single), frozenset(repeated))


def read(items: Sequence[Item], given: Given, today: date, regions: Regions) -> Reading:
    """Understand what was posted for *items*; nothing that was left out is in it."""
    reader = _Reader(given, today, regions)
    answers: dict[str, JSON] = {}
    for item in items:
        if isinstance(item, Question):
            answers |= reader.question(item, "")
        elif isinstance(item, Repeat):
            slots: list[JSON] = []
            for slot in range(MOST_SLOTS):
                told: dict[str, JSON] = {}
                for question in item.questions:
                    told |= reader.question(question, f"{item.name}.{slot}.")
                if told:
                    slots.append(told)
            if slots:
                answers[item.name] = slots
    return Reading(answers, tuple(reader.problems))


def _asked(items: Sequence[Item], slots: int) -> Iterator[tuple[Question, str]]:
    for item in items:
        if isinstance(item, Question):
            yield item, ""
        elif not isinstance(item, Note):
            yield from ((one, f"{item.name}.{slot}.") for slot in range(slots) for one in item.questions)


class _Reader:
    """Understands one page."""

    def __init__(self, given: Given, today: date, regions: Regions) -> None:
        self._given = given
        self._today = today
        self._regions = regions
        self.problems: list[Problem] = []

    def question(self, question: Question, prefix: str) -> dict[str, JSON]:
        """Give the answer under its question's name, or nothing."""
        name = prefix + question.name
        value: JSON
        match question.kind:
            case "one":
                value = self._one(question, name)
            case "many":
                value = self._many(question, name)
            case "line" | "text":
                value = self._given.get(name) if self._given.get(name).strip() else ""
            case "date":
                value = self._date(name)
            case "region":
                value = self._region(name)
            case "point":
                value = self._point(name)
        return {question.name: value} if value else {}

    def _one(self, question: Question, name: str) -> str:
        code = self._given.get(name)
        if code and code not in question.codes:
            self._refuse(name, "choice")
            return ""
        return code

    def _many(self, question: Question, name: str) -> list[JSON]:
        codes = {code for code in self._given.every(name) if code}
        if codes - set(question.codes):
            self._refuse(name, "choice")
        return [code for code in question.codes if code in codes]

    def _date(self, name: str) -> str:
        year, month, day = (self._given.get(f"{name}.{one}").strip() for one in ("y", "m", "d"))
        about = bool(self._given.get(f"{name}.about"))
        if not (year or month or day):
            return ""
        if not year:
            self._refuse(f"{name}.y", "year")
            return ""
        try:
            told = PartialDate(_number(year), _optional(month), _optional(day), about=about)
        except (DateError, ValueError):
            self._refuse(f"{name}.y", "date")
            return ""
        if told.after(self._today):
            self._refuse(f"{name}.y", "future")
            return ""
        return str(told)

    def _region(self, name: str) -> dict[str, JSON]:
        country, region = (self._given.get(f"{name}.{one}") for one in REGION_CONTROLS)
        if country and not self._regions.is_country(country):
            self._refuse(f"{name}.country", "choice")
            return {}
        if region and not self._regions.is_region(country, region):
            # The country was changed and the list is still that of the one before.
            self._refuse(f"{name}.region", "region")
            return {"country": country} if country else {}
        return {key: value for key, value in (("country", country), ("region", region)) if value}

    def _point(self, name: str) -> dict[str, JSON]:
        words, lat, lon, exact = (self._given.get(f"{name}.{one}") for one in POINT_CONTROLS)
        told: dict[str, JSON] = {"words": words} if words.strip() else {}
        if exact and exact not in EXACT:
            self._refuse(f"{name}.exact", "choice")
        elif exact:
            told["exact"] = exact
        return told | self._coordinates(name, lat.strip(), lon.strip())

    def _coordinates(self, name: str, lat: str, lon: str) -> dict[str, JSON]:
        if not (lat or lon):
            return {}
        if not (lat and lon):
            self._refuse(f"{name}.{'lon' if lat else 'lat'}", "half")
            return {}
        north, east = _degrees(lat, 90), _degrees(lon, 180)
        if north is None or east is None:
            self._refuse(f"{name}.lat", "coordinates")
            return {}
        if not north and not east:
            self._refuse(f"{name}.lat", "zero")
            return {}
        return {"lat": _plain(north), "lon": _plain(east)}

    def _refuse(self, control: str, fault: Fault) -> None:
        self.problems.append(Problem(control, fault))


def _number(typed: str) -> int:
    """Read digits of any script.

    Raises:
        ValueError: It is anything else, or longer than any part of a date.
    """
    if len(typed) > 4 or not typed.isdecimal():
        raise ValueError("a part of a date has at most four digits")
    return int(typed)


def _optional(typed: str) -> int | None:
    return _number(typed) if typed else None


def _degrees(typed: str, most: int) -> Decimal | None:
    """Read degrees in digits of any script, with a point or a comma; None if they are none of this earth."""
    plain = typed.removesuffix("°").strip().replace(",", ".").replace("\N{ARABIC DECIMAL SEPARATOR}", ".")
    plain = plain.replace("\N{MINUS SIGN}", "-")
    value = Decimal(plain) if _DEGREES.fullmatch(plain) else None
    return None if value is None or abs(value) > most else value.quantize(_STEP)


def _plain(degrees: Decimal) -> str:
    written = f"{degrees:f}".rstrip("0").rstrip(".")
    return "0" if written in ("-0", "") else written
