"""What is sent of a report, when, how often; the files beside it; and coming back to it with the codename."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from hardening.database import open_to_write
from questionnaire.model import Note
from questionnaire.served import Questionnaire, packaged
from source_interface.parts import SourceLimits
from source_interface.progress import Progress, open_progress
from tests.browserlike import Browser, Chosen
from tests.questionnaire.forms import small_form
from tests.source_interface.house import House, Opened, shown_codename
from tests.source_interface.reports import ALL_PAGES, ASKED, FORM, chosen, inside, told, typed
from tests.source_interface.test_report import MARKUP
from vault.tables import INBOX

MakeHouse = Callable[..., House]
FOUR = ["account", "consents", "contact", "identity"]


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house(questionnaire=ASKED)


def documents(house: House) -> list[dict[str, Any]]:
    """Everything of reports that arrived, as a reviewer finds it, the first sending first."""
    found = [json.loads(one.content) for one in house.everything() if one.trailer.kind not in {"message", "file"}]
    return sorted(found, key=lambda one: (one["seq"], one["part"]))


def files(house: House) -> list[Opened]:
    return [one for one in house.everything() if one.trailer.kind == "file"]


def progress(house: House, codename: str) -> Progress | None:
    secrets = house.secrets(codename)
    source = house.inbox.find(secrets.lookup_id)
    assert source is not None
    return open_progress(house.inbox.progress(source), secrets)


def written_down(browser: Browser) -> str:
    """Note the codename that is shown, and go to the inbox."""
    codename = shown_codename(browser.page)
    browser.click("I have written it down")
    browser.press("Skip this: I am sure")
    return codename


def back_again(house: House, codename: str) -> Browser:
    browser = house.browser()
    browser.open("/login")
    browser.press("Open my inbox", codename=codename)
    return browser


def gone_on(house: House) -> tuple[Browser, str]:
    """Somebody whose answers had opened a page that she did not reach, and who has come back; and her codename."""
    browser = told(house, 1)
    browser.press("Send what I have so far", w1=["yes"])
    codename = written_down(browser)
    again = back_again(house, codename)
    again.press("Go on with my report")
    return again, codename


# Sending


@pytest.mark.check("G12")
def test_a_report_is_one_submission_of_four_documents_and_its_manifest(house: House) -> None:
    browser = inside(house)
    browser.press("Continue", r1="victim")
    browser.press("Continue", {"w1": ["yes"], "t1.y": "2022", "t1.about": ["yes"], "w2": "Words."})
    browser.press("Continue", {"person.0.v2": "yes", "person.0.v3": "A name"})
    browser.press("Continue", c2="yes")

    page = browser.press("Send my report", c1=["yes"])

    assert page.path == "/codename"
    assert "Your report was kept" in page.text
    (submission,) = house.submissions()
    assert sorted(part.kind for part in submission.parts) == ["manifest", *["report"] * 4]
    (manifest,) = house.manifests()
    assert manifest.form is not None
    assert (manifest.form.form_id, manifest.form.version, manifest.form.sha256) == ("small", "1", FORM.sha256)
    account, consents, contact, identity = documents(house)
    assert [one["part"] for one in (account, consents, contact, identity)] == FOUR
    assert account["answers"] == {
        "r1": "victim",
        "w1": ["yes"],
        "t1": "2022~",
        "w2": "Words.",
        "person": [{"v2": "yes"}],
    }
    assert consents["answers"] == {"c1": "yes", "c2": "yes"}
    assert contact["answers"] == {}
    assert identity["answers"] == {"person": [{"v3": "A name"}]}
    assert {(one["seq"], one["way"], one["complete"], one["language"]) for one in documents(house)} == {
        (1, "report", True, "en")
    }
    assert account["form"] == {"id": "small", "version": "1", "sha256": FORM.sha256}


@pytest.mark.check("G12")
def test_a_report_in_which_nothing_was_answered_looks_the_same_from_outside(house: House) -> None:
    browser = inside(house)
    for _ in range(3):
        browser.press("Continue")
    browser.press("Send my report")
    told(house).press("Send my report")

    shapes = {tuple(sorted((part.kind, part.size_bytes) for part in one.parts)) for one in house.submissions()}
    assert len(shapes) == 1


def test_help_alone_is_sent_without_any_word_on_what_happened(house: House) -> None:
    browser = inside(house, "I only want help")
    browser.press("Continue", r1="victim")
    browser.press("Continue", c2="yes")

    assert browser.press("Send my report").path == "/codename"

    assert {one["way"] for one in documents(house)} == {"help"}
    assert [one["answers"] for one in documents(house)] == [{"r1": "victim"}, {"c2": "yes"}, {}, {}]


@pytest.mark.parametrize("pages", [0, 1, 3])
def test_what_there_is_so_far_can_be_sent_from_every_page(house: House, pages: int) -> None:
    browser = told(house, pages)

    page = browser.press("Send what I have so far", ALL_PAGES[pages])

    assert page.path == "/codename"
    assert "What you have answered so far was kept" in page.text
    assert {(one["seq"], one["complete"]) for one in documents(house)} == {(1, False)}
    assert ("r1" in documents(house)[0]["answers"]) is True


def test_a_report_goes_on_in_the_same_visit_and_its_last_sending_says_all(house: House) -> None:
    browser = told(house, 1)
    browser.press("Send what I have so far", w2="first")
    written_down(browser)

    browser.press("Go on with my report")
    assert browser.page.path == "/report/4"
    browser.press("Continue", c2="yes")
    assert "this takes its place" in browser.page.text
    page = browser.press("Send my report")

    assert page.path == "/sent"
    first, second = documents(house)[0], documents(house)[4]
    assert (first["seq"], second["seq"], first["complete"], second["complete"]) == (1, 2, False, True)
    assert first["report"] == second["report"]
    assert second["answers"] == {"r1": "victim", "w2": "first"}
    assert documents(house)[5]["answers"] == {"c2": "yes"}


def test_what_is_wrong_is_said_before_anything_is_sent(house: House) -> None:
    browser = told(house, 1)

    page = browser.press("Send what I have so far", {"t1.y": "2099", "w2": "Words."})

    assert page.status == 400
    assert typed(page, "w2") == "Words."
    assert house.nothing_kept()


def test_a_report_that_is_sent_twice_arrives_once(house: House) -> None:
    browser = told(house)
    form = browser.page.form("Send my report")

    assert browser.submit(form, {}).path == "/codename"
    assert browser.submit(form, {}).path == "/codename"

    assert len(house.submissions()) == 1


def test_what_there_is_so_far_that_is_sent_twice_arrives_once(house: House) -> None:
    browser = told(house, 1)
    form = browser.page.form("Continue")

    for _ in range(2):
        assert browser.submit(form, {"w2": "x"}, button="Send what I have so far").path == "/codename"

    assert len(house.submissions()) == 1


@pytest.mark.check("C8")
def test_a_report_is_not_sent_with_the_token_of_another_visit(house: House) -> None:
    stranger, browser = told(house), told(house)

    page = browser.submit(stranger.page.form("Send my report"), {})

    assert page.status == 403
    assert "Nothing was sent yet" in page.text
    assert "It happened to me" in page.text
    assert house.nothing_kept()


@pytest.mark.check("G1")
def test_a_held_store_is_said_and_the_answers_stay(house: House) -> None:
    browser = told(house)
    other = open_to_write(house.urls["inbox"], INBOX)
    with other.writing():
        page = browser.press("Send my report")
    other.close()

    assert page.status == 503
    assert "Your answers are still here" in page.text
    assert house.nothing_kept()
    assert browser.press("Send my report").path == "/codename"
    assert len(documents(house)) == 4


@pytest.mark.check("G6")
def test_a_report_that_began_is_sent_though_the_drop_has_closed(house: House) -> None:
    browser = told(house)
    house.desk = None

    assert browser.press("Send my report").path == "/codename"


def test_a_share_of_a_day_holds_for_reports_as_well(make_house: MakeHouse) -> None:
    house = make_house(questionnaire=ASKED, limits=SourceLimits(source_items_per_day=2))
    browser = told(house)

    page = browser.press("Send my report")

    assert page.status == 413
    assert "come back tomorrow" in page.text
    assert house.nothing_kept()


# Files


@pytest.mark.parametrize("prefix", ["", "/uk", "/fr", "/ar"])
def test_whoever_sends_files_is_warned_of_pictures_of_abused_children(make_house: MakeHouse, prefix: str) -> None:
    """In the form's own words: the short path does not lead past its page of evidence."""
    form = packaged()
    assert form is not None
    said = {note.text[prefix[1:] or "en"] for page in form.flow for note in page.items if isinstance(note, Note)}
    browser = make_house(questionnaire=Questionnaire(form, frozenset(form.languages), draft=False)).browser()
    browser.open(f"{prefix}/")
    door = next(words for words, brings in browser.page.forms[0].named.items() if brings == ("way", "report"))
    browser.press(door)

    warned = ["".join(browser.open(f"{prefix}/report/files").first("p", "notice").itertext())]
    hints = [one for one in browser.open(f"{prefix}/send").tree.iter("p") if one.get("class") == "hint"]
    warned += ["".join(one.itertext()) for one in hints]

    assert warned[0] in said
    assert warned[0] in warned[1:]


def test_files_arrive_at_once_and_are_listed_as_they_come(house: House) -> None:
    browser = told(house)
    browser.click("Add files")
    assert browser.page.path == "/report/files"

    browser.press("Send these files at once", files=[Chosen.of("фото.jpg", b"one"), Chosen.of("b.mp4", b"two")])
    assert browser.page.path == "/report/files"
    page = browser.press("Send these files at once", files=[Chosen.of("c.txt", b"three"), Chosen.of("empty", b"")])

    for name in ("фото.jpg", "b.mp4", "c.txt"):
        assert name in page.text
    assert "with zero bytes" in page.text
    assert sorted(one.content for one in files(house)) == [b"one", b"three", b"two"]
    assert documents(house) == []
    browser.click("To the summary of my answers")
    assert "c.txt" in browser.page.text
    assert "It happened to me" in browser.page.text


def test_files_that_are_sent_twice_arrive_once(house: House) -> None:
    browser = told(house)
    browser.open("/report/files")
    form = browser.page.form("Send these files at once")

    for _ in range(2):
        page = browser.submit(form, {}, [Chosen.of("a", b"a")])

    assert len(files(house)) == 1
    assert page.text.count("Say something about this file") == 1


def test_the_codename_is_offered_as_soon_as_a_file_has_arrived(house: House) -> None:
    browser = told(house)
    browser.open("/report/files")
    browser.press("Send these files at once", files=[Chosen.of("a", b"a")])

    browser.click("Show me the codename")
    codename = written_down(browser)
    browser.press("Go on with my report")

    assert browser.page.path == "/report/check"
    assert browser.press("Send my report").path == "/sent"
    assert len(house.reader.submissions_of(house.collection(codename).collection_id)) == 2


@pytest.mark.parametrize(
    ("chosen_files", "says"),
    [
        ([], "There was nothing to send"),
        ([Chosen.of("a", b"")], "A file of zero bytes holds nothing"),
        ([Chosen.of(f"{n}", b"x") for n in range(11)], "more than 10 files"),
    ],
)
def test_files_that_cannot_be_taken_are_refused_and_the_answers_stay(
    house: House, chosen_files: list[Chosen], says: str
) -> None:
    browser = told(house)
    browser.open("/report/files")

    page = browser.press("Send these files at once", files=chosen_files)

    assert page.status == 400
    assert says in page.text
    assert house.nothing_kept()
    assert "It happened to me" in browser.open("/report/check").text


def test_what_is_said_about_a_file_travels_with_the_report(house: House) -> None:
    browser = told(house)
    browser.open("/report/files")
    browser.press("Send these files at once", files=[Chosen.of("a", b"a"), Chosen.of("b", b"b")])

    browser.open("/report/files/2")
    assert "b" in browser.page.text
    browser.press("Keep this", e3="yes")
    assert browser.page.path == "/report/files"
    assert "You have." in browser.page.text
    browser.open("/report/files/2")
    assert chosen(browser.page, "e3") == ["yes"]
    browser.open("/report/check")
    browser.press("Send my report")

    (notes,) = [one for one in documents(house) if one["part"] == "notes"]
    (about,) = [one.trailer.part_id for one in files(house) if one.content == b"b"]
    assert (notes["about"], notes["answers"]) == (about, {"e3": "yes"})


@pytest.mark.check("A11")
def test_a_file_name_with_markup_is_shown_as_text_on_every_page_of_a_report(house: House) -> None:
    shapes: list[list[list[str]]] = []
    for names in (["harmless"] * len(MARKUP), MARKUP):
        browser = told(house)
        browser.open("/report/files")
        browser.press("Send these files at once", files=[Chosen.of(name, b"a") for name in names])
        pages = [browser.open(path) for path in ("/report/files", "/report/check", "/report/files/1")]
        # Browsers write a quotation mark in a file name as %22.
        assert all(name.replace('"', "%22") in page.text for page in pages[:2] for name in names)
        shapes.append([[one.tag for one in page.tree.iter()] for page in pages])

    assert shapes[0] == shapes[1]


def test_what_is_said_about_a_file_of_a_visit_that_has_ended_is_given_back(house: House) -> None:
    stranger, browser = told(house, 1), told(house)
    for one in (stranger, browser):
        one.open("/report/files")
        one.press("Send these files at once", files=[Chosen.of("a", b"a")])
        one.open("/report/files/1")
    form = browser.page.form("Keep this")

    page = browser.submit(stranger.page.form("Keep this"), {"e3": "yes"})
    assert (page.status, "This page was too old" in page.text) == (403, True)
    assert "e3 Yes" in " ".join((page.first("textarea").text or "").split())
    house.clock.advance(31 * 60)
    page = browser.submit(form, {"e3": "yes"})

    assert (page.status, "Your visit had ended" in page.text) == (403, True)
    assert "e3 Yes" in " ".join((page.first("textarea").text or "").split())


def test_a_file_that_was_never_sent_is_not_asked_about(house: House) -> None:
    browser = told(house)

    assert browser.open("/report/files/1").path == "/report/files"
    assert house.get("/report/files/101").status == 404


# Coming back


def test_only_her_codename_tells_which_pages_were_reached(house: House) -> None:
    browser = told(house, 2)
    browser.press("Send what I have so far")
    codename = written_down(browser)

    assert progress(house, codename) == Progress(
        report_id=documents(house)[0]["report"],
        seq=1,
        way="report",
        reached=("safety", "what", "people"),
        form=FORM.sha256[:8],
        ahead=("choices",),
        contact=None,
        language="en",
    )
    page = back_again(house, codename).page
    assert "Before – reached" in page.text
    assert "Choices – still open" in page.text
    assert "It happened to me" not in page.text


def test_no_page_that_was_passed_by_is_said_to_be_open(make_house: MakeHouse) -> None:
    """Which page that is would tell who she said that she is: a journalist is not asked about help."""
    form = packaged()
    assert form is not None
    browser = inside(make_house(questionnaire=Questionnaire(form, frozenset({"en"}), draft=False)))
    browser.press("Continue", r1="journalist")
    while browser.page.path != "/report/check":
        browser.press("Continue")
    browser.press("Send my report")
    written_down(browser)

    assert "What you allow – reached" in browser.page.text
    assert "still open" not in browser.page.text


def test_whoever_comes_back_goes_on_where_pages_are_still_open(house: House) -> None:
    browser = told(house, 1)
    browser.press("Send what I have so far", w2="first")
    codename = written_down(browser)

    again = back_again(house, codename)
    again.press("Go on with my report")
    assert again.page.path == "/report/4"
    again.press("Continue", c2="yes")
    assert again.page.path == "/report/check"
    assert "You were on this page in an earlier visit" in again.page.text
    again.click("Change: What")
    assert "is sealed, so we cannot show it" in again.page.text
    assert typed(again.page, "w2") == ""
    again.press("Continue", w2="second")
    assert again.press("Send my report").path == "/sent"

    found = documents(house)
    assert [one["seq"] for one in found] == [1] * 4 + [2] * 4
    # Nobody here knows the first answers, so the second report replaces nothing of them.
    assert found[0]["report"] != found[4]["report"]
    assert (found[0]["answers"]["w2"], found[4]["answers"]["w2"]) == ("first", "second")
    last = progress(house, codename)
    assert last is not None
    assert (last.seq, last.contact, last.reached) == (2, True, ("safety", "what", "choices"))


def test_whoever_comes_back_finds_the_pages_open_that_her_answers_would_have_led_to(house: House) -> None:
    """What she answered is sealed; which pages it opens is remembered."""
    browser = told(house, 1)
    browser.press("Send what I have so far", w1=["yes"])
    again = back_again(house, written_down(browser))
    # To list it would show at a glance what she had answered.
    assert "People" not in again.page.text

    again.press("Go on with my report")
    assert again.page.path == "/report/3"
    again.press("Continue", {"person.0.v2": "yes"})
    again.press("Continue")
    page = again.press("Send my report")

    assert page.path == "/sent"
    assert documents(house)[4]["answers"]["person"] == [{"v2": "yes"}]


def test_what_is_answered_anew_decides_about_the_pages_behind_it(house: House) -> None:
    again, _ = gone_on(house)

    again.open("/report/1")
    again.press("Continue", r1="witness")
    again.open("/report/3")

    assert again.page.path == "/report/4"


def test_the_door_for_help_opens_no_page_of_an_earlier_report(house: House) -> None:
    again, _ = gone_on(house)

    again.open("/")
    again.press("I only want help")

    assert again.page.path == "/report/4"


def test_pages_that_one_door_had_opened_stay_open_when_another_was_used_meanwhile(house: House) -> None:
    again, codename = gone_on(house)
    again.open("/")
    again.press("I only want help")
    again.open("/report/check")
    again.press("Send my report")

    last = back_again(house, codename)
    last.press("Go on with my report")
    last.open("/")
    last.press("Tell what happened, step by step")

    assert last.page.path == "/report/3"


def test_a_sender_of_messages_can_begin_to_answer_questions(house: House) -> None:
    _, codename = house.sender()

    again = back_again(house, codename)
    again.press("Answer questions, step by step")

    assert again.page.path == "/report/1"
    assert progress(house, codename) is None


# Permissions, later


def test_permissions_are_asked_anew_and_sent_alone(house: House) -> None:
    browser = told(house)
    browser.press("Send my report")
    codename = written_down(browser)
    again = back_again(house, codename)

    again.click("Change what I allow")
    assert chosen(again.page, "c2") == []
    page = again.press("Send these choices", c2="no")

    assert page.path == "/inbox"
    assert "Your choices are sealed and sent" in page.text
    changed = documents(house)[-1]
    assert len(documents(house)) == 5
    assert (changed["part"], changed["seq"], changed["answers"]) == ("consents", 2, {"c2": "no"})
    assert changed["report"] == documents(house)[0]["report"]
    assert [len(one.parts) for one in sorted(house.submissions(), key=lambda one: len(one.parts))] == [2, 5]
    last = progress(house, codename)
    assert last is not None
    assert (last.seq, last.contact) == (2, False)


def test_permissions_reach_every_report_that_was_told(house: House) -> None:
    browser = told(house)
    browser.press("Send my report")
    codename = written_down(browser)
    again = back_again(house, codename)
    again.press("Go on with my report")
    again.press("Send my report")

    before = {one.submission_id for one in house.submissions()}
    again.open("/choices")
    again.press("Send these choices", c2="no")

    # One submission: all of them change, or none does.
    (sending,) = (one for one in house.submissions() if one.submission_id not in before)
    assert len(sending.parts) == 3
    changed = [one for one in documents(house) if one["answers"] == {"c2": "no"}]
    assert {one["seq"] for one in changed} == {3}
    assert {one["report"] for one in changed} == {one["report"] for one in documents(house)}
    assert len(changed) == 2


def test_whoever_has_told_many_reports_can_still_send_messages(house: House) -> None:
    browser = told(house)
    browser.press("Send my report")
    codename = written_down(browser)
    for _ in range(7):
        again = back_again(house, codename)
        again.press("Go on with my report")
        again.press("Send my report")

    again = back_again(house, codename)

    last = progress(house, codename)
    assert last is not None
    assert len(set(last.reports)) == 8
    assert "Go on with my report" not in [words for form in again.page.forms for words in form.buttons]
    form = again.page.form("Log out")
    token = form.controls["token"]
    direct = replace(form, action="/report", controls={"token": token, "way": "report"})
    assert again.submit(direct, {}).path == "/inbox"
    assert "Send more" in again.page.text


def test_permissions_that_are_sent_twice_arrive_once_and_the_report_is_numbered_on(house: House) -> None:
    browser = told(house)
    browser.press("Send my report")
    written_down(browser)
    browser.open("/choices")
    form = browser.page.form("Send these choices")

    for _ in range(2):
        assert browser.submit(form, {"c2": "no"}).path == "/inbox"
    browser.press("Go on with my report")
    browser.press("Send my report")

    assert sorted({one["seq"] for one in documents(house)}) == [1, 2, 3]


def test_whoever_told_no_report_has_no_permissions_to_change(house: House) -> None:
    browser, _ = house.sender()

    assert browser.open("/choices").path == "/inbox"
    assert "Change what I allow" not in [words for words, _ in browser.page.links]


@pytest.mark.check("K1", "K3")
def test_rows_say_no_more_of_a_report_than_its_day(house: House) -> None:
    told(house).press("Send my report")

    (submission,) = house.submissions()
    assert submission.day == date(2026, 3, 4)
    ids = [part.part_id for part in submission.parts]
    assert len(set(ids)) == 5
    assert all(len(one) == 32 for one in ids)


def test_a_form_without_questions_about_files_asks_none(make_house: MakeHouse) -> None:
    form = small_form()
    bare = type(form)(
        form_id="bare",
        version="1",
        title=form.title,
        languages=form.languages,
        hidden=form.hidden,
        pages=form.flow,
        sha256="ab" * 32,
    )
    house = make_house(questionnaire=Questionnaire(bare, frozenset({"en"}), draft=False))
    browser = told(house)
    browser.open("/report/files")
    page = browser.press("Send these files at once", files=[Chosen.of("a", b"a")])

    assert "Say something about this file" not in page.text
    assert house.get("/report/files/1").status == 404
