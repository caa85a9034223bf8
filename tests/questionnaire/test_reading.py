from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardening.canonical import JSON, canonical_json
from hardening.form_rules import Fields
from questionnaire.reading import Reading, controls, read
from tests.questionnaire.forms import small_form

TODAY = date(2026, 11, 29)
FORM = small_form()


class TwoCountries:
    """Ukraine with two regions and Poland with one."""

    regions: Mapping[str, tuple[str, ...]] = {"UA": ("UA-43", "UA-63"), "PL": ("PL-12",)}

    def is_country(self, code: str) -> bool:
        return code in self.regions

    def is_region(self, country: str, code: str) -> bool:
        return code in self.regions.get(country, ())


def test_a_page_is_read_into_answers() -> None:
    reading = _read(
        "what",
        *(("w1", "no"), ("w1", "yes"), ("t1.y", "2022"), ("t1.m", "3"), ("t1.d", ""), ("t1.about", "yes")),
        *(("p1.country", "UA"), ("p1.region", "UA-43"), ("p3.words", " near the mill "), ("p3.exact", "km")),
        *(("p3.lat", "48,5"), ("p3.lon", "-35.25"), ("w2", "first\r\nsecond ")),
    )

    assert reading == Reading(
        {
            "w1": ["yes", "no"],
            "t1": "2022-03~",
            "p1": {"country": "UA", "region": "UA-43"},
            "p3": {"words": " near the mill ", "exact": "km", "lat": "48.5", "lon": "-35.25"},
            "w2": "first\r\nsecond ",
        },
        (),
    )


def test_an_empty_page_has_no_answers_and_no_faults() -> None:
    assert _read("what", ("w2", " \r\n "), ("t1.y", " "), ("t1.about", "yes"), ("p3.lat", "")) == Reading({}, ())


def test_slots_of_a_repeat_close_up() -> None:
    reading = _read("people", ("person.0.v2", ""), ("person.2.v2", "yes"), ("person.2.v3", "Somebody"))

    assert reading.answers == {"person": [{"v2": "yes", "v3": "Somebody"}]}


@pytest.mark.parametrize(
    ("pairs", "control", "fault"),
    [
        ([("w1", "yes"), ("w1", "perhaps")], "w1", "choice"),
        ([("t1.y", "2022"), ("t1.m", "2"), ("t1.d", "31")], "t1.y", "date"),
        ([("t1.y", "2022"), ("t1.d", "3")], "t1.y", "date"),
        ([("t1.y", "two"), ("t1.m", "2")], "t1.y", "date"),
        ([("t1.y", "20222")], "t1.y", "date"),
        ([("t1.m", "2")], "t1.y", "year"),
        ([("t1.y", "2099")], "t1.y", "future"),
        ([("p1.country", "XX")], "p1.country", "choice"),
        ([("p1.country", "PL"), ("p1.region", "UA-43")], "p1.region", "region"),
        ([("p3.exact", "roughly")], "p3.exact", "choice"),
        ([("p3.lat", "0"), ("p3.lon", "0.0000001")], "p3.lat", "zero"),
        ([("p3.lat", "91"), ("p3.lon", "0")], "p3.lat", "coordinates"),
        ([("p3.lat", "NaN"), ("p3.lon", "1")], "p3.lat", "coordinates"),
        ([("p3.lat", "1e999999999"), ("p3.lon", "1")], "p3.lat", "coordinates"),
        ([("p3.lat", "48"), ("p3.lon", "")], "p3.lon", "half"),
    ],
)
def test_what_cannot_be_meant_is_named(pairs: list[tuple[str, str]], control: str, fault: str) -> None:
    reading = _read("what", *pairs)

    assert [(problem.control, problem.fault) for problem in reading.problems] == [(control, fault)]


def test_digits_of_every_script_are_digits() -> None:
    """Somebody writes them as her keyboard does."""
    answers = _read("what", ("t1.y", "٢٠٢٢"), ("t1.m", "٣"), ("p3.lat", "٤٨٫٥"), ("p3.lon", "٣٥")).answers

    assert answers == {"t1": "2022-03", "p3": {"lat": "48.5", "lon": "35"}}


def test_every_control_has_its_name() -> None:
    page = FORM.page("what")
    people = FORM.page("people")
    assert page is not None
    assert people is not None

    assert controls(page.items).repeated == {"w1"}
    assert {"t1.y", "t1.about", "p1.country", "p3.words", "w2"} < controls(page.items).single
    assert controls(people.items).single == {f"person.{slot}.{name}" for slot in range(3) for name in ("v2", "v3")}


@given(
    st.lists(st.tuples(st.sampled_from(sorted(controls(FORM.pages[1].items).single | {"w1"})), st.text(max_size=40)))
)
def test_whatever_is_posted_is_answers_or_a_fault(pairs: list[tuple[str, str]]) -> None:
    canonical_json(dict(_read("what", *pairs).answers))


def _read(name: str, *pairs: tuple[str, str]) -> Reading:
    page = FORM.page(name)
    assert page is not None
    return read(page.items, Fields(pairs), TODAY, TwoCountries())


def test_answers_are_what_a_session_keeps() -> None:
    answers: Mapping[str, JSON] = _read("what", ("w2", "words")).answers

    assert canonical_json(dict(answers)) == b'{"w2":"words"}'
