"""Say one answer in words, as its question was asked; a place and a date beside the code that was sealed."""

from collections.abc import Mapping

from hardening.canonical import JSON
from questionnaire.dates import parse_date
from questionnaire.errors import DateError
from questionnaire.model import Form, Question
from questionnaire.places import countries, regions
from questionnaire.reading import POINT_CONTROLS, REGION_CONTROLS
from workstation.words import words_of


def said(value: JSON, question: Question, form: Form, language: str) -> str:
    """Say *value*, whatever it is: what the question does not know stands for itself."""
    codes = {one.code: form.said(one.label, language) for one in question.choices}
    match question.kind, value:
        case "date", str():
            return _date(value, language)
        case "region", dict() if value.keys() <= set(REGION_CONTROLS):
            return _region(value, language)
        case "point", dict() if value.keys() <= set(POINT_CONTROLS):
            return _point(value, language)
        case _, str():
            return codes.get(value, value)
        case _, list():
            return ", ".join(codes.get(str(one), str(one)) for one in value)
        case _:
            return plain(value)


def plain(value: JSON) -> str:
    """Say *value* without knowing what it answers."""
    match value:
        case list():
            return ", ".join(str(one) for one in value)
        case dict():
            return ", ".join(f"{name} {one}" for name, one in sorted(value.items()))
        case _:
            return str(value)


def _date(value: str, language: str) -> str:
    try:
        date = parse_date(value)
    except DateError:
        return value
    words = words_of(language)
    if date.month is None:
        day = str(date.year)
    elif date.day is None:
        day = f"{words.months[date.month - 1]} {date.year}"
    else:
        day = f"{date.day} {(words.of_months or words.months)[date.month - 1]} {date.year}"
    told = words.about.format(day) if date.about else day
    return told if told == value else f"{told} ({value})"


def _region(value: Mapping[str, JSON], language: str) -> str:
    country, region = str(value.get("country", "")), str(value.get("region", ""))
    # Whoever can seal can name a region of another country: then no list knows it, and it stands for itself.
    names = (dict(countries(language)).get(country, country), dict(regions(country, language)).get(region, region))
    return f"{_joined(*names)} ({_joined(country, region)})"


def _point(value: Mapping[str, JSON], language: str) -> str:
    exact = str(value.get("exact", ""))
    exactness = words_of(language).exact.get(exact)
    facts = _joined(
        *(f"{name} {value[name]}" for name in ("lat", "lon") if name in value),
        f"{exactness} ({exact})" if exactness else exact,
    )
    # Her words come last, so that none of them can pass for a fact.
    return "\n".join(one for one in (facts, str(value.get("words", ""))) if one)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
