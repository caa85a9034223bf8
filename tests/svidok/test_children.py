"""Processes are started again when they die, not when they refuse, and end when they are told or left alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from hardening.parent import end_with_parent
from hardening.process import ProcessError
from svidok.children import REFUSED, Child, Children

ROOT = Path(__file__).parents[2]
_beside: set[psutil.Process] = set()

# Each is given a pipe to say that it is ready, and hears what `Children` appends to its words.
WAITING = "import os, signal, sys; os.write(int(sys.argv[1]), b'.'); signal.pause()"
STUBBORN = "import os, signal, sys; signal.signal(15, signal.SIG_IGN); os.write(int(sys.argv[1]), b'.'); signal.pause()"
TELLING = "import json, os, sys; os.write(int(sys.argv[1]), json.dumps([sys.argv[2:], dict(os.environ)]).encode())"


class Ticking:
    """A clock that stands until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def code(text: str) -> tuple[str, ...]:
    return sys.executable, "-c", text


def child(writing: int, name: str = "one", environment: Mapping[str, str] | None = None) -> Child:
    return Child(name, [str(writing)], [writing], environment or {})


@pytest.fixture(autouse=True)
def beside() -> Iterator[None]:
    """What other tests of this process keep running is none of ours."""
    _beside.update(psutil.Process().children())
    yield
    _beside.clear()


def mine() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if one not in _beside]


def ended(process: psutil.Process) -> None:
    """Return when it has died; whoever started it may still have to be told."""
    while process.status() != psutil.STATUS_ZOMBIE:
        os.sched_yield()


def test_a_child_gets_its_words_our_number_and_a_clean_environment(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the administrator's shell holds is not passed on, and nothing is imported from where she stands."""
    reading, writing = pipe
    monkeypatch.setenv("SECRET_OF_A_SHELL", "canary")
    monkeypatch.setenv("LD_PRELOAD", "")

    with Children(code(TELLING)) as children:
        children.start(child(writing, environment={"MALLOC_PERTURB_": "165"}))
        words, environment = json.loads(os.read(reading, 65536))

    assert words == ["--parent", str(os.getpid())]
    assert environment["MALLOC_PERTURB_"] == "165"
    assert environment["PYTHONSAFEPATH"] == "1"
    assert set(environment) <= {
        *("PATH", "LC_ALL", "TZ", "PYTHONSAFEPATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "MALLOC_PERTURB_"),
        "LC_CTYPE",
    }


@pytest.mark.check("J1")
def test_what_dies_is_started_again_after_a_pause_that_grows(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    clock = Ticking()
    with Children(code(WAITING), clock) as children:
        children.start(child(writing))
        for pause in (0.5, 1.0, 2.0):
            assert os.read(reading, 1) == b"."
            (process,) = mine()
            process.kill()
            ended(process)

            assert children.tend() is None
            assert mine() == []
            clock.now += pause - 0.1
            assert children.tend() is None
            assert mine() == []
            clock.now += 0.2
            assert children.tend() is None
            assert len(mine()) == 1
        assert os.read(reading, 1) == b"."


def test_after_a_calm_time_the_pause_is_short_again(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    clock = Ticking()
    with Children(code(WAITING), clock) as children:
        children.start(child(writing))
        for _ in range(3):
            assert os.read(reading, 1) == b"."
            (process,) = mine()
            process.kill()
            ended(process)
            clock.now += 61
            children.tend()
            clock.now += 0.6
            children.tend()
            assert len(mine()) == 1
        assert os.read(reading, 1) == b"."


@pytest.mark.check("J6")
def test_what_refuses_is_named_and_not_started_again(pipe: tuple[int, int]) -> None:
    clock = Ticking()
    with Children(code(f"raise SystemExit({REFUSED})"), clock) as children:
        children.start(child(pipe[1], "source"))
        (process,) = mine()
        ended(process)

        assert children.tend() == "source"
        clock.now += 100
        assert children.tend() == "source"
        assert mine() == []


@pytest.mark.check("J8")
def test_the_first_is_stopped_last(pipe: tuple[int, int]) -> None:
    """The others ask the keeper until their end."""
    reading, writing = pipe
    telling_its_end = (
        "import os, signal, sys\n"
        "def end(*_): os.write(int(sys.argv[1]), sys.argv[2].encode()); sys.exit(0)\n"
        "signal.signal(15, end); os.write(int(sys.argv[1]), b'.')\n"
        "while True: signal.pause()\n"
    )
    with Children(code(telling_its_end)) as children:
        for name in "kab":
            children.start(Child(name, [str(writing), name], [writing], {}))
        read = b""
        while len(read) < 3:
            read += os.read(reading, 1)

    said = os.read(reading, 10).decode()
    assert said[-1] == "k"
    assert sorted(said) == ["a", "b", "k"]
    assert mine() == []


@pytest.mark.check("J8")
def test_what_does_not_end_when_asked_is_killed(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    with Children(code(STUBBORN), grace_seconds=0.2) as children:
        children.start(child(writing))
        assert os.read(reading, 1) == b"."
        (process,) = mine()

    assert not process.is_running()


@pytest.mark.check("J8")
def test_they_are_stopped_whatever_happens(pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    with pytest.raises(KeyboardInterrupt), Children(code(WAITING)) as children:
        children.start(child(writing))
        assert os.read(reading, 1) == b"."
        raise KeyboardInterrupt

    assert mine() == []


# A parent that starts a child, tells its number and waits; the child asks to end with it.
PARENT = """
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(os.getpid())], stdout=subprocess.PIPE)
print(child.stdout.read(5).decode(), child.pid, flush=True)
signal.pause()
"""
CHILD = """
import os, signal, sys
from hardening.parent import end_with_parent
end_with_parent(int(sys.argv[1]))
os.write(1, b"ready")
signal.pause()
"""


@pytest.fixture
def family() -> Iterator[Callable[[], tuple["subprocess.Popen[str]", psutil.Process]]]:
    started: list[subprocess.Popen[str]] = []

    def make() -> tuple["subprocess.Popen[str]", psutil.Process]:
        parent = subprocess.Popen([*code(PARENT), CHILD], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(parent)
        assert parent.stdout is not None
        said, number = parent.stdout.readline().split()
        assert said == "ready"
        return parent, psutil.Process(int(number))

    yield make
    for parent in started:
        parent.kill()
        parent.communicate()


@pytest.mark.check("J8")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV], ids=str)
def test_a_process_ends_with_its_parent_however_that_ends(
    number: signal.Signals, family: Callable[[], tuple["subprocess.Popen[str]", psutil.Process]]
) -> None:
    parent, process = family()

    parent.send_signal(number)

    gone, left = psutil.wait_procs([process], timeout=10)
    assert (len(gone), left) == (1, [])


@pytest.mark.check("J8")
def test_a_parent_that_was_gone_already_is_noticed() -> None:
    """Else a process that asks a moment too late would wait for an end that has been."""
    asked = subprocess.run(
        [*code("import sys; from hardening.parent import end_with_parent; end_with_parent(int(sys.argv[1]))"), "1"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert asked.returncode == 1
    assert "ProcessError: the process that started this one has ended" in asked.stderr
    with pytest.raises(ProcessError):
        end_with_parent(os.getpid())
