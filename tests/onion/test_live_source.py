"""The source service in a real Tor network."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from stem.descriptor.hidden_service import HiddenServiceDescriptorV3

from hardening.clock import SystemClock
from onion.circuits import PSEUDO_NETWORK, circuit_id
from onion.daemon import Running
from onion.lint import SOURCE_RULES, findings
from onion.network import Network
from tests.onion_fixtures import Site
from tests.onion_socks import SocksRefusedError, fetch, fetch_soon, hold

pytestmark = pytest.mark.onion

MAX_STREAMS = 64


@pytest.fixture(scope="module")
def site(onion_service: Callable[[str, Path], Site], onion_backend: Path) -> Site:
    return onion_service("source", onion_backend)


@pytest.fixture(scope="module")
def port(onion_client: Callable[..., Running]) -> int:
    return onion_client().socks_port


@pytest.mark.check("M3")
def test_the_running_configuration_passes_the_rules(site: Site, tor_network: Network) -> None:
    text = site.running.place.torrc.read_text()

    assert findings(text, SOURCE_RULES.on_network(tor_network.torrc_lines())) == ()
    assert findings(text, SOURCE_RULES) != ()


def test_a_visitor_arrives_at_the_unix_socket(site: Site, port: int) -> None:
    fetch_soon(port, site.host)

    assert circuit_id(fetch(port, site.host)) >= 0


@pytest.mark.check("M4")
def test_the_descriptor_asks_for_proof_of_work(site: Site, port: int, onion_client: Callable[..., Running]) -> None:
    fetch_soon(port, site.host)
    published = onion_client().controller._ask(f"hs/client/desc/id/{site.keys.address.label}")

    inner = HiddenServiceDescriptorV3.from_str(published).decrypt(site.host)

    assert re.search(r"^pow-params v1 ", str(inner), re.MULTILINE)


@pytest.mark.check("M2")
def test_tor_keeps_the_address_that_we_made(site: Site) -> None:
    hostname = (site.keys.folder / "hostname").read_text()

    assert hostname == f"{site.keys.address}\n"


def test_a_circuit_can_be_cut_and_the_others_stay(site: Site, port: int) -> None:
    fetch_soon(port, site.host)
    with hold(port, site.host, "cut") as cut, hold(port, site.host, "kept") as kept:
        number = circuit_id(fetch(port, site.host, "cut"))

        assert site.running.controller.close_circuit(number)
        assert cut.recv(1) == b""
        kept.settimeout(0.2)
        with pytest.raises(TimeoutError):
            kept.recv(1)

    assert not site.running.controller.close_circuit(number)


@pytest.mark.check("M5")
def test_one_stream_too_many_closes_the_circuit(site: Site, port: int) -> None:
    """Architecture 5.17 sets 64 where the catalogue said 20: Firefox opens more.

    The service drops the circuit with all its streams; tor does not tell the visitor, who finds it dead.
    """
    fetch_soon(port, site.host)
    with ExitStack() as streams:
        number = circuit_id(fetch(port, site.host, "many"))
        for _ in range(MAX_STREAMS):
            streams.enter_context(hold(port, site.host, "many"))
        assert number in site.running.controller.rendezvous_circuits()

        with pytest.raises((SocksRefusedError, ConnectionResetError)):
            hold(port, site.host, "many").close()

        assert number not in site.running.controller.rendezvous_circuits()
    fetch_soon(port, site.host)


@pytest.mark.check("M10")
def test_a_reload_interrupts_nobody(site: Site, port: int) -> None:
    fetch_soon(port, site.host)
    before = site.running.pid
    with hold(port, site.host, "through") as stream:
        site.running.controller.reload()

        fetch(port, site.host, "after the reload")
        stream.settimeout(0.2)
        with pytest.raises(TimeoutError):
            stream.recv(1)
    assert (site.running.pid, site.running.alive) == (before, True)


@pytest.mark.check("D1", "L5")
def test_neither_circuits_nor_visits_reach_the_disk(
    site: Site, port: int, onion_client: Callable[..., Running]
) -> None:
    fetch_soon(port, site.host)
    prefix = str(PSEUDO_NETWORK.network_address).rstrip(":")
    assert fetch(port, site.host).startswith(prefix)

    written = b"".join(path.read_bytes() for path in site.running.place.folder.rglob("*") if path.is_file())
    log = site.running.place.log.read_text() + onion_client().place.log.read_text().split("opening log file.")[1]

    assert prefix.encode() not in written
    assert site.keys.address.label.encode() not in written
    assert "[info]" not in log
    assert "[debug]" not in log
    # From its first line on the log says hours, so that it tells nobody when something happened.
    assert set(re.findall(r"^\w+ \d+ \d\d(:\S+) \[", log, re.MULTILINE)) == {":00:00.000"}


def test_the_clock_can_be_held_against_the_network(site: Site) -> None:
    age = SystemClock().now() - site.running.controller.consensus_time()

    assert 0 <= age.total_seconds() < 7200
