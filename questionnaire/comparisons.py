"""Take a condition apart into what it compares, for those who check it, walk it or put it into words."""

import re
from collections.abc import Callable, Iterator, Mapping
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


def in_words(condition: str, say: Callable[[Comparison], str], joins: Mapping[str, str]) -> str:
    """Put *say*'s words in the place of each comparison, and those of *joins* in the place of `and`, `or`, `not`."""
    told: list[str] = []
    end = 0
    for match in _COMPARISON.finditer(condition):
        told += [_joined(condition[end : match.start()], joins), say(_of(match))]
        end = match.end()
    return "".join((*told, _joined(condition[end:], joins)))


def _joined(between: str, joins: Mapping[str, str]) -> str:
    return re.sub(r"[a-z]+", lambda word: joins[word[0]], between)


def _of(match: re.Match[str]) -> Comparison:
    if match["many"]:
        return Comparison(match["many"], match["code"], equal=True)
    return Comparison(match["one"], match["text"], equal=match["sign"] == "=")
