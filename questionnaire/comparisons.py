"""Take a condition apart into what it compares, for those who check it, walk it or put it into words."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_COMPARISON: Final = re.compile(
    r"selected\s*\(\s*\$\{(?P<many>\w+)\}\s*,\s*'(?P<code>[^']*)'\s*\)"
    r"|\$\{(?P<one>\w+)\}\s*(?P<sign>!?=)\s*'(?P<text>[^']*)'"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison in a condition that was understood (`questionnaire.logic`).

    Attributes:
        code: Empty: whether anything was answered at all.
        equal: False: it holds for every other answer.
    """

    name: str
    code: str
    equal: bool


def comparisons(condition: str) -> Iterator[Comparison]:
    """Give every comparison of *condition*, from left to right."""
    return (_of(match) for match in _COMPARISON.finditer(condition))


def in_words(condition: str, say: Callable[[Comparison], str]) -> str:
    """Put *say*'s words in the place of each comparison; `and`, `or`, `not` and brackets stay."""
    return _COMPARISON.sub(lambda match: say(_of(match)), condition)


def _of(match: re.Match[str]) -> Comparison:
    if match["many"]:
        return Comparison(match["many"], match["code"], equal=True)
    return Comparison(match["one"], match["text"], equal=match["sign"] == "=")
