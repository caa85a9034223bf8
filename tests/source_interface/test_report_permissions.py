"""What a source has taken back stays taken back, whatever she sends afterwards."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from questionnaire.parting import ONCE
from questionnaire.served import Questionnaire, packaged
from source_interface import report_sending
from source_interface.progress import open_progress
from source_interface.report_state import ReportState
from source_interface.site import Site, Visitor
from source_interface.visit import Visit
from tests.browserlike import Page
from tests.source_interface.house import House
from tests.source_interface.reports import ASKED, FORM, inside, told
from tests.source_interface.test_report_sending import back_again, documents, written_down

MakeHouse = Callable[..., House]


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house(questionnaire=ASKED)


def last_permissions(house: House) -> dict[str, str]:
    answers: dict[str, str] = [one for one in documents(house) if one["part"] == "consents"][-1]["answers"]
    return answers


def test_a_report_that_goes_on_in_the_same_visit_allows_no_more_than_was_chosen_since(house: House) -> None:
    browser = told(house)
    browser.press("Send my report", c1=["yes"])
    written_down(browser)
    browser.open("/choices")
    browser.press("Send these choices", c2="no")

    browser.open("/report/2")
    browser.press("Send what I have so far", w2="One thing more.")

    assert last_permissions(house) == {"c2": "no"}
    assert len([one for one in documents(house) if one["part"] == "account"]) == 2


def test_a_report_that_was_not_sent_yet_allows_no_more_than_was_chosen_since(house: House) -> None:
    browser = told(house)
    browser.press("Send my report")
    again = back_again(house, written_down(browser))
    again.press("Go on with my report")
    again.open("/report/4")
    again.press("Continue", c2="yes")
    again.open("/choices")
    again.press("Send these choices", c2="no", c1=["yes"])

    page = again.open("/report/check")
    assert "May we write?" in page.text
    again.press("Send my report")

    assert last_permissions(house) == {"c1": "yes", "c2": "no"}


def test_whoever_came_for_help_last_is_asked_all_that_her_earlier_report_may_allow(house: House) -> None:
    browser = told(house)
    browser.press("Send my report")
    again = back_again(house, written_down(browser))
    again.press("Go on with my report")
    again.open("/")
    again.press("I only want help")
    again.open("/report/check")
    again.press("Send my report")

    page = again.open("/choices")
    assert "c5" in {name for form in page.forms for name in form.chosen}
    again.press("Send these choices", c5="yes")

    assert [one["answers"] for one in documents(house)][-2:] == [{"c5": "yes"}] * 2


def test_what_nobody_knows_whether_it_fits_her_is_asked_last_and_said_to_be_so(make_house: MakeHouse) -> None:
    form = packaged()
    assert form is not None
    house = make_house(questionnaire=Questionnaire(form, frozenset({"en"}), draft=False))
    browser = inside(house)
    browser.press("Continue", r1="victim")
    browser.press("Send what I have so far", u1="no")
    codename = written_down(browser)

    # In the visit in which she has said who she is, she is not asked about somebody else.
    assert "r3" not in _asked(browser.open("/choices"))
    page = back_again(house, codename).open("/choices")

    assert _asked(page)[-2:] == ["r3", "c1"]
    assert page.text.index("If it does not fit you, leave it out") < page.text.index(
        "Does the person it happened to know"
    )


def test_what_was_chosen_while_a_sending_waited_for_its_turn_holds(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = told(house)
    browser.press("Send my report")
    written_down(browser)
    browser.open("/report/check")
    numbered = report_sending._numbered

    def waited(site: Site, visitor: Visitor, report: ReportState, last: int) -> ReportState:
        def chose(visit: Visit) -> Visit:
            assert visit.report is not None
            return replace(visit, report=visit.report.decided(FORM, {"c2": "no"}, once_only=True, seq=7))

        site.remember(visitor, chose)
        return numbered(site, visitor, report, last)

    monkeypatch.setattr(report_sending, "_numbered", waited)
    assert browser.press("Send my report").path == "/sent"

    assert last_permissions(house) == {"c2": "no", ONCE: "yes"}
    assert {one["seq"] for one in documents(house)} == {1, 7}


def test_what_was_left_out_in_this_visit_is_not_said_to_be_sealed(make_house: MakeHouse) -> None:
    form = packaged()
    assert form is not None
    house = make_house(questionnaire=Questionnaire(form, frozenset({"en"}), draft=False))
    browser = inside(house)
    browser.press("Continue")
    browser.press("Send what I have so far")
    written_down(browser)

    page = browser.open("/choices")

    assert "r3" in _asked(page)
    assert "What you answered is sealed" not in page.text


def test_whoever_goes_on_after_coming_back_is_told_which_question_may_not_be_meant_for_her(
    make_house: MakeHouse,
) -> None:
    form = packaged()
    assert form is not None
    house = make_house(questionnaire=Questionnaire(form, frozenset({"en"}), draft=False))
    browser = inside(house)
    browser.press("Send what I have so far", r1="victim")
    again = back_again(house, written_down(browser))

    again.press("Go on with my report")
    assert again.page.path == "/report/2"
    assert again.page.text.index("leave it out") < again.page.text.index("Does the person it happened to know")
    again.open("/report/1")
    again.press("Continue", r1="eyewitness")
    assert "Does the person it happened to know" in again.page.text
    assert "leave it out" not in again.page.text


def _asked(page: Page) -> list[str]:
    return [name for form in page.forms if form.action == "/choices" for name in form.chosen]


def test_reports_that_two_visits_send_at_the_same_moment_are_both_remembered(house: House) -> None:
    """Or a change of permissions would never reach one of them."""
    browser = told(house)
    browser.press("Send my report")
    codename = written_down(browser)
    visits = [back_again(house, codename) for _ in range(2)]
    for again in visits:
        again.press("Go on with my report")
        again.open("/report/check")

    with ThreadPoolExecutor() as together:
        list(together.map(lambda again: again.press("Send my report"), visits))

    source = house.inbox.find(house.secrets(codename).lookup_id)
    assert source is not None
    progress = open_progress(house.inbox.progress(source), house.secrets(codename))
    assert progress is not None
    assert len(set(progress.reports)) == 3
