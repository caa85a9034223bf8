"""Places and dates are said in words, and nothing that was sealed is lost in them."""

import pytest

from hardening.canonical import JSON
from questionnaire.model import Kind, Question
from tests.questionnaire.forms import small_form
from workstation.saying import said


def told(kind: Kind, value: JSON, language: str = "en") -> str:
    return said(value, Question(name="q", kind=kind, label={"en": "Q"}, part="account"), small_form(), language)


@pytest.mark.parametrize(
    ("value", "language", "words"),
    [
        ("2022", "uk", "2022"),
        ("2022~", "uk", "приблизно 2022 (2022~)"),
        ("2022-03", "uk", "березень 2022 (2022-03)"),
        ("2022-03-04", "uk", "4 березня 2022 (2022-03-04)"),
        ("2022-03-04~", "en", "about 4 March 2022 (2022-03-04~)"),
        ("2022-12-31", "ar", "31 كانون الأول/ديسمبر 2022 (2022-12-31)"),
        ("2022-01", "de", "January 2022 (2022-01)"),
    ],
)
def test_as_much_of_a_date_is_said_as_is_known(value: str, language: str, words: str) -> None:
    assert told("date", value, language) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"country": "UA"}, "Україна (UA)"),
        ({"country": "UA", "region": "UA-65"}, "Україна, Херсонська область (UA, UA-65)"),
        ({"country": "PL", "region": "UA-65"}, "Польща, UA-65 (PL, UA-65)"),
        ({"region": "UA-65"}, "UA-65 (UA-65)"),
        ({"country": "nowhere"}, "nowhere (nowhere)"),
    ],
)
def test_a_place_that_no_list_has_stands_for_itself(value: JSON, words: str) -> None:
    assert told("region", value, "uk") == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"words": "at home"}, "at home"),
        ({"exact": "town"}, "The town or village (town)"),
        ({"exact": "mile", "lat": "1"}, "lat 1, mile"),
        ({"lat": "1", "lon": "2", "words": "lat 3"}, "lat 1, lon 2\nlat 3"),
    ],
)
def test_of_a_point_what_is_there_is_said_and_her_words_last(value: JSON, words: str) -> None:
    assert told("point", value) == words


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("date", "yesterday", "yesterday"),
        ("date", "2022-02-30", "2022-02-30"),
        ("date", ["a", "b"], "a, b"),
        ("region", {"words": "x", "exact": "km"}, "exact km, words x"),
        ("point", {"country": "UA"}, "country UA"),
        ("region", "UA", "UA"),
    ],
)
def test_an_answer_of_another_kind_than_was_asked_is_not_lost(kind: Kind, value: JSON, words: str) -> None:
    assert told(kind, value) == words
