"""Dates of which only a part is known, as people tell them and as ISO 8601-2:2019 (EDTF, level 1) writes them.

`2022`, `2022-03`, `2022-03-14`; with `~` behind it: about then. Nothing finer, and no other form.
"""

import re
from dataclasses import dataclass
from datetime import date

from questionnaire.errors import DateError

EARLIEST_YEAR = 1900
_WRITTEN = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?(~?)")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A year, perhaps a month in it, perhaps a day in that.

    Attributes:
        about: The source is not sure.
    """

    year: int
    month: int | None = None
    day: int | None = None
    about: bool = False

    def __post_init__(self) -> None:
        if self.month is None and self.day is not None:
            raise DateError("a day belongs to a month")
        try:
            date(self.year, 1 if self.month is None else self.month, 1 if self.day is None else self.day)
        except ValueError:
            raise DateError("there is no such day in any calendar") from None
        if self.year < EARLIEST_YEAR:
            raise DateError(f"a year is {EARLIEST_YEAR} or later")

    def __str__(self) -> str:
        parts = [f"{self.year:04d}", *(f"{part:02d}" for part in (self.month, self.day) if part is not None)]
        return "-".join(parts) + ("~" if self.about else "")

    def after(self, day: date) -> bool:
        """Say whether all of it lies after *day*."""
        first = (self.year, self.month or 1, self.day or 1)
        return first > (day.year, day.month, day.day)


def parse_date(untrusted: str) -> PartialDate:
    """Read a date in its one form.

    Raises:
        DateError: It is written in another way, or names no day.
    """
    match = _WRITTEN.fullmatch(untrusted)
    if match is None:
        raise DateError("a partial date is written 2022, 2022-03 or 2022-03-14, with ~ behind it if it is not sure")
    year, month, day, about = match.groups()
    return PartialDate(int(year), int(month) if month else None, int(day) if day else None, about=bool(about))
