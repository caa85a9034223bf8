"""A table becomes the form that it says, and whatever is wrong with one is told by its row."""

import pytest

from questionnaire.compiling import compile_table
from questionnaire.linting import lint
from questionnaire.load import format_form, parse_form
from questionnaire.model import Note, Question, Repeat
from tests.questionnaire.tables import COMPILED, changed, compile_form, example, findings, page, question, with_cells


def test_the_example_compiles_to_its_vector() -> None:
    assert format_form(compile_form(example())) == COMPILED.read_bytes()
    assert compile_form(example()) == parse_form(COMPILED.read_bytes())


def test_every_kind_of_row_becomes_what_it_is_called() -> None:
    form = compile_form(example())
    kinds = {one.name: one.kind for page in form.pages for one in page.questions}

    assert form.languages == ("en", "uk", "ar")
    assert form.hidden == ("way",)
    assert [page.name for page in form.flow] == ["safety", "what", "people", "choices"]
    assert form.file_page is not None
    assert kinds == {
        "r1": "one", "w1": "many", "t1": "date", "p1": "region", "depth": "one", "v3": "one", "v7": "line",
        "w2": "text", "p3": "point", "c2": "one", "c2_scope": "many", "e2": "line",
    }  # fmt: skip


def test_words_codes_marks_parts_and_conditions_are_kept() -> None:
    form = compile_form(example())
    safety, what, people, choices = form.flow
    acts, person = what.items[1], people.items[0]
    role = safety.items[1]

    assert isinstance(acts, Question)
    assert isinstance(person, Repeat)
    assert isinstance(role, Question)
    assert what.items[0] == Note(
        text={
            "en": "This page asks about violence. You can skip it.",
            "uk": "Ця сторінка — про насильство. Її можна пропустити.",
            "ar": "هذه الصفحة عن العنف. يمكنك تخطيها.",
        },
        content=True,
    )
    assert role.choices[0].marks == {"huridocs": "0101"}
    assert (acts.self_label["en"], acts.hint["uk"]) == ("Which of these happened to you?", "Оберіть усе, що треба.")
    assert [one.part for one in person.questions] == ["account", "identity"]
    assert what.relevant is not None
    assert what.relevant.text == "${way} != 'help'"
    assert [item.use for item in choices.items if isinstance(item, Question)] == ["consent", "scope"]


def test_types_of_ours_may_also_be_appearances_of_a_text() -> None:
    table = with_cells("survey", "t1", {"type": "text", "appearance": "partial-date"})

    assert format_form(compile_form(table)) == COMPILED.read_bytes()


def test_the_title_may_be_told_in_every_language() -> None:
    def translate(rows: list[dict[str, str]]) -> None:
        rows[0]["form_title::Ukrainian (uk)"] = "Приклад"

    assert compile_form(changed("settings", translate)).title == {"en": "An example", "uk": "Приклад"}


@pytest.mark.parametrize(
    ("name", "cells", "rule", "says"),
    [
        ("w1", {"required": "yes"}, "required", "nothing ever is"),
        ("w1", {"required": "true()"}, "required", "nothing ever is"),
        ("w1", {"constraint": ". > 3"}, "column", "column constraint means nothing here"),
        ("w1", {"name": "W 1"}, "name", "cannot be a name"),
        ("w1", {"name": ""}, "name", "cannot be a name"),
        ("p1", {"name": "t1"}, "twice", "the name “t1” stands in survey, row 9"),
        ("t1", {"name": "what"}, "twice", "the name “what” stands in survey, row 6"),
        ("w1", {"relevant": "${p1} = 'x'"}, "reference", "looks at “p1”, which is asked on this page or later"),
        ("w1", {"relevant": "${c2} = 'yes'"}, "reference", "looks at “c2”, which is asked on this page or later"),
        ("w1", {"relevant": "${zz} = 'x'"}, "reference", "looks at “zz”, and nothing has that name"),
        ("w1", {"relevant": "${r1} = 'nobody'"}, "reference", "is “nobody”, which is no option of it"),
        ("w1", {"relevant": "selected(${r1}, 'victim'"}, "relevant", "cannot be read"),
        ("w1", {"relevant": "${r1} > 3"}, "relevant", "cannot be read"),
        ("what", {"relevant": "${w1} = 'hurt'"}, "reference", "looks at “w1”, which is asked on this page or later"),
        ("w1", {"label::English (en)": ""}, "label", "has no English"),
        ("w1", {"label::Ukrainian (uk)": ""}, "translation", "is missing in Ukrainian"),
        ("w1", {"hint::Arabic (ar)": ""}, "translation", "the hint of “w1” is missing in Arabic"),
        ("w1", {"self_label::English (en)": ""}, "label", "the self_label of “w1” has no English"),
        ("what", {"label::English (en)": ""}, "label", "has no English"),
        ("what_note", {"label::English (en)": ""}, "label", "has no English"),
        ("w1", {"type": "select_multiple nothing"}, "list", "there is no list “nothing”"),
        ("w1", {"type": "geopoint"}, "type", "“geopoint” is no type of question that we have"),
        ("w1", {"type": ""}, "type", "is no type of question"),
        ("w1", {"part": ""}, "part", "must say which sealed part"),
        ("w1", {"part": "diary"}, "part", "must say which sealed part"),
        ("w1", {"part": "notes"}, "part", "belongs on the page about files"),
        ("e2", {"part": "account"}, "part", "belongs on the page about files"),
        ("c2", {"type": "select_one roles"}, "consent", "with the codes yes, no and later"),
        ("c2", {"type": "select_multiple consent"}, "consent", "must be a select_one"),
        ("c2_scope", {"appearance": "consent"}, "consent", "must be a select_one"),
        ("c2_scope", {"type": "select_one scopes"}, "consent", "must be a select_multiple"),
        ("welcome", {"appearance": "content-note"}, None, ""),
        ("what", {"appearance": ""}, "page", "write field-list"),
    ],
)
def test_what_is_wrong_with_a_row_is_told_with_its_row(
    name: str, cells: dict[str, str], rule: str | None, says: str
) -> None:
    rows = [row["name"] for row in example().sheet("survey")]
    found = findings(with_cells("survey", name, cells))

    if rule is None:
        assert found == {}
    else:
        assert found[rule].where == f"survey, row {rows.index(name) + 1}"
        assert says in found[rule].says


@pytest.mark.parametrize(
    ("code", "cells", "rule", "says"),
    [
        ("hurt", {"name": ""}, "code", "has no code"),
        ("hurt", {"name": "taken"}, "code", "stands twice in list “acts”"),
        ("hurt", {"name": "much harm"}, "code", "cannot be a code"),
        ("hurt", {"list_name": ""}, "list", "belongs to no list"),
        ("hurt", {"label::English (en)": ""}, "label", "has no English"),
        ("hurt", {"label::Arabic (ar)": ""}, "translation", "is missing in Arabic"),
    ],
)
def test_what_is_wrong_with_an_option_is_told_with_its_row(
    code: str, cells: dict[str, str], rule: str, says: str
) -> None:
    found = findings(with_cells("choices", code, cells))

    assert found[rule].where.startswith("choices, row ")
    assert says in found[rule].says


@pytest.mark.parametrize(
    ("cells", "rule"),
    [
        ({"default_language": "German (de)"}, "language"),
        ({"default_language": ""}, "language"),
        ({"version": ""}, "form"),
        ({"form_id": "a form"}, "form"),
    ],
)
def test_what_is_wrong_with_the_settings_is_told(cells: dict[str, str], rule: str) -> None:
    assert rule in findings(changed("settings", lambda rows: rows[0].update(cells)))


def test_a_column_of_words_without_its_language_is_named() -> None:
    found = findings(with_cells("survey", "w1", {"hint": "Choose"}))

    assert found["language"].where == "survey, column hint"


def _rows(*added: dict[str, str], at: int = 0) -> dict[str, str]:
    """Give what is found, by its rule, when rows are put into the survey."""

    def change(rows: list[dict[str, str]]) -> None:
        rows[at:at] = added

    told: dict[str, str] = {}
    for one in lint(changed("survey", change))[1]:
        told[one.rule] = f"{told.get(one.rule, '')}{one.where}: {one.says}\n"
    return told


def test_questions_and_notes_stand_on_a_page() -> None:
    assert _rows(question("x1"))["page"].startswith("survey, row 1: this stands on no page")
    assert _rows(question("x1", type="note"))["page"].startswith("survey, row 1: this stands on no page")


def test_pages_and_repeats_do_not_nest_and_have_their_ends() -> None:
    start, end = page("outer")
    repeat = question("again", type="begin_repeat")
    done = {"type": "end_repeat"}

    assert _rows(start, *page("inner"), end)["nested"].startswith("survey, row 2: a page cannot lie in a page")
    assert _rows(end)["end"].startswith("survey, row 1: this ends a page that has not begun")
    assert _rows(*page("last"), start, at=99)["end"].endswith("add a row end_group behind what belongs to it\n")
    assert "a repeat stands on a page" in _rows(repeat, *page("x"), done)["repeat"]
    assert _rows(start, done, end)["end"].startswith("survey, row 2: this ends a repeat that has not begun")
    assert "and in no other repeat" in _rows(start, repeat, {**repeat, "name": "more"}, done, end)["repeat"]
    assert _rows(start, repeat, end)["end"]
    assert "at least one, and no notes" in _rows(start, repeat, done, end)["repeat"]


def test_a_content_note_comes_first_and_once() -> None:
    note = question("heavy", type="note", appearance="content-note")
    note.pop("part")
    late = _rows(*page("x", question("x1"), note))
    twice = _rows(*page("x", note, {**note, "name": "heavier"}, question("x1")))

    assert late["content-note"].startswith("survey, row 3: a content note comes first")
    assert twice["content-note"].startswith("survey, row 3: a content note comes first")


def test_what_only_xlsform_itself_refuses_is_told_with_our_row() -> None:
    found = _rows(*page("x", question("x1", **{"label::English (en)": "See ${nobody}"})))

    assert found["xlsform"].startswith("survey, row 2: XLSForm does not allow this: ")


def test_a_permission_that_is_none_leaves_its_scope_alone() -> None:
    found = findings(with_cells("survey", "c2", {"appearance": ""}))

    assert found["consent"].where == "survey, row 23"
    assert "directly behind its permission" in found["consent"].says


def test_all_errors_are_told_at_once_and_warnings_stop_nothing() -> None:
    def spoil(rows: list[dict[str, str]]) -> None:
        rows[3]["part"] = ""
        rows[8]["name"] = ""

    broken = changed("survey", spoil)

    told = compile_table(broken).findings
    assert {one.where for one in told if one.level == "error"} == {"survey, row 4", "survey, row 9"}
    assert compile_table(broken).form is None
    assert compile_form(with_cells("survey", "w1", {"label::Arabic (ar)": ""})).form_id == "example"
