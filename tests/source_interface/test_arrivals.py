"""What the inbox says of what arrived: since when it is kept, whether people have read it, by when we try to answer."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from source_interface.progress import Progress, seal_progress
from tests.browserlike import Page
from tests.source_interface.house import House
from tests.source_interface.test_inbox import log_in
from tests.vault.drop import seal_as
from vault.records import ImportReceipt, ReturnBag

MakeHouse = Callable[..., House]
DAY_SECONDS = 86_400
READ = "People have read at least a part of it."
BY = "We try to answer by 18 March 2026."


@pytest.fixture
def answering(make_house: MakeHouse) -> House:
    """A drop that tries to answer within two weeks."""
    return make_house(change=lambda parts: replace(parts, facts=replace(parts.facts, reply_days=14)))


def report(house: House, codename: str, *, contact: bool | None = None) -> None:
    """Send a report, as far as the vault sees it."""
    secrets = house.secrets(codename)
    source = house.inbox.find(secrets.lookup_id)
    assert source is not None
    progress = Progress(report_id="ab" * 16, seq=1, way="report", reached=("safety",), contact=contact, language="en")
    with house.inbox.receiving(source) as receiving:
        for kind in ("account", "identity", "contact", "consents", "manifest"):
            receiving.keep(seal_as(receiving, kind))
        receiving.progress = seal_progress(progress, secrets)


def confirm(house: House, codename: str) -> None:
    """Have a workstation say that it holds what this source sent."""
    collection = house.collection(codename)
    parts = house.reader.submissions_of(collection.collection_id)[0].parts
    receipts = tuple(ImportReceipt(part.ct_sha256, collection.collection_id) for part in parts)
    house.outbox.accept(ReturnBag("B" * 40, 1, "b" * 64, (), receipts))


def rows(page: Page) -> list[list[str]]:
    return [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in page.tree.iter("tr")]


@pytest.mark.check("F9")
def test_each_day_says_since_when_how_much_is_kept(house: House) -> None:
    _, codename = house.sender()
    report(house, codename)
    house.clock.advance(DAY_SECONDS)
    report(house, codename)
    report(house, codename)

    assert rows(log_in(house, codename).page) == [
        ["Kept since", "Messages", "Files", "Reports"],
        ["5 March 2026", "–", "–", "2"],
        ["4 March 2026", "1", "–", "1"],
    ]


@pytest.mark.parametrize(
    ("contact", "imported", "said"),
    [(True, True, True), (True, False, False), (False, True, False), (None, True, False)],
)
def test_that_people_have_read_it_is_said_to_who_allows_it_alone(
    house: House, contact: bool | None, imported: bool, said: bool
) -> None:
    _, codename = house.sender()
    report(house, codename, contact=contact)
    if imported:
        confirm(house, codename)

    assert (READ in log_in(house, codename).page.text) is said


def test_who_never_opened_the_questionnaire_is_not_told_either(house: House) -> None:
    """Nobody has asked her whether she wants to hear from us."""
    _, codename = house.sender()
    confirm(house, codename)

    assert READ not in log_in(house, codename).page.text


def test_the_day_of_an_answer_counts_from_what_came_last(answering: House) -> None:
    _, codename = answering.sender()
    assert BY in log_in(answering, codename).page.text

    answering.clock.advance(2 * DAY_SECONDS)
    report(answering, codename)

    assert "We try to answer by 20 March 2026." in log_in(answering, codename).page.text


@pytest.mark.parametrize("days", [14, 15])
def test_a_day_that_has_passed_is_not_promised(answering: House, days: int) -> None:
    _, codename = answering.sender()

    answering.clock.advance(days * DAY_SECONDS)

    assert (BY in log_in(answering, codename).page.text) is (days == 14)


def test_nothing_is_promised_once_an_answer_came(answering: House) -> None:
    _, codename = answering.sender()
    answering.clock.advance(DAY_SECONDS)
    answering.reply(codename, "An answer.")

    assert "We try to answer" not in log_in(answering, codename).page.text


def test_nothing_is_promised_to_who_wants_no_answer(answering: House) -> None:
    _, codename = answering.sender()
    report(answering, codename, contact=False)

    assert "We try to answer" not in log_in(answering, codename).page.text


def test_a_drop_that_names_no_days_says_nothing(house: House) -> None:
    _, codename = house.sender()

    assert "We try to answer" not in log_in(house, codename).page.text


def test_the_day_is_said_in_every_language(answering: House) -> None:
    _, codename = answering.sender()
    browser = log_in(answering, codename)

    assert "Ми намагаємося відповісти до 18 березня 2026." in browser.open("/uk/inbox").text
