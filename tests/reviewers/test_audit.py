from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from sqlalchemy import delete, update

from reviewers.audit import CONSOLE, AuditHead
from reviewers.tables import AuditHeadRow, AuditRow
from tests.reviewers.conftest import Office

WHO = "0123456789abcdef" * 2


def fill(office: Office, count: int = 6) -> None:
    for number in range(count):
        office.audit.append(WHO if number else CONSOLE, "fetched", f"{number:032x}")


def test_lines_are_listed_newest_first_in_pages(office: Office) -> None:
    fill(office)

    page = office.audit.lines(limit=4)

    assert [line.position for line in page] == [6, 5, 4, 3]
    rest = office.audit.lines(before=page[-1].position)
    assert [(line.who, line.what) for line in rest] == [(WHO, "fetched"), (CONSOLE, "fetched")]
    assert office.audit.head() == AuditHead(6, page[0].hash)


@pytest.mark.check("L3")
def test_an_untouched_log_is_whole(office: Office) -> None:
    assert office.audit.verify() is None
    fill(office)
    assert office.audit.verify() is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("who", "f" * 32),
        ("what", "destroyed"),
        ("object_id", "f" * 32),
        ("day", date(2026, 3, 5)),
        ("hash", b"\x00" * 32),
        ("position", 77),
    ],
)
@pytest.mark.check("L3")
def test_any_field_that_was_changed_names_its_line(office: Office, column: str, value: object) -> None:
    fill(office)

    with office.database.writing() as session:
        session.execute(update(AuditRow).where(AuditRow.position == 4).values({column: value}))

    assert office.audit.verify() == 4


@pytest.mark.parametrize("position", [1, 4, 6])
@pytest.mark.check("L3")
def test_a_dropped_line_is_missed_at_the_end_too(office: Office, position: int) -> None:
    fill(office)

    with office.database.writing() as session:
        session.execute(delete(AuditRow).where(AuditRow.position == position))

    assert office.audit.verify() == position


@pytest.mark.check("L3")
def test_a_log_cut_short_together_with_its_head_differs_from_what_was_kept_elsewhere(office: Office) -> None:
    fill(office)
    kept = office.audit.head()
    with office.database.writing() as session:
        before = session.get(AuditRow, 5)
        assert before is not None
        session.execute(delete(AuditRow).where(AuditRow.position == 6))
        session.execute(update(AuditHeadRow).values(length=5, hash=before.hash))

    assert office.audit.verify() is None
    assert office.audit.head() != kept


@pytest.mark.check("L3", "J9")
def test_lines_written_at_once_all_stand_in_the_chain(office: Office) -> None:
    with ThreadPoolExecutor(8) as writers:
        list(writers.map(lambda number: office.audit.append(WHO, "fetched", f"{number:032x}"), range(40)))

    assert office.audit.head().length == 40
    assert office.audit.verify() is None
    assert len({line.object_id for line in office.audit.lines(limit=50)}) == 40


@pytest.mark.check("K1")
def test_a_line_knows_the_day_and_nothing_finer(office: Office) -> None:
    line = office.audit.append(WHO, "signed-in")

    assert str(line.day) == "2026-03-04"
