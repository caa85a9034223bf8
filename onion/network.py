"""Run a private Tor network on loopback, for evaluation, demonstration and tests; nothing leaves the machine."""

import socket
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from hardening.clock import Clock, SystemClock
from hardening.files import destroy, private_folder
from onion.consensus import Directory, Relay, make_directory
from onion.daemon import Daemon, Running
from onion.errors import NetworkError, TorStartError
from onion.membership import Membership
from onion.program import TorProgram
from onion.relay_keys import KeyCache, copy_relay, load_authority, load_relay, relay_name
from onion.torrc import Option, Place, Torrc, control_options

# Onion services with vanguards worked with four; the fifth leaves room.
RELAYS = 5
_ATTEMPTS = 3


class Network:
    """A private network: five relays and a directory that we signed; a context manager that stops it."""

    def __init__(
        self, folder: Path, key_cache: Path, clock: Clock | None = None, program: TorProgram | None = None
    ) -> None:
        """Prepare nothing yet.

        Args:
            folder: Where the relays live; made anew at each start.
            key_cache: Where the relays' keys are kept between networks; made if missing. Never to be committed.
            clock: Tells when the directory begins to hold.
            program: The tor to run.
        """
        self._folder = folder
        self._clock: Clock = SystemClock() if clock is None else clock
        self._program = TorProgram() if program is None else program
        self._cache = KeyCache(key_cache, self._program, self._clock)
        self._relays: tuple[Running, ...] = ()
        self._directory: Directory | None = None
        self._lines: tuple[Option, ...] = ()

    def start(self) -> Self:
        """Start the relays under a directory signed now; a failure leaves nothing running.

        Raises:
            NetworkError: The relays do not start.
        """
        keys = self._cache.take(RELAYS)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._start_relays(keys)
                break
            except TorStartError as error:
                # Somebody took a port between our looking and the relay's: look again.
                if attempt == _ATTEMPTS:
                    raise NetworkError("the relays of the private network do not start") from error
        return self

    @property
    def alive(self) -> bool:
        """Tell whether every relay runs."""
        return bool(self._relays) and all(relay.alive for relay in self._relays)

    @property
    def good_until(self) -> datetime:
        """When tors stop to trust the directory; before that, stop everything and start anew."""
        return self._started().good_until

    @property
    def membership(self) -> Membership:
        """What further tors need to join."""
        return Membership(self._lines, self._started().files, self._program)

    def torrc_lines(self) -> tuple[Option, ...]:
        """Write the lines that make a tor live in this network and in no other."""
        return self.membership.torrc_lines()

    def run(self, torrc: Torrc, place: Place) -> Running:
        """Start a tor of somebody's in this network; the caller stops it.

        Raises:
            OnionError: As `Daemon.start` does.
        """
        return self.membership.run(torrc, place)

    def stop(self) -> None:
        """Stop the relays. Stopping twice is fine."""
        relays, self._relays = self._relays, ()
        if relays:
            with ThreadPoolExecutor(len(relays)) as pool:
                list(pool.map(Running.stop, relays))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _started(self) -> Directory:
        if self._directory is None:
            raise NetworkError("the private network was not started")
        return self._directory

    def _start_relays(self, keys: Path) -> None:
        destroy(self._folder)
        private_folder(self._folder)
        ports = _free_ports(RELAYS)
        relays = [Relay(relay_name(n), port, load_relay(keys / relay_name(n))) for n, port in enumerate(ports)]
        authority = load_authority(keys)
        self._directory = make_directory(authority, relays, self._clock.now())
        self._lines = _network_lines(authority.identity.hex().upper(), relays[0])
        for relay in relays:
            place = Place(self._folder / relay.name)
            self.membership.seed(place)
            copy_relay(keys / relay.name, place.data)
        waiting: list[Future[Running]] = []
        try:
            with ThreadPoolExecutor(RELAYS) as pool:
                waiting += [pool.submit(self._start_relay, relay) for relay in relays]
            self._relays = tuple(future.result() for future in waiting)
        except BaseException:
            for future in waiting:
                if future.done() and future.exception() is None:
                    future.result().stop()
            raise

    def _start_relay(self, relay: Relay) -> Running:
        place = Place(self._folder / relay.name)
        torrc = Torrc((*control_options(place), *self._lines, *_relay_lines(relay)))
        return Daemon(torrc, place, self._program).start()


def _network_lines(identity: str, stand_in: Relay) -> tuple[Option, ...]:
    fingerprint = stand_in.keys.fingerprint.hex().upper()
    authority = f"authority orport={stand_in.port} no-v2 v3ident={identity} 127.0.0.1:{stand_in.port} {fingerprint}"
    return (
        Option("TestingTorNetwork", "1"),
        Option("DirAuthority", authority),
        Option("PathsNeededToBuildCircuits", "0.67"),
        # Once the directory is past its hour, tors would ask each other for a new one, hear that there is
        # none, and take each other for dead.
        Option("FetchServerDescriptors", "0"),
        Option("Schedulers", "Vanilla"),
        Option("ShutdownWaitLength", "0"),
    )


def _relay_lines(relay: Relay) -> tuple[Option, ...]:
    return (
        Option("Nickname", relay.name),
        Option("Address", "127.0.0.1"),
        Option("ORPort", f"127.0.0.1:{relay.port}"),
        Option("AssumeReachable", "1"),
        Option("PublishServerDescriptor", "0"),
        Option("ExitRelay", "0"),
        Option("ExitPolicy", "reject *:*"),
        Option("SocksPort", "0"),
        Option("NumCPUs", "1"),
    )


def _free_ports(count: int) -> tuple[int, ...]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return tuple(int(probe.getsockname()[1]) for probe in probes)
