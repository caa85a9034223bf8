"""A codename in a text is found in whatever clothing, and nothing else is taken for one."""

import secrets
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.codename import LIMIT, Codename, new
from keys.lexicon import fold
from source_interface.telling import _WORD, GAP, _folded, without_codenames


@settings(max_examples=50, deadline=None)
@given(st.integers(0, LIMIT - 1), st.text(max_size=60), st.text(max_size=60), st.sampled_from("wds-fu"))
def test_a_codename_is_found_wherever_it_stands(number: int, before: str, after: str, clothing: str) -> None:
    codename = Codename(number)
    written = {
        "w": " ".join(codename.words()),
        "-": "-".join(codename.words()).upper(),
        "f": " ".join(codename.words("fr")),
        "u": " ".join(codename.words("uk")).title(),
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


def test_two_codenames_in_digits_both_go() -> None:
    one, other = (" ".join(new(secrets.randbelow).digits()) for _ in range(2))

    assert without_codenames(f"1 {one} {other}") == f"1 {GAP} {GAP}"


def test_digits_in_groups_of_any_size_and_in_another_script_are_found() -> None:
    digits = "".join(new(secrets.randbelow).digits())
    arabic = "".join(chr(ord(digit) + 0x660 - 0x30) for digit in digits)

    for written in (" ".join(digits), f"{digits[:5]}-{digits[5:]}", f"{arabic[:9]} {arabic[9:]}"):
        assert without_codenames(f"7, then {written}, then 7") == f"7, then {GAP}, then 7"


@pytest.mark.parametrize(
    "kind", ["words of the list", "words of another list", "single digits", "groups", "runs", "letters", "Ukrainian"]
)
def test_whatever_is_dearest_to_look_through_costs_no_more_than_a_codename(kind: str) -> None:
    """A stranger may send a hundred thousand characters again and again; single digits once cost six seconds."""
    words = " ".join(word for _ in range(1700) for word in new(secrets.randbelow).words()[:7])
    text = {
        "words of the list": words,
        "words of another list": " ".join(word for _ in range(1700) for word in new(secrets.randbelow).words("uk")[:8]),
        "single digits": "1 " * 50_000,
        "groups": "1234 " * 20_000,
        "runs": words.replace(" ", "").ljust(100_000, "z"),
        "letters": "a " * 50_000,
        "Ukrainian": "Що я бачила в понеділок. " * 4_000,
    }[kind][:100_000]

    began = time.thread_time()
    kept = without_codenames(text)

    assert time.thread_time() - began < 1.5
    # Of so many windows of words one in 7,776 has the right check word by chance.
    assert kept == text or kind in ("words of the list", "words of another list")


@given(st.text(min_size=1, max_size=12).filter(lambda text: _WORD.fullmatch(text) is not None))
def test_the_short_way_to_a_words_small_form_leads_to_the_same(word: str) -> None:
    assert _folded(word) == fold(word)
