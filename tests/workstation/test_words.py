"""Months and exactness are called as the source's pages call them, in every language that these have."""

from datetime import date

import pytest

from questionnaire.reading import EXACT
from source_interface.languages import Language, languages
from source_interface.pages import MONTHS_ALONE
from workstation.words import WORDS, words_of

_EXACT = {
    "exact": "The exact place",
    "km": "Within about 1 km",
    "town": "The town or village",
    "district": "The district",
    "region": "The region",
}


@pytest.mark.parametrize("language", languages(), ids=lambda language: language.code)
def test_the_words_are_those_of_the_pages(language: Language) -> None:
    words, say = words_of(language.code), language.words.gettext
    days = [say(f"%(day)s {date(2022, month, 1):%B} %(year)s") for month in range(1, 13)]

    assert words.months == tuple(say(month) for month in MONTHS_ALONE)
    assert [f"%(day)s {month} %(year)s" for month in words.of_months or words.months] == days
    assert words.about.format("%(day)s") == say("about %(day)s")
    assert words.exact == {code: say(message) for code, message in _EXACT.items()}
    assert tuple(words.exact) == EXACT


def test_every_language_of_the_pages_has_its_own() -> None:
    assert set(WORDS) == {language.code for language in languages()}
