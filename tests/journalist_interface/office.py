"""A journalist interface on a real Unix socket, with real stores, real gpg, and a keeper that keeps its protocol."""

import asyncio
import tempfile
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import cast

import pyotp

from hardening.asking import ask, listen
from hardening.database import Database
from hardening.serving import DropServer, Listener, ServingLimits, bind_loopback, bind_unix
from hardening.sessions import SessionLimits, Sessions
from journalist_interface.app import build_app, build_refusal
from journalist_interface.parts import (
    SESSIONS_PER_REVIEWER,
    Alarm,
    DropFacts,
    ReviewerLimits,
    ReviewerParts,
    Stores,
)
from keeper.broker import Broker, reviewer_commands
from keeper.log_key import LogKey
from keeper.tors import Tors
from keys.argon import ArgonParameters
from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from keys.password import Passwords
from onion.client_auth import AuthorizedClients, ClientKey, client_pair
from onion.errors import OnionError
from reviewers.accounts import Accounts
from reviewers.audit import AuditLog
from reviewers.guard import SignInGuard
from reviewers.marks import Marks
from reviewers.records import Credentials, Reviewer
from reviewers.selections import Selections
from reviewers.tables import REVIEWERS
from tests.clock import FakeClock
from tests.journalist_interface.browser import HOST, Answer, Browser
from tests.stores import Stores as Databases
from tests.vault.drop import Drop

CHEAP = ArgonParameters(memory_kib=8, passes=1)
ORIGIN = "log-test"
DAY_SECONDS = 86_400


@dataclass
class FakeTors:
    """Tor's part of the keeper: the real folder of keys, and no tor that reads it."""

    clients: AuthorizedClients
    asked: list[str] = field(default_factory=list[str])
    refusing: bool = False

    def authorize(self, name: str, key: ClientKey) -> None:
        self._hear(f"authorize {name}")
        self.clients.add(name, key)

    def revoke(self, name: str) -> None:
        self._hear(f"revoke {name}")
        self.clients.remove(name)

    def names(self) -> tuple[str, ...]:
        return self.clients.names()

    def holds(self, name: str, key: ClientKey) -> bool:
        return self.clients.holds(name, key)

    def _hear(self, what: str) -> None:
        self.asked.append(what)
        if self.refusing:
            raise OnionError("tor refused")


@dataclass
class Office:
    """Everything of one running interface that a test may want to look at."""

    parts: ReviewerParts
    folder: Path
    clock: FakeClock
    drop: Drop
    database: Database
    tors: FakeTors
    log_key: LogKey
    signed: list[SignedKeyset | None]
    alarms: list[Alarm]
    url: str

    @property
    def stores(self) -> Stores:
        return self.parts.stores

    @property
    def socket(self) -> Path:
        return self.folder / "journalist.sock"

    @property
    def tor_socket(self) -> Path:
        """Where tor would connect, telling the circuit."""
        return self.folder / "tor.sock"

    def hire(self, name: str = "Olena", *, is_admin: bool = False) -> Credentials:
        issued = self.stores.accounts.add(name, client_pair().public, is_admin=is_admin)
        self.tors.clients.add(issued.reviewer.reviewer_id, ClientKey.parse(issued.reviewer.onion_key))
        return issued

    def code(self, issued: Credentials, seconds: int = 0) -> str:
        return pyotp.TOTP(issued.totp_secret).at(self.clock.now() + timedelta(seconds=seconds))

    def browser(self) -> Browser:
        return Browser(self.socket)

    def sign_in(self, issued: Credentials, browser: Browser | None = None) -> Browser:
        """A browser that has signed in; the clock goes on, so that the next one has a code of its own."""
        used = browser or self.browser()
        answer = self.try_in(issued.reviewer.display_name, issued.password, self.code(issued), used)
        assert answer.status == 303, answer.text
        self.clock.advance(61)
        return used

    def try_in(self, name: str, password: str, code: str, browser: Browser | None = None) -> Answer:
        used = browser or self.browser()
        form = used.get("/").form("Sign in")
        return used.submit(form.filled(name=name, password=password, code=code))

    def words(self, designation: str) -> str:
        """The collection's id."""
        (found,) = self.stores.inbox.search(designation)
        return found.collection_id

    def audited(self) -> list[tuple[str, str]]:
        """What the log says, the oldest line first."""
        return [(line.what, line.object_id) for line in reversed(self.stores.audit.lines(limit=1000))]


class WatchedAccounts(Accounts):
    """Accounts that tell when they were all looked at: with that, the interface's first round of housekeeping is over.

    A test that keeps house itself would otherwise do so beside it, and each key would be revoked twice.
    """

    def __init__(self, database: Database, passwords: Passwords, guard: SignInGuard, clock: FakeClock) -> None:
        super().__init__(database, passwords, guard, clock)
        self.looked_at = threading.Event()

    def all(self) -> list[Reviewer]:
        found = super().all()
        self.looked_at.set()
        return found


@contextmanager
def office(
    databases: Databases,
    keys: tuple[SignedKeyset, Gpg],
    *,
    limits: ReviewerLimits | None = None,
    argon: ArgonParameters = CHEAP,
    change: Callable[[ReviewerParts], ReviewerParts] = lambda parts: parts,
    loopback: bool = False,
) -> Generator[Office]:
    """Run an interface; with *loopback* it has a port too, for real browsers."""
    clock = FakeClock()
    with tempfile.TemporaryDirectory(prefix="sv", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o750)
        for inner in ("inbox", "work", "onion"):
            (folder / inner).mkdir(mode=0o700)
        drop, database = Drop(databases, folder / "inbox", clock), databases.to_write(REVIEWERS)
        signed: list[SignedKeyset | None] = [keys[0]]
        alarms: list[Alarm] = []
        parts = ReviewerParts(
            clock=clock,
            limits=limits or ReviewerLimits(),
            facts=DropFacts(name="The Quiet Desk", origin=ORIGIN, evaluation=True),
            stores=_stores(drop, database, clock, argon),
            keyset=lambda: signed[0],
            alarms=lambda: alarms,
            gpg=keys[1],
            broker=partial(ask, folder / "broker.sock"),
            sessions=Sessions(clock, SessionLimits(per_owner=SESSIONS_PER_REVIEWER), "desk"),
            work=folder / "work",
            hosts=frozenset({HOST}),
        )
        tors = FakeTors(AuthorizedClients.prepare(folder / "onion"))
        log_key = LogKey.create(folder / "log.key", ORIGIN)
        port = bind_loopback(0) if loopback else None
        address = f"127.0.0.1:{port.getsockname()[1]}" if port else ""
        parts = change(replace(parts, hosts=parts.hosts | {address} if port else parts.hosts))
        made = Office(parts, folder, clock, drop, database, tors, log_key, signed, alarms, f"http://{address}")
        with _running(made, [Listener(port)] if port else []):
            yield made


@contextmanager
def _running(made: Office, more: list[Listener]) -> Generator[None]:
    listeners = [Listener(bind_unix(made.socket)), Listener(bind_unix(made.tor_socket), proxy_line=True), *more]
    server = DropServer(build_app(made.parts), listeners, ServingLimits(), build_refusal(made.parts))
    ready = threading.Event()

    async def run() -> None:
        with ThreadPoolExecutor(1) as thread:
            commands = reviewer_commands(cast("Tors", made.tors), made.log_key, made.drop.reader.pending)
            keeper = await listen(bind_unix(made.folder / "broker.sock"), Broker(commands, thread).answer)
            ready.set()
            await server.run()
            keeper.close()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    ready.wait(20)
    # Bounded: an interface whose keeper is away looks at no account.
    cast("WatchedAccounts", made.stores.accounts).looked_at.wait(2)
    try:
        yield
    finally:
        server.stop()
        thread.join(40)
        assert not thread.is_alive()


def _stores(drop: Drop, database: Database, clock: FakeClock, argon: ArgonParameters) -> Stores:
    return Stores(
        inbox=drop.reader,
        outbox=drop.outbox,
        replies=drop.replies,
        accounts=WatchedAccounts(database, Passwords(argon), SignInGuard(clock), clock),
        marks=Marks(database),
        selections=Selections(database, clock),
        audit=AuditLog(database, clock),
    )
