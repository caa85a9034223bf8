"""Do one thing at a desk again and again, and die each time one step later; run as a program by `test_crashes`.

Every call that changes names or forces something to the disk, and every commit of the case log, is a step. The process
kills itself before the step: nothing of ours is patched, the steps are the operating system's and the database's. Of
several steps of one kind in a row it may take the first alone.
"""

import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine, event

from tests.clock import FakeClock
from workstation.desk import Desk, open_desk
from workstation.finding import find
from workstation.intake import take_in
from workstation.outbox import pack
from workstation.reading import judge, open_all

CALLS = ("mkdir", "fsync", "rename", "replace", "unlink", "rmdir")


class Steps:
    """Counts steps, and dies before the last one wanted."""

    def __init__(self, last: int, *, every: bool) -> None:
        self._last = last
        self._every = every
        self._count = 0
        self._previous = ""

    def before(self, name: str) -> None:
        if name == self._previous and not self._every:
            return
        self._previous = name
        if self._count == self._last:
            sys.stdout.write(f"{name}\n")
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        self._count += 1

    def watch(self) -> None:
        for name in CALLS:
            setattr(os, name, self._stepping(name, getattr(os, name)))
        event.listen(Engine, "commit", lambda _: self.before("commit"))

    def _stepping(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **options: object) -> object:
            self.before(name)
            return call(*arguments, **options)

        return step


def do(action: str, desk: Desk, bag: Path) -> None:
    """Do one thing; a folder that is opened lies beside the desk."""
    if action == "import":
        take_in(bag, desk)
    elif action == "open":
        open_all([judge(one, desk) for one in find(desk.cases(), "quiet heron")], opened(desk.layout.root), desk)
    else:
        pack(desk)


def opened(root: Path) -> Path:
    return root.with_name(f"{root.name}-opened")


def main(template: Path, work: Path, action: str, passphrase: str, bag: Path) -> None:
    """Make one copy of the desk *template* for each step, and die in it; *action* with a plus means every step."""
    for last in itertools.count():
        root = work / str(last)
        shutil.copytree(template, root, ignore=shutil.ignore_patterns("S.*"))
        child = os.fork()
        if child == 0:
            desk = open_desk(root, lambda: passphrase, FakeClock())
            steps = Steps(last, every=action.endswith("+"))
            steps.watch()
            do(action.rstrip("+"), desk, bag)
            steps.before("done")
            desk.close()
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            return


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4], Path(sys.argv[5]))
