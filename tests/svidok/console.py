"""The command line as an administrator meets it: what it prints, how it ends, and as whom its processes run."""

import grp
import os
import pwd
import selectors
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from hardening.listeners import bind_unix
from keys.gpg import Gpg, stop_agent
from svidok.cli import main
from svidok.isolation import find
from svidok.place import Place
from tests.processes import words_of

ROOT = Path(__file__).parents[2]
PASSPHRASE = "otter lamp gravel tide"
STOPPING_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one plain line of a command that failed."""
        assert self.code == 1, self
        assert self.err.startswith("svidok: "), self.err
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.removeprefix("svidok: ").rstrip("\n")

    @property
    def done(self) -> str:
        """What a command printed that succeeded."""
        assert self.code == 0, self
        return self.out


class Console:
    """Runs commands in this process; remembers all that was ever printed."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.everything = ""

    def __call__(self, *words: object) -> Said:
        self._capture.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
        printed = self._capture.readouterr()
        self.everything += printed.out + printed.err
        return Said(code, printed.out, printed.err)


@dataclass(frozen=True, slots=True)
class Program:
    """A Python that runs `svidok`; as root one that the drop's own users can run, too."""

    command: tuple[str, ...]
    environment: dict[str, str]

    def __call__(self, *words: object, descriptors: Sequence[int] = ()) -> Said:
        ended = subprocess.run(
            [*self.command, *map(str, words)],
            check=False,
            capture_output=True,
            text=True,
            env=self.environment,
            pass_fds=descriptors,
            timeout=STOPPING_SECONDS,
        )
        return Said(ended.returncode, ended.stdout, ended.stderr)

    def serve(self, process: str, drop: Place) -> Said:
        """Be one process of a drop that does not let it go on; it gets two sockets, as many as any of them takes."""
        with ExitStack() as ends:
            bound = [ends.enter_context(bind_unix(path)) for path in (drop.source_broker, drop.reviewer_broker)]
            descriptors = [one.fileno() for one in bound]
            words = [word for one in descriptors for word in ("--fd", one)]
            parent = os.getpid()
            return self(
                "serve", process, drop.root, *words, "--tor", "off", "--parent", parent, descriptors=descriptors
            )


def program() -> Program:
    """Find a Python under which processes can be kept apart; any other user has only the one she runs."""
    if os.geteuid() != 0 or find(Path("/tmp")).missing is None:  # noqa: S108 - only looked at
        return Program((sys.executable, "-m", "svidok"), dict(os.environ))
    debian = shutil.which("python3", path="/usr/bin")
    assert debian is not None, "as root, these tests need Debian's python3"
    path = f"{ROOT}:{sysconfig.get_paths()['purelib']}"
    return Program((debian, "-m", "svidok"), {**os.environ, "PYTHONPATH": path})


class Running:
    """`svidok run`, started as from a terminal; all that it has printed is in `said`."""

    def __init__(self, svidok: Program, folder: Path, words: Sequence[str]) -> None:
        self.place = Place(folder)
        self.said = ""
        self.process = subprocess.Popen(
            [*svidok.command, "run", str(folder), "--tor", "off", *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=svidok.environment,
            start_new_session=True,
        )

    def hear(self, words: str, seconds: float = 60) -> None:
        """Return when it has printed *words*."""
        assert self.process.stdout is not None
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while words not in self.said:
                heard = b""
                if selector.select(max(0.0, end - time.monotonic())):
                    heard = os.read(self.process.stdout.fileno(), 65536)
                assert heard, f"it never said {words!r}, but:\n{self.said}"
                self.said += heard.decode()

    def port(self, site: str) -> int:
        """Tell the loopback port of `sources` or `reviewers`."""
        line = next(line for line in self.said.splitlines() if line.split()[:1] == [site])
        return int(line.partition("127.0.0.1:")[2].split()[0])

    def child(self, name: str) -> psutil.Process:
        """Find the process `keeper`, `source` or `journalist`."""
        children = psutil.Process(self.process.pid).children()
        return next(one for one in children if {name, "serve"} <= set(words_of(one)))

    def children(self) -> list[psutil.Process]:
        """Everything that runs because of it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: int = signal.SIGINT) -> int:
        """End it as a terminal (the whole group) or a service manager does; tell its exit code."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        return self.wait()

    def wait(self) -> int:
        """Hear it out."""
        heard, _ = self.process.communicate(timeout=STOPPING_SECONDS)
        self.said += heard.decode()
        return self.process.returncode


@contextmanager
def running(svidok: Program, folder: Path, *words: str) -> Iterator[Running]:
    """Run a drop without tor; whatever happens, nothing of it stays."""
    drop = Running(svidok, folder, words)
    try:
        yield drop
    finally:
        drop.end()
        assert drop.process.stdout is not None
        drop.process.stdout.close()


def copied(folder: Path, target: Path) -> Path:
    """Give a folder a twin with the same owners and modes."""
    subprocess.run(["cp", "--archive", str(folder), str(target)], check=True)
    return target


def stop_agents(folder: Path) -> None:
    """End every agent that a home in *folder* has started."""
    for home in folder.rglob("private-keys-v1.d"):
        stop_agent(Gpg(home.parent, agent=True))


def owner(path: Path) -> tuple[str, str, int]:
    """Name the user, the group and the mode of *path*."""
    found = path.lstat()
    return pwd.getpwuid(found.st_uid).pw_name, grp.getgrgid(found.st_gid).gr_name, stat.S_IMODE(found.st_mode)


def members(group: str) -> frozenset[str] | None:
    """Name who is in *group*; None if there is no such group."""
    try:
        return frozenset(grp.getgrnam(group).gr_mem)
    except KeyError:
        return None


def tree(folder: Path) -> dict[str, bytes | None]:
    """Everything in *folder*, to see whether it was touched."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if not path.is_socket()
    }
