from dataclasses import replace

from hardening.canonical import JSON
from questionnaire.answers import after, before, kept, replaced, visible, walk
from questionnaire.logic import parse
from questionnaire.model import Page, Question, Repeat
from tests.questionnaire.forms import small_form

FORM = small_form()


def test_the_way_through_follows_the_answers() -> None:
    assert _walked({"way": "report"}) == ["safety", "what", "choices"]
    assert _walked({"way": "help"}) == ["safety", "choices"]
    assert _walked({"way": "report", "r1": "victim", "w1": ["yes"]}) == ["safety", "what", "people", "choices"]


def test_whoever_comes_back_is_led_as_her_earlier_answers_did_until_new_ones_decide() -> None:
    led = {"safety": True, "what": True, "people": False, "choices": False}

    def walked(answers: dict[str, JSON]) -> list[str]:
        return [page.name for page in walk(FORM, answers, led)]

    assert walked({"way": "report"}) == list(led)
    # One of the two that the page asks for is known, and rules it out.
    assert walked({"way": "report", "r1": "witness"}) == ["safety", "what", "choices"]
    # The door for help asks nothing of what decides about the page.
    assert walked({"way": "help"}) == ["safety", "choices"]
    assert [page.name for page in walk(FORM, {"way": "report"}, {"safety": True})] == ["safety", "what", "choices"]
    # What was ahead then, nobody has answered: left out now, it is left out.
    assert [page.name for page in walk(FORM, {"way": "report"}, dict.fromkeys(led, False))] == [
        "safety",
        "what",
        "choices",
    ]
    answers: dict[str, JSON] = {"way": "report", "person": [{"v2": "no"}]}
    assert kept(FORM, answers, led) == (answers, ())
    assert kept(FORM, {**answers, "r1": "witness"}, led)[1] == ("person",)


def test_the_page_of_a_file_is_not_on_the_way() -> None:
    assert FORM.file_page is not None
    assert FORM.file_page.name not in _walked({"way": "report", "r1": "victim", "w1": ["yes"]})


def test_back_and_on_leave_out_what_is_not_asked() -> None:
    answers: dict[str, JSON] = {"way": "help"}

    assert _name(after(FORM, answers, "safety")) == "choices"
    assert _name(before(FORM, answers, "choices")) == "safety"
    assert before(FORM, answers, "safety") is None
    assert after(FORM, answers, "choices") is None


def test_a_change_drops_what_is_not_asked_any_more() -> None:
    """Also what depended on what was dropped."""
    answers: dict[str, JSON] = {"way": "report", "r1": "witness", "w1": ["yes"], "person": [{"v2": "no"}], "c2": "yes"}

    left, dropped = kept(FORM, answers)

    assert dropped == ("person",)
    assert left == {"way": "report", "r1": "witness", "w1": ["yes"], "c2": "yes"}


def test_a_change_drops_what_is_not_asked_of_each_person_any_more() -> None:
    """What the summary does not show is not sent either."""
    inner = Question(
        name="v7",
        kind="line",
        label={"en": "Relation"},
        part="identity",
        relevant=parse("${r1} = 'witness'"),
    )
    always = Question(name="v2", kind="line", label={"en": "Known"}, part="account")
    person = Repeat(name="person", label={"en": "A person"}, questions=(always, inner))
    form = replace(FORM, pages=(FORM.pages[0], Page(name="people", title={"en": "People"}, items=(person,))))
    told: list[JSON] = [{"v2": "x", "v7": "my brother"}, {"v7": "my sister"}]

    assert kept(form, {"way": "report", "r1": "witness", "person": told})[1] == ()
    left, dropped = kept(form, {"way": "report", "r1": "victim", "person": told})

    assert left == {"way": "report", "r1": "victim", "person": [{"v2": "x"}]}
    assert dropped == ("person",)


def test_nothing_is_dropped_while_it_is_asked() -> None:
    answers: dict[str, JSON] = {"way": "report", "r1": "victim", "w1": ["yes"], "person": [{"v2": "no"}], "c5": "no"}

    assert kept(FORM, answers) == (answers, ())


def test_answers_of_no_question_are_dropped() -> None:
    assert kept(FORM, {"way": "help", "nobody": "asked"}) == ({"way": "help"}, ("nobody",))


def test_a_page_shows_what_is_asked_on_it() -> None:
    page = FORM.page("choices")
    assert page is not None

    assert [item.name for item in visible(page, {"way": "help"}) if isinstance(item, Question)] == ["c2"]
    assert [item.name for item in visible(page, {"way": "report"}) if isinstance(item, Question)] == ["c2", "c5"]


def test_a_page_posted_again_replaces_its_answers_and_no_others() -> None:
    page = FORM.page("what")
    assert page is not None

    assert replaced({"r1": "victim", "w1": ["yes"], "w2": "words"}, page, {"w1": ["no"]}) == {
        "r1": "victim",
        "w1": ["no"],
    }


def _walked(answers: dict[str, JSON]) -> list[str]:
    return [page.name for page in walk(FORM, answers)]


def _name(page: Page | None) -> str:
    assert page is not None
    return page.name
