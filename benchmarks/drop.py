"""A drop of our own for measuring, and its source process started exactly as `svidok run` starts it."""

import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from benchmarks.visitor import Visitor
from hardening.clock import SystemClock, today
from hardening.process import SCRUBBING
from hardening.serving import bind_unix
from settings import Drop, Limits, Settings
from settings.model import GIB
from svidok import ceremony
from svidok.children import Child, Children
from svidok.commands.init import create_drop
from svidok.commands.keys import install_keyset
from svidok.place import Place

REVIEWERS = ("reviewer-one", "reviewer-two")

_NAME = "source"
_START_SECONDS = 30.0
# Sizes and numbers that a person never reaches; everything else is as every drop has it.
_LIMITS = Limits(
    post_bytes=5 * GIB,
    source_bytes_per_day=1024 * GIB,
    source_items_per_day=1_000_000,
    # The machine that measures may have a full disk; a drop would rightly refuse.
    disk_floor_percent=1,
)


@dataclass(frozen=True, slots=True)
class Source:
    """A running source process."""

    socket: Path
    process: psutil.Process

    @property
    def proc(self) -> Path:
        """What the kernel tells about it."""
        return Path("/proc", str(self.process.pid))

    def cpu_seconds(self) -> float:
        """Its own time and that of the gpgs that have ended."""
        times = self.process.cpu_times()
        return times.user + times.system + times.children_user + times.children_system


@contextmanager
def made(limits: Limits = _LIMITS) -> Generator[Place]:
    """Make a drop with two reviewers, for as long as the block lasts."""
    # Closed to others, so that nobody adds system users to a machine that only measures; a short path for sockets.
    root = Path(tempfile.mkdtemp(prefix="svb", dir="/tmp"))
    try:
        place = Place(root / "drop")
        settings = replace(Settings(), drop=Drop(name="Svidok", evaluation=True), limits=limits)
        identity = create_drop(place, settings)
        wanted = ceremony.Wanted(REVIEWERS, (), quorum=2, log=str(identity.log))
        keys = ceremony.hold(root / "keys", wanted, lambda _name: "for measuring", today(SystemClock()))
        install_keyset(place, root / "keys" / "keyset", [one.fingerprint for one in keys[:2]])
        yield place
    finally:
        shutil.rmtree(root)


@contextmanager
def serving(place: Place, environment: Mapping[str, str] = SCRUBBING) -> Generator[Source]:
    """Run the source process of the drop, with no Tor before it."""
    with bind_unix(place.source_socket) as listener, Children() as children:
        words = (_NAME, str(place.root), "--fd", str(listener.fileno()), "--tor", "off")
        children.start(Child(_NAME, words, [listener.fileno()], environment))
        try:
            yield Source(place.source_socket, _awaited(place))
        finally:
            place.source_socket.unlink()


def _awaited(place: Place) -> psutil.Process:
    """Wait until the process answers, and say which one it is."""
    with Visitor(place.source_socket, _START_SECONDS) as visitor:
        visitor.ask("GET", "/")
    found = [child for child in psutil.Process().children() if str(place.root) in child.cmdline()]
    if len(found) != 1:
        raise LookupError(f"there is one source process, not {len(found)}")
    return found[0]
