"""How every page of both sites looks and is used: narrow, enlarged, without style, by keyboard, in light and dark."""

import importlib.resources
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import Scheme, chromium, scriptless
from tests.browser.gallery import LANGUAGES, Gallery, Kept, visit_all
from tests.browser.reading import (
    FIELDS,
    first_buttons,
    legends,
    misplaced,
    moved,
    questions,
    read_out,
    spoken,
    twins,
    unseen,
    usable,
)
from tests.browser.tour import REVIEWER_PAGES, SOURCE_PAGES
from tests.trial import RunningDrop

# The first test waits for a drop and a walk through all of it in four languages.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def gallery(loopback_drop: RunningDrop, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    return visit_all(loopback_drop, browser, tmp_path_factory.mktemp("gallery"))


@pytest.mark.check("B3", "B4")
def test_every_page_is_met_in_every_language(gallery: Gallery) -> None:
    """Met by links and forms, with JavaScript off, in a narrow window or without a style sheet."""
    met = {str(kept) for kept in gallery.pages}

    assert met == {f"source-{language}-{name}" for language in LANGUAGES for name in SOURCE_PAGES} | {
        f"reviewer-en-{name}" for name in REVIEWER_PAGES
    }


@pytest.mark.check("B4")
@pytest.mark.parametrize(
    ("width", "more_style"),
    [
        pytest.param(320, "", id="320-pixels"),
        pytest.param(640, "", id="1280-at-200-percent"),
        pytest.param(1280, "html { font-size: 200% }", id="text-at-200-percent"),
    ],
)
def test_nothing_has_to_be_scrolled_sideways(gallery: Gallery, browser: Browser, width: int, more_style: str) -> None:
    with scriptless(browser, width) as context:
        page = context.new_page()
        for kept in gallery.pages:
            gallery.show(page, kept, more_style)

            assert page.evaluate("document.documentElement.scrollWidth") <= width, kept
            assert beyond(page, width) == [], kept


def beyond(page: Page, width: int) -> list[str]:
    """Name what reaches out of the window; what is said to screen readers alone has no size."""
    return [
        str(name)
        for name in page.evaluate(
            """width => {
            const clipped = one => one && (getComputedStyle(one).clipPath != "none" || clipped(one.parentElement));
            return [...document.querySelectorAll("body *")]
            .filter(one => !one.closest(".skip") && !clipped(one))
            .filter(one => one.getBoundingClientRect().right > width + 1 || one.getBoundingClientRect().left < -1)
            .map(one => one.outerHTML.slice(0, 80))}""",
            width,
        )
    ]


@pytest.mark.check("B4")
def test_without_a_style_sheet_every_control_can_be_seen(gallery: Gallery, browser: Browser) -> None:
    with scriptless(browser, 320) as context:
        page = context.new_page()
        for kept in gallery.pages:
            gallery.show_bare(page, kept)

            assert [control for control in shown(page) if not control.width or not control.height] == [], kept


@pytest.mark.check("B4")
def test_the_keyboard_goes_through_every_page_in_order_and_shows_where_it_is(
    gallery: Gallery, browser: Browser
) -> None:
    with scriptless(browser) as context:
        page = context.new_page()
        for kept in gallery.pages_in(["en"]):
            gallery.show(page, kept)
            expected = stops(page)
            reached: list[str] = []
            for _ in expected:
                page.keyboard.press("Tab")
                html, outline = page.evaluate(
                    "[document.activeElement.outerHTML, getComputedStyle(document.activeElement).outlineStyle]"
                )
                assert outline != "none", (kept, html)
                reached.append(html)

            assert reached == expected, kept
            if kept.site == "source" and kept.name != "blank":
                assert 'class="exit"' in reached[0]


def stops(page: Page) -> list[str]:
    """List where the Tab key stops: once in each group of round buttons, at the chosen one or else the first."""
    return [
        str(html)
        for html in page.evaluate(
            """controls => {
            const all = [...document.querySelectorAll(controls)].filter(one => one.tabIndex >= 0)
            .filter(one => one.matches("summary") || !one.closest("details:not([open])"));
            const group = one => all.filter(other => other.type == "radio" && other.name == one.name);
            const stop = one => group(one).find(other => other.checked) || group(one)[0];
            return all.filter(one => one.type != "radio" || one == stop(one)).map(one => one.outerHTML)}""",
            CONTROLS,
        )
    ]


@dataclass(frozen=True, slots=True)
class Control:
    """Something that can be used, as it lies on the page."""

    html: str
    width: float
    height: float


def shown(page: Page) -> list[Control]:
    """List the controls that are not folded away, in the order of the page."""
    found = page.evaluate(
        """controls => [...document.querySelectorAll(controls)]
        .filter(one => one.matches("summary") || !one.closest("details:not([open])"))
        .map(one => [one.outerHTML, one.getBoundingClientRect()])
        .map(([html, box]) => [html, box.width, box.height])""",
        CONTROLS,
    )
    return [Control(str(html), float(width), float(height)) for html, width, height in found]


@pytest.mark.check("B4")
def test_a_screen_reader_is_told_what_each_heading_control_and_answer_belongs_to(
    gallery: Gallery, browser: Browser
) -> None:
    with scriptless(browser) as context:
        page = context.new_page()
        for kept in gallery.sources(LANGUAGES):
            gallery.show(page, kept)
            said = read_out(page)
            controls = usable(said)

            assert misplaced(said) == [], kept
            assert [one for one in controls if not one.name] == [], kept
            # What is said is in the order of the document, which is that of the Tab key, and no style changes it.
            assert [one.place for one in controls] == sorted({one.place for one in controls}), kept
            assert moved(page) == [], kept
            unasked = [one.name for one in controls if one.role in {"radio", "checkbox"} and not one.question]
            assert len(unasked) == (kept.name in {"check", "choices"}), kept
            assert questions(said) == legends(page), kept
            assert twins(page) == [], kept
            # The Enter key presses the first one.
            assert set(first_buttons(page)) <= {"", "next", "skip", "enter", "report"}, kept


@pytest.mark.check("B4")
def test_what_went_wrong_is_said_before_the_first_field_and_with_the_field_itself(
    gallery: Gallery, browser: Browser
) -> None:
    wrong = [kept for kept in gallery.sources(LANGUAGES) if kept.name.endswith("-wrong")]
    assert wrong
    with scriptless(browser) as context:
        page = context.new_page()
        for kept in wrong:
            gallery.show(page, kept)
            said = [one for one in read_out(page) if one.in_main]
            fields = [one for one in said if one.role in FIELDS]

            assert next(one for one in said if one.role == "alert").place < fields[0].place, kept
            assert [bool(one.description) for one in fields if one.invalid] == [True], kept


@pytest.mark.check("B4")
def test_without_a_style_sheet_the_same_is_said_and_all_of_it_can_be_seen(gallery: Gallery, browser: Browser) -> None:
    with scriptless(browser) as context:
        page = context.new_page()
        for kept in gallery.sources(("en", "ar")):
            gallery.show(page, kept)
            styled = spoken(page)
            gallery.show_bare(page, kept)

            assert spoken(page) == styled, kept
            assert unseen(page) == [], kept


@pytest.mark.check("B4")
@pytest.mark.parametrize(("scheme", "width", "languages"), [("light", 1280, LANGUAGES), ("dark", 320, ("en", "ar"))])
def test_no_page_breaks_a_rule_of_accessibility(
    gallery: Gallery, browser: Browser, scheme: Scheme, width: int, languages: Sequence[str]
) -> None:
    """axe-core is a script, so here scripts may run; the pages have none. Contrast is one of its rules."""
    axe = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    found: list[str] = []
    for kept in gallery.pages_in(languages):
        gallery.show(page, kept)
        page.evaluate(axe)
        found += broken(kept, page.evaluate("axe.run({resultTypes: ['violations', 'incomplete']})"))
    context.close()

    assert found == []


def broken(kept: Kept, results: Mapping[str, Any]) -> list[str]:
    """Say which rules the page breaks; that contrast could not be measured counts as well."""
    unmeasured = [one for one in results["incomplete"] if one["id"] == "color-contrast"]
    return [
        f"{kept}: {one['id']} at {node['target']}: {node['failureSummary']}"
        for one in (*results["violations"], *unmeasured)
        for node in one["nodes"]
        # The page to leave to says nothing, so it has no heading either.
        if (kept.name, one["id"]) != ("blank", "page-has-heading-one")
    ]
