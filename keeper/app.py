"""Run the keeper: tend the tors, answer the two sockets, look after the drop, until told to stop."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Protocol

from hardening.asking import Answer, listen
from hardening.canonical import canonical_json
from hardening.clock import Clock, today
from hardening.database_errors import DatabaseError
from hardening.files import Room, write_whole
from keeper.alarm_file import Alarm, write
from keeper.alarms import Seen, Thresholds, alarms
from keeper.broker import Broker, reviewer_commands, source_commands
from keeper.log_key import LogKey
from keeper.probe import Outcome, Probe
from keeper.tors import Service, State, Tors
from keys.keyset import Keyset
from onion.errors import OnionError
from onion.service import OnionAddress

_log = logging.getLogger(__name__)

_TEND_SECONDS = 1.0
_LOOK_SECONDS = 60.0
# With a knock that nobody answers and the next look behind it, an outage is told within ten minutes (M14).
_PROBE_SECONDS = 480.0
_CLOCK_TOLERANCE = timedelta(days=1)


class Stores(Protocol):
    """What the keeper may know of the stores."""

    def pending(self, leaf_hash: bytes) -> bool:
        """Tell whether an entry with this leaf hash waits for the ledger's merge."""
        ...

    def oldest_waiting(self) -> date | None:
        """Tell the day of the oldest submission that nobody has fetched, as far as the keeper can see.

        Raises:
            DatabaseError: A store cannot be read; so do the others.
        """
        ...

    def last_collected(self) -> date | None:
        """Tell the day on which a reviewer last fetched."""
        ...


@dataclass(slots=True)
class Outside:
    """What the last look from outside has found."""

    source_unreachable: bool = False


@dataclass(frozen=True, slots=True)
class KeeperParts:
    """All that the keeper works with; whoever makes it stops the tors and the world afterwards."""

    clock: Clock
    tors: Tors
    log_key: LogKey
    stores: Stores
    keyset: Callable[[], Keyset | None]
    room: Callable[[], Room]
    thresholds: Thresholds
    public: Path
    source_address: OnionAddress
    reviewer_address: OnionAddress
    outside: Outside = field(default_factory=Outside)


@dataclass(frozen=True, slots=True)
class Listeners:
    """The bound sockets of the brokers."""

    source: socket.socket
    reviewer: socket.socket


async def keep(parts: KeeperParts, listeners: Listeners, stop: asyncio.Event, *, tors_wanted: bool = True) -> None:
    """Keep the drop until *stop* is set; then close the sockets and stop the tors.

    Without *tors_wanted* the drop is reached by its sockets alone; alarms and promises work all the same.
    """
    with ThreadPoolExecutor(1, "tor") as thread:
        commands = reviewer_commands(parts.tors, parts.log_key, parts.stores.pending)
        servers = [
            await listen(listeners.source, _answer(source_commands(parts.tors), thread)),
            await listen(listeners.reviewer, _answer(commands, thread)),
        ]
        jobs = [asyncio.create_task(_every(_LOOK_SECONDS, lambda: look(parts, tors_wanted=tors_wanted), thread))]
        if tors_wanted:
            jobs.append(asyncio.create_task(_every(_TEND_SECONDS, lambda: _tend(parts), thread)))
            jobs.append(asyncio.create_task(_probing(parts, thread)))
        stopped = asyncio.create_task(stop.wait())
        try:
            # A job that ends has failed: the keeper fails with it, loudly, and is started anew.
            await asyncio.wait([*jobs, stopped], return_when=asyncio.FIRST_COMPLETED)
            for job in jobs:
                if job.done():
                    job.result()
        finally:
            for task in [*jobs, stopped]:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*jobs, return_exceptions=True)
            for server in servers:
                server.close()
            await asyncio.get_running_loop().run_in_executor(thread, parts.tors.stop)


def look(parts: KeeperParts, *, tors_wanted: bool = True) -> tuple[Alarm, ...]:
    """Look at the drop once and leave what needs a person in the public folder."""
    day = today(parts.clock)
    expected = _expected(parts.tors) if tors_wanted else ()
    last_collected, oldest_waiting, readable = _fetching(parts.stores)
    seen = Seen(
        day=day,
        keyset=parts.keyset(),
        last_collected=last_collected,
        oldest_waiting=oldest_waiting,
        room=parts.room(),
        services={service: parts.tors.state(service) for service in expected},
        clock_trusted=_clock_trusted(parts),
        source_unreachable=parts.outside.source_unreachable,
        stores_readable=readable,
    )
    found = tuple(alarms(seen, parts.thresholds))
    try:
        write(found, day, parts.public / "alarms.json")
    except OSError as error:
        # A full disk is no reason to take the services down with us.
        _log.warning("the alarms cannot be left for others (error %s)", error.errno)
    return found


def _fetching(stores: Stores) -> tuple[date | None, date | None, bool]:
    """Ask the stores when somebody last fetched, and since when something waits; and say whether they told."""
    try:
        return stores.last_collected(), stores.oldest_waiting(), True
    except DatabaseError:
        # Another process holds one, or broke off in a change: it passes, or it is that process's to say.
        return None, None, False


def _tend(parts: KeeperParts) -> None:
    parts.tors.tend()
    states = {str(service): str(parts.tors.state(service)) for service in Service}
    told = canonical_json({"v": 1, "bootstrap": parts.tors.bootstrap(), "services": states})
    path = parts.public / "services.json"
    # On a full disk the news has to wait; the services do not.
    with contextlib.suppress(OSError):
        if not path.exists() or path.read_bytes() != told:
            write_whole(path, told, mode=0o644)


def _expected(tors: Tors) -> tuple[Service, ...]:
    """The tors that should run: not the reviewers' while no reviewer is authorised, and none before its first start."""
    wanted = tuple(Service) if tors.names() else (Service.SOURCE, Service.CLIENT)
    return tuple(one for one in wanted if tors.state(one) is not State.DOWN or tors.failure(one) is not None)


def _clock_trusted(parts: KeeperParts) -> bool:
    """Compare our clock with the consensus of the Tor network, which nobody on our host can set (G6)."""
    try:
        told = parts.tors.consensus_time()
    except OnionError:
        return True  # No consensus yet says nothing about the clock; the service's own alarm says that it is down.
    return told is None or abs(parts.clock.now() - told) <= _CLOCK_TOLERANCE


async def _probing(parts: KeeperParts, thread: Executor) -> None:
    """Knock at both services without a key, soon after the start and then every eight minutes (M11, M14)."""
    probe = Probe(parts.tors.folders.socks)
    loop = asyncio.get_running_loop()
    while True:
        ready = await loop.run_in_executor(thread, _ready, parts.tors)
        if Service.SOURCE in ready:
            outcome = await asyncio.to_thread(probe.knock, parts.source_address)
            parts.outside.source_unreachable = outcome is not Outcome.ANSWERED
        if Service.REVIEWER in ready:
            outcome = await asyncio.to_thread(probe.knock, parts.reviewer_address)
            if outcome is Outcome.ANSWERED:
                _log.critical("the reviewer service answered a stranger: it is shut down")
                await loop.run_in_executor(thread, parts.tors.shut_reviewer_service)
        await asyncio.sleep(_PROBE_SECONDS if ready else _TEND_SECONDS)


def _ready(tors: Tors) -> tuple[Service, ...]:
    """The services that can be looked at from outside; none without the tor that goes out."""
    if tors.state(Service.CLIENT) is not State.READY:
        return ()
    return tuple(one for one in (Service.SOURCE, Service.REVIEWER) if tors.state(one) is State.READY)


async def _every(seconds: float, work: Callable[[], object], thread: Executor) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await loop.run_in_executor(thread, work)
        await asyncio.sleep(seconds)


def _answer(commands: dict[str, Callable[[list[str]], str]], thread: Executor) -> Answer:
    return Broker(commands, thread).answer
