"""The reviewer service in a real Tor network: who comes in, who no longer does, and that nobody else ever did."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from onion.client_auth import ClientKey, client_pair
from onion.daemon import Running
from onion.door import ReviewerDoor
from onion.errors import ClientKeyError
from onion.lint import REVIEWER_RULES, findings
from tests.onion_fixtures import Lab
from tests.onion_socks import NO_KEY, WRONG_KEY, SocksRefusedError, fetch, fetch_soon, hold

pytestmark = pytest.mark.onion

LIMIT_SECONDS = 60
PEOPLE = ("alice", "bob", "carol")


@dataclass(frozen=True, slots=True)
class Desk:
    """A reviewer service with two reviewers, a client for each, and a client without a key."""

    door: ReviewerDoor
    clients: dict[str, Running]
    stranger: Running
    public: dict[str, ClientKey]

    @property
    def host(self) -> str:
        return str(self.door.keys.address)

    def port(self, name: str) -> int:
        return self.clients[name].socks_port


@pytest.fixture(scope="module")
def desk(onion_lab: Lab, onion_backend: Path) -> Iterator[Desk]:
    pairs = {name: client_pair() for name in PEOPLE}
    admitted = {name: pairs[name].public for name in ("alice", "bob")}
    door = onion_lab.reviewers("reviewers", onion_backend, admitted)
    keys = {name: {door.keys.address: pair.private} for name, pair in pairs.items()}
    clients = {name: onion_lab.client(name, keys[name]) for name in PEOPLE}
    public = {name: ClientKey.parse(pair.public) for name, pair in pairs.items()}
    yield Desk(door, clients, onion_lab.client(), public)
    door.shut()


@pytest.fixture(autouse=True)
def _alice_and_bob_may_come_in(desk: Desk) -> None:
    """Each test begins with the same two, whatever the one before did."""
    wanted = {"alice", "bob"}
    if set(desk.door.names()) == wanted:
        return
    for name in set(desk.door.names()) - wanted:
        desk.door.revoke(name)
    for name in sorted(wanted):
        desk.door.authorize(name, desk.public[name])
    desk.door.running.wait_published(desk.door.keys.address, LIMIT_SECONDS)


def _refusal(port: int, host: str, circuit: str) -> int:
    with pytest.raises(SocksRefusedError) as caught:
        fetch(port, host, circuit)
    return caught.value.code


def _stays_out(port: int, host: str, circuit: str) -> None:
    """Where there is no descriptor tor refuses at once; with an old one it looks in vain for a long time."""
    with pytest.raises((SocksRefusedError, TimeoutError)):
        fetch(port, host, circuit, limit_seconds=5)


@pytest.mark.check("M3")
def test_the_running_configuration_passes_the_rules(desk: Desk, onion_lab: Lab) -> None:
    rules = REVIEWER_RULES.on_network(onion_lab.network.torrc_lines())

    assert findings(desk.door.running.place.torrc.read_text(), rules) == ()


@pytest.mark.check("M8")
def test_only_those_with_a_key_come_in(desk: Desk) -> None:
    for name in ("alice", "bob"):
        fetch_soon(desk.port(name), desk.host)

    assert _refusal(desk.stranger.socks_port, desk.host, "stranger") == NO_KEY
    assert _refusal(desk.port("carol"), desk.host, "carol") == WRONG_KEY


@pytest.mark.check("M10")
def test_a_new_reviewer_comes_in_and_nobody_notices(desk: Desk) -> None:
    fetch_soon(desk.port("bob"), desk.host)
    before = desk.door.running.pid
    with hold(desk.port("bob"), desk.host, "work") as work:
        desk.door.authorize("carol", desk.public["carol"])
        desk.door.running.wait_published(desk.door.keys.address, LIMIT_SECONDS)

        assert fetch_soon(desk.port("carol"), desk.host, LIMIT_SECONDS) < LIMIT_SECONDS
        work.settimeout(0.2)
        with pytest.raises(TimeoutError):
            work.recv(1)
    assert (desk.door.running.pid, desk.door.running.alive) == (before, True)
    assert desk.door.names() == PEOPLE


def test_to_let_in_who_may_come_in_already_changes_nothing(desk: Desk) -> None:
    desk.door.authorize("bob", desk.public["bob"])

    desk.door.running.wait_published(desk.door.keys.address, 0)
    fetch_soon(desk.port("bob"), desk.host)


@pytest.mark.check("M9")
def test_a_revoked_reviewer_is_out_at_once_and_the_others_come_back(desk: Desk) -> None:
    """She holds the old descriptor, and a stream is open on which she was let in."""
    fetch_soon(desk.port("alice"), desk.host)
    fetch_soon(desk.port("bob"), desk.host)
    begun = time.monotonic()
    with hold(desk.port("alice"), desk.host, "work") as work:
        desk.door.revoke("alice")
        work.settimeout(10)

        assert work.recv(1) == b""
    assert time.monotonic() - begun < LIMIT_SECONDS
    for attempt in range(5):
        _stays_out(desk.port("alice"), desk.host, f"while the service is down {attempt}")
    desk.door.running.wait_published(desk.door.keys.address, LIMIT_SECONDS)
    fetch_soon(desk.port("bob"), desk.host, LIMIT_SECONDS - (time.monotonic() - begun))
    for attempt in range(5):
        _stays_out(desk.port("alice"), desk.host, f"when the service is back {attempt}")
    assert desk.door.names() == ("bob",)
    assert desk.door.running.alive


@pytest.mark.check("M11")
def test_when_the_last_reviewer_is_gone_the_service_is_down(desk: Desk) -> None:
    fetch_soon(desk.port("alice"), desk.host)
    desk.door.revoke("alice")
    desk.door.revoke("bob")

    for name, port in (("alice", desk.port("alice")), ("stranger", desk.stranger.socks_port)):
        _stays_out(port, desk.host, f"{name} at the closed door")
    assert desk.door.running.controller.rendezvous_circuits() == ()
    assert not desk.door.running.published(desk.door.keys.address)
    assert desk.door.running.alive


@pytest.mark.check("M11")
def test_the_first_reviewer_after_that_opens_it_again_for_herself_alone(desk: Desk) -> None:
    desk.door.revoke("alice")
    desk.door.revoke("bob")

    desk.door.authorize("carol", desk.public["carol"])
    desk.door.running.wait_published(desk.door.keys.address, LIMIT_SECONDS)

    fetch_soon(desk.port("carol"), desk.host)
    for name, port in (("bob", desk.port("bob")), ("stranger", desk.stranger.socks_port)):
        _stays_out(port, desk.host, f"{name} at another's door")


@pytest.mark.check("M11")
def test_a_malformed_key_file_shuts_the_door(desk: Desk) -> None:
    """Tor would read on, and open the service to everybody if every file were like that."""
    broken = desk.door.clients.folder / "dave.auth"
    broken.write_text("descriptor:x25519:nothing\n")
    try:
        with pytest.raises(ClientKeyError):
            desk.door.authorize("carol", desk.public["carol"])
        with pytest.raises(ClientKeyError):
            desk.door.revoke("alice")

        _stays_out(desk.port("bob"), desk.host, "at the broken door")
        _stays_out(desk.stranger.socks_port, desk.host, "stranger at the broken door")
    finally:
        broken.unlink()
