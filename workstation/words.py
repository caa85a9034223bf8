"""What a report says beside its form's own words, in each language that we have: months, and how exact a place is.

They are the words in which the source was asked (source_interface/translations), which this side cannot load.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWords:
    """The words of one language.

    Attributes:
        months: From January.
        of_months: Behind a day, where that changes them.
        about: Around a date that the source is not sure of.
        exact: How exact a point is, by its code.
    """

    months: tuple[str, ...]
    about: str
    exact: Mapping[str, str]
    of_months: tuple[str, ...] = ()


WORDS: Final[Mapping[str, ReportWords]] = MappingProxyType(
    {
        "en": ReportWords(
            months=(
                "January",
                "February",
                "March",
                "April",
                "May",
                "June",
                "July",
                "August",
                "September",
                "October",
                "November",
                "December",
            ),
            about="about {}",
            exact={
                "exact": "The exact place",
                "km": "Within about 1 km",
                "town": "The town or village",
                "district": "The district",
                "region": "The region",
            },
        ),
        "uk": ReportWords(
            months=(
                "січень",
                "лютий",
                "березень",
                "квітень",
                "травень",
                "червень",
                "липень",
                "серпень",
                "вересень",
                "жовтень",
                "листопад",
                "грудень",
            ),
            of_months=(
                "січня",
                "лютого",
                "березня",
                "квітня",
                "травня",
                "червня",
                "липня",
                "серпня",
                "вересня",
                "жовтня",
                "листопада",
                "грудня",
            ),
            about="приблизно {}",
            exact={
                "exact": "Точне місце",
                "km": "У межах приблизно 1 км",
                "town": "Місто чи село",
                "district": "Район",
                "region": "Область або регіон",
            },
        ),
        "fr": ReportWords(
            months=(
                "janvier",
                "février",
                "mars",
                "avril",
                "mai",
                "juin",
                "juillet",
                "août",
                "septembre",
                "octobre",
                "novembre",
                "décembre",
            ),
            about="vers {}",
            exact={
                "exact": "Le lieu exact",
                "km": "À environ 1 km près",
                "town": "La ville ou le village",
                "district": "Le district",
                "region": "La région",
            },
        ),
        "ar": ReportWords(
            months=(
                "كانون الثاني/يناير",
                "شباط/فبراير",
                "آذار/مارس",
                "نيسان/أبريل",
                "أيار/مايو",
                "حزيران/يونيو",
                "تموز/يوليو",
                "آب/أغسطس",
                "أيلول/سبتمبر",
                "تشرين الأول/أكتوبر",
                "تشرين الثاني/نوفمبر",
                "كانون الأول/ديسمبر",
            ),
            about="نحو {}",
            exact={
                "exact": "المكان بالضبط",
                "km": "ضمن نحو 1 كم",
                "town": "المدينة أو القرية",
                "district": "القضاء",
                "region": "المنطقة",
            },
        ),
    }
)
"""A language that is not here gets the English words, as its places get English names."""


def words_of(language: str) -> ReportWords:
    """Give the words of *language*; English ones if we have none."""
    return WORDS.get(language, WORDS["en"])
