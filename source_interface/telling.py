"""Find codenames in what a source is about to send: a secret that nobody needs to know is kept out, whosever it is."""

import re
from collections.abc import Iterator

from keys.codename import LONGEST_CHARACTERS, CodenameError, parse
from keys.lexicon import fold, lexicons

# What stands in the text where a codename stood.
GAP = "…"

_WORD = re.compile(r"[^\W_]+")
_WORDS = 8
_DIGITS = 32
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
    """Yield where the codenames stand."""
    run: list[tuple[int, int]] = []
    for match in _WORD.finditer(text):
        word, span = match[0], match.span()
        if len(word) >= _SHORTEST_RUN and _is_codename(word):
            yield span
        if not _may_belong(word):
            run = []
            continue
        run.append(span)
        for first in _firsts(text, run):
            if _is_codename(text[first : span[1]]):
                yield first, span[1]
                run = []
                break


def _firsts(text: str, run: list[tuple[int, int]]) -> Iterator[int]:
    """Yield where a codename that ends with this run of words would have begun."""
    if len(run) >= _WORDS:
        yield run[-_WORDS][0]
    length = 0
    for start, end in reversed(run):
        if not text[start:end].isdecimal():
            return
        length += end - start
        if length >= _DIGITS:
            yield start
            return


def _may_belong(word: str) -> bool:
    if word.isdecimal():
        return True
    folded = fold(word)
    return len(folded) == 1 and any(folded[0] in lexicon.positions for lexicon in lexicons().values())


def _is_codename(text: str) -> bool:
    if not 0 < len(text) <= LONGEST_CHARACTERS:
        return False
    try:
        parse(text)
    except CodenameError:
        return False
    return True
