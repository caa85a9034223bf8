from datetime import timedelta

import pytest

from journalist_interface.keyset import judged_on
from keys.keyset_trust import SignedKeyset
from tests.journalist_interface.office import DAY_SECONDS, Office
from tests.keyring import DAY


def test_the_page_names_whom_reports_are_sealed_to(office: Office, signed_keyset: SignedKeyset) -> None:
    page = office.sign_in(office.hire()).get("/keys")

    for key in signed_keyset.keyset.recipients:
        assert key.fingerprint.grouped() in page.words
    assert "Reports are sealed to 2 keys; 2 are needed" in page.words
    assert signed_keyset.keyset.hash in page.words


@pytest.mark.check("G6", "G9")
@pytest.mark.parametrize(
    ("days_before_the_end", "said"),
    [(61, ""), (60, "60 days left"), (30, "30 days left"), (7, "7 days left"), (1, "one day left"), (0, "ends today")],
)
def test_the_page_warns_before_keys_end(office: Office, days_before_the_end: int, said: str) -> None:
    signed = office.signed[0]
    assert signed is not None
    end = signed.keyset.recipients[0].not_after
    office.clock.advance((end - timedelta(days=days_before_the_end) - DAY).days * DAY_SECONDS)

    page = office.sign_in(office.hire()).get("/keys")

    assert page.words.count("left") + page.words.count("ends today") == (4 if said else 0)
    assert page.words.count(said) >= 1


@pytest.mark.check("G6")
def test_below_the_quorum_the_page_says_closed(office: Office, signed_keyset: SignedKeyset) -> None:
    end = signed_keyset.keyset.recipients[0].not_after
    office.clock.advance(((end - DAY).days + 1) * DAY_SECONDS)

    page = office.sign_in(office.hire()).get("/keys")

    assert "Closed for new reports: 0 keys can be used and 2 are needed." in page.words
    assert page.words.count("ended") == 2
    assert [row.state for row in judged_on(signed_keyset.keyset, end + timedelta(days=1)).keys] == ["expired"] * 2
    before = signed_keyset.keyset.recipients[0].not_before - timedelta(days=1)
    assert [row.state for row in judged_on(signed_keyset.keyset, before).keys] == ["later"] * 2


def test_without_a_keyset_the_page_says_so(office: Office) -> None:
    office.signed[0] = None

    assert "No keyset is installed." in office.sign_in(office.hire()).get("/keys").words


def test_many_alarms_are_all_on_this_page(office: Office) -> None:
    office.alarms.extend(("disk", f"alarm {number}") for number in range(5))
    browser = office.sign_in(office.hire())

    assert "alarm 4" not in browser.get("/collections").words
    assert "alarm 4" in browser.get("/keys").words
