"""Find codenames in what a source is about to send: a secret that nobody needs to know is kept out, whosever it is."""

import re
from collections.abc import Iterator
from unicodedata import is_normalized

from keys.codename import DIGITS, LIMIT, LONGEST_CHARACTERS, CodenameError, is_spelt, parse
from keys.lexicon import Lexicon, fold, lexicons

# What stands in the text where a codename stood.
GAP = "…"

_WORD = re.compile(r"[^\W_]+")
# All words run together, or all digits: no other single word is nearly as long.
_SHORTEST_RUN = 24


def without_codenames(text: str) -> str:
    """Give *text* with every codename in it, in words or digits, replaced by `GAP`."""
    if _is_codename(text.strip()):
        return GAP
    kept: list[str] = []
    at = 0
    for start, end in _spans(text):
        if start >= at:
            kept += [text[at:start], GAP]
            at = end
    return "".join([*kept, text[at:]])


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the codenames stand.

    Every word is looked at once and every window of words costs one hash: a stranger may send a hundred thousand
    characters of whatever is dearest to look through, again and again.
    """
    words, digits = _Words(), _Digits()
    for match in _WORD.finditer(text):
        word, (start, end) = match[0], match.span()
        if len(word) >= _SHORTEST_RUN and _is_codename(word):
            yield start, end
        begins = digits.took(word, start) if word.isdecimal() else words.took(word, start)
        (words if word.isdecimal() else digits).end()
        if begins is not None:
            yield begins, end


class _Words:
    """The words of each list that stood one after another, up to here."""

    def __init__(self) -> None:
        self._runs = [_Run(lexicon) for lexicon in lexicons().values()]

    def took(self, word: str, start: int) -> int | None:
        """Take the next word of the text; return where a codename begins that ends with it."""
        folded = _folded(word)
        if len(folded) != 1:
            self.end()
            return None
        begins = [begin for run in self._runs if (begin := run.took(folded[0], start)) is not None]
        if not begins:
            return None
        self.end()
        return min(begins)

    def end(self) -> None:
        """Something else stands here."""
        for run in self._runs:
            run.end()


class _Run:
    """The words of one list that stood one after another; never more than a codename has in that list."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._known = lexicon.positions
        self._whole = lexicon.words_for(LIMIT) + 1
        self._run: list[tuple[int, str]] = []

    def took(self, word: str, start: int) -> int | None:
        """Take the next word; return where a codename begins that ends with it."""
        if word not in self._known:
            self.end()
            return None
        self._run = [*self._run[1 - self._whole :], (start, word)]
        whole = len(self._run) == self._whole and is_spelt([each for _, each in self._run])
        return self._run[0][0] if whole else None

    def end(self) -> None:
        """Something else stands here."""
        self._run = []


class _Digits:
    """The digits that stood one after another, up to here, in groups of whatever size."""

    def __init__(self) -> None:
        self._last, self._count = "", 0
        # From the number of digits before a group to its place in the text.
        self._places: dict[int, int] = {}

    def took(self, word: str, start: int) -> int | None:
        """Take the next group of the text; return where a codename begins that ends with it."""
        self._places[self._count] = start
        self._count += len(word)
        self._last = (self._last + word)[-DIGITS:]
        begins = self._places.get(self._count - DIGITS)
        return begins if begins is not None and is_spelt([self._last]) else None

    def end(self) -> None:
        """Something else stands here."""
        if self._count:
            self._last, self._count, self._places = "", 0, {}


def _folded(word: str) -> list[str]:
    """Do what `fold` does, at a fraction of its price for a word of letters that are written as they are compared."""
    if word.isascii():
        return [word.lower()]
    small = word.casefold()
    if small.isalpha() and is_normalized("NFKC", word) and is_normalized("NFKC", small):
        return [small]
    return fold(word)


def _is_codename(text: str) -> bool:
    if not 0 < len(text) <= LONGEST_CHARACTERS:
        return False
    try:
        parse(text)
    except CodenameError:
        return False
    return True
