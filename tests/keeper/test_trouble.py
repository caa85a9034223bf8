"""What goes wrong around the keeper takes no onion service down with it: a store that is held, a disk that is full."""

import asyncio
import errno
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import pytest

from hardening.asking import RefusedError
from hardening.database_errors import BusyError
from hardening.files import Room, private_folder
from keeper import app
from keeper.alarms import Thresholds
from keeper.app import KeeperParts, look
from keeper.broker import Broker, reviewer_commands
from keeper.log_key import LogKey
from keeper.probe import Probe
from keeper.tors import Folders, Service, State, Tors
from onion.client_auth import ClientKey, client_pair
from onion.daemon import Running
from onion.errors import ControlError
from onion.service import OnionKeys
from onion.torrc import Option, Place, Torrc
from onion.watch import Bootstrap
from tests.clock import FakeClock


class HeldStores:
    """Stores that another process holds."""

    def pending(self, leaf_hash: bytes) -> bool:  # noqa: ARG002
        raise BusyError("the store is locked by another process")

    def oldest_waiting(self) -> date | None:
        raise BusyError("the store is locked by another process")

    def last_collected(self) -> date | None:
        raise BusyError("the store is locked by another process")


class Dying:
    """The control connection of a tor that has just died."""

    def bootstrap(self) -> Bootstrap:
        raise ControlError("tor does not answer a question")

    def consensus_time(self) -> datetime:
        raise ControlError("tor does not answer a question")


@dataclass
class Tor:
    """A tor that was started."""

    alive: bool = True
    controller: Dying = field(default_factory=Dying)

    def published(self, address: object) -> bool:  # noqa: ARG002
        return False

    def stop(self) -> None:
        self.alive = False


@dataclass
class World:
    """A network in which some tors find no room for their configuration."""

    full: set[str] = field(default_factory=set)
    started: dict[str, Tor] = field(default_factory=dict)

    def torrc_lines(self) -> tuple[Option, ...]:
        return ()

    def run(self, torrc: Torrc, place: Place) -> Running:  # noqa: ARG002
        if place.folder.name in self.full:
            raise OSError(errno.ENOSPC, "No space left on device", str(place.torrc))
        self.started[place.folder.name] = Tor()
        return self.started[place.folder.name]  # type: ignore[return-value]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def parts(tmp_path: Path, world: World, clock: FakeClock) -> KeeperParts:
    private_folder(tmp_path / "onion")
    source = OnionKeys.create(tmp_path / "onion" / "source")
    reviewer = OnionKeys.create(tmp_path / "onion" / "reviewer")
    folders = Folders(tmp_path / "tor", tmp_path / "onion", tmp_path / "s.sock", tmp_path / "j.sock")
    return KeeperParts(
        clock=clock,
        tors=Tors(folders, world, clock),
        log_key=LogKey.create(tmp_path / "log.key", "log-test"),
        stores=HeldStores(),
        keyset=lambda: None,
        room=lambda: Room(10**12, 0.5),
        thresholds=Thresholds(unfetched_days=7, disk_percent=20),
        public=private_folder(tmp_path / "public"),
        source_address=source.address,
        reviewer_address=reviewer.address,
    )


@pytest.mark.check("J5", "M14")
def test_a_store_that_is_held_is_an_alarm_and_no_end(parts: KeeperParts) -> None:
    """A source process that is killed in the middle of a change holds the others up until it is there again."""
    assert {alarm.kind for alarm in look(parts, tors_wanted=False)} == {"keyset", "store"}


@pytest.mark.check("M14")
def test_an_outage_is_told_within_ten_minutes() -> None:
    """Right after one knock, until the next one has waited in vain and somebody has looked."""
    knock = Probe(Path("socks")).limit_seconds

    assert app._PROBE_SECONDS + knock + app._LOOK_SECONDS <= 600


@pytest.mark.check("J5")
def test_a_store_that_is_held_gives_no_promise_and_says_so(parts: KeeperParts) -> None:
    commands = reviewer_commands(parts.tors, parts.log_key, parts.stores.pending)
    with ThreadPoolExecutor(1) as thread, pytest.raises(RefusedError, match="locked by another process"):
        asyncio.run(Broker(commands, thread).answer(f"promise {'ab' * 32} 16 2026-03-04"))


@pytest.mark.check("J4")
def test_alarms_that_cannot_be_written_are_no_end(parts: KeeperParts, tmp_path: Path) -> None:
    nowhere = replace(parts, public=tmp_path / "nowhere")

    assert look(nowhere, tors_wanted=False)


@pytest.mark.check("J4")
def test_a_tor_without_room_for_its_files_is_put_off_and_the_others_run(
    parts: KeeperParts, world: World, clock: FakeClock
) -> None:
    world.full = {"source"}
    parts.tors.tend()
    assert parts.tors.state(Service.SOURCE) is State.DOWN
    assert parts.tors.state(Service.CLIENT) is State.STARTING
    assert parts.tors.failure(Service.SOURCE) == f"its files cannot be written (error {errno.ENOSPC})"

    world.full = set()
    clock.advance(10)
    parts.tors.tend()

    assert parts.tors.state(Service.SOURCE) is State.STARTING
    assert parts.tors.failure(Service.SOURCE) is None


@pytest.mark.check("M11")
def test_a_reviewers_service_that_was_found_open_stays_down_and_is_an_alarm(parts: KeeperParts) -> None:
    """It is down without reviewers, too: that is no alarm, and this must not pass for it."""
    parts.tors.tend()
    without_reviewers = look(parts)
    parts.tors.authorize("one", ClientKey.parse(client_pair().public))
    parts.tors.tend()

    parts.tors.shut_reviewer_service()
    parts.tors.tend()

    says = "the tor of the reviewer service does not run"
    assert says not in {alarm.text for alarm in without_reviewers}
    assert parts.tors.state(Service.REVIEWER) is State.DOWN
    assert says in {alarm.text for alarm in look(parts)}


def test_a_tor_that_has_just_died_is_on_its_way_and_takes_nobody_along(parts: KeeperParts) -> None:
    parts.tors.tend()

    assert parts.tors.state(Service.CLIENT) is State.STARTING
    assert parts.tors.bootstrap() == 0
