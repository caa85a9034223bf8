"""The small form as a drop asks it, and people who answer it."""

from xml.etree.ElementTree import Element

from questionnaire.served import Questionnaire
from tests.browserlike import Browser, Chosen, Page
from tests.questionnaire.forms import small_form
from tests.source_interface.house import House

FORM = small_form()
ASKED = Questionnaire(FORM, frozenset({"en", "uk"}), draft=False)
DRAFT = Questionnaire(FORM, frozenset(), draft=True)
DOOR = "Tell what happened, step by step"
# Whoever answers so meets every page.
ALL_PAGES = ({"r1": "victim"}, {"w1": ["yes"]}, {"person.0.v2": "yes"}, {"c2": "yes"})


def inside(house: House, door: str = DOOR) -> Browser:
    """Somebody who has gone in through a door."""
    browser = house.browser()
    browser.open("/")
    browser.press(door)
    return browser


def told(house: House, upto: int = len(ALL_PAGES)) -> Browser:
    """Somebody who has answered the first pages."""
    browser = inside(house)
    for answers in ALL_PAGES[:upto]:
        browser.press("Continue", answers)
    return browser


def told_with_a_file(house: House) -> Browser:
    """Somebody who has sent a report and a file, and goes on with both."""
    browser = told(house)
    browser.press("Send my report")
    browser.open("/report/files")
    browser.press("Send these files at once", files=[Chosen.of("a.txt", b"a")])
    return browser


def typed(page: Page, name: str) -> str:
    """What stands in a control."""
    return next(form.controls[name] for form in page.forms if name in form.controls)


def chosen(page: Page, name: str) -> list[str]:
    """What is chosen in a list or among boxes."""
    return next(list(form.chosen[name]) for form in page.forms if name in form.chosen)


def fetched(tree: Element) -> list[str]:
    """Give what a browser fetches by itself to show a page."""
    return [one.get("href", "") or one.get("src", "") for one in tree.iter() if one.tag == "link" or one.get("src")]
