"""Put the source interface together: the inbox it may write, the outbox it may read, the keyset it seals to."""

import argparse
import asyncio
import gc
import threading
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from hardening.clock import Clock, SystemClock, today
from hardening.database import open_to_read, open_to_write
from hardening.deadlines import ServingLimits
from hardening.files import room_left
from hardening.process import Reach
from hardening.serving import serve as serve_app
from hardening.sessions import SessionLimits, Sessions
from keys.argon import ArgonParameters, enforce_floor
from keys.errors import KeysError
from keys.gpg import Gpg
from keys.keyset import quorum_met
from keys.keyset_store import load
from keys.lexicon import lexicons
from keys.recipients import write_recipients
from questionnaire import places
from questionnaire.served import Questionnaire, draft
from settings import Settings
from source_interface.app import build_app, build_refusal
from source_interface.errors import HelpError
from source_interface.help_entries import help_book
from source_interface.parts import SESSIONS_PER_SOURCE, Desk, PublicFacts, SourceLimits, SourceParts
from svidok.approvals import approved_languages
from svidok.approved_form import approved
from svidok.drop import PEPPER_BYTES, open_drop
from svidok.errors import CommandError
from svidok.identity import Identity
from svidok.isolation import find
from svidok.place import Place
from svidok.serving.confine import become, confine, hosts, listeners, preload
from svidok.serving.refusals import refusing
from svidok.signed_approval import Signers, signers_of
from vault.errors import VaultError
from vault.inbox import Inbox
from vault.objects import Shelves
from vault.outbox import OutboxReader
from vault.tables import INBOX, OUTBOX

_COOKIE_WORD = "visit"
# With users of their own, the source process cannot even read back what it has stored (F9).
_WRITE_ONLY_PART = 0o040
_READABLE_PART = 0o640
_LARGEST_STATEMENT = 64 * 1024


def serve(arguments: argparse.Namespace) -> int:
    """Serve sources until SIGTERM.

    Raises:
        BusyError: As `refusing`; so does FullError.
        CommandError: A store, the pepper or a setting does not allow it.
    """
    place, settings, identity = open_drop(arguments.folder)
    preload()
    become(arguments)
    sockets = listeners(arguments)
    with refusing(VaultError, KeysError, HelpError):
        parts = _parts(place, settings, identity, hosts(identity.source_address, sockets))
    app, refusal = build_app(parts), build_refusal(parts)
    # What is here now stays: looking for what requests have left (F10) then costs next to nothing.
    gc.freeze()
    confine(Reach(read=(place.keys, place.public, place.outbox), write=(place.inbox, place.source)))
    asyncio.run(serve_app(app, sockets, ServingLimits(), refusal))
    return 0


@dataclass(slots=True)
class CurrentDesk:
    """Whom to seal to now: follows the installed keyset and the day, and closes when the quorum is not met (G6)."""

    keyset_folder: Path
    recipients_folder: Path
    gpg: Gpg
    clock: Clock
    _known: tuple[object, Desk | None] = (None, None)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> Desk | None:
        """Tell the desk of this moment, or None while no report may begin."""
        day = today(self.clock)
        with self._lock:
            stamp = (_stamp(self.keyset_folder), day)
            if stamp != self._known[0]:
                try:
                    self._known = (stamp, self._look(day))
                except (KeysError, OSError):
                    # Whatever is wrong: nobody is asked for words that could not be sealed. It may pass, so the next
                    # one who asks makes us look again: the disk may have room then, or gpg be back.
                    return None
            return self._known[1]

    def _look(self, day: date) -> Desk | None:
        keyset = load(self.keyset_folder).keyset
        if not quorum_met(keyset, day):
            return None
        return Desk(keyset, write_recipients(keyset, day, self.recipients_folder, self.gpg))


def _parts(place: Place, settings: Settings, identity: Identity, allowed: frozenset[str]) -> SourceParts:
    clock = SystemClock()
    argon = ArgonParameters(settings.argon.memory_kib, settings.argon.passes)
    enforce_floor(argon)
    gpg = Gpg(place.source / "gnupg")
    signers = _signers(place, identity, gpg, today(clock))
    # What is read from the code's own folder later could not be read any more.
    places.load()
    inbox = _inbox(place, settings, clock)
    outbox = open_to_read(place.database("outbox", settings.stores.outbox), OUTBOX)
    return SourceParts(
        clock=clock,
        limits=_limits(settings),
        facts=PublicFacts(
            name=settings.drop.name,
            onion_address=identity.source_address,
            files=_statement(place.statement),
            evaluation=identity.evaluation,
            approved=approved_languages(place.approvals, signers),
            reply_days=settings.drop.reply_days,
        ),
        desk=CurrentDesk(place.keyset, place.recipients, gpg, clock),
        room=lambda: room_left(place.inbox),
        inbox=inbox,
        outbox=OutboxReader(outbox),
        gpg=gpg,
        sessions=_sessions(settings, clock),
        pepper=_pepper(place.pepper),
        argon=argon,
        hosts=allowed,
        places=places,
        questionnaire=_questionnaire(place, identity, signers),
        helplines=help_book(place.helplines, evaluation=identity.evaluation),
    )


def _signers(place: Place, identity: Identity, gpg: Gpg, day: date) -> Signers | None:
    """Say who may approve; what an evaluation serves depends on nobody's signature, only what it calls a draft does."""
    try:
        return signers_of(place, gpg, day)
    except (KeysError, OSError):
        if identity.evaluation:
            return None
        raise


def _questionnaire(place: Place, identity: Identity, signers: Signers | None) -> Questionnaire | None:
    """Give what is asked: an evaluation drop shows drafts, any other only what its signers have approved."""
    if identity.evaluation:
        return draft(place.forms)
    return None if signers is None else approved(place.forms, signers)


def _inbox(place: Place, settings: Settings, clock: Clock) -> Inbox:
    database = open_to_write(place.database("inbox", settings.stores.inbox), INBOX)
    isolated = find(place.root).missing is None
    shelves = Shelves(place.inbox, _WRITE_ONLY_PART if isolated else _READABLE_PART)
    inbox = Inbox(database, shelves, clock, lexicons()["en"].words)
    inbox.sweep()
    return inbox


def _pepper(path: Path) -> bytes:
    """Read the site's share of every codename; with another one no codename would ever work again."""
    try:
        pepper = path.read_bytes()
    except OSError as error:
        raise CommandError(f"the pepper cannot be read ({error.strerror}): restore it from the backup") from error
    if len(pepper) != PEPPER_BYTES:
        raise CommandError(f"the pepper has {PEPPER_BYTES} bytes, not {len(pepper)}: restore it from the backup")
    return pepper


def _limits(settings: Settings) -> SourceLimits:
    wanted = settings.limits
    return SourceLimits(
        uploads=wanted.uploads,
        post_bytes=wanted.post_bytes,
        files_per_post=wanted.files_per_post,
        message_characters=wanted.message_characters,
        source_bytes_per_day=wanted.source_bytes_per_day,
        source_items_per_day=wanted.source_items_per_day,
        disk_floor_percent=wanted.disk_floor_percent,
        seals_at_once=wanted.seals_at_once,
    )


def _sessions(settings: Settings, clock: Clock) -> Sessions:
    limits = SessionLimits(
        per_owner=SESSIONS_PER_SOURCE,
        idle_seconds=settings.sessions.idle_minutes * 60,
        absolute_seconds=settings.sessions.absolute_minutes * 60,
    )
    return Sessions(clock, limits, _COOKIE_WORD)


def _statement(folder: Path) -> dict[str, bytes]:
    """What reviewers have signed about this drop, if it was installed."""
    if not folder.is_dir():
        return {}
    found: dict[str, bytes] = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            found[path.name] = file.read(_LARGEST_STATEMENT)
    return found


def _stamp(folder: Path) -> object:
    """Something that changes when a keyset is installed."""
    try:
        found = (folder / "keyset.json").stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)
