"""A form that would be too much for a frightened person on a telephone is refused, and told where."""

import pytest

from questionnaire.linting import MOST_LIX, PAGE_BYTES, lint, lix, page_bytes
from questionnaire.paths import combinations, longest, paths
from tests.questionnaire.tables import changed, compile_form, example, findings, page, question, with_cells


def _with(*added: dict[str, str], at: int = 20) -> dict[str, str]:
    def change(rows: list[dict[str, str]]) -> None:
        rows[at:at] = added

    return {rule: f"{one.where}: {one.level}: {one.says}" for rule, one in findings(changed("survey", change)).items()}


def test_the_example_is_short_and_plain_enough() -> None:
    form, found = lint(example())

    assert form is not None
    assert found == ()


def test_a_page_asks_seven_questions_and_scopes_do_not_count() -> None:
    seven = [question(f"x{number}") for number in range(7)]
    consent = question("x0", type="select_one consent", appearance="consent", part="consents")
    scope = question("x_scope", type="select_multiple scopes", appearance="consent-scope", part="consents")

    assert _with(*page("full", *seven)) == {}
    assert _with(*page("full", consent, scope, *seven[1:])) == {}
    assert _with(*page("full", *seven, question("x7")))["questions"].startswith(
        "survey, row 21: error: page “full” asks 8"
    )


def test_the_questions_of_a_repeat_count() -> None:
    six = [question(f"x{number}") for number in range(6)]
    start, end = question("again", type="begin_repeat"), {"type": "end_repeat"}
    start.pop("part")

    assert _with(*page("full", start, *six, end, question("x6"))) == {}
    assert "questions" in _with(*page("full", start, *six, end, question("x6"), question("x7")))


def test_a_form_has_twenty_pages() -> None:
    many = [
        row for number in range(17) for row in page(f"p{number}x", question(f"x{number}"), relevant="${way} = 'no'")
    ]

    assert "pages" not in _with(*many[:-3])
    assert _with(*many)["pages"].startswith("the form: error: there are 21 pages")


def test_a_page_must_fit_the_size_that_all_pages_have() -> None:
    long = "Слово " * 2600

    assert "page-size" in findings(with_cells("survey", "w1", {"hint::Ukrainian (uk)": long}))
    assert "page-size" in _with(
        *page("where", question("x1", type="place-region"), question("x2", type="place-region"))
    )


@pytest.mark.parametrize(("version", "rules"), [("1.2", set[str]()), ("1-beta", {"version"})])
def test_a_version_that_has_no_order_is_warned_of(version: str, rules: set[str]) -> None:
    found = findings(changed("settings", lambda rows: rows[0].update(version=version)))

    assert set(found) == rules
    assert {one.level for one in found.values()} <= {"warning"}


def test_a_form_must_not_grow_for_ever() -> None:
    assert "size" in findings(with_cells("survey", "w1", {"hint::English (en)": "Word. " * 180_000}))


def test_long_sentences_and_hard_pages_are_named() -> None:
    long = "This is one sentence that goes on and on with many more words than a tired person would ever read at once."
    hard = "Institutional representatives necessitate comprehensive documentation regarding circumstances. " * 4

    assert findings(with_cells("survey", "w1", {"hint::English (en)": long}))["sentence"].where == "survey, row 8"
    assert findings(with_cells("choices", "hurt", {"label::English (en)": long}))["sentence"].where == "choices, row 3"
    assert (
        "page “what” is hard to read"
        in findings(with_cells("survey", "w1", {"hint::English (en)": hard}))["reading"].says
    )
    assert findings(with_cells("survey", "w1", {"hint::English (en)": hard}))["reading"].level == "warning"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("...", 0),
        ("I am here. You are there.", 3),
        # Three words, one of them of seven letters: 3 + 33.3.
        ("We need shelter", 36.3),
        ("We need shelter. It is cold", 3 + 100 / 6),
        ("Don’t worry", 2),
    ],
)
def test_lix_counts_words_in_sentences_and_long_words(text: str, expected: float) -> None:
    assert lix(text) == pytest.approx(expected, abs=0.1)


def test_what_official_letters_sound_like_is_above_the_limit() -> None:
    assert lix("You do not have to answer. Nobody will ask you why. You can stop and come back later.") < MOST_LIX
    assert (
        lix("The undersigned acknowledges receipt of the documentation pertaining to the aforementioned proceedings.")
        > MOST_LIX
    )


def test_nobody_meets_more_pages_than_she_can_bear() -> None:
    short = [row for number in range(3) for row in page(f"p{number}x", question(f"x{number}"))]
    detailed = [row for number in range(6)
                for row in page(f"p{number}x", question(f"x{number}"), relevant="${depth} = 'more'")]  # fmt: skip

    assert _with(*short[:3]) == {}
    assert "way help, detailed meets 5 pages" in _with(*short)["path"]
    assert "detailed meets 10 pages" in _with(*detailed)["path"]
    assert "path" not in _with(*detailed[:-3])


def test_whatever_hangs_on_other_answers_is_met_by_somebody() -> None:
    """The last page follows an answer that only detailed reports are asked for."""
    rows = [
        *page("told", question("x1", type="select_one roles"), relevant="${depth} = 'more'"),
        *page("then", question("x2"), relevant="${x1} = 'witness' and ${r1} = 'victim'"),
    ]
    form = compile_form(changed("survey", lambda cells: cells.__setitem__(slice(20, 20), rows)))
    met = {one.who: one.pages for one in paths(form)}

    assert met["victim, way report, detailed"][-3:] == ("told", "then", "choices")
    assert "then" not in met["witness, way report, detailed"]
    assert "then" not in met["victim, way report, short"]
    assert [one.name for one in longest(form, "victim", "report")][-3:] == ["then", "choices", "file"]


def test_two_codes_of_one_answer_can_each_bring_a_page() -> None:
    rows = [
        *page("first", question("x1"), relevant="selected(${w1}, 'hurt')"),
        *page("second", question("x2"), relevant="selected(${w1}, 'taken')"),
    ]
    form = compile_form(changed("survey", lambda cells: cells.__setitem__(slice(20, 20), rows)))

    assert {"first", "second"} <= set(next(paths(form)).pages)


def test_a_form_whose_pages_hang_on_too_much_is_refused_and_not_walked_for_ever() -> None:
    asked = [question(f"x{number}", type="select_one roles") for number in range(13)]
    rows = [
        *page("asks", *asked[:7]),
        *page("more", *asked[7:]),
        *(row for one in asked for row in page(f"p{one['name']}", question(f"y{one['name']}"),
                                              relevant=f"${{{one['name']}}} = 'victim'")),
    ]  # fmt: skip
    found = _with(*rows)

    assert "combinations" in found["path"]
    assert combinations(compile_form(example())) == 1


def test_the_estimate_of_a_page_counts_its_longest_language() -> None:
    form = compile_form(example())
    what = form.pages[1]

    assert page_bytes(form, what, "uk") > page_bytes(form, what, "en")
    assert page_bytes(form, what, "uk") < PAGE_BYTES
