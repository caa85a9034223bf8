"""A store that an earlier version made goes on with everything that it holds."""

import secrets
import shutil
from contextlib import ExitStack
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import text

from hardening.database import open_store, open_to_read, open_to_write
from hardening.database_errors import OldVersionError, VersionError
from hardening.migrating import create, last_version, upgrade, upgrading
from tests.clock import FakeClock
from tests.stores import Stores, earlier
from tests.vault.drop import WORDS, Drop
from vault.inbox import Inbox
from vault.objects import Shelves
from vault.reading import InboxReader
from vault.records import PROGRESS_BYTES
from vault.tables import INBOX, OUTBOX

TODAY = date(2026, 3, 4)
_OPEN = """
INSERT INTO sources (collection_id, designation, lookup_id, public_key, last_day, closed)
VALUES (:id, :words, :lookup_id, :public_key, '2026-03-04', false)
"""
_CLOSED = """
INSERT INTO sources (collection_id, designation, lookup_id, public_key, last_day, closed)
VALUES (:id, :words, NULL, NULL, '2026-03-03', true)
"""


@pytest.fixture
def old(stores: Stores, tmp_path: Path) -> str:
    """The URL of an inbox of the first version with two sources, a closed one, and a submission of the first."""
    folder = tmp_path / "steps"
    folder.mkdir()
    stores.made.add("inbox")
    url = stores.url(INBOX)
    create(url, earlier(INBOX, "inbox_0001", folder))
    database = open_store(url, "rw")
    with database.writing() as session:
        for letter in "ab":
            secret = letter.encode() * 32
            session.execute(
                text(_OPEN), {"id": letter * 32, "words": f"{letter} word", "lookup_id": secret, "public_key": secret}
            )
        session.execute(text(_CLOSED), {"id": "c" * 32, "words": "c word"})
        session.execute(
            text("INSERT INTO submissions (submission_id, collection_id, day) VALUES (:id, :of, '2026-03-04')"),
            {"id": "d" * 32, "of": "a" * 32},
        )
        session.execute(
            text("INSERT INTO deleted_replies (reply_id, collection_id) VALUES (:id, :of)"),
            {"id": "e" * 32, "of": "a" * 32},
        )
    database.close()
    return url


@pytest.mark.check("J6")
def test_an_old_store_is_refused_and_says_what_helps(old: str) -> None:
    for opening in (open_to_write, open_to_read):
        with pytest.raises(OldVersionError, match=r"inbox_0001.*inbox_0002: svidok upgrade brings it up"):
            opening(old, INBOX)


@pytest.mark.check("J6")
def test_an_old_inbox_keeps_everything_and_gives_each_source_a_progress_that_nobody_can_read(
    old: str, tmp_path: Path, clock: FakeClock
) -> None:
    with upgrading(old, INBOX) as found:
        assert found == "inbox_0001"

    database = open_to_write(old, INBOX)
    shelves = Shelves(tmp_path)
    inbox, reader = Inbox(database, shelves, clock, WORDS), InboxReader(database, shelves)
    (first, second) = (inbox.find(letter * 32) for letter in (b"a", b"b"))
    assert first is not None
    assert second is not None
    assert (first.collection_id, first.designation, first.public_key) == ("a" * 32, "a word", b"a" * 32)
    progress = [inbox.progress(source) for source in (first, second)]
    assert {len(each or b"") for each in progress} == {PROGRESS_BYTES}
    assert len(set(progress)) == 2
    listed = [(one.designation, one.last_day, one.submissions, one.closed) for one in reader.newest()]
    assert listed == [
        ("a word", TODAY, 1, False),
        ("b word", TODAY, 0, False),
        ("c word", date(2026, 3, 3), 0, True),
    ]
    assert inbox.deleted_replies(first) == {"e" * 32}
    database.close()


def test_a_store_brought_up_is_the_same_as_one_that_is_made_new(old: str, stores: Stores, clock: FakeClock) -> None:
    """The shape itself is compared in the tests of hardening: there, making a new one takes the same steps."""
    upgrade(old, INBOX)
    assert last_version(INBOX) == INBOX.version
    database = stores.to_write(INBOX)
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM sources")) == 3
        rules = {
            "closed = false": "UPDATE sources SET closed = true",
            "no progress": "UPDATE sources SET progress = NULL",
        }

    for rule, change in rules.items():
        with pytest.raises(Exception, match=r"(?i)check"), database.writing() as session:
            session.execute(text(f"{change} WHERE NOT closed"))
            pytest.fail(rule)


@pytest.mark.check("J6")
def test_stores_are_brought_up_together_or_not_at_all(old: str, stores: Stores, tmp_path: Path) -> None:
    """The second store turns out to be of a newer program: the first stays what it was."""
    with stores.to_write(OUTBOX).writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'outbox_9999'"))

    with pytest.raises(VersionError, match="outbox_9999"), ExitStack() as together:
        for url, schema in ((old, INBOX), (stores.url(OUTBOX), OUTBOX)):
            together.enter_context(upgrading(url, schema))

    with pytest.raises(OldVersionError):
        open_to_write(old, INBOX)


def test_what_is_sent_after_an_upgrade_is_kept(old: str, stores: Stores, tmp_path: Path, clock: FakeClock) -> None:
    upgrade(old, INBOX)
    shutil.rmtree(tmp_path / "steps")
    drop = Drop(stores, tmp_path, clock)
    source = drop.inbox.new_source(secrets.token_bytes(32), secrets.token_bytes(32))

    submission_id = drop.send(source)

    assert [one.submission_id for one in drop.reader.submissions_of(source.collection_id)] == [submission_id]
