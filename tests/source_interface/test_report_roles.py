"""The shipped questionnaire as each kind of person meets it, in every language: few pages, all of one size."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from questionnaire import places
from questionnaire.model import Form, Question
from questionnaire.served import Questionnaire, packaged
from source_interface.languages import languages
from source_interface.pages import PAGE_BYTES, TITLE
from tests.browserlike import Browser
from tests.clock import FakeClock
from tests.source_interface.house import House, Keyring, short_folder
from tests.source_interface.reports import fetched
from tests.source_interface.test_pages import ACTIVE

LANGUAGES = [language.code for language in languages()]
ROLES = ("victim", "relative", "eyewitness", "journalist", "activist", "association", "health", "other", "")
# What makes the way longest.
MORE = {"depth": "more", "a0": "yes"}
_MANY_REGIONS = 20


@pytest.fixture(scope="module")
def house(keyring: Keyring) -> Iterator[House]:
    form = packaged()
    assert form is not None
    with ExitStack() as ends:
        asked = Questionnaire(form, frozenset(form.languages), draft=False)
        made = House(
            ends.enter_context(short_folder()),
            keyring,
            FakeClock(),
            questionnaire=asked,
            change=lambda parts: replace(parts, places=places),
        )
        yield ends.enter_context(made.living())


def asked(house: House) -> Form:
    assert house.parts.questionnaire is not None
    return house.parts.questionnaire.form


def walked(house: House, way: str, answers: dict[str, str], language: str = "en") -> tuple[Browser, list[str]]:
    """Go through all pages by their buttons; gives the names of the pages."""
    form, browser = asked(house), house.browser()
    browser.open("/" if language == "en" else f"/{language}/")
    _press(browser, "way", way, {})
    met: list[str] = []
    while (number := browser.page.path.rpartition("/")[2]) != "check":
        met.append(form.flow[int(number) - 1].name)
        assert len(browser.page.body) == PAGE_BYTES, (language, met[-1])
        assert fetched(browser.page.tree) == ["/style.css"], (language, met[-1])
        assert not ACTIVE & {one.tag for one in browser.page.tree.iter()}, (language, met[-1])
        assert browser.page.title == TITLE
        asked_here = {name for one in browser.page.forms for name in (*one.choices, *one.controls)}
        _press(browser, "do", "next", {name: code for name, code in answers.items() if name in asked_here and code})
    assert len(browser.page.body) == PAGE_BYTES
    return browser, met


def _press(browser: Browser, name: str, value: str, typed: dict[str, str]) -> None:
    named = {brings: words for form in browser.page.forms for words, brings in form.named.items()}
    browser.press(named[name, value], typed)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.check("B1", "B5", "B8", "B9")
def test_every_language_leads_through_the_longest_way(house: House, language: str) -> None:
    _, met = walked(house, "report", {"r1": "victim", **MORE}, language)

    assert met[0] == "safety"
    assert met[-1] == "choices"


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_its_own_few_pages(house: House, role: str) -> None:
    codes = next(one.codes for one in asked(house).flow[0].questions if one.name == "r1")
    assert not role or role in codes

    _, short = walked(house, "report", {"r1": role})
    _, long = walked(house, "report", {"r1": role, **MORE})

    assert len(short) <= 5
    assert len(long) <= 9
    assert short[:3] == ["safety", "now", "what"]
    assert set(short) < set(long)
    own = {"health": "health", **dict.fromkeys(("journalist", "activist", "association"), "sources")}
    assert {"health", "sources", "help"} & set(short) == {own.get(role, "help")}


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("role", ["victim", "relative", "eyewitness"])
def test_whoever_only_wants_help_is_asked_nothing_of_what_happened(house: House, role: str, language: str) -> None:
    browser, met = walked(house, "help", {"r1": role}, language)

    assert len(met) <= 4
    assert not {"what", "story", "harmed", "doers", "proof"} & set(met)
    assert browser.page.path.endswith("/report/check")


def test_no_question_has_to_be_answered(house: House) -> None:
    """Blank is not the same as what somebody would rather not say."""
    browser, _ = walked(house, "report", {})
    for page in asked(house).pages:
        assert all(isinstance(one, Question) for one in page.questions)
    form = browser.page.forms[-1]

    assert browser.submit(form, {}).path == "/codename"


@pytest.mark.check("G12")
def test_nobody_outside_sees_which_way_a_report_went_and_what_it_says(house: House) -> None:
    """An empty one, a full one, one that only asks for help, in every language: four parts of one size."""
    texts = {one.name: "слово " * 40 for page in asked(house).flow for one in page.questions if one.kind == "text"}
    full = {"r1": "victim", **MORE, **texts}
    ways = [("report", {}, "en"), ("report", full, "en"), ("help", {"r1": "relative"}, "en")]
    ways += [("report", full, language) for language in LANGUAGES]
    assert len(texts) > 2
    before = {one.submission_id for one in house.submissions()}
    for way, answers, language in ways:
        browser, _ = walked(house, way, answers, language)
        assert browser.submit(browser.page.forms[-1], {}).path.endswith("/codename")

    sent = [one for one in house.submissions() if one.submission_id not in before]
    assert len(sent) == len(ways)
    assert len({tuple(sorted((part.kind, part.size_bytes) for part in one.parts)) for one in sent}) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.check("B9")
def test_the_regions_of_every_large_country_fit_into_a_page(house: House, language: str) -> None:
    """While little else is typed on it, the size of the page tells nobody outside which country it was."""
    browser = house.browser()
    browser.open("/" if language == "en" else f"/{language}/")
    _press(browser, "way", "report", {})
    browser.open(browser.page.path.rpartition("/")[0] + "/3")
    large = [code for code, _ in places.countries(language) if len(places.regions(code, language)) > _MANY_REGIONS]
    assert {"SI", "RU", "UA"} <= set(large)

    for country in large:
        _press(browser, "do", "regions", {"p1.country": country})

        shown = {code for form in browser.page.forms for code in form.choices.get("p1.region", ())}
        assert {code for code, _ in places.regions(country, language)} <= shown
        assert len(browser.page.body) == PAGE_BYTES, country
