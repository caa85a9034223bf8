"""A codename is one number in any clothing, and says itself when it was mistyped."""

import contextlib
import json
import math
import secrets
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.codename import (
    LIMIT,
    LONGEST_CHARACTERS,
    CheckWordError,
    Codename,
    CodenameError,
    DigitCountError,
    TooLongError,
    UnknownWordError,
    WordCountError,
    new,
    parse,
)
from keys.lexicon import lexicons

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "codename" / "valid.json").read_text("utf-8"))
EXAMPLE = Codename(123456789012345678901234567)
WORDS = "blinked isolation uneasy length detection unearned empty deplored"
DIGITS = "0123 4567 8901 2345 6789 0123 4567 0285"
FULL_WIDTH = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})

numbers = st.integers(0, LIMIT - 1)


@pytest.mark.parametrize("vector", VECTORS["valid"])
def test_the_published_examples_hold(vector: dict[str, str]) -> None:
    codename = Codename(int(vector["number"]))

    assert codename.canonical().hex() == vector["canonical"]
    assert " ".join(codename.words()) == vector["en"]
    assert " ".join(codename.digits()) == vector["digits"]
    assert parse(vector["en"]) == parse(vector["digits"]) == codename
    for language in ("fr", "uk"):
        assert " ".join(codename.words(language)) == vector[language]
        assert parse(vector[language]) == codename


@given(numbers)
def test_every_clothing_of_every_number_leads_back_to_it(number: int) -> None:
    codename = Codename(number)

    assert parse(" ".join(codename.digits())) == codename
    for language in lexicons():
        assert parse(" ".join(codename.words(language))) == codename


@pytest.mark.parametrize(
    "typed",
    [
        WORDS.upper(),
        WORDS.title(),
        f"  {WORDS.replace(' ', '    ')}\n",
        WORDS.replace(" ", "-"),
        WORDS.replace(" ", "\u2011"),
        WORDS.replace(" ", "\u00a0"),
        WORDS.replace(" ", "\u3000"),
        WORDS.replace(" ", ", ") + ".",
        WORDS.replace(" ", "\r\n"),
        WORDS.replace(" ", ""),
        WORDS.replace("isolation", "iso lation"),
        WORDS.replace("n", "\u200bn"),
        f"\ufeff{WORDS}\u200e",
        f"\u201c{WORDS}\u201d",
        WORDS.translate(FULL_WIDTH),
        DIGITS,
        DIGITS.replace(" ", ""),
        DIGITS.replace(" ", "-"),
        DIGITS.translate(FULL_WIDTH),
        DIGITS.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")),
        DIGITS.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")),
    ],
)
def test_a_codename_is_known_however_it_was_typed_or_pasted(typed: str) -> None:
    assert parse(typed) == EXAMPLE


@pytest.mark.parametrize("typed", ["drop-down", "felt-tip", "t-shirt"])
def test_a_word_that_the_dictionary_hyphenates_is_one_word(typed: str) -> None:
    position = lexicons()["en"].positions[typed.replace("-", "")]
    words = Codename(position * 7776**3).words()

    assert typed.replace("-", "") in words
    assert parse(" ".join(words).replace(typed.replace("-", ""), typed)).number == position * 7776**3


@pytest.mark.parametrize("index", range(8))
def test_a_word_that_no_list_has_is_named_by_its_place(index: int) -> None:
    words = list(EXAMPLE.words())
    words[index] = "qwertz"

    with pytest.raises(UnknownWordError) as refusal:
        parse(" ".join(words))

    assert refusal.value.index == index


@pytest.mark.parametrize("index", range(8))
def test_a_wrong_word_or_an_exchange_does_not_fit_the_check_word(index: int) -> None:
    words = list(EXAMPLE.words())
    words[index] = "zoom"
    exchanged = list(EXAMPLE.words())
    exchanged[index - 1], exchanged[index] = exchanged[index], exchanged[index - 1]

    for wrong in (words, exchanged):
        with pytest.raises(CheckWordError):
            parse(" ".join(wrong))


@pytest.mark.parametrize(("typed", "found"), [("", 0), ("  -\u200b ", 0), ("zoom", 1), (WORDS + " zoom", 9)])
def test_too_few_and_too_many_words_are_counted(typed: str, found: int) -> None:
    with pytest.raises(WordCountError) as refusal:
        parse(typed)

    assert (refusal.value.found, refusal.value.wanted) == (found, 8)


@pytest.mark.parametrize(("typed", "found"), [("1", 1), (DIGITS[:-1], 31), (DIGITS + "0", 33)])
def test_too_few_and_too_many_digits_are_counted(typed: str, found: int) -> None:
    with pytest.raises(DigitCountError) as refusal:
        parse(typed)

    assert (refusal.value.found, refusal.value.wanted) == (found, 32)


@pytest.mark.parametrize("typed", [DIGITS[:-1] + "4", "1" + DIGITS[1:], "9" * 32])
def test_wrong_digits_do_not_fit_the_check_group(typed: str) -> None:
    with pytest.raises(CheckWordError):
        parse(typed)


def test_words_and_digits_together_are_no_codename() -> None:
    with pytest.raises(UnknownWordError) as refusal:
        parse(WORDS.replace("uneasy", "1234"))

    assert refusal.value.index == 2


@pytest.mark.check("C16")
@pytest.mark.parametrize("typed", ["a" * (LONGEST_CHARACTERS + 1), "\ufdfa" * 129, WORDS + " " * 80, "9" * 1_000_000])
def test_a_text_longer_than_any_codename_is_refused_before_any_work(typed: str) -> None:
    began = time.process_time()

    with pytest.raises(TooLongError):
        parse(typed)

    assert time.process_time() - began < 0.02


@given(st.text(max_size=LONGEST_CHARACTERS + 5))
@settings(max_examples=200)
def test_no_text_does_anything_but_be_a_codename_or_be_refused(untrusted: str) -> None:
    with contextlib.suppress(CodenameError):
        assert parse(untrusted) == parse(unicodedata.normalize("NFKC", untrusted))


def test_nothing_shows_the_number_by_accident() -> None:
    with pytest.raises(UnknownWordError) as refusal:
        parse(WORDS.replace("empty", "secretwrd"))

    assert "123456789" not in f"{EXAMPLE!r} {EXAMPLE}"
    assert "secretwrd" not in f"{refusal.value} {refusal.value!r}"


@pytest.mark.parametrize("number", [-1, LIMIT])
def test_a_number_that_no_clothing_fits_is_no_codename(number: int) -> None:
    with pytest.raises(ValueError, match="7776"):
        Codename(number)


@pytest.mark.check("C12")
def test_a_codename_has_ninety_bits() -> None:
    assert math.log2(LIMIT) >= 90
    assert len(set(lexicons()["en"].words)) == 7776


@pytest.mark.check("C13")
def test_every_word_is_drawn_as_often_as_every_other() -> None:
    """Chi-square with 7,775 degrees of freedom: by chance it strays 690 from them once in ten million runs."""
    counts = dict.fromkeys(lexicons()["en"].words, 0)
    drawn = 0

    while drawn < 77_760:
        for word in new(secrets.randbelow).words()[:7]:
            counts[word] += 1
            drawn += 1
    expected = drawn / 7776
    chi_square = sum((count - expected) ** 2 / expected for count in counts.values())

    # Both tails: a draw that is too even is no chance either.
    assert 7775 - 690 < chi_square < 7775 + 690
