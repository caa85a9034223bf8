"""Walk everybody's way through a form: each role, through each door, in both depths, whatever she answers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Final

from hardening.canonical import JSON
from questionnaire.answers import kept, walk
from questionnaire.comparisons import Comparison, comparisons
from questionnaire.model import ROLE, WAY, Form, Note, Page

WAYS: Final = ("report", "help")
DEPTH: Final = "depth"
MORE: Final = "more"
MOST_HELP: Final = 4
MOST_SHORT: Final = 5
MOST_PAGES: Final = 9

MOST_COMBINATIONS: Final = 4096
"""Of the answers on which pages hang: enough for a dozen yes-or-no questions."""


@dataclass(frozen=True, slots=True)
class Path:
    """The longest way that one kind of person can be led.

    Attributes:
        who: In words.
        pages: Their names, in their order.
        most: How many there may be.
    """

    who: str
    pages: tuple[str, ...]
    most: int


def paths(form: Form) -> Iterator[Path]:
    """Give the longest path of every role, way and depth; a form with more than `MOST_COMBINATIONS` takes for ever."""
    for role, way, more in product(_roles(form), WAYS, (False, True)):
        fixed: dict[str, JSON] = {ROLE: role, WAY: way}
        if more:
            fixed[DEPTH] = MORE
        met = max((tuple(page.name for page in walk(form, one)) for one in _answers(form, fixed)), key=len)
        who = f"{role or 'whoever gives no role'}, way {way}, {'detailed' if more else 'short'}"
        yield Path(who, met, MOST_HELP if way == "help" else MOST_PAGES if more else MOST_SHORT)


def longest(form: Form, role: str, way: str) -> tuple[Page, ...]:
    """Give the pages of the longest path of one role and way, and the page about files behind them."""
    fixed: dict[str, JSON] = {ROLE: role, WAY: way, DEPTH: MORE}
    met = max((walk(form, one) for one in _answers(form, fixed)), key=len)
    return met if form.file_page is None else (*met, form.file_page)


def combinations(form: Form) -> int:
    """Say how many combinations of answers decide about pages."""
    return prod(len(values) for values in _free(form).values())


def _roles(form: Form) -> tuple[str, ...]:
    found = [question.codes for page in form.flow for question in page.questions if question.name == ROLE]
    return ("", *(code for codes in found for code in codes))


def _answers(form: Form, fixed: Mapping[str, JSON]) -> Iterator[Mapping[str, JSON]]:
    """Give all sets of answers that could make another page appear; what nobody was asked is dropped from each."""
    free = _free(form)
    for values in product(*free.values()):
        told = {name: value for name, value in zip(free, values, strict=True) if value}
        yield kept(form, {**fixed, **told})[0]


def _free(form: Form) -> dict[str, list[JSON]]:
    """Give the values to try for each answer that decides about pages, without those that a path fixes."""
    many = {question.name for page in form.flow for question in page.questions if question.kind == "many"}
    free: dict[str, list[JSON]] = {}
    for name, codes in sorted(_deciding(form).items()):
        if name not in (ROLE, WAY, DEPTH):
            together: list[JSON] = [list[JSON](sorted(codes - {""}))] if name in many else []
            free[name] = [*sorted(codes), *together]
    return free


def _deciding(form: Form) -> dict[str, set[str]]:
    """Give the answers on which whole pages hang, and what conditions compare them with; empty: left out."""
    found: dict[str, set[str]] = {}
    todo = [one for page in form.flow for one in _conditions(page)]
    asked = {item.name: item for page in form.flow for item in page.items if not isinstance(item, Note)}
    holding = {item.name: page for page in form.flow for item in page.items if not isinstance(item, Note)}
    seen: set[Comparison] = set()
    while todo:
        one = todo.pop()
        if one in seen:
            continue
        seen.add(one)
        found.setdefault(one.name, {""}).add(one.code)
        # The answer itself may only be asked of some.
        if one.name in asked:
            inner = (asked[one.name].relevant, holding[one.name].relevant)
            todo += [each for condition in inner if condition is not None for each in comparisons(condition.text)]
    return found


def _conditions(page: Page) -> list[Comparison]:
    """Give what decides whether the page is met: its own condition, and its items' if all have one."""
    inner = [item.relevant for item in page.items if not isinstance(item, Note)]
    conditions = [page.relevant, *(inner if all(one is not None for one in inner) else [])]
    return [each for one in conditions if one is not None for each in comparisons(one.text)]
