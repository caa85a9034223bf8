"""Keep three tors alive: the sources' service, the reviewers' service, and one that only goes out."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from hardening.clock import Clock
from hardening.files import private_folder
from onion.circuits import checked
from onion.client_auth import AuthorizedClients, ClientKey
from onion.daemon import Daemon, Running
from onion.door import ReviewerDoor
from onion.errors import ConfigurationError, NobodyAuthorizedError, OnionError
from onion.lint import CLIENT_RULES, REVIEWER_RULES, SOURCE_RULES, findings
from onion.service import OnionKeys
from onion.torrc import Option, Place, Torrc, client_only, reviewer_service, socks_socket, source_service
from onion.watch import Bootstrap

_log = logging.getLogger(__name__)

# A tor that dies at once is started again after so many seconds, then twice as many, up to the last.
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0


class Service(StrEnum):
    """The tors, by what they are for."""

    SOURCE = "source"
    REVIEWER = "reviewer"
    CLIENT = "client"


class State(StrEnum):
    """How far a tor is."""

    DOWN = "down"
    STARTING = "starting"
    READY = "ready"


class World(Protocol):
    """The Tor network that the drop lives in: the public one, or a private one on this machine."""

    def torrc_lines(self) -> tuple[Option, ...]:
        """Write the lines that make a tor live in this network."""
        ...

    def run(self, torrc: Torrc, place: Place) -> Running:
        """Start a tor in this network; the caller stops it."""
        ...


class PublicNetwork:
    """The Tor network."""

    def torrc_lines(self) -> tuple[Option, ...]:
        """Write nothing: tor knows the way."""
        return ()

    def run(self, torrc: Torrc, place: Place) -> Running:
        """Start a tor in the Tor network; the caller stops it."""
        return Daemon(torrc, place).start()


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the tors and the services' keys live, and which sockets they lead to."""

    tor: Path
    onion: Path
    source_socket: Path
    journalist_socket: Path

    def place(self, service: Service) -> Place:
        """The private folder of one tor."""
        return Place(self.tor / service)

    def keys(self, service: Service) -> Path:
        """The folder with the keys of an onion service."""
        return self.onion / service

    @property
    def socks(self) -> Path:
        """Where the client-only tor listens."""
        return self.tor / "socks"


@dataclass(slots=True)
class _Kept:
    running: Running | None = None
    not_before: float = 0.0
    pause: float = _FIRST_PAUSE_SECONDS
    failure: str | None = None


@dataclass(slots=True)
class Tors:
    """The three tors; made by whoever stops them. All methods block; only one thread may use it."""

    folders: Folders
    world: World
    clock: Clock
    _kept: dict[Service, _Kept] = field(default_factory=lambda: {service: _Kept() for service in Service})
    _shut: bool = False

    def tend(self) -> None:
        """Start what should run and does not; call it every few seconds."""
        for service, kept in self._kept.items():
            if kept.running is not None and not kept.running.alive:
                _log.warning("the tor of the %s service has stopped", service)
                self._stop(kept)
            if kept.running is None and self.clock.monotonic() >= kept.not_before:
                self._start(service, kept)

    def state(self, service: Service) -> State:
        """Tell how far the tor of *service* is; `READY` means that it can be reached, or can reach out."""
        running = self._kept[service].running
        if running is None:
            return State.DOWN
        if service is Service.CLIENT:
            return State.READY if _bootstrap(running).done else State.STARTING
        keys = OnionKeys.load(self.folders.keys(service))
        return State.READY if running.published(keys.address) else State.STARTING

    def pid(self, service: Service) -> int | None:
        """Tell the process id of the tor of *service*, if it runs."""
        running = self._kept[service].running
        return None if running is None else running.pid

    def failure(self, service: Service) -> str | None:
        """Tell why the tor of *service* does not run, if it failed."""
        return self._kept[service].failure

    def close_circuit(self, service: Service, circuit: int) -> bool:
        """Close one circuit of *service*; tell whether it was there.

        Raises:
            OnionError: The number is none of a circuit, or tor is not there.
        """
        running = self._kept[service].running
        return running is not None and running.controller.close_circuit(checked(circuit))

    def authorize(self, name: str, key: ClientKey) -> None:
        """Let the reviewer *name* reach the reviewers' service.

        Raises:
            OnionError: The name is none, or tor refused: she is not let in.
        """
        running = self._kept[Service.REVIEWER].running
        if running is None:
            AuthorizedClients.prepare(self.folders.keys(Service.REVIEWER)).add(name, key)
            self._kept[Service.REVIEWER].not_before = 0.0
            return
        ReviewerDoor.of(self.folders.keys(Service.REVIEWER), running).authorize(name, key)

    def revoke(self, name: str) -> None:
        """Shut the reviewer *name* out, also from connections that are open.

        Raises:
            OnionError: Tor refused; the service was taken down rather than left open to her.
        """
        kept = self._kept[Service.REVIEWER]
        if kept.running is None:
            AuthorizedClients.prepare(self.folders.keys(Service.REVIEWER)).remove(name)
            return
        try:
            ReviewerDoor.of(self.folders.keys(Service.REVIEWER), kept.running).revoke(name)
        except OnionError:
            self._stop(kept)
            raise

    def names(self) -> tuple[str, ...]:
        """Name the reviewers who may reach their service."""
        return AuthorizedClients.prepare(self.folders.keys(Service.REVIEWER)).names()

    def holds(self, name: str, key: ClientKey) -> bool:
        """Tell whether the reviewer *name* is let in with this very key.

        Raises:
            ReviewerNameError: *name* cannot be a reviewer's.
        """
        return AuthorizedClients.prepare(self.folders.keys(Service.REVIEWER)).holds(name, key)

    def shut_reviewer_service(self) -> None:
        """Take the reviewers' service down until this process is started anew: it was found open."""
        kept = self._kept[Service.REVIEWER]
        self._shut = True
        # Without a reason, its being down would be taken for that of a drop without reviewers, and be no alarm.
        kept.failure = "it answered a stranger"
        self._stop(kept)

    def consensus_time(self) -> datetime | None:
        """Tell the time of the Tor network as the outgoing tor knows it; None while that tor does not run.

        Raises:
            ControlError: It does not know it yet.
        """
        running = self._kept[Service.CLIENT].running
        return None if running is None else running.controller.consensus_time()

    def bootstrap(self) -> int:
        """Tell the progress of the tor that is furthest behind, in per cent."""
        return min(
            (_bootstrap(kept.running).percent for kept in self._kept.values() if kept.running is not None), default=0
        )

    def stop(self) -> None:
        """Stop all tors."""
        for kept in self._kept.values():
            self._stop(kept)

    def _start(self, service: Service, kept: _Kept) -> None:
        if service is Service.REVIEWER and self._shut:
            return
        try:
            private_folder(self.folders.tor)
            torrc = self._torrc(service)
            self._lint(service, torrc)
            kept.running = self.world.run(torrc, self.folders.place(service))
        except NobodyAuthorizedError as nobody:
            # Not a failure: a new drop has no reviewers yet. The service must stay down (M11).
            kept.failure = str(nobody)
        except OnionError as error:
            self._put_off(service, str(error))
        except OSError as error:
            # On a full disk, say, there is no room for its configuration. The other tors go on meanwhile.
            self._put_off(service, f"its files cannot be written (error {error.errno})")
        else:
            kept.failure = None
            kept.pause = _FIRST_PAUSE_SECONDS

    def _put_off(self, service: Service, why: str) -> None:
        kept = self._kept[service]
        kept.failure = why
        kept.not_before = self.clock.monotonic() + kept.pause
        kept.pause = min(kept.pause * 2, _LONGEST_PAUSE_SECONDS)
        _log.warning("the tor of the %s service does not start: %s", service, why)

    def _stop(self, kept: _Kept) -> None:
        running, kept.running = kept.running, None
        if running is not None:
            running.stop()

    def _torrc(self, service: Service) -> Torrc:
        makers: dict[Service, Callable[[], Torrc]] = {
            Service.SOURCE: lambda: source_service(
                self.folders.place(service), self.folders.keys(service), self.folders.source_socket, self._lines()
            ),
            Service.REVIEWER: lambda: reviewer_service(
                self.folders.place(service),
                AuthorizedClients.prepare(self.folders.keys(service)),
                self.folders.journalist_socket,
                self._lines(),
            ),
            Service.CLIENT: lambda: client_only(
                self.folders.place(service), socks_socket(self.folders.socks), self._lines()
            ),
        }
        return makers[service]()

    def _lint(self, service: Service, torrc: Torrc) -> None:
        """Start no tor whose configuration is not exactly what its role allows (M3)."""
        rules = {Service.SOURCE: SOURCE_RULES, Service.REVIEWER: REVIEWER_RULES, Service.CLIENT: CLIENT_RULES}
        wrong = findings(torrc.text(), rules[service].on_network(self._lines()))
        if wrong:
            raise ConfigurationError("; ".join(wrong))

    def _lines(self) -> tuple[Option, ...]:
        return self.world.torrc_lines()


def _bootstrap(running: Running) -> Bootstrap:
    """Tell how far a tor is on its way into the network; one that has just died is nowhere."""
    try:
        return running.controller.bootstrap()
    except OnionError:
        return Bootstrap(0, "")
