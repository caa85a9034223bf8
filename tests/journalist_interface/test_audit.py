import pytest

from reviewers.tables import AuditRow
from tests.journalist_interface.office import Office


def test_the_page_says_who_did_what_on_which_day(office: Office) -> None:
    petro = office.hire("Petro")
    browser = office.sign_in(office.hire())
    office.stores.audit.append("console", "added", petro.reviewer.reviewer_id)

    page = browser.get("/audit")

    rows = [" ".join("".join(row.itertext()).split()) for row in page.tree.iter("tr")][1:]
    assert rows == ["2 2026-03-04 console added the account Petro", "1 2026-03-04 Olena signed in –"]
    assert "All lines are as they were written." in page.words
    assert office.stores.audit.head().hash.hex() in page.words


@pytest.mark.check("L3")
def test_a_line_that_was_changed_is_named(office: Office) -> None:
    browser = office.sign_in(office.hire())
    for _ in range(5):
        office.stores.audit.append("console", "reset", "0" * 32)
    with office.database.writing() as session:
        line = session.get(AuditRow, 3)
        assert line is not None
        line.who = "somebody"

    assert "Line 3 was changed or dropped." in browser.get("/audit").words


def test_a_long_log_has_pages(office: Office) -> None:
    browser = office.sign_in(office.hire())
    for _ in range(60):
        office.stores.audit.append("console", "reset", "0" * 32)

    first = browser.get("/audit")
    second = browser.get(first.links()["Next page"])

    assert len(list(first.tree.iter("tr"))) == 51
    assert len(list(second.tree.iter("tr"))) == 12
    assert "First page" in second.links()
    assert browser.get("/audit?before=0").status == browser.get("/audit?before=x").status == 404
