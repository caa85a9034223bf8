"""A source may withdraw everything: hidden at once, hers to take back for a week, then destroyed for good."""

import hashlib
import secrets
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hardening.database import open_to_write
from ledger.entry import Destroyed, Received, size_class
from tests.clock import FakeClock
from tests.vault.drop import WORDS, Drop
from vault.errors import NotFoundError, WithdrawnError
from vault.inbox import Inbox
from vault.objects import Shelves
from vault.reading import InboxReader
from vault.records import Source
from vault.tables import INBOX, PendingLeafRow
from vault.withdrawing import UNDO_DAYS, last_day_to_take_back

TODAY = date(2026, 3, 4)
DAY_SECONDS = 86_400


@pytest.fixture
def withdrawn(drop: Drop) -> Source:
    """Somebody who sent twice and withdrew; beside her somebody who did not."""
    source, other = drop.source(), drop.source()
    drop.send(source, [65_536, 65_536])
    drop.send_report(source)
    drop.send(other)
    drop.inbox.withdraw(source)
    return source


def leaves(drop: Drop) -> set[bytes]:
    with drop.database.reading() as session:
        return set(session.scalars(select(PendingLeafRow.leaf_hash)))


def test_what_is_withdrawn_is_neither_listed_nor_found(drop: Drop, withdrawn: Source) -> None:
    ids = [notice.submission_id for notice in drop.reader.arrived_since(None)]
    mine = {
        one.submission_id for one in drop.reader.arrived_since(None) if one.collection_id == withdrawn.collection_id
    }

    assert len(drop.reader.newest()) == 1
    assert drop.reader.search(withdrawn.designation) == []
    assert drop.reader.named([withdrawn.collection_id]) == []
    assert drop.reader.submissions_of(withdrawn.collection_id) == []
    assert {one.submission_id for one in drop.reader.submissions(ids)} == set(ids) - mine == drop.reader.present(ids)
    with pytest.raises(NotFoundError):
        drop.reader.collection(withdrawn.collection_id)


def test_reviewers_are_told_which_words_to_destroy_and_a_reply_still_arrives(drop: Drop, withdrawn: Source) -> None:
    assert drop.reader.withdrawn_since(TODAY) == [withdrawn.designation]
    assert drop.reader.withdrawn_since(TODAY + timedelta(days=1)) == []
    assert drop.reader.unknown([withdrawn.collection_id, "0" * 32]) == {"0" * 32}
    assert drop.reader.closed() == frozenset()


def test_nothing_is_added_to_what_is_withdrawn(drop: Drop, withdrawn: Source) -> None:
    before = drop.files()

    with pytest.raises(WithdrawnError):
        drop.send(withdrawn)

    assert drop.files() == before


def test_it_can_be_taken_back_until_the_last_day(drop: Drop, withdrawn: Source) -> None:
    found = drop.inbox.find(withdrawn.lookup_id)
    assert found is not None
    assert found.withdrawn_day == TODAY
    drop.clock.advance(UNDO_DAYS * DAY_SECONDS)
    assert drop.inbox.destroy_withdrawn() == 0

    drop.inbox.take_back(withdrawn)
    drop.clock.advance(DAY_SECONDS)

    assert drop.inbox.destroy_withdrawn() == 0
    assert len(drop.reader.submissions_of(withdrawn.collection_id)) == 2
    assert drop.inbox.find(withdrawn.lookup_id) == withdrawn
    drop.send(withdrawn)


def test_asking_again_does_not_put_it_off(drop: Drop, withdrawn: Source) -> None:
    drop.clock.advance(DAY_SECONDS)

    drop.inbox.withdraw(withdrawn)

    found = drop.inbox.find(withdrawn.lookup_id)
    assert found is not None
    assert found.withdrawn_day == TODAY


def test_what_nobody_took_back_is_destroyed_and_the_log_is_told(drop: Drop, withdrawn: Source) -> None:
    drop.inbox.take_back(withdrawn)
    parts = [part for one in drop.reader.submissions_of(withdrawn.collection_id) for part in one.parts]
    drop.inbox.withdraw(withdrawn)
    before = leaves(drop)
    drop.clock.advance((UNDO_DAYS + 1) * DAY_SECONDS)
    destroyed_on = TODAY + timedelta(days=UNDO_DAYS + 1)
    assert last_day_to_take_back(TODAY) < destroyed_on

    assert drop.inbox.destroy_withdrawn() == 2
    assert drop.inbox.destroy_withdrawn() == 0

    received = [Received(part.ct_sha256, size_class(part.size_bytes), TODAY).leaf_hash() for part in parts]
    assert leaves(drop) - before == {Destroyed(leaf.hex(), destroyed_on).leaf_hash() for leaf in received}
    assert len(received) == 7
    assert len(drop.files()) == len(drop.folders()) == 1
    assert drop.inbox.sweep() == 0
    assert drop.inbox.find(withdrawn.lookup_id) is None
    assert drop.inbox.progress(withdrawn) is None
    assert drop.reader.closed() == {withdrawn.collection_id}
    with pytest.raises(NotFoundError):
        drop.inbox.take_back(withdrawn)


def test_who_withdraws_and_closes_is_destroyed_all_the_same(drop: Drop, withdrawn: Source) -> None:
    drop.inbox.close(withdrawn)
    drop.clock.advance((UNDO_DAYS + 1) * DAY_SECONDS)

    assert drop.inbox.destroy_withdrawn() == 2
    with pytest.raises(NotFoundError):
        drop.inbox.withdraw(withdrawn)


def test_the_words_of_who_withdrew_are_given_to_nobody_else(drop: Drop, withdrawn: Source) -> None:
    drop.clock.advance((UNDO_DAYS + 1) * DAY_SECONDS)
    drop.inbox.destroy_withdrawn()
    few = Inbox(drop.database, drop.shelves, drop.clock, withdrawn.designation.split())

    drawn = {few.new_source(secrets.token_bytes(32), secrets.token_bytes(32)).designation for _ in range(40)}

    assert withdrawn.designation not in drawn


@pytest.mark.check("F9")
def test_parts_that_the_process_cannot_read_are_destroyed(drop: Drop, withdrawn: Source) -> None:
    for path in drop.files():
        path.chmod(0o040)
    drop.clock.advance((UNDO_DAYS + 1) * DAY_SECONDS)

    assert drop.inbox.destroy_withdrawn() == 2
    assert len(drop.files()) == 1


@pytest.mark.check("J1")
def test_a_kill_at_every_step_of_destroying_leaves_whole_submissions_or_none(
    file_drop: Drop, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, clock: FakeClock
) -> None:
    """Whatever step it dies at: no row without its file, and the next start destroys what is left."""
    source = file_drop.source()
    file_drop.send(source, [65_536, 65_536])
    file_drop.send(source)
    kept = file_drop.send(file_drop.source())
    file_drop.inbox.withdraw(source)
    work = tmp_path_factory.mktemp("crashes")

    done = subprocess.run(
        [sys.executable, "-m", "tests.vault.crashing", tmp_path, work, "destroy"],
        check=True,
        capture_output=True,
        text=True,
    )

    steps = done.stdout.split()
    assert {"unlink", "rmdir", "fsync", "statement", "commit", "done"} <= set(steps)
    # The rows go first: nothing is unlinked before the commit.
    assert "unlink" not in steps[: steps.index("commit")]
    clock.advance((UNDO_DAYS + 1) * DAY_SECONDS)
    for number in range(len(steps)):
        _restart(work / str(number), clock, kept)


def _restart(root: Path, clock: FakeClock, kept: str) -> None:
    database = open_to_write(f"sqlite:///{root}/inbox.db", INBOX)
    shelves = Shelves(root)
    inbox = Inbox(database, shelves, clock, WORDS)
    inbox.sweep()
    inbox.destroy_withdrawn()
    assert inbox.sweep() == 0
    reader = InboxReader(database, shelves)
    (submission,) = reader.submissions(notice.submission_id for notice in reader.arrived_since(None))
    (path,) = (root / "objects").rglob("*.gpg")
    database.close()
    assert submission.submission_id == kept
    assert hashlib.sha256(path.read_bytes()).hexdigest() == submission.parts[0].ct_sha256
