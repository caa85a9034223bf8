from datetime import timedelta
from pathlib import Path

import pytest

from hardening.clock import SystemClock
from onion.errors import NetworkError
from onion.network import Network
from onion.program import TorProgram
from onion.relay_keys import KeyCache, load_authority, load_relay
from onion.torrc import Place
from tests.clock import FakeClock
from tests.onion_fixtures import KEY_CACHE


@pytest.mark.onion
def test_the_network_runs_on_loopback_alone(tor_network: Network) -> None:
    addresses = [option.value for option in tor_network.torrc_lines() if option.name == "DirAuthority"]

    assert tor_network.alive
    assert len(addresses) == 1
    assert " 127.0.0.1:" in addresses[0]


@pytest.mark.onion
def test_the_directory_serves_for_more_than_a_day(tor_network: Network) -> None:
    assert tor_network.good_until - SystemClock().now() > timedelta(hours=25)


@pytest.mark.onion
def test_a_second_network_runs_beside_the_first(short_folder: Path, tor_network: Network) -> None:
    with Network(short_folder / "net", KEY_CACHE).start() as second:
        assert second.alive
        assert second.torrc_lines() != tor_network.torrc_lines()

    assert not second.alive
    assert tor_network.alive


def test_a_network_that_was_not_started_has_nothing_to_give(short_folder: Path) -> None:
    network = Network(short_folder / "net", short_folder / "keys")

    assert not network.alive
    with pytest.raises(NetworkError):
        network.torrc_lines()
    network.stop()


@pytest.mark.onion
def test_keys_are_made_once_and_made_anew_after_two_weeks(short_folder: Path, clock: FakeClock) -> None:
    cache = KeyCache(short_folder / "keys", TorProgram(), clock)
    first = cache.take(1)
    again = cache.take(1)
    identity = load_relay(first / "relay0").identity
    clock.advance(timedelta(days=15).total_seconds())
    later = cache.take(1)

    assert first == again
    assert later != first
    assert not first.exists()
    assert load_relay(later / "relay0").identity != identity


@pytest.mark.onion
def test_damaged_keys_are_refused(short_folder: Path, clock: FakeClock) -> None:
    keys = KeyCache(short_folder / "keys", TorProgram(), clock).take(1)
    (keys / "relay0" / "fingerprint").unlink()
    (keys / "authority.cert").write_text("none")

    with pytest.raises(NetworkError):
        load_relay(keys / "relay0")
    with pytest.raises(NetworkError):
        load_authority(keys)


def test_a_machine_without_tor_is_told(short_folder: Path, clock: FakeClock) -> None:
    with pytest.raises(NetworkError):
        KeyCache(short_folder / "keys", TorProgram("/bin/false"), clock).take(1)

    assert list((short_folder / "keys").iterdir()) == []


@pytest.mark.onion
def test_a_seeded_place_is_private(short_folder: Path, tor_network: Network) -> None:
    place = Place(short_folder / "tor")

    tor_network.membership.seed(place)

    assert {path.stat().st_mode & 0o077 for path in place.folder.rglob("*")} == {0}
