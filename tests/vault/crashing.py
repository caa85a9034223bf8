"""Do one thing to an inbox again and again, and die each time one step later; run as a program by tests.

Every call that changes a file, and every statement to the store, is a step. The process kills itself
before the step: nothing of ours is patched, the steps are the operating system's and the database's.
"""

import itertools
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, event

from hardening.clock import SystemClock
from hardening.database import open_to_write
from tests.clock import FakeClock
from tests.vault.drop import WORDS, seal
from vault.inbox import Inbox
from vault.objects import Shelves
from vault.tables import INBOX

CALLS = ("mkdir", "open", "fsync", "chmod", "fchmod", "utime", "rename", "unlink", "rmdir")


class Steps:
    """Counts steps, and dies before the last one wanted."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._count = 0

    def before(self, name: str) -> None:
        if self._count == self._last:
            sys.stdout.write(f"{name}\n")
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        self._count += 1

    def watch(self) -> None:
        for name in CALLS:
            setattr(os, name, self._stepping(name, getattr(os, name)))
        event.listen(Engine, "before_cursor_execute", lambda *_: self.before("statement"))
        event.listen(Engine, "commit", lambda _: self.before("commit"))

    def _stepping(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **options: object) -> object:
            self.before(name)
            return call(*arguments, **options)

        return step


def send(root: Path, last: int) -> None:
    """Send until step *last*; returns only when the submission took fewer steps."""
    database = open_to_write(f"sqlite:///{root}/inbox.db", INBOX)
    # The same ids in each run: they decide which folders are there already, and so how many steps there are.
    ids = random.Random(7)  # noqa: S311 - nobody guesses these
    inbox = Inbox(database, Shelves(root), SystemClock(), WORDS, ids.randrange)
    source = inbox.new_source(os.urandom(32), os.urandom(32))
    steps = Steps(last)
    steps.watch()
    with inbox.receiving(source) as receiving:
        for _ in range(2):
            receiving.keep(seal(receiving))
    steps.before("done")


def destroy(root: Path, last: int) -> None:
    """Destroy what was withdrawn, a month later, until step *last*."""
    database = open_to_write(f"sqlite:///{root}/inbox.db", INBOX)
    clock = FakeClock()
    clock.advance(30 * 86_400)
    inbox = Inbox(database, Shelves(root), clock, WORDS)
    steps = Steps(last)
    steps.watch()
    inbox.destroy_withdrawn()
    steps.before("done")


def main(template: Path, work: Path, deed: Callable[[Path, int], None]) -> None:
    """Make one copy of *template* for each step, and die in it."""
    for last in itertools.count():
        root = work / str(last)
        shutil.copytree(template, root)
        child = os.fork()
        if child == 0:
            deed(root, last)
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), {"send": send, "destroy": destroy}[sys.argv[3]])
