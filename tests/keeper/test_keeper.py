"""The keeper over a real private Tor network: services come up, doors open and close, promises are given."""

import asyncio
import base64
import hashlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from hardening.asking import RefusedError, ask
from hardening.clock import SystemClock
from hardening.files import Room, private_folder
from hardening.serving import bind_unix
from keeper.alarm_file import read
from keeper.alarms import Thresholds
from keeper.app import KeeperParts, Listeners, keep
from keeper.log_key import LogKey
from keeper.probe import Outcome, Probe
from keeper.tors import Folders, Service, State, Tors
from keys import ed25519
from ledger.entry import Received
from ledger.promise import open_promise
from onion.client_auth import AuthorizedClients, client_pair
from onion.network import Network
from onion.service import OnionAddress, OnionKeys
from tests.onion_backend import backend
from tests.onion_fixtures import Lab
from tests.onion_socks import SocksRefusedError, connect, fetch, fetch_soon

pytestmark = pytest.mark.onion

DAY = date(2026, 11, 23)


@dataclass(slots=True)
class FewStores:
    """Stores that hold what a test puts there."""

    leaves: set[bytes] = field(default_factory=set)
    oldest: date | None = None
    collected: date | None = None

    def pending(self, leaf_hash: bytes) -> bool:
        return leaf_hash in self.leaves

    def oldest_waiting(self) -> date | None:
        return self.oldest

    def last_collected(self) -> date | None:
        return self.collected


@dataclass(frozen=True, slots=True)
class Kept:
    """A running keeper and where to ask it."""

    parts: KeeperParts
    stores: FewStores
    folder: Path

    def ask_source(self, line: str) -> str:
        return asyncio.run(ask(self.folder / "broker-source.sock", line))

    def ask_reviewer(self, line: str) -> str:
        return asyncio.run(ask(self.folder / "broker-reviewer.sock", line))

    def address(self, service: Service) -> OnionAddress:
        return OnionKeys.load(self.parts.tors.folders.keys(service)).address


@contextmanager
def running_keeper(folder: Path, network: Network) -> Iterator[Kept]:
    private_folder(folder / "onion")
    source = OnionKeys.create(folder / "onion" / "source")
    reviewer = OnionKeys.create(folder / "onion" / "reviewer")
    AuthorizedClients.prepare(reviewer.folder)
    private_folder(folder / "public")
    stores = FewStores()
    folders = Folders(folder / "tor", folder / "onion", folder / "source.sock", folder / "journalist.sock")
    parts = KeeperParts(
        clock=SystemClock(),
        tors=Tors(folders, network, SystemClock()),
        log_key=LogKey.create(folder / "log.key", "log-test"),
        stores=stores,
        keyset=lambda: None,
        room=lambda: Room(1, 0.5),
        thresholds=Thresholds(unfetched_days=7, disk_percent=20),
        public=folder / "public",
        source_address=source.address,
        reviewer_address=reviewer.address,
    )
    assert source.address != reviewer.address
    with backend(folder / "source.sock"), backend(folder / "journalist.sock"), _thread(parts, folder):
        yield Kept(parts, stores, folder)


@contextmanager
def _thread(parts: KeeperParts, folder: Path) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    private_folder(folder)
    listeners = Listeners(bind_unix(folder / "broker-source.sock"), bind_unix(folder / "broker-reviewer.sock"))
    failed: list[BaseException] = []

    def work() -> None:
        try:
            loop.run_until_complete(keep(parts, listeners, stop))
        except BaseException as error:  # noqa: BLE001 - told to the test below
            failed.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
    assert failed == []


@pytest.fixture(scope="module")
def kept(tor_folder: Path, tor_network: Network) -> Iterator[Kept]:
    with running_keeper(private_folder(tor_folder / "keeper"), tor_network) as kept:
        yield kept


def wait_for(what: Callable[[], bool], limit_seconds: float = 60) -> None:
    pause = threading.Event()
    for _ in range(int(limit_seconds / 0.1)):
        if what():
            return
        pause.wait(0.1)
    pytest.fail("it did not come true in time")


@pytest.mark.check("M11", "M14")
def test_the_source_service_comes_up_and_the_reviewers_stays_down_without_reviewers(kept: Kept, onion_lab: Lab) -> None:
    wait_for((kept.folder / "public" / "services.json").exists)
    wait_for(lambda: b'"source":"ready"' in (kept.folder / "public" / "services.json").read_bytes())

    assert fetch(onion_lab.client().socks_port, str(kept.address(Service.SOURCE)))
    assert kept.parts.tors.state(Service.REVIEWER) is State.DOWN
    assert kept.ask_reviewer("names") == ""


@pytest.mark.check("M8", "M9", "M12")
def test_a_reviewer_is_let_in_and_shut_out_through_the_socket(kept: Kept, onion_lab: Lab) -> None:
    pair = client_pair()
    address = kept.address(Service.REVIEWER)
    client = onion_lab.client("keeper-alice", {address: pair.private})

    kept.ask_reviewer(f"authorize alice {pair.public}")
    wait_for(lambda: kept.parts.tors.state(Service.REVIEWER) is State.READY)
    assert fetch_soon(client.socks_port, str(address))
    assert kept.ask_reviewer(f"holds alice {pair.public}") == "yes"
    assert kept.ask_reviewer(f"holds alice {client_pair().public}") == "no"
    socks = kept.parts.tors.folders.socks
    wait_for(lambda: kept.parts.tors.state(Service.CLIENT) is State.READY)
    stranger = Probe(socks).knock(address)

    kept.ask_reviewer("revoke alice")

    assert stranger is Outcome.NEEDS_KEY
    assert Probe(socks).knock(kept.address(Service.SOURCE)) is Outcome.ANSWERED
    # With nobody left the service is down: tor refuses, or looks for it until the visitor gives up.
    with pytest.raises((SocksRefusedError, TimeoutError)), connect(client.socks_port, str(address), "after", 10):
        pass


def test_a_tor_that_dies_comes_back(kept: Kept, onion_lab: Lab) -> None:
    wait_for(lambda: kept.parts.tors.state(Service.SOURCE) is State.READY)
    before = kept.parts.tors.pid(Service.SOURCE)
    assert before is not None

    os.kill(before, signal.SIGKILL)
    wait_for(lambda: kept.parts.tors.pid(Service.SOURCE) not in (before, None))
    wait_for(lambda: kept.parts.tors.state(Service.SOURCE) is State.READY)

    assert fetch_soon(onion_lab.client().socks_port, str(kept.address(Service.SOURCE)))


def test_a_promise_is_given_for_what_arrived_and_for_nothing_else(kept: Kept) -> None:
    entry = Received(hashlib.sha256(b"sealed").hexdigest(), 16, DAY)
    question = f"promise {entry.ct_sha256} 16 {DAY.isoformat()}"

    with pytest.raises(RefusedError, match="waits for the merge"):
        kept.ask_reviewer(question)
    kept.stores.leaves.add(entry.leaf_hash())
    note = base64.b64decode(kept.ask_reviewer(question))

    promise = open_promise(note, kept.parts.log_key.verifier, ed25519.verify)
    assert (promise.leaf_hash, promise.day) == (entry.leaf_hash(), DAY)


@pytest.mark.check("M12", "D1")
def test_the_sources_socket_can_close_circuits_and_do_nothing_else(kept: Kept) -> None:
    assert kept.ask_source("close 999999") == "gone"

    for line in ("close", "close -1", "close 1 2", "close all", "names", "authorize eve KEY", "revoke alice", ""):
        with pytest.raises(RefusedError):
            kept.ask_source(line)


def test_what_needs_a_person_is_left_where_others_read_it(kept: Kept) -> None:
    wait_for((kept.folder / "public" / "alarms.json").exists)

    assert "keyset" in {alarm.kind for alarm in read(kept.folder / "public" / "alarms.json")}
