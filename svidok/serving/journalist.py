"""Put the journalist interface together: the inbox it may read, the outbox it may write, accounts and audit."""

import argparse
import asyncio
from collections.abc import Awaitable

from hardening.asking import ask
from hardening.clock import Clock, SystemClock
from hardening.database import open_to_read, open_to_write
from hardening.deadlines import ServingLimits
from hardening.process import Reach
from hardening.serving import serve as serve_app
from hardening.sessions import SessionLimits, Sessions
from journalist_interface.app import build_app, build_refusal
from journalist_interface.parts import (
    SESSIONS_PER_REVIEWER,
    Broker,
    DropFacts,
    ReviewerLimits,
    ReviewerParts,
    Stores,
)
from keeper.alarm_file import read
from keys.argon import ArgonParameters, enforce_floor
from keys.errors import KeysError
from keys.gpg import Gpg
from keys.keyset_store import load
from keys.keyset_trust import SignedKeyset
from keys.password import Passwords
from reviewers.accounts import Accounts
from reviewers.audit import AuditLog
from reviewers.errors import ReviewersError
from reviewers.guard import SignInGuard
from reviewers.marks import Marks
from reviewers.selections import Selections
from reviewers.tables import REVIEWERS
from settings import Settings
from svidok.drop import open_drop
from svidok.identity import Identity
from svidok.place import Place
from svidok.serving.confine import become, confine, hosts, listeners, preload
from svidok.serving.refusals import refusing
from vault.errors import VaultError
from vault.objects import Shelves
from vault.outbox import Outbox, OutboxReader
from vault.reading import InboxReader
from vault.tables import INBOX, OUTBOX

_COOKIE_WORD = "desk"


def serve(arguments: argparse.Namespace) -> int:
    """Serve reviewers until SIGTERM.

    Raises:
        BusyError: As `refusing`; so does FullError.
        CommandError: A store or a setting does not allow it.
    """
    place, settings, identity = open_drop(arguments.folder)
    preload()
    become(arguments)
    sockets = listeners(arguments)
    with refusing(VaultError, ReviewersError, KeysError):
        parts = _parts(place, settings, identity, hosts(identity.reviewer_address, sockets))
    app, refusal = build_app(parts), build_refusal(parts)
    # The sockets' folder holds the keeper's broker; connecting needs no right on the file system's side of Landlock.
    confine(Reach(read=(place.keys, place.public, place.inbox), write=(place.outbox, place.reviewers)))
    asyncio.run(serve_app(app, sockets, ServingLimits(), refusal))
    return 0


def _parts(place: Place, settings: Settings, identity: Identity, allowed: frozenset[str]) -> ReviewerParts:
    clock = SystemClock()
    argon = ArgonParameters(settings.argon.memory_kib, settings.argon.passes)
    enforce_floor(argon)
    limits = SessionLimits(
        per_owner=SESSIONS_PER_REVIEWER,
        idle_seconds=settings.sessions.idle_minutes * 60,
        absolute_seconds=settings.sessions.absolute_minutes * 60,
    )
    return ReviewerParts(
        clock=clock,
        limits=ReviewerLimits(),
        facts=DropFacts(name=settings.drop.name, origin=identity.origin, evaluation=identity.evaluation),
        stores=_stores(place, settings, clock, argon),
        keyset=lambda: _keyset(place),
        alarms=lambda: [(alarm.kind, alarm.text) for alarm in read(place.alarms)],
        gpg=Gpg(place.reviewers / "gnupg"),
        broker=_broker(place),
        sessions=Sessions(clock, limits, _COOKIE_WORD),
        work=place.reviewers / "returns",
        hosts=allowed,
    )


def _stores(place: Place, settings: Settings, clock: Clock, argon: ArgonParameters) -> Stores:
    inbox = open_to_read(place.database("inbox", settings.stores.inbox), INBOX)
    outbox = open_to_write(place.database("outbox", settings.stores.outbox), OUTBOX)
    reviewers = open_to_write(place.database("reviewers", settings.stores.reviewers), REVIEWERS)
    writer = Outbox(outbox, clock)
    writer.sweep()
    return Stores(
        inbox=InboxReader(inbox, Shelves(place.inbox)),
        outbox=writer,
        replies=OutboxReader(outbox),
        accounts=Accounts(reviewers, Passwords(argon), SignInGuard(clock), clock),
        marks=Marks(reviewers),
        selections=Selections(reviewers, clock),
        audit=AuditLog(reviewers, clock),
    )


def _keyset(place: Place) -> SignedKeyset | None:
    try:
        return load(place.keyset)
    except KeysError:
        return None


def _broker(place: Place) -> Broker:
    def tell(line: str) -> Awaitable[str]:
        return ask(place.reviewer_broker, line)

    return tell
