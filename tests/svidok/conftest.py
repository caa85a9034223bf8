"""A drop and its keys, made once by the real commands; each test changes a twin of its own."""

import itertools
import logging
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hardening.files import destroy
from svidok.place import Place
from tests.svidok.console import PASSPHRASE, Console, Program, Said, copied, program, stop_agents

PEOPLE = ("one", "two", "recovery")
TwinOf = Callable[[Path], Path]


@dataclass(frozen=True, slots=True)
class Held:
    """What a ceremony left: a folder for each person, and the keyset."""

    folder: Path
    passphrase: Path
    prints: dict[str, str]

    @property
    def keyset(self) -> Path:
        return self.folder / "keyset"

    def home(self, person: str) -> Path:
        return self.folder / person / "gnupg"

    def roots(self) -> list[str]:
        """What is typed at the first import."""
        return ["--root", self.prints["one"], "--root", self.prints["two"]]

    def owner(self, person: str) -> list[str]:
        """Who does something offline."""
        key = ["--gnupg", str(self.home(person)), "--key", self.prints[person]]
        return [*key, "--passphrase-file", str(self.passphrase)]


@pytest.fixture
def console(capsys: pytest.CaptureFixture[str]) -> Iterator[Console]:
    """The command line in this process; what it does to logging and hooks is undone."""
    loggers = [each for each in logging.root.manager.loggerDict.values() if isinstance(each, logging.Logger)]
    kept = [(each, each.handlers[:], each.propagate, each.level) for each in (logging.root, *loggers)]
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    yield Console(capsys)
    logging.captureWarnings(capture=False)
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    for each, handlers, propagate, level in kept:
        each.handlers[:], each.propagate = handlers, propagate
        each.setLevel(level)


@pytest.fixture(scope="session")
def svidok() -> Program:
    """The command line as a process."""
    return program()


@pytest.fixture(scope="session")
def short() -> Iterator[Path]:
    """A folder with a short path that a drop's own system users can reach."""
    folder = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        stop_agents(folder)
        destroy(folder)


@pytest.fixture(scope="session")
def twin_of(short: Path) -> TwinOf:
    """Factory of twins with short paths."""
    numbers = itertools.count()
    return lambda folder: copied(folder, short / f"t{next(numbers)}")


@pytest.fixture(scope="session")
def fresh_drop(short: Path, svidok: Program) -> Path:
    """What `svidok init` makes; nobody changes it."""
    folder = short / "fresh"
    _ = svidok("init", folder, "--name", "A name").done
    return folder


@pytest.fixture(scope="session")
def held(short: Path, svidok: Program, fresh_drop: Path) -> Held:
    """What `svidok keys ceremony` makes for that drop; nobody changes it."""
    passphrase = short / "passphrase"
    passphrase.write_text(f"{PASSPHRASE}\n")
    drop = ("--drop", Place(fresh_drop).identity)
    said = svidok(
        *("keys", "ceremony", short / "held", "--reviewer", "one", "--reviewer", "two"),
        *(*drop, "--passphrase-file", passphrase),
    )
    return Held(short / "held", passphrase, printed_fingerprints(said))


@pytest.fixture(scope="session")
def ready_drop(short: Path, svidok: Program, fresh_drop: Path, held: Held) -> Path:
    """The drop with its first keyset; nobody changes it."""
    folder = copied(fresh_drop, short / "ready")
    _ = svidok("keys", "import", folder, held.keyset, *held.roots()).done
    return folder


@pytest.fixture
def drop(ready_drop: Path, twin_of: TwinOf) -> Place:
    """A drop of one's own, with a keyset."""
    return Place(twin_of(ready_drop))


@pytest.fixture
def bare_drop(fresh_drop: Path, twin_of: TwinOf) -> Place:
    """A drop of one's own, without a keyset."""
    return Place(twin_of(fresh_drop))


@pytest.fixture
def keys(held: Held, twin_of: TwinOf) -> Held:
    """The people's keys and a keyset to change."""
    return Held(twin_of(held.folder), held.passphrase, held.prints)


def printed_fingerprints(said: Said) -> dict[str, str]:
    """Read who has which key from what the ceremony printed."""
    words = [line.split() for line in said.done.splitlines()]
    return {line[0]: line[1] for line in words if len(line) == 3 and len(line[1]) == 40}
