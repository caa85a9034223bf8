import errno
import secrets
import stat
from contextlib import suppress
from dataclasses import replace
from datetime import date

import pytest

from hardening.database_errors import DamagedError, FullError
from hardening.files import FROZEN_AT
from ledger.entry import Received, size_class
from tests.vault.drop import Drop, seal
from vault.errors import (
    NotFoundError,
    NothingKeptError,
    PartMismatchError,
    ShareError,
    SourceClosedError,
    SourceExistsError,
    VaultError,
)
from vault.inbox import Inbox
from vault.objects import Shelves
from vault.records import Arrival, Source, Usage

TODAY = date(2026, 3, 4)


def test_a_submission_is_found_whole_by_its_readers(drop: Drop) -> None:
    source = drop.source()

    with drop.inbox.receiving(source) as receiving:
        kept = [seal(receiving, 70_000, kind) for kind in ("message", "file", "manifest")]
        for sealed in kept:
            receiving.keep(sealed)

    (submission,) = drop.reader.submissions_of(source.collection_id)
    assert submission.submission_id == receiving.submission_id
    assert submission.day == TODAY
    assert {part.part_id for part in submission.parts} == {sealed.part_id for sealed in kept}
    for sealed in kept:
        assert drop.reader.pending(Received(sealed.sha256, size_class(sealed.size_bytes), TODAY).leaf_hash())
        with drop.reader.open_part(sealed.part_id) as part:
            assert len(part.read()) == sealed.size_bytes
    assert drop.reader.submissions([submission.submission_id, "0" * 32]) == [submission]


def test_nothing_is_written_before_the_first_submission(drop: Drop) -> None:
    sources = [drop.source() for _ in range(20)]

    assert drop.reader.newest() == []
    assert drop.folders() == []
    assert [drop.inbox.find(source.lookup_id) for source in sources] == [None] * 20


def test_a_source_is_found_by_the_lookup_id_alone(drop: Drop) -> None:
    source, other = drop.source(), drop.source()

    drop.send(source)
    drop.send(other)

    assert drop.inbox.find(source.lookup_id) == source
    assert drop.inbox.find(secrets.token_bytes(32)) is None


def test_a_taken_codename_is_refused_before_and_at_the_first_submission(drop: Drop) -> None:
    """Two sources may think of the same codename before either has sent anything (C13)."""
    first, second = (drop.inbox.new_source(b"l" * 32, secrets.token_bytes(32)) for _ in range(2))
    drop.send(first)

    with pytest.raises(SourceExistsError):
        drop.inbox.new_source(b"l" * 32, secrets.token_bytes(32))
    with pytest.raises(SourceExistsError):
        drop.send(second)

    assert len(drop.folders()) == 1


def test_a_designation_drawn_twice_is_drawn_again(drop: Drop) -> None:
    few = Inbox(drop.database, drop.shelves, drop.clock, ["one", "two"])
    sources = [few.new_source(secrets.token_bytes(32), secrets.token_bytes(32)) for _ in range(4)]

    for source in sources:
        with few.receiving(source) as receiving:
            receiving.keep(seal(receiving))

    assert sorted(found.designation for found in drop.reader.newest()) == ["one one", "one two", "two one", "two two"]
    with pytest.raises(VaultError):
        few.new_source(secrets.token_bytes(32), secrets.token_bytes(32))


@pytest.mark.parametrize(
    "fault", [ValueError(), KeyboardInterrupt(), GeneratorExit(), SystemExit(), OSError(errno.EIO, "")]
)
def test_a_block_that_ends_badly_leaves_nothing(drop: Drop, fault: BaseException) -> None:
    source = drop.source()

    with pytest.raises(type(fault)), drop.inbox.receiving(source) as receiving:
        receiving.keep(seal(receiving))
        receiving.place("0" * 32).write_bytes(b"half")
        raise fault

    assert drop.folders() == []
    assert drop.reader.newest() == []
    assert drop.inbox.find(source.lookup_id) is None


def test_an_abandoned_block_leaves_nothing(drop: Drop) -> None:
    """A cancelled request closes the generator instead of finishing it."""
    lent = drop.inbox.receiving(drop.source())
    receiving = lent.__enter__()
    receiving.keep(seal(receiving))

    del lent

    assert drop.folders() == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.check("J4")
def test_a_full_disk_is_called_full(drop: Drop, code: int) -> None:
    with pytest.raises(FullError), drop.inbox.receiving(drop.source()):
        raise OSError(code, "")

    assert drop.folders() == []


def test_a_submission_without_parts_is_refused(drop: Drop) -> None:
    with pytest.raises(NothingKeptError), drop.inbox.receiving(drop.source()):
        pass

    assert drop.folders() == []


@pytest.mark.check("T8")
def test_a_part_is_kept_once(drop: Drop) -> None:
    with pytest.raises(PartMismatchError), drop.inbox.receiving(drop.source()) as receiving:
        sealed = seal(receiving)
        receiving.keep(sealed)
        receiving.keep(sealed)

    assert drop.folders() == []


@pytest.mark.check("T8")
def test_the_same_bytes_are_stored_once(drop: Drop) -> None:
    """Sealing is randomised: equal ciphertext means that something was stored a second time."""
    first, second = drop.source(), drop.source()
    with drop.inbox.receiving(first) as receiving:
        sealed = seal(receiving)
        receiving.keep(sealed)

    with pytest.raises(PartMismatchError), drop.inbox.receiving(second) as again:
        again.place(sealed.part_id).write_bytes(bytes(sealed.size_bytes))
        again.keep(sealed)

    assert [path.name for path in drop.files()] == [f"{sealed.part_id}.gpg"]
    assert len(drop.reader.newest()) == 1


def test_what_is_kept_must_be_there_and_nothing_else(drop: Drop) -> None:
    with pytest.raises(PartMismatchError), drop.inbox.receiving(drop.source()) as receiving:
        sealed = seal(receiving)
        receiving.keep(replace(sealed, size_bytes=sealed.size_bytes + 1))
    with pytest.raises(PartMismatchError), drop.inbox.receiving(drop.source()) as receiving:
        receiving.keep(replace(sealed, part_id="0" * 32))
    with pytest.raises(PartMismatchError), drop.inbox.receiving(drop.source()) as receiving:
        receiving.keep(seal(receiving))
        seal(receiving)
    with pytest.raises(PartMismatchError), drop.inbox.receiving(drop.source()) as receiving:
        receiving.place("../escape")

    assert drop.folders() == []


def usage(drop: Drop, source: Source) -> Usage:
    found = drop.inbox.standing(source.lookup_id)
    assert found is not None
    assert found[0] == source
    return found[1]


@pytest.mark.check("D10")
def test_usage_counts_today_and_forgets_yesterday(drop: Drop) -> None:
    source, other = drop.source(), drop.source()
    drop.send(source, [65_536, 131_072])
    drop.send(source, [65_536], "message")
    drop.send(source, [65_536], "manifest")
    drop.send(other, [65_536])

    assert usage(drop, source) == Usage(327_680, 3)
    drop.clock.advance(86_400)
    assert usage(drop, source) == Usage(0, 0)


@pytest.mark.check("D10")
def test_what_would_be_more_than_a_share_leaves_nothing(drop: Drop) -> None:
    source = drop.source()
    drop.send(source, [65_536])
    shares = {Usage(131_072, 9): False, Usage(10**9, 1): False, Usage(131_073, 2): True}
    before = drop.folders()

    for share, enough in shares.items():
        with suppress(ShareError), drop.inbox.receiving(source, share) as receiving:
            receiving.keep(seal(receiving, 65_537))
        assert (drop.folders() != before) is enough

    assert usage(drop, source) == Usage(131_073, 2)


def test_a_source_sees_days_and_kinds_of_what_arrived(drop: Drop) -> None:
    source = drop.source()
    drop.send(source, [65_536, 65_536])
    drop.send(source, kind="message")
    drop.clock.advance(86_400)
    drop.send(source)
    drop.send(drop.source())

    assert drop.inbox.arrivals(source) == [
        Arrival(TODAY, "file", 2),
        Arrival(TODAY, "message", 1),
        Arrival(date(2026, 3, 5), "file", 1),
    ]


def test_closing_hides_the_source_and_keeps_the_collection(drop: Drop) -> None:
    source = drop.source()
    drop.send(source)
    drop.inbox.delete_reply(source, "ab" * 16)

    drop.inbox.close(source)

    assert drop.inbox.find(source.lookup_id) is None
    assert drop.reader.closed() == frozenset({source.collection_id})
    assert drop.reader.collection(source.collection_id).closed
    assert drop.reader.deleted_replies() == frozenset()
    with pytest.raises(SourceClosedError):
        drop.send(source)
    assert len(drop.folders()) == 1


def test_a_deleted_reply_is_marked_until_the_outbox_has_destroyed_it(drop: Drop) -> None:
    source = drop.source()
    drop.send(source)

    drop.inbox.delete_reply(source, "ab" * 16)
    drop.inbox.delete_reply(source, "ab" * 16)

    assert drop.inbox.deleted_replies(source) == drop.reader.deleted_replies() == frozenset({"ab" * 16})
    drop.inbox.forget_deletions(["ab" * 16])
    assert drop.reader.deleted_replies() == frozenset()


@pytest.mark.check("K2")
def test_stored_files_and_folders_tell_no_time(file_drop: Drop) -> None:
    file_drop.send(file_drop.source(), [65_536, 65_536])

    paths = [*file_drop.root.rglob("*"), file_drop.root]
    assert len(paths) > 6
    moments = {(path.name, path.lstat().st_mtime) for path in paths if path.lstat().st_mtime != FROZEN_AT.timestamp()}
    assert {name for name, _ in moments} <= {"outbox.db"}


def test_only_the_group_reads_and_only_the_owner_writes(file_drop: Drop) -> None:
    file_drop.send(file_drop.source())

    (part,) = file_drop.files()
    assert stat.S_IMODE(part.stat().st_mode) == 0o640
    assert stat.S_IMODE(part.parent.stat().st_mode) == 0o750
    assert stat.S_IMODE((file_drop.root / "incoming").stat().st_mode) == 0o2700
    assert stat.S_IMODE((file_drop.root / "inbox.db").stat().st_mode) == 0o640


@pytest.mark.check("F9")
def test_a_part_can_be_stored_so_that_its_owner_cannot_read_it(file_drop: Drop) -> None:
    blind = Inbox(file_drop.database, Shelves(file_drop.root, part_mode=0o040), file_drop.clock, ["one", "two"])

    with blind.receiving(file_drop.source()) as receiving:
        receiving.keep(seal(receiving))

    assert stat.S_IMODE(file_drop.files()[0].stat().st_mode) == 0o040
    assert blind.sweep() == 0


def test_a_sweep_removes_what_has_no_row(drop: Drop) -> None:
    drop.send(drop.source())
    kept = drop.files()
    for stray in ("incoming/" + "a" * 32, "objects/bb/" + "b" * 32, "objects/cc/" + "d" * 32):
        (drop.root / stray).mkdir(parents=True)
        (drop.root / stray / "part.gpg").write_bytes(b"half")
    (kept[0].parent / "stray").write_bytes(b"?")
    (drop.root / "objects" / "bb" / "link").symlink_to(kept[0].parent)

    assert drop.inbox.sweep() == 5

    assert drop.files() == kept
    assert drop.inbox.sweep() == 0


@pytest.mark.parametrize("loss", ["gone", "short", "link"])
@pytest.mark.check("J1")
def test_a_row_without_its_file_is_told_loudly_and_nothing_is_touched(drop: Drop, loss: str) -> None:
    drop.send(drop.source())
    (part,) = drop.files()
    (drop.root / "incoming" / "left").mkdir()
    content = part.read_bytes()
    part.unlink()
    if loss == "short":
        part.write_bytes(content[:-1])
    if loss == "link":
        (drop.root / "elsewhere").write_bytes(content)
        part.symlink_to(drop.root / "elsewhere")

    with pytest.raises(DamagedError):
        drop.inbox.sweep()

    assert (drop.root / "incoming" / "left").exists()


def test_a_missing_part_is_not_found(drop: Drop) -> None:
    drop.send(drop.source())
    (part,) = drop.files()
    part_id = part.name.removesuffix(".gpg")

    with drop.reader.open_part(part_id) as opened:
        part.unlink()
        assert len(opened.read()) == 65_536
    with pytest.raises(NotFoundError):
        drop.reader.open_part(part_id)
    with pytest.raises(NotFoundError):
        drop.reader.open_part("0" * 32)
