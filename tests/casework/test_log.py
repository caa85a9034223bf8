import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from casework.errors import EventError, StoreFailedError, StoreLockedError, StoreVersionError
from casework.events import Kind
from casework.log import CaseLog
from hardening.canonical import JSON
from tests.casework.chains import AMBER, BIRCH, DAY, PASSPHRASE, append, by_hand, check, filled, sign_as


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two chains of five events; to make a key of the passphrase takes a while, and so once is enough."""
    path = tmp_path_factory.mktemp("log") / "casework.db"
    filled(path).close()
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "casework.db"


@pytest.fixture
def log(template: Path, path: Path) -> Iterator[CaseLog]:
    shutil.copy(template, path)
    opened = CaseLog.open(path, PASSPHRASE)
    yield opened
    opened.close()


def test_events_are_given_back_in_the_order_of_each_chain(log: CaseLog) -> None:
    events = [signed.event for signed in log.events()]

    assert [(event.reviewer, event.index) for event in events] == [
        *((AMBER, index) for index in range(5)),
        *((BIRCH, index) for index in range(5)),
    ]


@pytest.mark.check("L3")
def test_whole_chains_verify_and_end_in_their_hashes(log: CaseLog) -> None:
    last = {signed.event.reviewer: signed.event.hash() for signed in log.events()}

    verified = log.verify(check)

    assert (verified.events, verified.heads) == (10, last)


def test_it_is_taken_up_again_where_it_ended(log: CaseLog) -> None:
    assert append(log, AMBER, "f" * 32).index == 5
    assert log.verify(check).events == 11


@pytest.mark.parametrize("passphrase", ["wrong", PASSPHRASE + " ", PASSPHRASE.upper()])
def test_a_wrong_passphrase_is_told_plainly(template: Path, passphrase: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StoreLockedError, match="the passphrase does not open the case log"):
        CaseLog.open(template, passphrase)

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("passphrase", ["", "a\0b"])
def test_without_a_passphrase_there_is_no_log(path: Path, passphrase: str) -> None:
    """An empty key would be a database in clear."""
    with pytest.raises(StoreLockedError):
        CaseLog.create(path, passphrase)

    assert not path.exists()


@pytest.mark.parametrize("passphrase", ["'; DROP TABLE events; --", "x'" + "ab" * 32 + "'", "паролі 🔑", '"', "\\"])
def test_any_passphrase_is_only_a_passphrase(path: Path, passphrase: str) -> None:
    log = CaseLog.create(path, passphrase)
    append(log, AMBER, "0" * 32)
    log.close()

    again = CaseLog.open(path, passphrase)

    assert again.verify(check).events == 1
    again.close()


def test_nothing_stands_on_the_disk_in_clear(path: Path) -> None:
    log = CaseLog.create(path, PASSPHRASE)
    body: dict[str, JSON] = {"submission": "c0ffee" * 5, "source_key": "07" * 32}
    log.append(AMBER, lambda event: sign_as(AMBER, event), DAY, (Kind.OPENED, body))
    log.close()

    on_disk = b"".join(file.read_bytes() for file in path.parent.iterdir())

    assert b"c0ffee" not in on_disk
    assert b"events" not in on_disk
    assert b"SQLite format" not in on_disk
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_that_is_there_is_never_made_anew(log: CaseLog, path: Path) -> None:
    with pytest.raises(FileExistsError):
        CaseLog.create(path, PASSPHRASE)

    assert log.verify(check).events == 10


def test_what_a_crash_left_of_making_one_does_not_matter(path: Path) -> None:
    path.with_name(".casework.db.part").write_bytes(b"half")
    path.with_name(".casework.db.part-journal").write_bytes(b"a journal of another life")

    log = CaseLog.create(path, PASSPHRASE)

    assert log.verify(check).events == 0
    assert [file.name for file in path.parent.iterdir()] == ["casework.db"]
    log.close()


def test_no_log_and_no_database_are_refused(path: Path) -> None:
    with pytest.raises(StoreLockedError, match="no case log here"):
        CaseLog.open(path, PASSPHRASE)
    path.write_bytes(os.urandom(8192))
    with pytest.raises(StoreLockedError):
        CaseLog.open(path, PASSPHRASE)


def test_another_version_is_refused(log: CaseLog, path: Path) -> None:
    with log._engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 2")

    with pytest.raises(StoreVersionError, match="not 2"):
        CaseLog.open(path, PASSPHRASE)


def test_what_was_appended_together_is_kept_together_or_not_at_all(log: CaseLog) -> None:
    def refuse(_body: bytes) -> bytes:
        raise RuntimeError("the key did not sign")

    with pytest.raises(RuntimeError), log.appending(AMBER, lambda body: sign_as(AMBER, body)) as end:
        end.append(DAY, (Kind.KEYSET, {}))
        end._sign = refuse
        end.append(DAY, (Kind.KEYSET, {}))

    assert log.verify(check).events == 10


@pytest.mark.check("L3")
@pytest.mark.parametrize(
    ("change", "at", "named"),
    [
        pytest.param("DELETE FROM events", 2, f"event 3 of {BIRCH}", id="dropped"),
        pytest.param("DELETE FROM events", 0, f"event 1 of {BIRCH}", id="the first dropped"),
        pytest.param(
            "UPDATE events SET body = CAST(replace(body, '0', '1') AS BLOB)",
            2,
            f"event 2 of {BIRCH}",
            id="changed",
        ),
        pytest.param("UPDATE events SET signature = x'00'", 4, f"event 4 of {BIRCH}", id="unsigned"),
        pytest.param('UPDATE events SET "index" = 9', 4, f"event 9 of {BIRCH}", id="moved"),
        pytest.param(
            'UPDATE events SET body = (SELECT body FROM events WHERE reviewer = ?1 AND "index" = 3)',
            2,
            f"event 2 of {BIRCH}",
            id="repeated",
        ),
        pytest.param("UPDATE events SET reviewer = 'C', \"index\" = 0", 4, "event 0 of C", id="given to another"),
    ],
)
def test_a_changed_chain_is_found_and_the_event_named(log: CaseLog, change: str, at: int, named: str) -> None:
    by_hand(log, change, BIRCH, at)

    with pytest.raises(EventError, match=named):
        log.verify(check)


@pytest.mark.check("L3")
def test_reordered_events_are_found(log: CaseLog) -> None:
    for before, after in ((1, 100), (2, 1), (100, 2)):
        by_hand(log, 'UPDATE events SET "index" = ?3', AMBER, before, after)

    with pytest.raises(EventError, match=f"event 1 of {AMBER}"):
        log.verify(check)


@pytest.mark.check("L3")
def test_every_byte_of_an_event_counts(log: CaseLog) -> None:
    body = next(iter(log.events())).body
    for at in range(0, len(body), 2):
        flipped = bytearray(body)
        flipped[at] ^= 1
        by_hand(log, "UPDATE events SET body = ?3", AMBER, 0, bytes(flipped))

        with pytest.raises(EventError, match=r"event [01] of A"):
            log.verify(check)


def test_a_flipped_byte_of_the_file_is_told_and_not_read_over(log: CaseLog, path: Path) -> None:
    with log.appending(AMBER, lambda body: sign_as(AMBER, body)) as end:
        for _ in range(200):
            end.append(DAY, (Kind.KEYSET, {"keyset": "5" * 64}))
    log.close()
    content = bytearray(path.read_bytes())
    for at in range(len(content) // 2, len(content), 4096):
        content[at] ^= 1
    path.write_bytes(content)
    damaged = CaseLog.open(path, PASSPHRASE)

    with pytest.raises(StoreFailedError, match="cannot be read or written"):
        damaged.verify(check)
    damaged.close()


@pytest.mark.check("J1")
def test_a_kill_while_appending_leaves_a_whole_chain(log: CaseLog, path: Path) -> None:
    log.close()
    writer = subprocess.Popen(
        [sys.executable, "-c", _ENDLESS, str(path)], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    )
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(20)]
    writer.send_signal(signal.SIGKILL)
    told += [int(line) for line in writer.stdout.read().split()]
    writer.wait()
    writer.stdout.close()

    again = CaseLog.open(path, PASSPHRASE)

    # Each event that was told is there; one more may have been kept before the kill could be told.
    assert again.verify(check).events - 10 in (len(told), len(told) + 1)
    again.close()


_ENDLESS = """
import sys
from pathlib import Path
from casework.log import CaseLog
from hardening.canonical import JSON
from tests.casework.chains import AMBER, PASSPHRASE, append
log = CaseLog.open(Path(sys.argv[1]), PASSPHRASE)
while True:
    print(append(log, AMBER, "e" * 32).index, flush=True)
"""
