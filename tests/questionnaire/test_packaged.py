"""The form that we ship is what its table says, and short and plain enough for the people whom it asks."""

from pathlib import Path

from questionnaire.linting import lint
from questionnaire.load import format_form, parse_form
from questionnaire.paths import paths
from questionnaire.served import packaged
from questionnaire.table import read_table

FORMS = Path(__file__).parents[2] / "questionnaire" / "forms"


def test_the_compiled_form_is_that_of_the_table() -> None:
    """`make forms` brings it up to date."""
    form, found = lint(read_table(FORMS / "report.yaml"))

    assert [one for one in found if one.level == "error" or one.rule == "translation"] == []
    assert form is not None
    assert format_form(form) == (FORMS / "report.json").read_bytes()


def test_it_comes_with_the_package() -> None:
    form = packaged()

    assert form == parse_form((FORMS / "report.json").read_bytes())
    assert form is not None
    assert (form.form_id, form.languages) == ("report", ("en", "uk", "fr", "ar"))


def test_every_role_meets_as_few_pages_as_was_promised() -> None:
    form = packaged()
    assert form is not None
    met = {one.who: one.pages for one in paths(form)}
    roles = {
        "victim",
        "relative",
        "eyewitness",
        "journalist",
        "activist",
        "association",
        "health",
        "other",
        "rather_not",
    }

    assert {who.split(",")[0] for who in met} == {*roles, "whoever gives no role"}
    assert max(len(pages) for who, pages in met.items() if "way help" in who) == 4
    assert max(len(pages) for who, pages in met.items() if who.endswith("way report, short")) == 5
    assert max(len(pages) for who, pages in met.items() if who.endswith("way report, detailed")) <= 9
