"""The guided report in a browser of text alone: whoever acts by what it shows gets through, and all of it arrives."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from questionnaire.served import draft
from source_interface.parts import SourceParts
from tests.source_interface.house import House
from tests.source_interface.lynx import Reader, Tls, lynx

MakeHouse = Callable[..., House]

pytestmark = pytest.mark.browser


@pytest.mark.check("B3", "B4")
def test_a_report_is_sent_by_whoever_reads_the_pages_as_text(make_house: MakeHouse, tmp_path: Path) -> None:
    tls = Tls(tmp_path)

    def known(parts: SourceParts) -> SourceParts:
        return replace(parts, hosts=parts.hosts | {tls.host})

    house = make_house(loopback=True, questionnaire=draft(tmp_path), change=known)
    with ExitStack() as ends:
        ends.enter_context(tls.before(house.host))
        reader = ends.enter_context(lynx(f"https://{tls.host}/", tmp_path))
        codename = tells(reader)

    (submission,) = house.submissions()
    sent = {opened.trailer.kind: opened.content for opened in house.everything()}
    assert sorted(sent) == ["account", "consents", "contact", "identity"]
    assert house.collection(codename).collection_id == submission.collection_id
    assert all(said in sent["account"] for said in (b'"r1":"eyewitness"', b'"w1":["killing"]', b'"t1":"2022"'))
    assert b'"c2":"yes"' in sent["consents"]
    for page in reader.pages:
        assert page.split()[0] == "[1]Leave"
        # What goes on comes after what is asked.
        assert "Continue" not in re.split(r"\( \)|\[ \]", page)[0]


def tells(reader: Reader) -> str:
    """Take the short path; say the codename that is shown at its end."""
    landing = reader.look()
    assert before(landing, "Not for text browsers", "JavaScript is on in your browser")
    reader.press("Tell what happened, step by step")
    reader.tick("Which of these fits best?", "I saw it or heard it happen")
    reader.press("Continue")
    reader.tick("Is it still going on?", "No")
    hard = reader.press("Continue")
    assert before(hard, "This page has a list of hard things", "Skip this page", "Which of these happened?")
    reader.tick("Which of these happened?", "Someone was killed")
    reader.type("Year", "2022")
    reader.tick("Is this enough for now?", "This is enough for now")
    assert "[1]Leave quickly" in reader.press("Continue")
    reader.press("Continue")
    reader.tick("May we write to you here?", "Yes")
    summary = reader.press("Continue")
    assert before(summary, "Which of these fits best?", "I saw it or heard it happen", "Someone was killed", "2022")
    arrived = reader.press("Send my report")
    assert before(arrived, "It has arrived", "Your report was kept.", "Your codename", "1.")
    return " ".join(re.findall(r"^ +[1-8]\. ([a-z]+)$", arrived, re.MULTILINE))


def before(page: str, *words: str) -> bool:
    """Whether these are all on the page, in this order."""
    places = [page.find(one) for one in words]
    return -1 not in places and places == sorted(places)
