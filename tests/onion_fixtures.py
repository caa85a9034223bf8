"""A private Tor network and what lives in it, for every test that needs real onion services.

One network serves the whole run. Each tor more costs about half a second and 40 MB.
"""

import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest

from hardening.files import destroy, private_folder
from onion.client_auth import AuthorizedClients, ClientKey, auth_private_line
from onion.daemon import Running
from onion.door import ReviewerDoor
from onion.network import Network
from onion.service import OnionAddress, OnionKeys
from onion.torrc import Place, client_only, reviewer_service, socks_port, source_service
from tests.onion_backend import backend

KEY_CACHE = Path(__file__).parent.parent / ".cache" / "tor"


@dataclass(frozen=True, slots=True)
class Site:
    """An onion service that can be reached."""

    keys: OnionKeys
    running: Running

    @property
    def host(self) -> str:
        return str(self.keys.address)


@dataclass(frozen=True, slots=True)
class Lab:
    """Makes tors in the private network, all stopped when the run ends."""

    folder: Path
    network: Network
    stopping: ExitStack
    clients: dict[str, Running]

    def client(self, name: str = "client", keys: Mapping[OnionAddress, str] | None = None) -> Running:
        """Lend a client with a loopback port; the same one for the same name."""
        if name not in self.clients:
            place = Place(self.folder / f"client-{name}")
            key_folder = private_folder(self.folder / f"keys-{name}")
            for address, private in (keys or {}).items():
                (key_folder / f"{address.label}.auth_private").write_text(auth_private_line(address, private))
            torrc = client_only(place, socks_port(), self.network.torrc_lines(), key_folder)
            running = self.stopping.enter_context(self.network.run(torrc, place))
            running.wait_bootstrapped(60)
            self.clients[name] = running
        return self.clients[name]

    def source(self, name: str, target: Path) -> Site:
        """Put up a source service in front of the Unix socket *target*."""
        place = Place(self.folder / name)
        keys = OnionKeys.create(self.folder / f"onion-{name}")
        torrc = source_service(place, keys.folder, target, self.network.torrc_lines())
        return self._published(Site(keys, self.stopping.enter_context(self.network.run(torrc, place))))

    def reviewers(self, name: str, target: Path, admitted: Mapping[str, str]) -> ReviewerDoor:
        """Put up a reviewer service for the reviewers *admitted*, a public key each."""
        place = Place(self.folder / name)
        keys = OnionKeys.create(self.folder / f"onion-{name}")
        clients = AuthorizedClients.prepare(keys.folder)
        for reviewer, public in admitted.items():
            clients.add(reviewer, ClientKey.parse(public))
        torrc = reviewer_service(place, clients, target, self.network.torrc_lines())
        site = self._published(Site(keys, self.stopping.enter_context(self.network.run(torrc, place))))
        return ReviewerDoor.of(keys.folder, site.running)

    def _published(self, site: Site) -> Site:
        site.running.wait_published(site.keys.address, 60)
        return site


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Let SIGTERM end the run through the ends of all fixtures, so that no process stays behind."""

    def end(_: int, __: FrameType | None) -> None:
        # A test would swallow SystemExit.
        pytest.exit("terminated", 143)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Lend a folder whose path is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
    try:
        yield folder
    finally:
        destroy(folder)


@pytest.fixture(scope="session")
def tor_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
    try:
        with ending_in_order():
            yield folder
    finally:
        destroy(folder)


@pytest.fixture(scope="session")
def tor_network(tor_folder: Path) -> Iterator[Network]:
    with Network(tor_folder / "net", KEY_CACHE).start() as network:
        yield network


@pytest.fixture(scope="session")
def onion_lab(tor_folder: Path, tor_network: Network) -> Iterator[Lab]:
    with ExitStack() as stopping:
        yield Lab(tor_folder, tor_network, stopping, {})


@pytest.fixture(scope="session")
def onion_client(onion_lab: Lab) -> Callable[..., Running]:
    return onion_lab.client


@pytest.fixture(scope="session")
def onion_service(onion_lab: Lab) -> Callable[[str, Path], Site]:
    return onion_lab.source


@pytest.fixture(scope="session")
def onion_backend(tor_folder: Path) -> Iterator[Path]:
    with backend(tor_folder / "web") as path:
        yield path
