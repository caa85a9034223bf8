"""A guided report: page by page, back, on and round again, and nothing is kept before it is sent."""

from collections.abc import Callable

import pytest

from questionnaire.served import Questionnaire
from tests.browserlike import Browser
from tests.questionnaire.forms import small_form
from tests.source_interface.house import House

MakeHouse = Callable[..., House]
FORM = small_form()
ASKED = Questionnaire(FORM, frozenset({"en", "uk"}), draft=False)
DOOR = "Tell what happened, step by step"


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house(questionnaire=ASKED)


def inside(house: House, door: str = DOOR) -> Browser:
    browser = house.browser()
    browser.open("/")
    browser.press(door)
    return browser


def test_a_report_is_told_page_by_page_and_sent(house: House) -> None:
    browser = inside(house)
    assert browser.page.path == "/report/1"
    assert "Step 1 of about 3" in browser.page.text
    browser.press("Continue", r1="victim")
    assert browser.page.path == "/report/2"
    page = browser.press("Continue", {"w1": ["yes"], "t1.y": "2022", "t1.m": "3", "w2": "Words."})
    assert page.path == "/report/3"
    browser.press("Continue", {"person.0.v2": "yes", "person.0.v3": "A name"})
    page = browser.press("Continue", c2="yes")
    assert page.path == "/report/check"
    for said in ("It happened to me", "March 2022", "Words.", "A name", "Yes"):
        assert said in page.text
    assert house.nothing_kept()

    assert browser.press("Send my report").path == "/codename"
