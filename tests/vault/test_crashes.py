import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete

from hardening.database import Database, open_to_read, open_to_write
from hardening.database_errors import BusyError, FullError
from tests.clock import FakeClock
from tests.stores import Stores
from tests.torn import tear
from tests.vault.drop import WORDS, Drop, seal
from vault.inbox import Inbox
from vault.objects import Shelves
from vault.reading import InboxReader
from vault.records import Source
from vault.tables import INBOX, PartRow, SubmissionRow


@pytest.mark.parametrize("run", [1, pytest.param(2, marks=pytest.mark.full), pytest.param(3, marks=pytest.mark.full)])
@pytest.mark.check("J1")
def test_a_kill_at_every_step_leaves_whole_submissions_or_none(
    run: int,
    file_drop: Drop,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    clock: FakeClock,
) -> None:
    file_drop.send(file_drop.source(), [65_536])
    work = tmp_path_factory.mktemp("crashes")

    done = subprocess.run(
        [sys.executable, "-m", "tests.vault.crashing", tmp_path, work, "send"],
        check=True,
        capture_output=True,
        text=True,
    )

    steps = done.stdout.split()
    assert {"mkdir", "open", "fsync", "chmod", "rename", "statement", "commit", "utime", "done"} <= set(steps)
    stored = {_after_restart(work / str(number), clock) for number in range(len(steps))}
    # Before the commit there is the earlier submission alone; after it, both.
    assert stored == {1, 2}
    assert _after_restart(work / str(steps.index("mkdir")), clock) == 1
    assert _after_restart(work / str(len(steps) - 1), clock) == 2


def _after_restart(root: Path, clock: FakeClock) -> int:
    """Start the source process again, check that rows and files agree, and count the submissions."""
    database = open_to_write(f"sqlite:///{root}/inbox.db", INBOX)
    shelves = Shelves(root)
    inbox = Inbox(database, shelves, clock, WORDS)
    inbox.sweep()
    assert inbox.sweep() == 0
    submissions = InboxReader(database, shelves).submissions(
        notice.submission_id for notice in InboxReader(database, shelves).arrived_since(None)
    )
    database.close()
    wanted = {
        root / "objects" / submission.submission_id[:2] / submission.submission_id / f"{part.part_id}.gpg": part
        for submission in submissions
        for part in submission.parts
    }
    assert list((root / "incoming").iterdir()) == []
    assert set((root / "objects").rglob("*.gpg")) == set(wanted)
    for path, part in wanted.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == part.ct_sha256
        assert path.stat().st_size == part.size_bytes
    return len(submissions)


@pytest.mark.check("J1", "J5")
def test_a_writer_killed_in_mid_write_holds_readers_up_until_it_starts_again(
    file_drop: Drop, files: Stores, tmp_path: Path
) -> None:
    """A reader may not roll back the journal that the killed writer left; it must wait, not read half a change."""
    source = file_drop.source()
    file_drop.send(source)
    path = tmp_path / "inbox.db"
    before = path.stat().st_size
    tear(path)
    assert path.stat().st_size > before
    assert (tmp_path / "inbox.db-journal").exists()

    with pytest.raises(BusyError):
        file_drop.reader.newest()
    with pytest.raises(BusyError):
        open_to_read(files.url(INBOX), INBOX)

    file_drop.inbox.sweep()

    assert [found.collection_id for found in file_drop.reader.newest()] == [source.collection_id]
    assert not (tmp_path / "inbox.db-journal").exists()


@pytest.mark.check("J1")
def test_a_failure_after_the_commit_loses_nothing(file_drop: Drop, clock: FakeClock) -> None:
    """The store says "busy" although it has committed: the rows are asked for before files are destroyed."""

    class Unsure(Database):
        def __init__(self, real: Database) -> None:
            super().__init__(real._engine, real._file)

        def _forget_when(self) -> None:
            raise BusyError("the answer was lost")

    inbox = Inbox(Unsure(file_drop.database), file_drop.shelves, clock, WORDS)
    source = file_drop.source()
    with inbox.receiving(source) as receiving:
        receiving.keep(seal(receiving))

    assert len(file_drop.files()) == 1
    assert len(file_drop.reader.submissions_of(source.collection_id)) == 1


@pytest.mark.check("J5")
def test_a_store_that_stays_busy_leaves_no_orphan(file_drop: Drop, tmp_path: Path) -> None:
    source = file_drop.source()
    with (
        subprocess.Popen(
            [sys.executable, "-c", _HOLD, tmp_path / "inbox.db"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder,
    ):
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(BusyError):
            file_drop.send(source)
        holder.communicate()

    file_drop.inbox.sweep()
    assert file_drop.folders() == []
    file_drop.send(source)
    assert len(file_drop.folders()) == 1


@pytest.mark.check("J4")
def test_a_full_disk_at_any_step_leaves_nothing_and_recovers(clock: FakeClock, tmp_path: Path) -> None:
    """With every amount of room between none and enough, each step is the one that fails."""
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=True)
    try:
        stores = Stores(lambda name: f"sqlite:///{disk / name}.db")
        drop = Drop(stores, disk, clock)
        drop.send(drop.source(), [65_536])
        outcomes = [_send_with_room(drop, room) for room in range(0, 360 * 1024, 8 * 1024)]
        stores.close()
    finally:
        subprocess.run(["umount", disk], check=True)

    assert outcomes[0] is False
    assert outcomes[-1] is True


def _send_with_room(drop: Drop, room: int) -> bool:
    """Fill the disk up to *room*, send, free it, and send again without a restart; say whether the first arrived."""
    before = drop.files(), len(drop.reader.arrived_since(None))
    ballast = drop.root / "ballast"
    ballast.write_bytes(bytes(max(shutil.disk_usage(drop.root).free - room, 0)))
    source = drop.source()
    try:
        drop.send(source, [65_536, 65_536])
        arrived = True
    except FullError:
        arrived = False
        assert (drop.files(), len(drop.reader.arrived_since(None))) == before
        assert [path for path in drop.folders() if path.parent.name == "incoming"] == []
    finally:
        ballast.unlink()
    drop.send(source, [65_536])
    _forget(drop, source)
    return arrived


def _forget(drop: Drop, source: Source) -> None:
    """Make room for the next round."""
    submissions = drop.reader.submissions_of(source.collection_id)
    ids = [submission.submission_id for submission in submissions]
    with drop.database.writing() as session:
        session.execute(delete(PartRow).where(PartRow.submission_id.in_(ids)))
        session.execute(delete(SubmissionRow).where(SubmissionRow.submission_id.in_(ids)))
    assert drop.inbox.sweep() == len(ids)


_HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""
