import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from casework.events import Kind
from keys.gpg import Gpg, stop_agent
from tests.clock import FakeClock
from tests.drop import Drop, Sent, file, words
from tests.keyring import Reviewer
from tests.workstation.crashing import do, opened
from tests.workstation.test_intake import contents
from tests.workstation.test_outbox import as_the_server_reads
from workstation.desk import Desk, open_desk
from workstation.errors import OutboxError
from workstation.intake import take_in
from workstation.outbox import Returned, reply

_STEPS = pytest.mark.parametrize("every", ["", pytest.param("+", marks=pytest.mark.full)])


@pytest.fixture
def sent(drop: Drop) -> Sent:
    return drop.send(drop.source(), words("hello"), file("a.bin", b"\x00" * 100))


@pytest.fixture
def bag(drop: Drop, sent: Sent) -> Path:
    return drop.bag(sent)


@pytest.fixture
def desks(amber: Reviewer, short_path: Path) -> Iterator["Desks"]:
    made = Desks(amber, short_path)
    yield made
    for home in short_path.glob("*/gnupg"):
        stop_agent(Gpg(home))


class Desks:
    """The desks in which a command was killed, one for each step."""

    def __init__(self, reviewer: Reviewer, work: Path) -> None:
        self.work = work
        self.steps: list[str] = []
        self._reviewer = reviewer

    def kill(self, action: str, template: Path, bag: Path) -> None:
        program = [sys.executable, "-m", "tests.workstation.crashing"]
        words = [str(template), str(self.work), action, self._reviewer.passphrase, str(bag)]
        done = subprocess.run([*program, *words], check=True, capture_output=True, text=True)
        self.steps = done.stdout.split()
        assert self.steps[-1] == "done"

    def opened_again(self) -> Iterator[tuple[str, Desk]]:
        for number, step in enumerate(self.steps):
            root = self.work / str(number)
            with contextlib.closing(open_desk(root, lambda: self._reviewer.passphrase, FakeClock())) as desk:
                yield step, desk


def kinds(desk: Desk) -> list[Kind]:
    return [signed.event.kind for signed in desk.log.events()]


@pytest.mark.check("J1")
@_STEPS
def test_an_import_that_was_killed_at_any_step_is_finished_by_the_next(
    desk: Desk, desks: Desks, bag: Path, sent: Sent, every: str
) -> None:
    desk.close()
    desks.kill(f"import{every}", desk.layout.root, bag)
    assert {"mkdir", "fsync", "rename", "commit", "done"} <= set(desks.steps)

    results: list[dict[str, bytes]] = []
    for _step, again in desks.opened_again():
        taken = take_in(bag, again)
        assert {*taken.new, *taken.known} == {sent.submission}
        assert (taken.conflicts, taken.problems) == ((), ())
        assert kinds(again) == [Kind.KEYSET, Kind.IMPORTED]
        assert again.verify_log().events == 2
        results.append(contents(again))

    assert all(result == results[0] for result in results)
    assert len(results[0]) == 6


@pytest.mark.check("J1", "Q2")
@_STEPS
def test_an_opening_that_was_killed_at_any_step_shows_all_or_nothing(
    desk: Desk, desks: Desks, bag: Path, every: str
) -> None:
    take_in(bag, desk)
    desk.close()
    desks.kill(f"open{every}", desk.layout.root, bag)
    assert {"mkdir", "fsync", "rename", "commit", "done"} <= set(desks.steps)

    for _step, again in desks.opened_again():
        target = opened(again.layout.root)
        if target.exists():
            # Killed when all was done but the telling: then it was recorded, too.
            assert kinds(again)[-1] is Kind.OPENED
        else:
            do("open", again, bag)
        (folder,) = target.iterdir()
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
            "a.bin": b"\x00" * 100,
            "names.json": b'{"a.bin":"a.bin"}',
        }
        assert not target.with_name(f".{target.name}.part").exists()
        assert again.verify_log().events >= 3


@pytest.mark.check("J1")
@_STEPS
def test_a_return_bag_that_was_killed_at_any_step_is_finished_by_the_next(
    desk: Desk, desks: Desks, bag: Path, drop: Drop, every: str
) -> None:
    take_in(bag, desk)
    reply(next(iter(desk.cases().collections.values())), "words", desk)
    desk.close()
    desks.kill(f"outbox{every}", desk.layout.root, bag)
    assert {"fsync", "rename", "commit", "done"} <= set(desks.steps)

    for _step, again in desks.opened_again():
        # Killed when all was done but the telling: nothing more is to be sent.
        with contextlib.suppress(OutboxError):
            do("outbox", again, bag)
        path = again.layout.outbox / "return-000001.tar"
        returned = Returned(path, path.with_name(f"{path.name}.sig"), 1, 1, 3)
        read = as_the_server_reads(returned, drop.keyset, drop.gpg)
        assert (read.sequence, len(read.replies), len(read.imported)) == (1, 1, 3)
        assert kinds(again).count(Kind.RETURNED) == 1
        assert sorted(each.name for each in again.layout.outbox.iterdir()) == [path.name, f"{path.name}.sig"]
