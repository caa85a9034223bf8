"""A guided report: page by page, back, on and round again, and nothing is kept before it is sent."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace

import pytest

from questionnaire.model import Choice, Item, Note, Page, Question, Repeat
from questionnaire.served import Questionnaire
from source_interface.app import guided
from source_interface.parts import PublicFacts, SourceLimits
from source_interface.report_state import MOST_NOTED
from svidok.journey.browser import Typed
from tests.browserlike import Browser
from tests.browserlike import Page as Shown
from tests.clock import FakeClock
from tests.source_interface.house import HOST, House, Keyring, drawn, form_body, short_folder
from tests.source_interface.reports import ASKED, DOOR, DRAFT, FORM, chosen, inside, told, typed

MakeHouse = Callable[..., House]
MARKUP = ['<img src=x onerror="1">', "{{7*7}}", '"><svg/onload=1>', "</title><script>1</script>", "%(name)s"]


@pytest.fixture(scope="module")
def house(keyring: Keyring) -> Iterator[House]:
    """Nothing here is sent in it, so one is enough."""
    with ExitStack() as ends:
        made = House(ends.enter_context(short_folder()), keyring, FakeClock(), questionnaire=ASKED)
        yield ends.enter_context(made.living())


# The doors


def test_without_a_questionnaire_there_is_one_door_and_no_page_of_questions(make_house: MakeHouse) -> None:
    house = make_house()

    assert [form.buttons for form in house.browser().open("/").forms] == [["Begin"]]
    assert house.get("/report/1").status == 404
    assert house.get("/report/check").status == 404


def test_the_first_page_has_three_doors(house: House) -> None:
    (form,) = house.browser().open("/").forms

    assert form.buttons == [DOOR, "I only want help", "Just send a message or files"]
    assert inside(house, "Just send a message or files").page.path == "/send"
    assert inside(house, "I only want help").page.path == "/report/1"


def test_questions_are_asked_only_in_languages_that_they_were_approved_in(make_house: MakeHouse) -> None:
    house = make_house(questionnaire=Questionnaire(FORM, frozenset({"en"}), draft=False))
    browser = house.browser()

    assert len(browser.open("/").forms[0].buttons) == 3
    assert browser.open("/uk/").forms[0].buttons == ["Почати"]
    assert house.get("/uk/report/1").status == 404
    assert inside(house).page.form("Continue").buttons.count("Українська") == 0


def test_a_draft_is_asked_in_every_language(make_house: MakeHouse) -> None:
    house = make_house(questionnaire=DRAFT)

    assert len(house.browser().open("/uk/").forms[0].buttons) == 3
    assert "nobody has approved these questions yet" in inside(house).page.text


def test_words_and_questions_that_nobody_has_approved_are_one_draft(make_house: MakeHouse) -> None:
    facts = PublicFacts(name="Trial", evaluation=True, approved=frozenset({"uk"}))
    browser = inside(make_house(facts=facts, questionnaire=DRAFT))

    assert browser.page.text.casefold().count("draft") == 1
    assert "no native speaker has approved these words yet" in browser.page.text
    assert "Чернетка: ці запитання ще ніхто не затвердив." in browser.press("Українська").text


def test_a_door_that_there_is_not_leads_to_the_form_for_messages(house: House) -> None:
    browser = house.browser()
    form = browser.open("/").forms[0]

    page = browser.submit(replace(form, named={"x": ("way", "evil")}), {}, button="x")

    assert page.path == "/send"


def test_help_alone_asks_nothing_of_what_happened(house: House) -> None:
    browser = inside(house, "I only want help")

    browser.press("Continue", r1="victim")

    assert browser.page.heading == "Choices"
    assert browser.press("Continue").path == "/report/check"


def test_going_in_again_goes_on_where_it_was_left(house: House) -> None:
    browser = told(house, 2)

    browser.open("/")
    assert browser.press(DOOR).path == "/report/3"
    browser.open("/")
    browser.press("I only want help")
    assert "removed what you had answered" in browser.page.text
    browser.open("/report/1")
    assert chosen(browser.page, "r1") == ["victim"]


# From page to page


def test_whoever_came_back_loses_nothing_at_the_first_page(make_house: MakeHouse) -> None:
    house = make_house(questionnaire=ASKED)
    _, codename = house.sender()
    browser = house.browser()
    browser.open("/login")
    browser.press("Open my inbox", codename=codename)
    browser.press("Answer questions, step by step")
    browser.press("Continue", r1="victim")
    browser.press("Continue", w2="What I typed.")

    browser.open("/")
    browser.press(DOOR)

    assert browser.page.path == "/report/4"
    assert typed(browser.open("/report/2"), "w2") == "What I typed."


def test_a_report_is_told_page_by_page(house: House) -> None:
    browser = inside(house)
    assert browser.page.path == "/report/1"
    assert "Step 1 of about 3" in browser.page.text

    browser.press("Continue", r1="victim")
    assert "Step 2 of about 3" in browser.page.text
    browser.press("Continue", {"w1": ["yes"], "t1.y": "2022", "t1.m": "3", "t1.about": ["yes"], "w2": "Words."})
    assert browser.page.path == "/report/3"
    assert "Step 3 of about 4" in browser.page.text
    browser.press("Continue", {"person.0.v2": "yes", "person.0.v3": "A name"})
    page = browser.press("Continue", c2="yes")

    assert page.path == "/report/check"
    for said in ("It happened to me", "about March 2022", "Words.", "A name", "A person 1", "May we write?"):
        assert said in page.text
    assert house.nothing_kept()


def test_everything_may_be_left_out(house: House) -> None:
    browser = inside(house)
    for _ in range(3):
        browser.press("Continue")

    assert browser.page.path == "/report/check"
    assert browser.page.text.count("Nothing answered on this page.") == 3


def test_the_way_back_shows_what_was_answered(house: House) -> None:
    browser = told(house, 1)
    browser.press("Show the regions of this country", {"p1.country": "UA"})
    browser.press("Continue", {"w1": ["yes"], "t1.y": "2022", "p1.region": "UA-14", "w2": "One.\nTwo."})

    page = browser.press("Back")

    assert page.path == "/report/2"
    assert (chosen(page, "w1"), typed(page, "t1.y"), typed(page, "w2")) == (["yes"], "2022", "One.\nTwo.")
    assert (chosen(page, "p1.country"), chosen(page, "p1.region")) == (["UA"], ["UA-14"])
    assert browser.press("Back").path == "/report/1"
    assert "Back" not in browser.page.form("Continue").buttons


def test_a_hard_page_can_be_passed_over(house: House) -> None:
    browser = told(house, 1)

    page = browser.press("Skip this page", w2="half a")

    assert page.path == "/report/4"
    assert typed(browser.press("Back"), "w2") == "half a"


def test_the_regions_of_a_country_are_shown_when_asked_for(house: House) -> None:
    browser = told(house, 1)
    assert "p1.region" not in browser.page.form("Continue").choices

    page = browser.press("Show the regions of this country", {"p1.country": "UA", "w2": "typed before"})

    assert page.path == "/report/2"
    assert page.form("Continue").choices["p1.region"] == ["", "UA-14", "UA-32"]
    assert typed(page, "w2") == "typed before"
    page = browser.press("Show the regions of this country", {"p1.region": "UA-14"})
    assert chosen(page, "p1.region") == ["UA-14"]
    # Another country: the region of the one before is no mistake of hers.
    page = browser.press("Show the regions of this country", {"p1.country": "FR"})
    assert (page.status, page.form("Continue").choices["p1.region"]) == (200, ["", "FR-75"])


def test_people_are_added_one_by_one_up_to_three(house: House) -> None:
    browser = told(house, 2)
    assert "person.1.v2" not in browser.page.form("Continue").choices

    browser.press("Add another person", {"person.0.v3": "first"})
    page = browser.press("Add another person", {"person.1.v3": "second"})

    assert typed(page, "person.0.v3") == "first"
    assert "Add another person" not in page.form("Continue").buttons
    browser.press("Continue", {"person.2.v3": "third"})
    assert "third" in browser.press("Continue").text


def test_the_language_changes_without_losing_what_was_typed(house: House) -> None:
    browser = told(house, 1)

    page = browser.press("Українська", w2="typed before")

    assert page.path == "/uk/report/2"
    assert "What українською" in page.heading
    assert typed(page, "w2") == "typed before"


def test_an_edited_page_leads_back_to_the_summary(house: House) -> None:
    browser = told(house)

    browser.click("Change: Before")
    page = browser.press("Continue", r1="witness")

    assert page.path == "/report/check"
    assert "I saw it" in page.text
    assert "Because an earlier answer has changed" in page.text
    assert "A person" in page.text
    browser.click("Change: Before")
    assert browser.press("Continue").text.count("Because an earlier answer has changed") == 0


def test_whoever_it_happened_to_is_asked_in_other_words(make_house: MakeHouse) -> None:
    own = Question(name="w2", kind="text", label={"en": "In words"}, self_label={"en": "In your words"}, part="account")
    form = replace(FORM, pages=(FORM.pages[0], Page(name="own", title={"en": "Own"}, items=(own,))))
    house = make_house(questionnaire=Questionnaire(form, frozenset({"en"}), draft=False))

    assert "In your words" in told(house, 1).page.text
    assert "In your words" not in inside(house).press("Continue", r1="witness").text


def test_a_page_that_is_not_asked_leads_to_the_one_that_is(house: House) -> None:
    browser = inside(house, "I only want help")

    assert browser.open("/report/2").path == "/report/1"
    assert browser.open("/report/3").path == "/report/1"
    assert house.get("/report/99").status == 404
    assert house.get("/report/0").status == 404


def test_a_page_may_be_jumped_over_and_posted_twice(house: House) -> None:
    browser = inside(house)
    browser.open("/report/4")
    form = browser.page.form("Continue")

    assert browser.submit(form, {"c2": "yes"}, button="Continue").path == "/report/check"
    page = browser.submit(form, {"c2": "no"}, button="Continue")
    assert page.path == "/report/check"
    assert "May we write? No" in page.text
    assert page.text.count("Nothing answered on this page.") == 2


def test_a_visit_that_came_for_messages_has_no_page_of_questions(house: House) -> None:
    browser = inside(house, "Just send a message or files")

    for path in ("/report/1", "/report/check", "/report/files"):
        assert browser.open(path).path == "/send"


# Bad input


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"t1.y": "2022", "t1.m": "2", "t1.d": "31"}, "There is no such day"),
        ({"t1.y": "2099"}, "has not come yet"),
        ({"t1.y": "spring"}, "There is no such day"),
        ({"t1.m": "3"}, "write the year in four digits"),
        ({"p3.lat": "0", "p3.lon": "0.0"}, "in the open sea"),
        ({"p3.lat": "48.5"}, "One of the two coordinates is missing"),
        ({"p3.lat": "north", "p3.lon": "7"}, "no coordinates that we can read"),
        ({"p3.lat": "91", "p3.lon": "7"}, "no coordinates that we can read"),
        ({"p3.exact": "near"}, "not in our list"),
        ({"w1": ["yes", "maybe"]}, "not in our list"),
        ({"p1.country": "XX"}, "not in our list"),
        ({"w2": "ї" * 100_001}, "longer than we can take"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field_and_nothing_typed_is_lost(
    house: House, given: Mapping[str, str | list[str]], says: str
) -> None:
    browser = told(house, 1)
    form = browser.page.form("Continue")

    page = browser.submit(form, {"w2": "What I typed.\n\u202eאב", **given}, button="Continue")

    assert page.status == 400
    assert says in page.text
    for name, text in given.items():
        if isinstance(text, str) and name in page.form("Continue").controls:
            assert typed(page, name) == text
    if "w2" not in given:
        assert typed(page, "w2") == "What I typed.\n\u202eאב"
    _errors_are_tied_to_their_fields(page)
    assert browser.open("/report/2").status == 200
    assert house.nothing_kept()


def _errors_are_tied_to_their_fields(page: Shown) -> None:
    ids = {one.get("id"): one for one in page.tree.iter() if one.get("id")}
    (summary,) = [one for one in page.tree.iter("div") if one.get("role") == "alert"]
    links = [link.get("href", "") for link in summary.iter("a")]
    assert links
    for link in links:
        assert ids[link.removeprefix("#")].tag in {"input", "select", "textarea", "fieldset"}
    invalid = [one for one in page.tree.iter() if one.get("aria-invalid") == "true"]
    assert invalid
    for one in invalid:
        described = (one.get("aria-describedby") or "").split()
        assert any(name.endswith("-error") and name in ids for name in described)


@pytest.mark.check("E8")
def test_a_text_of_a_hundred_thousand_characters_is_taken(house: House) -> None:
    longest = "ї" * 99_998 + "\nx"
    browser = told(house, 1)

    assert browser.press("Continue", w2=longest).path == "/report/4"
    assert typed(browser.press("Back"), "w2") == longest


def test_more_than_one_visit_can_remember_is_said_and_given_back(make_house: MakeHouse) -> None:
    wide = tuple(Question(name=f"x{number}", kind="text", label={"en": "Words"}, part="account") for number in range(7))
    form = replace(FORM, pages=(FORM.pages[0], Page(name="wide", title={"en": "Wide"}, items=wide), FORM.pages[3]))
    house = make_house(questionnaire=Questionnaire(form, frozenset({"en"}), draft=False))
    browser = inside(house)
    browser.press("Continue")
    texts = {f"x{number}": "ї" * 90_000 for number in range(7)}

    page = browser.press("Continue", texts)

    assert page.status == 413
    assert "more than we can hold here" in page.text
    assert all(typed(page, name) == text for name, text in texts.items())
    # Nothing more can be kept, so help is a link, and nobody is held back from it.
    assert ("Help near you", "/help") in page.links
    assert "Help near you" not in page.form("Continue").buttons
    assert browser.press("Continue", {**dict.fromkeys(texts, ""), "x0": "short"}).path == "/report/3"


def test_bytes_that_are_no_utf8_and_marks_of_direction_come_back(house: House) -> None:
    browser = told(house, 1)
    form = browser.page.form("Continue")
    token, once = (form.controls[name].encode() for name in ("token", "once"))
    parts: list[tuple[str, str | None, bytes]] = [("token", None, token), ("once", None, once), ("do", None, b"next")]

    answer = _post(house, browser, "/report/2", [*parts, ("w2", None, b"a\xff\xfeb \xe2\x80\xaec")])

    assert answer == 303
    assert typed(browser.open("/report/2"), "w2") == "a\ufffd\ufffdb \u202ec"


@pytest.mark.check("E12")
@pytest.mark.parametrize(
    "more",
    [
        [("unknown", None, b"x")],
        [("w2", None, b"x"), ("w2", None, b"y")],
        [("r1", None, b"victim")],
        [("w1", "a.txt", b"yes")],
        [("w1", None, b"yes")] * 201,
    ],
)
def test_a_form_that_is_not_this_pages_is_refused(house: House, more: list[tuple[str, str | None, bytes]]) -> None:
    browser = told(house, 1)
    form = browser.page.form("Continue")
    own: list[tuple[str, str | None, bytes]] = [("token", None, form.controls["token"].encode())]

    assert _post(house, browser, "/report/2", [*own, *more]) in {400, 403}
    assert house.nothing_kept()


def _post(house: House, browser: Browser, path: str, parts: list[tuple[str, str | None, bytes]]) -> int:
    body = form_body("b0", parts)
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        f"Cookie: __Host-visit={browser.cookies['__Host-visit']}",
        "Content-Type: multipart/form-data; boundary=b0",
        f"Content-Length: {len(body)}",
    ]
    return house.ask("\r\n".join(lines).encode() + b"\r\n\r\n" + body).status


def test_answers_of_a_visit_that_has_ended_are_given_back(make_house: MakeHouse) -> None:
    house = make_house(questionnaire=ASKED)
    browser = told(house, 1)
    form = browser.page.form("Continue")
    house.clock.advance(31 * 60)

    page = browser.submit(form, {"w2": "What I typed.", "w1": ["yes"]}, button="Continue")

    assert page.status == 403
    assert "Your visit had ended" in page.text
    assert "Words What I typed." in " ".join((page.first("textarea").text or "").split())
    assert "Acts Yes" in " ".join((page.first("textarea").text or "").split())


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("Help near you", "/help"),
        ("How to be safe", "/safety"),
        ("What we cannot protect you from", "/limits"),
        ("Our address and keys", "/keys"),
    ],
)
def test_whoever_looks_for_help_from_among_the_questions_finds_her_words_again(
    house: House, words: str, path: str
) -> None:
    browser = told(house, 1)

    assert browser.press(words, w2="What I typed.").path == path

    # She was on this page still: the way on leads back to it.
    browser.open("/")
    assert browser.press("Tell what happened, step by step").path == "/report/2"
    assert typed(browser.page, "w2") == "What I typed."
    # What could not be kept holds nobody back: then they are links.
    page = browser.press("Continue", {"t1.y": "2099"})
    assert page.status == 400
    assert (words, path) in page.links


def test_what_was_wrong_on_a_page_of_a_visit_that_has_ended_is_given_back_as_well(make_house: MakeHouse) -> None:
    house = make_house(questionnaire=ASKED)
    browser = told(house, 1)
    long = "ї" * 100_001

    given_back = _given_back(house, browser, {"t1.d": "31", "t1.m": "2", "t1.y": "2022", "w1": ["yes"], "w2": long})

    assert "When\n2022 2 31" in given_back
    assert "Acts\nYes" in given_back
    assert f"Words\n{long}" in given_back


def test_a_region_of_another_country_is_given_back_when_the_visit_has_ended(make_house: MakeHouse) -> None:
    house = make_house(questionnaire=ASKED)
    browser = told(house, 1)
    browser.press("Show the regions of this country", {"p1.country": "UA"})

    given_back = _given_back(house, browser, {"p1.country": "FR", "p1.region": "UA-32"})

    assert "Where\nFrance\nKyiv en" in given_back


def test_what_was_said_of_each_person_is_given_back_apart_when_the_visit_has_ended(make_house: MakeHouse) -> None:
    house = make_house(questionnaire=ASKED)
    browser = told(house, 2)
    browser.press("Add another person", {"person.0.v3": "first"})

    given_back = _given_back(house, browser, {"person.0.v3": "first", "person.1.v3": "second"})

    assert "A person 1\n\nName\nfirst\n\nA person 2\n\nName\nsecond" in given_back


def test_what_is_given_back_names_the_person_it_was_said_of_also_when_it_could_not_be_understood(
    make_house: MakeHouse,
) -> None:
    met = Question(name="v9", kind="date", label={"en": "Met"}, part="account")
    people = replace(FORM.pages[2], items=tuple(_with(item, met) for item in FORM.pages[2].items))
    form = replace(FORM, pages=(*FORM.pages[:2], people, *FORM.pages[3:]))
    house = make_house(questionnaire=Questionnaire(form, frozenset({"en"}), draft=False))
    browser = told(house, 2)
    browser.press("Add another person")

    given_back = _given_back(
        house, browser, {"person.0.v9.y": "2099", "person.1.v3": "second", "person.1.v9.y": "2021"}
    )

    assert "A person 1\n\nMet\n2099\n\nA person 2\n\nName\nsecond\n\nMet\n2021" in given_back


def _given_back(house: House, browser: Browser, answers: Mapping[str, Typed]) -> str:
    """Answer the page that is open after the visit has ended; gives what is shown to be copied."""
    form = browser.page.form("Continue")
    house.clock.advance(31 * 60)
    return browser.submit(form, answers, button="Continue").first("textarea").text or ""


def _with(item: Item, question: Question) -> Item:
    return replace(item, questions=(*item.questions, question)) if isinstance(item, Repeat) else item


@pytest.mark.check("C8")
def test_answers_with_the_token_of_another_visit_are_given_back(house: House) -> None:
    stranger, browser = told(house, 1), told(house, 1)

    page = browser.submit(stranger.page.form("Continue"), {"w2": "What I typed."}, button="Continue")

    assert page.status == 403
    assert "This page was too old" in page.text
    assert "What I typed." in (page.first("textarea").text or "")
    assert typed(browser.open("/report/2"), "w2") == ""


def test_a_cookie_of_an_old_process_opens_nothing_and_the_answers_are_given_back(
    house: House, make_house: MakeHouse
) -> None:
    browser = told(house, 1)
    other = make_house(questionnaire=ASKED).browser()
    other.cookies = browser.cookies

    page = other.submit(browser.page.form("Continue"), {"w2": "What I typed."}, button="Continue")

    assert page.status == 403
    assert "What I typed." in (page.first("textarea").text or "")


@pytest.mark.check("C10")
def test_a_codename_in_an_answer_is_taken_out_and_told_kindly(house: House) -> None:
    codename = " ".join(drawn().words())
    browser = told(house, 1)

    page = browser.press("Continue", w2=f"Remember {codename}, please.")

    assert page.status == 400
    assert "Your text held a codename" in page.text
    assert typed(page, "w2") == "Remember …, please."
    assert codename not in page.body.decode()


@pytest.mark.check("A11")
@pytest.mark.parametrize("markup", MARKUP)
def test_markup_in_answers_is_shown_as_text(house: House, markup: str) -> None:
    shapes: list[list[str]] = []
    for said in ("harmless", markup):
        browser = told(house, 1)
        wrong = browser.press("Continue", {"w2": said, "p3.words": said, "t1.y": said})
        assert (typed(wrong, "w2"), typed(wrong, "p3.words"), typed(wrong, "t1.y")) == (said, said, said)
        browser.press("Continue", {"w1": ["yes"], "t1.y": ""})
        browser.press("Continue", {"person.0.v3": said})
        checked = browser.press("Continue")
        assert checked.text.count(said) == 3
        shapes.append([one.tag for page in (wrong, checked) for one in page.tree.iter()])

    assert shapes[0] == shapes[1]


@pytest.mark.check("A11")
@pytest.mark.parametrize("markup", MARKUP)
def test_markup_in_a_form_is_shown_as_text(make_house: MakeHouse, markup: str) -> None:
    words = {"en": markup}
    choices = (Choice("a", words),)
    item = Question(name="r1", kind="one", label=words, self_label=words, hint=words, part="account", choices=choices)
    form = replace(FORM, pages=(Page(name="own", title=words, items=(item, Note(text=words), Note(text=words))),))
    house = make_house(questionnaire=Questionnaire(form, frozenset({"en"}), draft=False))

    tags = [one.tag for one in inside(house).page.tree.iter()]

    assert "img" not in tags
    assert "svg" not in tags
    assert "script" not in tags


# Nothing is kept before it is sent


@pytest.mark.check("C11")
@pytest.mark.parametrize("abandoned", [3, pytest.param(100, marks=pytest.mark.full)])
def test_abandoned_reports_leave_nothing(house: House, abandoned: int) -> None:
    before = {path: path.read_bytes() for path in house.root.rglob("*") if path.is_file()}

    for _ in range(abandoned):
        told(house)

    assert house.nothing_kept()
    assert {path: path.read_bytes() for path in house.root.rglob("*") if path.is_file()} == before


@pytest.mark.check("C11")
def test_leaving_forgets_the_answers(house: House) -> None:
    browser = told(house, 2)

    browser.open("/exit")

    assert browser.open("/report/2").status == 403
    assert house.nothing_kept()


def test_addresses_are_few_however_much_may_be_sent() -> None:
    """A drop that allows a million items a day does not hold a million addresses in memory."""
    addresses = guided(DRAFT.form, SourceLimits(source_items_per_day=1_000_000))

    assert len([path for path in addresses if path.startswith("/report/files/")]) == MOST_NOTED
