"""Every answer goes into the one document that it belongs to, and every report has the same four."""

from typing import Any

import pytest

from hardening.canonical import JSON
from questionnaire.parting import consents_part, notes_part, report_parts
from questionnaire.parts import format_part, parse_part
from tests.questionnaire.documents import heading
from tests.questionnaire.forms import small_form

FORM = small_form()
HEADING = heading(FORM)
EVERYTHING: dict[str, JSON] = {
    "way": "report",
    "r1": "victim",
    "w1": ["yes"],
    "w2": "words",
    "p1": {"country": "UA"},
    "person": [{"v2": "yes", "v3": "Олена"}, {"v2": "no"}, {"v3": "Ім’я"}],
    "c1": "yes",
    "c2": "no",
    "nowhere": "in no form",
}


def told(answers: dict[str, JSON]) -> dict[str, Any]:
    return {one.part: dict(one.answers) for one in report_parts(FORM, answers, HEADING)}


def test_each_answer_stands_in_its_document() -> None:
    assert told(EVERYTHING) == {
        "account": {
            "r1": "victim",
            "w1": ["yes"],
            "w2": "words",
            "p1": {"country": "UA"},
            "person": [{"v2": "yes"}, {"v2": "no"}, {}],
        },
        "identity": {"person": [{"v3": "Олена"}, {}, {"v3": "Ім’я"}]},
        "contact": {},
        "consents": {"c1": "yes", "c2": "no"},
    }


@pytest.mark.check("G12")
@pytest.mark.parametrize("answers", [{}, {"way": "help"}, EVERYTHING])
def test_every_report_has_the_same_four(answers: dict[str, JSON]) -> None:
    documents = report_parts(FORM, answers, HEADING)

    assert [one.part for one in documents] == ["account", "identity", "contact", "consents"]
    assert [parse_part(format_part(one)) for one in documents] == list(documents)


def test_people_of_whom_no_name_was_given_are_not_in_the_identity() -> None:
    assert told({"person": [{"v2": "yes"}]})["identity"] == {}


def test_what_is_allowed_can_be_said_alone() -> None:
    assert consents_part(FORM, EVERYTHING, HEADING) == report_parts(FORM, EVERYTHING, HEADING)[3]


def test_notes_are_about_a_file() -> None:
    notes = notes_part(FORM, {"e3": "yes", "w2": "not about the file"}, HEADING, "cd" * 16)

    assert (dict(notes.answers), notes.about) == ({"e3": "yes"}, "cd" * 16)
