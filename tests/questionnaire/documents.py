"""Documents of a report, as the source interface seals them."""

from dataclasses import replace
from typing import Final

from hardening.canonical import JSON
from questionnaire.model import Form
from questionnaire.parts import AnswersPart, FormName, Heading

FORM: Final = FormName("report", "1", "12" * 32)
HEADING: Final = Heading(form=FORM, language="uk", report="ab" * 16, seq=1, way="report", complete=True)
ACCOUNT: Final = AnswersPart(
    "account",
    HEADING,
    {
        "r1": "witness",
        "w1": ["detention", "torture"],
        "t1": "2022-03~",
        "p1": {"country": "UA", "region": "UA-65"},
        "p3": {"words": "біля вокзалу", "lat": "46.6354", "lon": "32.6169", "exact": "km"},
        "w2": "Перший рядок\nдругий",
        "person": [{"v2": "female"}, {}, {"v2": "male", "v6": ["injured"]}],
    },
)
CONSENTS: Final = AnswersPart("consents", HEADING, {"c1": "yes", "c2": "yes", "c5": "later"})
NOTES: Final = AnswersPart("notes", HEADING, {"e3": "me"}, "cd" * 16)


def heading(form: Form, seq: int = 1, report: str = "ab" * 16) -> Heading:
    """The heading of one sending of this form."""
    return replace(HEADING, form=FormName(form.form_id, form.version, form.sha256), seq=seq, report=report)


def without(name: str) -> dict[str, JSON]:
    """The account without one answer."""
    return {key: value for key, value in ACCOUNT.answers.items() if key != name}
