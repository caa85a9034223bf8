"""A visit that is nearly full: what was kept is said to be kept, and is kept once."""

from collections.abc import Callable

import pytest

from hardening.sessions import SessionLimits
from source_interface.parts import SESSIONS_PER_SOURCE, SourceLimits
from source_interface.site import SPARE_BYTES
from tests.browserlike import Browser, Chosen
from tests.source_interface.house import House
from tests.source_interface.reports import ASKED, told
from tests.source_interface.test_report_sending import documents, files

MakeHouse = Callable[..., House]
_ROOM_BYTES = SPARE_BYTES + 64 * 1024


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house(questionnaire=ASKED, limits=SourceLimits(message_characters=_ROOM_BYTES))


def filled(house: House) -> Browser:
    """Somebody who has typed as much as her visit takes, to the character."""
    house.sessions.limits = SessionLimits(per_owner=SESSIONS_PER_SOURCE, state_bytes=_ROOM_BYTES)
    browser = told(house, 1)
    low, high = 0, _ROOM_BYTES
    while high - low > 1:
        middle = (low + high) // 2
        browser.open("/report/2")
        if browser.press("Continue", w2="x" * middle).status == 413:
            high = middle
        else:
            low = middle
    browser.open("/report/2")
    assert browser.press("Continue", w2="x" * low).path == "/report/4"
    return browser


def test_a_report_that_fills_its_visit_is_sent_once_and_said_to_be_kept(house: House) -> None:
    browser = filled(house)
    browser.open("/report/check")
    form = browser.page.form("Send my report")

    for _ in range(2):
        page = browser.submit(form, {})
        assert page.path == "/codename"
    assert "Your report was kept" in page.text
    assert len(house.submissions()) == 1
    browser.open("/report/2")
    assert browser.press("Send what I have so far").path == "/codename"
    assert {one["seq"] for one in documents(house)} == {1, 2}


def test_files_beside_a_report_that_fills_its_visit_arrive_once_and_are_listed(house: House) -> None:
    browser = filled(house)
    for _ in range(3):
        browser.open("/report/files")
        page = browser.press(
            "Send these files at once",
            files=[Chosen.of("\N{CYRILLIC SMALL LETTER YI}" * 2000, b"x") for _ in range(10)],
        )
        assert page.status == 200

    assert len(files(house)) == 30
    assert page.text.count("Say something about this file") == 30


def test_what_a_visit_cannot_remember_any_more_is_kept_all_the_same(house: House) -> None:
    browser = filled(house)
    house.sessions.limits = SessionLimits(per_owner=SESSIONS_PER_SOURCE, state_bytes=1)
    browser.open("/report/files")
    form = browser.page.form("Send these files at once")

    for _ in range(2):
        assert browser.submit(form, {}, [Chosen.of("a", b"a")]).status == 200

    assert len(files(house)) == 1
