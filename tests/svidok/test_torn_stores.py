"""A writer that was killed, or lost its power, in the middle of a change: the drop comes up again all the same."""

import os
from contextlib import closing

import pytest

from svidok.children import REFUSED
from svidok.place import Place
from tests.browserlike import unix_client
from tests.svidok.console import Program, running
from tests.torn import tear


@pytest.fixture
def torn(drop: Place) -> Place:
    """A drop whose inbox was being written when everything ended."""
    path = drop.inbox / "inbox.db"
    owner = path.stat()
    tear(path)
    os.chown(f"{path}-journal", owner.st_uid, owner.st_gid)
    path.with_name("inbox.db-journal").chmod(owner.st_mode & 0o777)
    return drop


@pytest.mark.check("J1", "J2")
@pytest.mark.parametrize("process", ["keeper", "journalist"])
def test_who_only_reads_a_torn_store_will_try_again_and_does_not_refuse(
    process: str, torn: Place, svidok: Program
) -> None:
    """Only its own process can mend it; a refusal would end the whole drop before that one has had the time."""
    ended = svidok.serve(process, torn)

    assert ended.code not in (0, REFUSED)
    assert ended.err == "svidok: the store cannot be used before its own process has started again\n"


@pytest.mark.check("J1", "J2")
def test_a_drop_whose_inbox_is_torn_comes_up(torn: Place, svidok: Program) -> None:
    with running(svidok, torn.root) as going:
        for path in (torn.source_socket, torn.journalist_socket):
            going.hear("Ctrl-C stops everything.")
            with unix_client(str(path), "localhost") as client, closing(client):
                assert client.get("/").status_code == 200
        assert not (torn.inbox / "inbox.db-journal").exists()
        assert going.end() == 0
