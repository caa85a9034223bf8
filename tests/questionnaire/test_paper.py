"""Paper asks what the site asks, in the same codes, and says which form it is."""

import re
import subprocess
from datetime import date
from pathlib import Path

import pytest

from questionnaire.comparisons import Comparison, comparisons
from questionnaire.load import parse_form
from questionnaire.model import Form
from questionnaire.paper import paper_html, screen_html, told, words_of
from questionnaire.paper_words import WORDS
from questionnaire.printing import write_pdf
from questionnaire.showing import shown
from tests.questionnaire.tables import COMPILED

DAY = date(2026, 3, 4)


@pytest.fixture(scope="module")
def form() -> Form:
    return parse_form(COMPILED.read_bytes())


def _text_of(pdf: Path) -> str:
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True, text=True).stdout


def test_every_code_and_every_question_is_on_paper(form: Form, tmp_path: Path) -> None:
    printed = tmp_path / "form.pdf"
    printed.write_bytes(write_pdf(form, ("en",), {}))
    words = set(_text_of(printed).split())

    questions = [question for page in form.pages for question in page.questions]
    assert {question.name for question in questions} <= words
    assert {code for question in questions for code in question.codes} <= words
    assert {"way", "report", "help"} <= words


def test_each_page_of_paper_says_which_form_it_is_and_counts_by_language(form: Form, tmp_path: Path) -> None:
    printed = tmp_path / "form.pdf"
    printed.write_bytes(write_pdf(form, form.languages, {"uk": DAY}))
    pages = [text for text in _text_of(printed).split("\f") if text.strip()]
    half = form.sha256[:32]

    assert len(pages) % 3 == 0
    assert all(half in page and form.sha256[32:] in page for page in pages)
    assert all(f"{form.form_id} {form.version}" in page for page in pages)
    assert sum("Page 1 of" in page for page in pages) == sum("Сторінка 1 з" in page for page in pages) == 1
    assert sum("DRAFT" in page for page in pages) == 1
    assert sum("ЧЕРНЕТКА" in page for page in pages) == 0
    dated = ["Прочитано і схвалено: 2026-03-04" in page.replace("\u200e", "") for page in pages]
    assert dated == ["Сторінка" in page for page in pages]
    assert sum("2026-03-04" in page for page in pages) == sum(dated)


def test_the_day_of_the_reading_stands_in_its_order_in_arabic_too(form: Form, tmp_path: Path) -> None:
    """Behind Arabic letters, digits between hyphens would be told from the right: 04-03-2026."""
    printed = tmp_path / "form.pdf"
    printed.write_bytes(write_pdf(form, ("ar",), {"ar": DAY}))

    assert "2026-03-04" in _text_of(printed)
    assert words_of("ar").draft not in paper_html(form, "ar", DAY)
    assert words_of("ar").draft in paper_html(form, "ar", None)


def test_the_paper_is_a4_and_its_fonts_come_with_it(form: Form, tmp_path: Path) -> None:
    printed = tmp_path / "form.pdf"
    printed.write_bytes(write_pdf(form, form.languages, {}))
    facts = subprocess.run(["pdfinfo", printed], check=True, capture_output=True, text=True).stdout
    fonts = subprocess.run(["pdffonts", printed], check=True, capture_output=True, text=True).stdout

    assert "(A4)" in facts
    assert "CreationDate" not in facts
    assert re.search(r"Arab", fonts)
    assert "Type 3" not in fonts


def test_arabic_is_shaped_and_runs_from_the_right(form: Form, tmp_path: Path) -> None:
    """What a reader copies out of the page are the letters of the form, not the shapes of their glyphs."""
    printed = tmp_path / "form.pdf"
    printed.write_bytes(write_pdf(form, ("ar",), {}))

    assert '<html lang="ar" dir="rtl">' in paper_html(form, "ar", None)
    assert "ماذا حدث" in re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", _text_of(printed))


def test_a_person_is_asked_three_times_in_one_table(form: Form) -> None:
    page = paper_html(form, "en", DAY)

    assert page.count('<span class="box">3</span>') == 2
    assert "Only if: depth = “Tell more”" in page
    assert "DRAFT" not in page


def test_conditions_are_told_in_the_words_of_the_form(form: Form) -> None:
    condition = form.pages[2].items[2].relevant

    assert told(None, form, "en") == ""
    assert told(condition, form, "en") == "Only if: r1 = “It happened to me” or w1 = “Someone was hurt”"
    assert told(condition, form, "uk") == "Лише якщо: r1 = “Це сталося зі мною” або w1 = “Комусь завдали болю”"
    assert told(form.pages[1].relevant, form, "en") == "Only if: way ≠ “I only want help”"


def test_comparisons_are_found_however_they_are_written() -> None:
    found = list(comparisons("not(selected( ${a}, 'x' )) and (${b}='' or ${c} != 'y')"))

    assert found == [
        Comparison("a", "x", equal=True),
        Comparison("b", "", equal=True),
        Comparison("c", "y", equal=False),
    ]


def test_words_that_a_form_brings_are_never_markup(form: Form) -> None:
    spoilt = parse_form(COMPILED.read_bytes().replace(b"An example", b"<b>An</b> example"))

    assert "&lt;b&gt;An" in paper_html(spoilt, "en", None)
    assert "<b>An" not in paper_html(spoilt, "en", None)
    assert "<script" not in screen_html(form, "en", form.pages, 1)


def test_every_language_has_all_the_words_around_a_form() -> None:
    joins = {"and", "or", "not"}

    assert set(WORDS) == {"en", "uk", "fr", "ar"}
    assert all(set(words.joins) == joins and set(words.ways) == {"report", "help"} for words in WORDS.values())
    assert {len(words.rules) for words in WORDS.values()} == {3}
    assert words_of("de") == WORDS["en"]


def test_a_terminal_shows_whose_words_they_are(form: Form) -> None:
    victim = "\n".join(shown(form, form.pages, "en", "victim"))
    witness = "\n".join(shown(form, form.pages, "en", "witness"))

    assert "Which of these happened to you?" in victim
    assert "Which of these happened?" in witness
    assert "  ! This page asks about violence. You can skip it." in witness
    assert "[ ] Someone was hurt   [hurt]" in witness
    assert "Page 5 of 5: About this file [file]" in witness
