"""What the linter of forms expects a page to weigh is never below what our templates make of it."""

import re
from collections.abc import Callable, Iterator, Mapping

import pytest

from questionnaire.linting import page_bytes
from questionnaire.model import Form, Page
from questionnaire.served import Questionnaire, packaged
from svidok.journey.browser import Typed
from tests.browserlike import Browser
from tests.source_interface.house import House

MakeHouse = Callable[..., House]
_PADDING = re.compile(rb"<!--[0-9a-f]*-->\n$")
# The longest way: answers that let every further question appear.
_ANSWERS: Mapping[str, Typed] = {"r1": "victim", "depth": "more", "a0": "yes", "p1.country": "UA"}


def _walk(browser: Browser, form: Form) -> Iterator[tuple[Page, int]]:
    """Go through the form and weigh each page, with all its slots and the regions of a country."""
    _press(browser, "way", "report", {})
    while browser.page.path.split("/")[-1].isdigit():
        page = form.flow[int(browser.page.path.split("/")[-1]) - 1]
        controls = {name for one in browser.page.forms for name in (*one.controls, *one.chosen, *one.choices)}
        typed = {name: code for name, code in _ANSWERS.items() if name in controls}
        if "p1.country" in typed:
            _press(browser, "do", "regions", typed)
        for _ in range(2):
            if any(value.startswith("add.") for _, value in _named(browser)):
                _press(browser, "do", "add.person", typed)
        yield page, len(_PADDING.sub(b"", browser.page.body))
        _press(browser, "do", "next", typed)


def _press(browser: Browser, name: str, value: str, typed: Mapping[str, Typed]) -> None:
    browser.press(_named(browser)[name, value], typed)


def _named(browser: Browser) -> dict[tuple[str, str], str]:
    """Give the words of each button that brings something."""
    return {brings: words for form in browser.page.forms for words, brings in form.named.items()}


@pytest.mark.parametrize(("prefix", "language"), [("", "en"), ("/uk", "uk")])
def test_the_estimate_is_never_below_what_a_page_weighs(make_house: MakeHouse, prefix: str, language: str) -> None:
    form = packaged()
    assert form is not None
    browser = make_house(questionnaire=Questionnaire(form, frozenset(form.languages), draft=False)).browser()
    browser.open(f"{prefix}/")

    weighed = {page.name: (size, page_bytes(form, page, language)) for page, size in _walk(browser, form)}

    assert len(weighed) >= 8
    assert {name: sizes for name, sizes in weighed.items() if sizes[0] > sizes[1]} == {}
