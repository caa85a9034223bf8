"""Versions of a form have an order, so that nobody goes back to an earlier one without knowing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from questionnaire.model import is_newer, is_ordered

_NUMBERED = st.lists(st.integers(0, 10**9), min_size=1, max_size=5).map(lambda numbers: ".".join(map(str, numbers)))
_ANY = st.from_regex(r"[0-9A-Za-z._-]{1,64}", fullmatch=True)


@pytest.mark.parametrize(
    ("version", "than"), [("2", "1"), ("10", "9"), ("1.10", "1.9"), ("1.0", "1"), ("2026.3", "9.9")]
)
def test_numbers_are_compared_from_the_left(version: str, than: str) -> None:
    assert is_newer(version, than)
    assert not is_newer(than, version)


@given(_NUMBERED, _NUMBERED, _NUMBERED)
def test_of_two_versions_one_at_most_is_newer(one: str, two: str, three: str) -> None:
    assert is_newer(one, two) + is_newer(two, one) == (one != two)
    assert not (is_newer(one, two) and is_newer(two, three)) or is_newer(one, three)


@given(_ANY, _ANY)
def test_what_is_not_numbers_has_no_place_in_it(one: str, two: str) -> None:
    assert not is_newer(one, two) or (is_ordered(one) and is_ordered(two))


@pytest.mark.parametrize("version", ["", "draft", "1a", "1.", ".1", "1..2", "1-2", "1\n", "²"])
def test_numbers_with_dots_between_are_all_that_has_one(version: str) -> None:
    assert not is_ordered(version)
