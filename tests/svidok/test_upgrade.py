"""A drop whose stores an older version has made: it does not run before it was brought up, and then with all it has."""

import json
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from hardening.database import open_store
from hardening.migrating import create
from settings import load
from svidok.commands import evaluate
from svidok.evaluation import Trial
from svidok.place import Place
from tests.browserlike import unix_client
from tests.stores import earlier
from tests.svidok.console import Console, Program, owner, running, tree
from vault.tables import INBOX

MakeOld = Callable[[Place], Place]
_SOURCE = """
INSERT INTO sources (collection_id, designation, lookup_id, public_key, last_day, closed)
VALUES (:id, 'amber tonic', :secret, :secret, '2026-03-04', false)
"""
_LOOK = "SELECT designation, length(progress) FROM sources"


@pytest.fixture
def make_old(tmp_path: Path) -> MakeOld:
    """Puts an inbox of the first version, with one source, in the place of the one that is there."""

    def make(place: Place) -> Place:
        file = place.inbox / "inbox.db"
        found = file.stat()
        file.unlink()
        url = place.database("inbox", "")
        create(url, earlier(INBOX, "inbox_0001", tmp_path))
        os.chown(file, found.st_uid, found.st_gid)
        file.chmod(found.st_mode & 0o7777)
        with closing(open_store(url, "rw")) as database, database.writing() as session:
            session.execute(text(_SOURCE), {"id": "a" * 32, "secret": b"s" * 32})
        return place

    return make


@pytest.fixture
def old(drop: Place, make_old: MakeOld) -> Place:
    return make_old(drop)


def sources(place: Place) -> list[tuple[str, int]]:
    with closing(open_store(place.database("inbox", ""), "ro")) as database, database.reading() as session:
        return [(words, length) for words, length in session.execute(text(_LOOK))]


@pytest.mark.check("J6")
def test_a_drop_with_an_old_store_does_not_run_and_says_what_helps(old: Place, console: Console) -> None:
    before = tree(old.inbox)

    said = console("run", old.root, "--tor", "off")

    assert said.refusal == (
        f"the inbox store was made by an older version; bring it up first: svidok upgrade {old.root}"
    )
    assert tree(old.inbox) == before
    assert list(old.run.iterdir()) == []


def test_it_is_brought_up_with_what_it_holds_and_then_runs(old: Place, console: Console, svidok: Program) -> None:
    file = old.inbox / "inbox.db"
    before = owner(file)

    said = console("upgrade", old.root)

    assert said.done.splitlines() == [
        "inbox      inbox_0001 -> inbox_0002",
        "outbox     outbox_0001, nothing to do",
        "reviewers  reviewers_0001, nothing to do",
    ]
    assert sources(old) == [("amber tonic", 512)]
    assert owner(file) == before
    assert [path.name for path in old.inbox.glob("inbox.db*")] == ["inbox.db"]
    with running(svidok, old.root) as going:
        going.hear("Ctrl-C stops everything.")
        with unix_client(str(old.source_socket), "localhost") as client:
            assert client.get("/").status_code == 200
        assert going.end() == 0


def test_a_second_time_there_is_nothing_to_do(old: Place, console: Console) -> None:
    first, second = (json.loads(console("upgrade", old.root, "--json").done)["stores"] for _ in range(2))

    assert first[0] == {"store": "inbox", "before": "inbox_0001", "now": "inbox_0002"}
    assert all(store["before"] == store["now"] for store in second)


@pytest.mark.check("J6")
def test_no_store_is_brought_up_beside_one_of_a_newer_version(old: Place, console: Console) -> None:
    with closing(open_store(old.database("reviewers", ""), "rw")) as database, database.writing() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'reviewers_9999'"))
    before = tree(old.root)

    said = console("upgrade", old.root)

    assert "the reviewers store has version reviewers_9999, this program needs reviewers_0001" in said.refusal
    assert tree(old.root) == before


@pytest.mark.check("J6")
def test_a_missing_store_is_not_made(old: Place, console: Console) -> None:
    (old.outbox / "outbox.db").unlink()
    before = tree(old.root)

    assert "there is no store at outbox.db" in console("upgrade", old.root).refusal
    assert tree(old.root) == before


def test_a_drop_that_runs_is_left_alone(drop: Place, console: Console, svidok: Program) -> None:
    with running(svidok, drop.root) as going:
        going.hear("Ctrl-C stops everything.")

        assert console("upgrade", drop.root).refusal == f"the drop in {drop.root} runs: stop it first"


def test_what_is_no_drop_is_refused(console: Console, tmp_path: Path) -> None:
    assert "is not the folder of a drop" in console("upgrade", tmp_path).refusal


def test_a_drop_for_trying_out_brings_itself_up(
    bare_drop: Place, make_old: MakeOld, short_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its other parts are set up in the tests of `svidok evaluate`."""
    root = short_folder / "trial"
    root.mkdir()
    (root / "drop").symlink_to(make_old(bare_drop).root)
    place = Trial(root).place

    evaluate.bring_up(place, load(place.settings))
    evaluate.bring_up(place, load(place.settings))

    assert capsys.readouterr().out == "brought the inbox store from inbox_0001 to inbox_0002\n"
    assert sources(place) == [("amber tonic", 512)]
