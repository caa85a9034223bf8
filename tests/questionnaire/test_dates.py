from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaire.dates import EARLIEST_YEAR, PartialDate, parse_date
from questionnaire.errors import DateError


@pytest.mark.parametrize("text", ["2022", "2022-03", "2022-03-14", "2022~", "2022-03~", "2024-02-29"])
def test_a_date_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_date(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "22", "2022-3", "2022-13", "2022-02-31", "2023-02-29", "2022-00", "2022-03-14T10:00", "2022?", "1899", "٢٠٢٢"],
)
def test_no_other_form_and_no_other_day_is_a_date(text: str) -> None:
    with pytest.raises(DateError):
        parse_date(text)


def test_a_day_without_a_month_is_no_date() -> None:
    with pytest.raises(DateError):
        PartialDate(2022, None, 3)


def test_a_part_that_may_have_passed_is_not_in_the_future() -> None:
    today = date(2022, 3, 14)

    assert not PartialDate(2022).after(today)
    assert not PartialDate(2022, 3).after(today)
    assert not PartialDate(2022, 3, 14).after(today)
    assert PartialDate(2022, 3, 15).after(today)
    assert PartialDate(2022, 4).after(today)


@given(st.dates(min_value=date(EARLIEST_YEAR, 1, 1)), st.booleans(), st.integers(1, 3))
def test_every_date_comes_back(day: date, about: bool, parts: int) -> None:
    told = PartialDate(day.year, day.month if parts > 1 else None, day.day if parts > 2 else None, about)

    assert parse_date(str(told)) == told
