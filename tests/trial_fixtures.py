"""One trial for the whole run: set up once, at the real cost of its keys; what tests change, they change in a twin."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hardening.files import destroy
from onion.daemon import Running
from svidok.evaluation import Trial, set_up
from tests.onion_fixtures import ending_in_order
from tests.trial import RunningDrop, copied, joined, running

MakeTwin = Callable[[str], Trial]


@pytest.fixture(scope="session")
def trial_folder() -> Iterator[Path]:
    """A folder with a short path that the drop's own system users can reach."""
    folder = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with ending_in_order():
            yield folder
    finally:
        destroy(folder)


@pytest.fixture(scope="session")
def untouched(trial_folder: Path) -> Trial:
    """What `svidok evaluate` sets up; nobody runs it."""
    trial = Trial(trial_folder / "untouched")
    set_up(trial)
    return trial


@pytest.fixture(scope="session")
def twin(untouched: Trial, trial_folder: Path) -> MakeTwin:
    """Factory of trials with the same keys and accounts."""
    return lambda name: copied(untouched, trial_folder / name)


@pytest.fixture(scope="session")
def onion_drop(twin: MakeTwin) -> Iterator[RunningDrop]:
    """A drop on its own private Tor network, for the whole run."""
    with running(twin("onions"), "--tor", "private") as drop:
        yield drop.hear_ready()


@pytest.fixture(scope="session")
def visitors(onion_drop: RunningDrop, trial_folder: Path) -> Iterator[ExitStack]:
    with ExitStack() as stopping:
        yield stopping


@pytest.fixture(scope="session")
def source_tor(onion_drop: RunningDrop, trial_folder: Path, visitors: ExitStack) -> Running:
    """The tor of somebody without any key."""
    return visitors.enter_context(joined(onion_drop, trial_folder / "tor-source"))


@pytest.fixture(scope="session")
def reviewer_tor(onion_drop: RunningDrop, trial_folder: Path, visitors: ExitStack) -> Running:
    """The first reviewer's tor, with her key."""
    key = onion_drop.trial.client_key.read_text("ascii")
    return visitors.enter_context(joined(onion_drop, trial_folder / "tor-reviewer", key))


@pytest.fixture(scope="session")
def loopback_drop(twin: MakeTwin) -> Iterator[RunningDrop]:
    """A drop without tor, on loopback ports, for the whole run."""
    with running(twin("loopback"), "--tor", "off", "--listen", "0", "0") as drop:
        drop.hear("Ctrl-C stops everything")
        yield drop
