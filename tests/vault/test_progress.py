"""What is remembered of a source's progress: as many bytes for all, and changed only with what is sent."""

import secrets

import pytest

from tests.vault.drop import Drop, seal
from vault.errors import NothingKeptError
from vault.records import PROGRESS_BYTES, Arrival


def test_every_source_has_one_of_the_same_size_and_no_two_the_same(drop: Drop) -> None:
    """Whether somebody ever opened the questionnaire is not to be seen."""
    plain, reporting = drop.source(), drop.source()
    drop.send(plain)
    told = secrets.token_bytes(PROGRESS_BYTES)
    drop.send_report(reporting, told)

    found = drop.inbox.progress(plain)

    assert found is not None
    assert len(found) == PROGRESS_BYTES
    assert len(set(found)) > PROGRESS_BYTES // 4
    assert drop.inbox.progress(reporting) == told
    assert drop.inbox.progress(drop.source()) is None


def test_it_changes_only_with_a_sending_that_brings_one(drop: Drop) -> None:
    source = drop.source()
    first, second = (secrets.token_bytes(PROGRESS_BYTES) for _ in range(2))
    drop.send_report(source, first)

    drop.send(source)
    kept = drop.inbox.progress(source)
    drop.send_report(source, second)

    assert kept == first
    assert drop.inbox.progress(source) == second


def test_a_sending_that_is_not_kept_changes_nothing(drop: Drop) -> None:
    source = drop.source()
    first = secrets.token_bytes(PROGRESS_BYTES)
    drop.send_report(source, first)

    with pytest.raises(NothingKeptError), drop.inbox.receiving(source) as receiving:
        receiving.progress = secrets.token_bytes(PROGRESS_BYTES)

    assert drop.inbox.progress(source) == first


def test_closing_erases_it(drop: Drop) -> None:
    source = drop.source()
    drop.send(source)

    drop.inbox.close(source)

    assert drop.inbox.progress(source) is None


def test_one_of_another_size_is_refused(drop: Drop) -> None:
    source = drop.source()

    with pytest.raises(ValueError, match="512"), drop.inbox.receiving(source) as receiving:
        receiving.keep(seal(receiving))
        receiving.progress = b"short"

    assert drop.folders() == []


def test_the_rows_do_not_tell_the_parts_of_a_report_apart(drop: Drop) -> None:
    source = drop.source()
    drop.send_report(source)

    (submission,) = drop.reader.submissions_of(source.collection_id)

    assert sorted(part.kind for part in submission.parts) == ["manifest", "report", "report", "report", "report"]


def test_a_report_counts_as_one_thing_however_many_parts_it_has(drop: Drop) -> None:
    source = drop.source()
    drop.send_report(source)
    drop.send_report(source)
    drop.send(source, [65_536, 65_536])
    day = drop.reader.newest()[0].last_day

    arrived = drop.inbox.arrivals(source)
    standing = drop.inbox.standing(source.lookup_id)

    assert arrived == [Arrival(day, "file", 2), Arrival(day, "manifest", 2), Arrival(day, "report", 2)]
    assert standing is not None
    assert standing[1].items == 4
