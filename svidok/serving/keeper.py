"""Put the keeper together: the tors, the log key, read-only views of the stores."""

import argparse
import asyncio
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import FrameType
from typing import NoReturn

from hardening.clock import Clock, SystemClock
from hardening.database import open_to_read
from hardening.files import private_folder, room_left
from keeper.alarms import Thresholds
from keeper.app import KeeperParts, Listeners, keep
from keeper.errors import KeeperError
from keeper.log_key import LogKey
from keeper.tors import Folders, PublicNetwork, Tors, World
from keys.errors import KeysError
from keys.keyset import Keyset
from keys.keyset_store import load
from onion.errors import OnionError
from onion.network import Network
from onion.service import OnionAddress
from settings import Settings
from svidok.drop import open_drop
from svidok.identity import Identity
from svidok.place import Place
from svidok.serving.confine import become
from svidok.serving.refusals import refusing
from vault.objects import Shelves
from vault.outbox import OutboxReader
from vault.reading import InboxReader
from vault.tables import INBOX, OUTBOX

RENEWED = 4
"""The exit code with which a keeper asks to be started anew, with a fresh private network."""

_MARGIN_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class KeeperStores:
    """The keeper's narrow view of the two stores."""

    inbox: InboxReader
    outbox: OutboxReader

    def pending(self, leaf_hash: bytes) -> bool:
        """Tell whether an entry with this leaf hash waits for the ledger's merge."""
        return self.inbox.pending(leaf_hash)

    def oldest_waiting(self) -> date | None:
        """Tell the day of the oldest submission since reviewers last fetched."""
        return min((one.day for one in self.inbox.arrived_since(self.last_collected())), default=None)

    def last_collected(self) -> date | None:
        """Tell the day on which a reviewer last fetched."""
        return self.outbox.last_collected()


def serve(arguments: argparse.Namespace) -> int:
    """Be the keeper until SIGTERM.

    Raises:
        BusyError: As `refusing`; so does FullError.
        CommandError: A key, a store or a setting does not allow it.
    """
    place, settings, identity = open_drop(arguments.folder)
    listeners = Listeners(*(socket.socket(fileno=descriptor) for descriptor in arguments.fd))
    become(arguments)
    # A private network takes seconds to start: being stopped meanwhile must stop what has started.
    signal.signal(signal.SIGTERM, _leave)
    with refusing(KeeperError, OnionError), _world(arguments.tor, place, SystemClock()) as world:
        parts = _parts(place, settings, identity, world)
        return asyncio.run(_keep(parts, listeners, _seconds_left(world, parts.clock), idle=arguments.tor == "off"))


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


async def _keep(parts: KeeperParts, listeners: Listeners, seconds_left: float | None, *, idle: bool) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    outlived = asyncio.Event()

    def renew() -> None:
        outlived.set()
        stop.set()

    if seconds_left is not None:
        loop.call_later(seconds_left, renew)
    await keep(parts, listeners, stop, tors_wanted=not idle)
    return RENEWED if outlived.is_set() else 0


def _seconds_left(world: World, clock: Clock) -> float | None:
    """A private network's directory holds for a day; before its end this process ends and is started anew."""
    if not isinstance(world, Network):
        return None
    return max((world.good_until - clock.now()).total_seconds() - _MARGIN_SECONDS, _MARGIN_SECONDS)


def _parts(place: Place, settings: Settings, identity: Identity, world: World) -> KeeperParts:
    clock = SystemClock()
    inbox = open_to_read(place.database("inbox", settings.stores.inbox), INBOX)
    outbox = open_to_read(place.database("outbox", settings.stores.outbox), OUTBOX)
    folders = Folders(place.tors, place.onion, place.source_socket, place.journalist_socket)
    return KeeperParts(
        clock=clock,
        tors=Tors(folders, world, clock),
        log_key=LogKey.load(place.log_key, identity.log),
        stores=KeeperStores(InboxReader(inbox, Shelves(place.inbox)), OutboxReader(outbox)),
        keyset=lambda: _keyset(place.keyset),
        room=lambda: room_left(place.inbox),
        thresholds=Thresholds(settings.alarms.unfetched_days, settings.alarms.disk_percent),
        public=place.public,
        source_address=OnionAddress.parse(identity.source_address),
        reviewer_address=OnionAddress.parse(identity.reviewer_address),
    )


def _keyset(folder: Path) -> Keyset | None:
    try:
        return load(folder).keyset
    except KeysError:
        return None


@contextmanager
def _world(tor: str, place: Place, clock: Clock) -> Generator[World]:
    if tor != "private":
        yield PublicNetwork()
        return
    private_folder(place.tors)
    with Network(place.tors / "network", place.tors / "network-keys", clock).start() as network:
        network.membership.write(place.network)
        yield network
