"""The same form for people who come in person: pages of paper, and pages to look at in a browser without a server.

Codes, languages and permissions are those of the site, so that what was ticked can be typed in as it stands.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache, partial
from importlib.resources import files
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined

from questionnaire.comparisons import Comparison, in_words
from questionnaire.logic import Condition
from questionnaire.model import MOST_SLOTS, WAY, Choice, Form, Page, Text
from questionnaire.paper_words import WORDS, PaperWords

RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ps", "sd", "ug", "ur", "yi"})


def paper_html(form: Form, language: str, read_until: date | None) -> str:
    """Write *form* as one document to be printed; None says that nobody has approved it in *language*."""
    facts = _facts(form, language)
    return _environment().get_template("paper.html").render(facts, pages=form.pages, read_until=read_until)


def screen_html(form: Form, language: str, pages: Sequence[Page], at: int) -> str:
    """Write one of *pages* as a browser would show it, with links to its neighbours; it sends nothing."""
    facts = _facts(form, language)
    return _environment().get_template("screen.html").render(facts, pages=pages, at=at)


def screen_name(page: Page, language: str) -> str:
    """Give the file's name of a page."""
    return f"{language}-{page.name}.html"


def words_of(language: str) -> PaperWords:
    """Give the words around the form's own; English ones if the language has none."""
    return WORDS.get(language, WORDS["en"])


def told(condition: Condition | None, form: Form, language: str) -> str:
    """Put a condition into words: the code of each question, and the option that it needs."""
    if condition is None:
        return ""
    words = words_of(language)
    say: Callable[[Comparison], str] = partial(_compared, form, language)
    return f"{words.only_if}: {in_words(condition.text, say, words.joins)}"


def _facts(form: Form, language: str) -> dict[str, object]:
    return {
        "form": form,
        "language": language,
        "direction": "rtl" if language in RIGHT_TO_LEFT else "ltr",
        "words": words_of(language),
        # Most forms have the language whose words are ours; the words then stand in another one, and say so.
        "words_language": language if language in WORDS else "en",
        "slots": range(1, MOST_SLOTS + 1),
        "say": partial(form.said, language=language),
        "told": partial(told, form=form, language=language),
        "file": partial(screen_name, language=language),
        "asks_way": WAY in form.hidden,
    }


def _compared(form: Form, language: str, one: Comparison) -> str:
    label = _option(form, one, language)
    return f"{one.name} {'=' if one.equal else '≠'} {label}"


def _option(form: Form, one: Comparison, language: str) -> str:
    words = words_of(language)
    if not one.code:
        return words.nothing
    if one.name == WAY:
        return f"“{words.ways.get(one.code, one.code)}”"
    return f"“{form.said(_label(form, one), language) or one.code}”"


def _label(form: Form, one: Comparison) -> Text:
    asked = (question for page in form.pages for question in page.questions if question.name == one.name)
    found: list[Choice] = [choice for question in asked for choice in question.choices if choice.code == one.code]
    return found[0].label if found else {}


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(lambda name: (files("questionnaire") / "templates" / name).read_text("utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
