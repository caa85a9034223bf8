"""A writer that was killed, or lost its power, in the middle of a change: the drop comes up again all the same."""

import os
import subprocess
import sys
from contextlib import closing

import pytest

from hardening.listeners import bind_unix
from svidok.children import REFUSED
from svidok.place import Place
from tests.browserlike import unix_client
from tests.svidok.console import Program, running

_TORN = """
import os, sqlite3, sys
torn = sqlite3.connect(sys.argv[1], isolation_level=None)
torn.execute("PRAGMA cache_size=1")
torn.execute("BEGIN EXCLUSIVE")
torn.executemany("INSERT INTO pending_leaves VALUES (?)", ((os.urandom(32),) for _ in range(5000)))
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def torn(drop: Place) -> Place:
    """A drop whose inbox was being written when everything ended."""
    path = drop.inbox / "inbox.db"
    owner = path.stat()
    subprocess.run([sys.executable, "-c", _TORN, path], check=False)
    os.chown(f"{path}-journal", owner.st_uid, owner.st_gid)
    path.with_name("inbox.db-journal").chmod(owner.st_mode & 0o777)
    return drop


@pytest.mark.check("J1", "J2")
@pytest.mark.parametrize("process", ["keeper", "journalist"])
def test_who_only_reads_a_torn_store_will_try_again_and_does_not_refuse(
    process: str, torn: Place, svidok: Program
) -> None:
    """Only its own process can mend it; a refusal would end the whole drop before that one has had the time."""
    bound = [bind_unix(path) for path in (torn.source_broker, torn.reviewer_broker)]
    words = [word for one in bound for word in ("--fd", str(one.fileno()))]

    ended = subprocess.run(
        [*svidok.command, "serve", process, str(torn.root), *words, "--tor", "off", "--parent", str(os.getpid())],
        check=False,
        capture_output=True,
        text=True,
        env=svidok.environment,
        pass_fds=[one.fileno() for one in bound],
        timeout=60,
    )
    for one in bound:
        one.close()

    assert ended.returncode not in (0, REFUSED)
    assert ended.stderr == "svidok: the store cannot be used before its own process has started again\n"


@pytest.mark.check("J1", "J2")
def test_a_drop_whose_inbox_is_torn_comes_up(torn: Place, svidok: Program) -> None:
    with running(svidok, torn.root) as going:
        for path in (torn.source_socket, torn.journalist_socket):
            going.hear("Ctrl-C stops everything.")
            with unix_client(str(path), "localhost") as client, closing(client):
                assert client.get("/").status_code == 200
        assert not (torn.inbox / "inbox.db-journal").exists()
        assert going.end() == 0
