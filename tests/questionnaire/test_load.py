import json
from dataclasses import replace

import pytest

from hardening.canonical import canonical_json
from questionnaire.errors import FormFileError
from questionnaire.load import format_form, parse_form
from questionnaire.logic import parse
from tests.questionnaire.forms import small_form


def test_a_form_is_read_as_it_was_written() -> None:
    form = small_form()

    assert parse_form(format_form(form)) == form


def test_the_same_list_is_written_once() -> None:
    lists = json.loads(format_form(small_form()))["lists"]

    assert [[choice["code"] for choice in one] for one in lists.values()] == [["victim", "witness"], ["yes", "no"]]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"v":1', b'"v":2'),
        (b'"type":"svidok form"', b'"type":"another form"'),
        (b'"kind":"many"', b'"kind":"some"'),
        (b'"part":"identity"', b'"part":"elsewhere"'),
        (b'"use":"consent"', b'"use":"waiver"'),
        (b'"list":"l001"', b'"list":"l009"'),
        (b'"name":"w2"', b'"name":"w1"'),
        (b'"name":"w2"', b'"name":"W2"'),
        (b'"code":"victim"', b'"code":"vic tim"'),
        (b"${r1} = 'victim'", b"${c5} = 'victim'"),
        (b"${r1} = 'victim'", b"${r1} > 'victim'"),
        (b'"per_file":true', b'"per_file":"yes"'),
        (b'"languages":["en","uk"]', b'"languages":[]'),
        (b'"hidden":["way"]', b'"hidden":["r1"]'),
        (b'"title"', b'"titel"'),
        (b'"v":1', b'"v":1 '),
    ],
)
def test_a_form_that_is_not_as_it_must_be_is_refused(old: bytes, new: bytes) -> None:
    written = format_form(small_form())
    assert old in written

    with pytest.raises(FormFileError):
        parse_form(written.replace(old, new))


@pytest.mark.parametrize(
    "written", [b"", b"[]", b"{}", b"null", b"\xff", canonical_json({"type": "svidok form", "v": 1})]
)
def test_what_is_no_form_is_refused(written: bytes) -> None:
    with pytest.raises(FormFileError):
        parse_form(written)


def test_a_condition_may_not_look_at_its_own_page() -> None:
    """Without a script nothing on a page can follow what is chosen on it."""
    form = small_form()
    page = form.pages[0]
    backward = replace(page, items=tuple(replace(item, relevant=parse("${r1} = 'victim'")) for item in page.items))

    with pytest.raises(FormFileError):
        replace(form, pages=(backward, *form.pages[1:]))
