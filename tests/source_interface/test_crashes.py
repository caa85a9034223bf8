"""Whenever the process or its gpg is killed: what was confirmed is there, whole; of the rest nothing is."""

import hashlib
import json
import random
import secrets
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from hardening.database import open_to_write
from keys.lexicon import lexicons
from tests.clock import FakeClock
from tests.source_interface.crashing import NAMES, WHICH
from tests.source_interface.house import Keyring, short_folder, until
from vault.inbox import Inbox
from vault.objects import Shelves
from vault.reading import InboxReader
from vault.tables import INBOX

_ALL = [f"{victim}:{name}:{which}" for victim in ("app", "gpg") for name in NAMES for which in WHICH]
# What stands for the rest in a short run, with some that are drawn.
_TELLING = ["app:start:middle", "app:rename:first", "app:commit:last", "app:answer:first", "gpg:write:middle"]


@dataclass(frozen=True, slots=True)
class Life:
    """One sending to a house in which somebody was killed."""

    wish: str
    root: Path
    status: int | None
    code: int


def _drawn() -> list[str]:
    source = random.Random(20261123)  # noqa: S311 - the same every time
    return source.sample([wish for wish in _ALL if wish not in _TELLING], 1)


@pytest.mark.timeout(900)
@pytest.mark.check("J1")
@pytest.mark.parametrize("plan", [[*_TELLING, *_drawn()], pytest.param(_ALL, marks=pytest.mark.full)], ids=len)
def test_a_kill_at_any_step_keeps_what_was_confirmed_and_nothing_half(plan: list[str], keyring: Keyring) -> None:
    mark = secrets.token_hex(16)
    with short_folder() as work:
        (work / "keyset").write_bytes(keyring.keyset.canonical)
        program = [sys.executable, "-m", "tests.source_interface.crashing"]
        command = [*program, str(work), str(work / "keyset"), mark, *plan]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        lives = [Life(one["wish"], Path(one["root"]), one["status"], one["code"])
                 for one in map(json.loads, done.stdout.splitlines())]  # fmt: skip
        assert [life.wish for life in lives] == plan

        outcomes = {life.wish: _after_restart(life, mark) for life in lives}

    # Both ends were seen: killed before the commit, and killed after it.
    assert outcomes["app:rename:first"] == 0
    assert outcomes["app:answer:first"] == 1


def _after_restart(life: Life, mark: str) -> int:
    """Start the source process again; give how many submissions came of the sending."""
    wish, root = life.wish, life.root
    victim, name, _ = wish.split(":")
    # 1. Who was killed is dead, and with the process all its gpgs.
    assert life.code == (-9 if victim == "app" else 0), wish
    until(lambda: not _gpgs(root.parent))
    # 2. What lies there, before anybody has cleaned up, is no plaintext.
    for path in root.rglob("*"):
        assert mark not in path.name, wish
        assert not path.is_file() or mark.encode() not in path.read_bytes(), wish
    # 3. A new start cleans up once, and then rows and files agree.
    with closing(open_to_write(f"sqlite:///{root}/inbox.db", INBOX)) as database:
        shelves = Shelves(root)
        inbox = Inbox(database, shelves, FakeClock(), lexicons()["en"].words)
        inbox.sweep()
        assert inbox.sweep() == 0, wish
        reader = InboxReader(database, shelves)
        found = reader.submissions(notice.submission_id for notice in reader.arrived_since(None))
    wanted = {
        root / "objects" / submission.submission_id[:2] / submission.submission_id / f"{part.part_id}.gpg": part
        for submission in found
        for part in submission.parts
    }
    assert list((root / "incoming").iterdir()) == [], wish
    assert set((root / "objects").rglob("*.gpg")) == set(wanted), wish
    for path, part in wanted.items():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == part.ct_sha256, wish
    # 4. Whole or not at all; confirmed means kept, and refused means gone.
    assert {tuple(sorted(part.kind for part in one.parts)) for one in found} == {("file", "manifest", "message")}
    new = len(found) - 1
    assert new in (0, 1), wish
    if victim == "gpg":
        assert life.status in (303, 500), wish
        assert new == (life.status == 303), wish
    else:
        assert life.status == (303 if name == "done" else None), wish
        assert new == 1 or life.status is None, wish
    return new


def _gpgs(work: Path) -> list[psutil.Process]:
    return [
        one
        for one in psutil.process_iter(["name", "cmdline", "status"])
        if one.info["name"] == "gpg" and one.info["status"] != "zombie" and str(work) in " ".join(one.info["cmdline"])
    ]
