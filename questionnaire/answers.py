"""What was answered: which pages come next for these answers, and which answers an earlier one makes moot.

Answers are plain values, as they are kept in a session and sealed in the end: a code; codes in the order of their
list; words; a date (`questionnaire.dates`); an object for a place; a list of objects for a repeat. What was left out
is not there.

Whoever comes back cannot be shown what she answered then, because it is sealed. *led*, where a function takes it, are
the pages that her earlier visits led over, each with whether it was reached then: where the answers of this visit do
not decide about a page, it is met if it is one of these. Without earlier visits it is empty.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from hardening.canonical import JSON
from questionnaire.logic import Chosen
from questionnaire.model import Form, Item, Note, Page, Question, Repeat

Answers: TypeAlias = Mapping[str, JSON]
Led: TypeAlias = Mapping[str, bool]

_NO_EARLIER: Final[Led] = MappingProxyType({})


def chosen(answers: Answers) -> Chosen:
    """Give the codes that conditions look at; texts and places are codes of their own and match nothing."""
    return {name: _codes(value) for name, value in answers.items()}


def visible(page: Page, answers: Answers) -> tuple[Item, ...]:
    """Give what of *page* is shown, after all that was answered before it."""
    codes = chosen(answers)
    return tuple(
        _visible_repeat(item, codes) if isinstance(item, Repeat) else item
        for item in page.items
        if item.relevant is None or item.relevant.holds(codes)
    )


def walk(form: Form, answers: Answers, led: Led = _NO_EARLIER) -> tuple[Page, ...]:
    """Give the pages that these answers lead over, in their order; a page with nothing to ask is left out."""
    pages: list[Page] = []
    asked: set[str] = set()
    for page in form.flow:
        if _is_met(page, answers, asked, led):
            pages.append(page)
            asked |= _asked_before(page, led)
    return tuple(pages)


def unsure(form: Form, page: Page, answers: Answers, led: Led) -> frozenset[str]:
    """Name the questions of *page* that may not be meant for whoever came back: her earlier answers would decide."""
    if not led:
        return frozenset()
    at = form.flow.index(page)
    asked = {name for one in walk(form, answers, led) if form.flow.index(one) < at for name in _asked_before(one, led)}
    unknown, codes = asked - answers.keys(), chosen(answers)
    return frozenset(
        item.name
        for item in visible(page, answers)
        if isinstance(item, Question) and item.relevant is not None and item.relevant.judge(codes, unknown) is None
    )


def kept(form: Form, answers: Answers, led: Led = _NO_EARLIER) -> tuple[dict[str, JSON], tuple[str, ...]]:
    """Drop what is not asked any more, because an earlier answer has changed.

    Returns:
        What is left, and the names of what was dropped; of a repeat also if only some of it was.
    """
    left: dict[str, JSON] = {name: answers[name] for name in form.hidden if name in answers}
    asked: set[str] = set()
    for page in form.flow:
        if not _is_met(page, left, asked, led):
            continue
        asked |= _asked_before(page, led)
        # Conditions look at earlier pages alone, so a page is judged by what is left of those.
        for item in visible(page, left):
            if isinstance(item, Note) or item.name not in answers:
                continue
            told = _people(item, answers[item.name]) if isinstance(item, Repeat) else answers[item.name]
            if told:
                left[item.name] = told
    return left, tuple(sorted(name for name, told in answers.items() if left.get(name) != told))


def after(form: Form, answers: Answers, name: str, led: Led = _NO_EARLIER) -> Page | None:
    """Give the page that comes after the page *name*; None if it was the last."""
    order = [page.name for page in form.flow]
    at = order.index(name)
    return next((page for page in walk(form, answers, led) if order.index(page.name) > at), None)


def before(form: Form, answers: Answers, name: str, led: Led = _NO_EARLIER) -> Page | None:
    """Give the page that comes before the page *name*; None if it was the first."""
    order = [page.name for page in form.flow]
    at = order.index(name)
    return next((page for page in reversed(walk(form, answers, led)) if order.index(page.name) < at), None)


def replaced(answers: Answers, page: Page, fresh: Answers) -> dict[str, JSON]:
    """Put the answers of one page in the place of those that were given on it before."""
    asked = _names(page)
    return {**{name: value for name, value in answers.items() if name not in asked}, **fresh}


def _names(page: Page) -> set[str]:
    return {item.name for item in page.items if not isinstance(item, Note)}


def _asked_before(page: Page, led: Led) -> set[str]:
    """Name what stood on a page that was reached in an earlier visit; what was ahead then, nobody has answered."""
    return _names(page) if led.get(page.name) else set()


def _is_met(page: Page, answers: Answers, asked: Collection[str], led: Led) -> bool:
    """Say whether *page* comes after pages on which the questions *asked* were asked in an earlier visit."""
    if page.relevant is not None:
        # What is left out on a way that does not ask for it is not unknown.
        unknown = page.relevant.names & set(asked) - answers.keys() if led else frozenset[str]()
        holds = page.relevant.judge(chosen(answers), unknown)
        if not (page.name in led if holds is None else holds):
            return False
    return any(not isinstance(item, Note) for item in visible(page, answers))


def _visible_repeat(repeat: Repeat, codes: Chosen) -> Repeat:
    questions = tuple(one for one in repeat.questions if _is_asked(one, codes))
    return Repeat(name=repeat.name, label=repeat.label, questions=questions, relevant=repeat.relevant)


def _is_asked(question: Question, codes: Chosen) -> bool:
    return question.relevant is None or question.relevant.holds(codes)


def _people(repeat: Repeat, told: JSON) -> list[JSON]:
    """Give of each person what is still asked; whoever has nothing left loses her place."""
    names = {question.name for question in repeat.questions}
    people = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
    asked: list[JSON] = [{name: value for name, value in one.items() if name in names} for one in people]
    return [one for one in asked if one]


def _codes(value: JSON) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, Sequence):
        return tuple(one for one in value if isinstance(one, str))
    return ()
