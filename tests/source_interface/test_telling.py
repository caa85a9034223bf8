"""A codename in a text is found in whatever clothing, and nothing else is taken for one."""

import secrets
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.codename import LIMIT, Codename, new
from source_interface.telling import GAP, without_codenames


@settings(max_examples=50, deadline=None)
@given(st.integers(0, LIMIT - 1), st.text(max_size=60), st.text(max_size=60), st.sampled_from("wds-"))
def test_a_codename_is_found_wherever_it_stands(number: int, before: str, after: str, clothing: str) -> None:
    codename = Codename(number)
    written = {
        "w": " ".join(codename.words()),
        "-": "-".join(codename.words()).upper(),
        "d": " ".join(codename.digits()),
        "s": "".join(codename.digits()),
    }[clothing]

    kept = without_codenames(f"{before}. {written} .{after}")

    assert written not in kept
    assert GAP in kept


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300))
def test_other_text_stays_as_it_is(text: str) -> None:
    assert without_codenames(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "My account is 1234 5678 9012 3456 7890 1234 5678 9012, look at it.",
        "They took a bus, then a truck, a boat and a plane, and nobody asked why at all.",
        " ".join(Codename(7).words()[:-1]) + " abacus",
        "",
    ],
)
def test_what_only_looks_like_one_stays(text: str) -> None:
    assert without_codenames(text) == text


def test_two_codenames_both_go() -> None:
    one, other = (" ".join(new(secrets.randbelow).words()) for _ in range(2))

    assert without_codenames(f"{one}, and: {other}") == f"{GAP}, and: {GAP}"


def test_the_longest_text_is_searched_quickly() -> None:
    """The worst case: nothing but words of the list."""
    words = " ".join(word for _ in range(1700) for word in new(secrets.randbelow).words()[:7])[:100_000]

    began = time.process_time()
    without_codenames(words)

    assert time.process_time() - began < 3
