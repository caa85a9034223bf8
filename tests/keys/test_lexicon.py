"""Word lists mean the same thing for ever, however their words are typed."""

import hashlib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.codename import LIMIT, LONGEST_CHARACTERS
from keys.lexicon import Lexicon, fold, lexicon, lexicons

NAMES = sorted(lexicons())
# A list that is in use may never change, or old codenames would become other numbers.
FROZEN = {
    "en": "3cb4a7aebab6bc880ade89bce067d9b645537ae2da559a3e2bb1a23b305a600d",
    "fr": "ba9ee488600c6c7d7acc02a40749b7bb8265f3c5167628bfcbe80029654ee289",
    "uk": "94c186f1a43e113b4bd766f24360113eefad37ccaf7496f590a7a7f5da1719eb",
}


@pytest.mark.check("C12")
@pytest.mark.parametrize("name", NAMES)
def test_every_list_can_carry_a_codename(name: str) -> None:
    found = lexicons()[name]
    count = found.words_for(LIMIT)
    longest = max(map(len, found.words))

    assert len(found.positions) == len(found.words) >= 2048
    assert len(found.words) ** count >= LIMIT
    assert (count + 1) * (longest + 1) - 1 <= LONGEST_CHARACTERS
    assert all(fold(word) == [word] for word in found.words)


@pytest.mark.parametrize("name", NAMES)
def test_a_list_in_use_never_changes(name: str) -> None:
    content = files("keys.words").joinpath(f"{name}.txt").read_bytes()

    assert hashlib.sha256(content).hexdigest() == FROZEN[name]


@pytest.mark.parametrize("name", NAMES)
def test_every_list_can_be_read_without_spaces(name: str) -> None:
    assert lexicons()[name].prefix_free


def test_the_lists_have_the_sizes_that_their_pages_say() -> None:
    assert {name: len(one.words) for name, one in lexicons().items()} == {"en": 7776, "fr": 7776, "uk": 2592}
    assert {name: one.words_for(LIMIT) + 1 for name, one in lexicons().items()} == {"en": 8, "fr": 8, "uk": 9}


def test_french_words_are_plain_letters_that_every_telephone_types() -> None:
    assert all(word.isascii() and word.isalpha() and 4 <= len(word) <= 10 for word in lexicons()["fr"].words)


def test_ukrainian_words_are_told_apart_by_their_first_four_letters() -> None:
    words = lexicons()["uk"].words

    assert len({word[:4] for word in words}) == len(words)
    assert {letter for word in words for letter in word} <= set("абвгдеєжзиіїйклмнопрстуфхцчшщьюя")
    assert all(4 <= len(word) <= 8 for word in words)


@pytest.mark.parametrize(
    "words", [("one", "ONE"), ("one", "o\u200bne"), ("a-b", "c"), ("a b", "c"), ("a1", "b"), ("",)]
)
def test_a_list_that_could_be_misread_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="the list test"):
        lexicon("test", words)


def test_words_run_together_are_not_guessed_at_when_they_could_be_others() -> None:
    """Without the prefix property `acted` could be `act ed` or `acted`."""
    ambiguous = lexicon("test", ("act", "acted", "ed", "zoo"))

    assert not ambiguous.prefix_free
    assert not ambiguous.read(["actzoo"]).complete
    assert ambiguous.read(["acted"]).positions == (1,)


@given(st.data())
def test_what_is_spelt_is_read_again(data: st.DataObject) -> None:
    words = data.draw(st.sampled_from(sorted(lexicons().values(), key=_name)))
    number = data.draw(st.integers(0, LIMIT - 1))

    reading = words.read(words.spell(number, words.words_for(LIMIT)))

    assert reading.complete
    total = 0
    for position in reading.positions:
        total = total * len(words.words) + position
    assert total == number


@given(st.text(max_size=200))
def test_any_text_folds_into_words_that_fold_into_themselves(untrusted: str) -> None:
    words = fold(untrusted)

    assert fold(" ".join(words)) == words


def _name(words: Lexicon) -> str:
    return words.name
