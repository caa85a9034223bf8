"""Codenames: one number that only the source knows, in words or digits that say when they were mistyped."""

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

from keys.errors import KeysError
from keys.lexicon import Lexicon, fold, lexicons

# Seven words out of 7,776: 90.5 bits (C12). Every other clothing holds the same numbers.
LIMIT = 7776**7
# Counted before anything else is done with the text (C16). Characters, so that a codename pasted in full-width
# letters (three bytes each) still gets in: of plain letters these are 128 bytes.
LONGEST_CHARACTERS = 128

_CHECK_LABEL = b"svidok codename check v1"
_NUMBER_BYTES = 12
_DIGITS = "digits"
_GROUP_DIGITS = 4
_GROUPS = 7
DIGITS = (_GROUPS + 1) * _GROUP_DIGITS
"""All of them together, the check group with them."""


class CodenameError(KeysError):
    """The text is no codename; says nothing about whether such a codename is known."""


class TooLongError(CodenameError):
    """The text is longer than any codename."""


class UnknownWordError(CodenameError):
    """A word is in no list.

    Attributes:
        index: Which word, counted from 0.
    """

    def __init__(self, index: int) -> None:
        super().__init__(f"word {index + 1} is in no list")
        self.index = index


class WordCountError(CodenameError):
    """Every word is known, but there are too few or too many."""

    def __init__(self, found: int, wanted: int) -> None:
        super().__init__(f"a codename has {wanted} words, not {found}")
        self.found = found
        self.wanted = wanted


class DigitCountError(CodenameError):
    """These are digits, but too few or too many."""

    def __init__(self, found: int, wanted: int) -> None:
        super().__init__(f"a codename has {wanted} digits, not {found}")
        self.found = found
        self.wanted = wanted


class CheckWordError(CodenameError):
    """Words or digits are well-formed, but at least one of them is not the right one."""


@dataclass(frozen=True, slots=True)
class Codename:
    """A source's secret: a number below `LIMIT`, whatever it is written in.

    The number is left out of the text form, so that no log or traceback can show it.
    """

    number: int = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.number < LIMIT:
            raise ValueError("a codename is a number below 7776^7")

    def words(self, language: str = "en") -> tuple[str, ...]:
        """Return the words that say the number, and the check word behind them."""
        lexicon = lexicons()[language]
        check = _check(lexicon.name, self.number, len(lexicon.words))
        return (*lexicon.spell(self.number, lexicon.words_for(LIMIT)), lexicon.words[check])

    def digits(self) -> tuple[str, ...]:
        """Return seven groups of four digits that say the number, and the check group behind them."""
        written = f"{self.number:0{_GROUPS * _GROUP_DIGITS}d}{_check(_DIGITS, self.number, 10**_GROUP_DIGITS):04d}"
        return tuple(written[start : start + _GROUP_DIGITS] for start in range(0, len(written), _GROUP_DIGITS))

    def canonical(self) -> bytes:
        """Return the bytes that secrets are derived from, the same in every clothing."""
        return self.number.to_bytes(_NUMBER_BYTES, "big")


def new(randbelow: Callable[[int], int]) -> Codename:
    """Draw a codename; *randbelow* is `secrets.randbelow` everywhere but in tests."""
    return Codename(randbelow(LIMIT))


def parse(untrusted: str) -> Codename:
    """Read a codename in any clothing: words of any list, or digits of any script.

    Capitals, full-width letters, hyphens, and spaces too many, too few or of any kind are forgiven.

    Raises:
        TooLongError: More than `LONGEST_CHARACTERS`; nothing was looked at.
        UnknownWordError: A word is in no list.
        WordCountError: Known words, but not as many as a codename has.
        DigitCountError: Digits, but not as many as a codename has.
        CheckWordError: A wrong word, or words in the wrong order.
    """
    if len(untrusted) > LONGEST_CHARACTERS:
        raise TooLongError(f"a codename has at most {LONGEST_CHARACTERS} characters")
    words = fold(untrusted)
    letters = "".join(words)
    if letters.isdecimal():
        return _parse_digits(letters)
    return _parse_words(words)


def is_spelt(words: Sequence[str]) -> bool:
    """Say whether *words*, folded (`keys.lexicon.fold`) and each of them whole, are a codename in words or in digits.

    It mends nothing, and so costs a fraction of `parse`: for looking through long texts.
    """
    letters = "".join(words)
    if letters.isdecimal():
        return _number_of(letters) is not None
    for lexicon in lexicons().values():
        if len(words) != _length(lexicon):
            continue
        found = tuple(lexicon.positions.get(word, -1) for word in words)
        if -1 not in found and _number(lexicon, found) is not None:
            return True
    return False


@cache
def _length(lexicon: Lexicon) -> int:
    """Tell how many words a codename has in this list; asked for every few words of a long text."""
    return lexicon.words_for(LIMIT) + 1


def _parse_digits(letters: str) -> Codename:
    if len(letters) != DIGITS:
        raise DigitCountError(len(letters), DIGITS)
    number = _number_of(letters)
    if number is None:
        raise CheckWordError("the check group does not fit the digits before it")
    return Codename(number)


def _number_of(letters: str) -> int | None:
    """Return the number that digits of any script say, if the check group behind them agrees."""
    if len(letters) != DIGITS:
        return None
    digits = letters if letters.isascii() else "".join(str(unicodedata.decimal(letter)) for letter in letters)
    number, check = int(digits[:-_GROUP_DIGITS]), int(digits[-_GROUP_DIGITS:])
    return number if number < LIMIT and check == _check(_DIGITS, number, 10**_GROUP_DIGITS) else None


def _parse_words(words: list[str]) -> Codename:
    """Try every list; exactly one must know all words and find its own check word fitting."""
    readings = [(lexicon, lexicon.read(words)) for lexicon in lexicons().values()]
    complete = [(lexicon, reading.positions) for lexicon, reading in readings if reading.complete]
    if not complete:
        raise UnknownWordError(max(len(reading.positions) for _lexicon, reading in readings))
    whole = [(lexicon, found) for lexicon, found in complete if len(found) == lexicon.words_for(LIMIT) + 1]
    if not whole:
        lexicon, found = complete[0]
        raise WordCountError(len(found), lexicon.words_for(LIMIT) + 1)
    numbers = [number for lexicon, found in whole if (number := _number(lexicon, found)) is not None]
    if len(numbers) != 1:
        raise CheckWordError("the check word does not fit the words before it")
    return Codename(numbers[0])


def _number(lexicon: Lexicon, positions: tuple[int, ...]) -> int | None:
    """Return the number that *positions* say, if the check word among them agrees."""
    size = len(lexicon.words)
    number = 0
    for position in positions[:-1]:
        number = number * size + position
    if number >= LIMIT or positions[-1] != _check(lexicon.name, number, size):
        return None
    return number


def _check(clothing: str, number: int, size: int) -> int:
    """Return the check digit in base *size*: the name of the clothing is in it, so no text is valid in two."""
    message = b"\0".join((_CHECK_LABEL, clothing.encode(), number.to_bytes(_NUMBER_BYTES, "big")))
    return int.from_bytes(hashlib.sha256(message).digest(), "big") % size
