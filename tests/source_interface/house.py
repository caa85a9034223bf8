"""A whole source interface on a Unix socket: real gpg, stores and files; only the clock is in the test's hand."""

import asyncio
import hashlib
import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Self

import httpx

from hardening.database import Database, open_to_read, open_to_write
from hardening.files import Room
from hardening.headers import App
from hardening.migrating import create
from hardening.serving import DropServer, Listener, ServingLimits, bind_loopback, bind_unix
from hardening.sessions import SessionLimits, Sessions
from keys.argon import ArgonParameters
from keys.codename import Codename, parse
from keys.gpg import Gpg
from keys.keyset import Keyset
from keys.keyset import parse as parse_keyset
from keys.lexicon import lexicons
from keys.manifest import Manifest, parse_manifest
from keys.opening import inspect, release
from keys.recipients import Recipients, write_recipients
from keys.source_key import SourceSecrets, derive, seal_reply
from keys.trailer import Trailer
from questionnaire import places
from questionnaire.served import Questionnaire
from source_interface.app import build_app, build_refusal
from source_interface.help_entries import help_book
from source_interface.languages import languages
from source_interface.parts import SESSIONS_PER_SOURCE, Desk, PublicFacts, SourceLimits, SourceParts
from tests.browserlike import Browser, Chosen, Page, unix_client
from tests.clock import FakeClock
from tests.keyring import DAY, Reviewer
from vault.inbox import Inbox
from vault.objects import Shelves
from vault.outbox import Outbox, OutboxReader
from vault.reading import InboxReader
from vault.records import Collection, ReturnBag, ReturnedReply, Submission
from vault.tables import INBOX, OUTBOX

HOST = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx.onion"
# Only for tests: a real one takes a third of a second.
CHEAP = ArgonParameters(memory_kib=64, passes=1)
# What the forms carry by which a visit begins.
FIRST_FORM = b"direct=href%3D%22fake.onion%22"
PEPPER = bytes(range(32))


EVERY_LANGUAGE = frozenset(language.code for language in languages())
"""A drop that a test does not ask about approvals has all of them."""


class FewRegions:
    """The countries of the world, most of them without regions."""

    def countries(self, language: str) -> Sequence[tuple[str, str]]:
        return places.countries(language)

    def regions(self, country: str, language: str) -> Sequence[tuple[str, str]]:
        return {
            "UA": [("UA-14", f"Donetsk {language}"), ("UA-32", f"Kyiv {language}")],
            "FR": [("FR-75", "Paris")],
        }.get(country, [])

    def is_country(self, code: str) -> bool:
        return places.is_country(code)

    def is_region(self, country: str, code: str) -> bool:
        return code in dict(self.regions(country, "en"))


@dataclass(frozen=True, slots=True)
class Keyring:
    """Who can seal, and who can open."""

    keyset: Keyset
    recipients: Recipients
    sealer: Gpg
    reviewers: tuple[Reviewer, ...]

    @classmethod
    def alone(cls, folder: Path, keyset_file: Path) -> Self:
        """For a house in a process of its own, where nobody can open anything."""
        home, recipients = folder / "gnupg", folder / "recipients"
        for made in (home, recipients):
            made.mkdir(mode=0o700)
        keyset, sealer = parse_keyset(keyset_file.read_bytes()), Gpg(home)
        return cls(keyset, write_recipients(keyset, DAY, recipients, sealer), sealer, ())


@dataclass(frozen=True, slots=True)
class Opened:
    """A part as a reviewer finds it."""

    trailer: Trailer
    content: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in raw bytes."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def every(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


class House:
    """One drop's source interface, and what a test wants to know of it."""

    def __init__(
        self,
        root: Path,
        keyring: Keyring,
        clock: FakeClock,
        *,
        limits: SourceLimits | None = None,
        facts: PublicFacts | None = None,
        argon: ArgonParameters = CHEAP,
        gpg: Gpg | None = None,
        loopback: bool = False,
        proxied: bool = False,
        questionnaire: Questionnaire | None = None,
        change: Callable[[SourceParts], SourceParts] = lambda parts: parts,
    ) -> None:
        self.root = root
        self.keyring = keyring
        self.clock = clock
        self.argon = argon
        self.fault: Exception | None = None
        self.desk: Desk | None = Desk(keyring.keyset, keyring.recipients)
        self.room: Callable[[], Room] = lambda: Room(free_bytes=10**12, free_fraction=0.5)
        self.socket = root / "source.sock"
        self.listeners = [Listener(bind_unix(self.socket))]
        self.host = HOST
        if loopback:
            # For real browsers, which know no Unix sockets.
            self.listeners.append(Listener(bind_loopback(0)))
            self.host = f"127.0.0.1:{self.listeners[1].socket.getsockname()[1]}"
        self.tor_socket = root / "tor.sock"
        if proxied:
            self.listeners.append(Listener(bind_unix(self.tor_socket), proxy_line=True))
        self.databases: list[Database] = []
        self.shelves = Shelves(root)
        self.shelves.prepare()
        self.urls = {schema.name: f"sqlite:///{root / schema.name}.db" for schema in (INBOX, OUTBOX)}
        for schema in (INBOX, OUTBOX):
            if not (root / f"{schema.name}.db").exists():
                create(self.urls[schema.name], schema)
        self.inbox = Inbox(
            self._kept(open_to_write(self.urls["inbox"], INBOX)), self.shelves, clock, lexicons()["en"].words
        )
        self.reader = InboxReader(self._kept(open_to_read(self.urls["inbox"], INBOX)), self.shelves)
        self.outbox = Outbox(self._kept(open_to_write(self.urls["outbox"], OUTBOX)), clock)
        self.sessions = Sessions(clock, SessionLimits(per_owner=SESSIONS_PER_SOURCE), "visit")
        parts = SourceParts(
            clock=clock,
            limits=limits or SourceLimits(),
            facts=facts or PublicFacts(name="The Example Desk", onion_address=HOST, approved=EVERY_LANGUAGE),
            desk=self.current_desk,
            room=self.measure,
            inbox=self.inbox,
            outbox=OutboxReader(self._kept(open_to_read(self.urls["outbox"], OUTBOX))),
            gpg=gpg or keyring.sealer,
            sessions=self.sessions,
            pepper=PEPPER,
            argon=argon,
            hosts=frozenset({HOST, self.host}),
            places=FewRegions(),
            questionnaire=questionnaire,
            helplines=help_book(root / "help", evaluation=True),
        )
        self.parts = change(parts)
        self.app: App = build_app(self.parts)
        self._bags = 0

    def current_desk(self) -> Desk | None:
        if self.fault is not None:
            raise self.fault
        return self.desk

    def measure(self) -> Room:
        return self.room()

    def browser(self) -> Browser:
        client = unix_client(str(self.socket), HOST)
        self.clients.append(client)
        return Browser(client)

    def begun(self) -> Browser:
        """Somebody before the form to send with."""
        browser = self.browser()
        browser.open("/")
        browser.begin()
        return browser

    def sender(self, message: str = "Hello.", files: Sequence[Chosen] = ()) -> tuple[Browser, str]:
        """Somebody who has sent something and written her codename down."""
        browser = self.begun()
        page = browser.press("Send now", message=message, files=files)
        codename = shown_codename(page)
        browser.click("I have written it down")
        browser.press("Skip this: I am sure")
        return browser, codename

    def ask(self, raw: bytes, *, seconds: float = 20) -> Answer:
        """Send raw bytes, read one answer."""
        with self.connection(seconds) as connection:
            with suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(raw)
            return read_answer(connection, bodiless=raw.startswith(b"HEAD"))

    def get(self, path: str, *headers: str, method: str = "GET") -> Answer:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}", *headers, "Connection: close"]
        return self.ask("\r\n".join(lines).encode() + b"\r\n\r\n")

    def begin(self, *headers: str) -> Answer:
        """Send the first page's form, and nothing else."""
        return self.ask(small_form("/begin", FIRST_FORM, *headers))

    @contextmanager
    def connection(self, seconds: float = 20, path: Path | None = None) -> Generator[socket.socket]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(seconds)
            connection.connect(str(path or self.socket))
            yield connection

    def secrets(self, codename: str) -> SourceSecrets:
        return derive(parse(codename), PEPPER, self.argon)

    def collection(self, codename: str) -> Collection:
        source = self.inbox.find(self.secrets(codename).lookup_id)
        assert source is not None
        return self.reader.collection(source.collection_id)

    def submissions(self) -> list[Submission]:
        return [
            submission
            for collection in self.reader.newest()
            for submission in self.reader.submissions_of(collection.collection_id)
        ]

    def opened(self, part_id: str, reviewer: int = 0) -> Opened:
        """Open a part as a reviewer does."""
        who = self.keyring.reviewers[reviewer]
        ciphertext = self.root / "opening.gpg"
        with self.reader.open_part(part_id) as stored:
            ciphertext.write_bytes(stored.read())
        content = BytesIO()
        verdict = inspect(ciphertext, who.gpg, who.passphrase)
        trailer = release(ciphertext, verdict, content, who.gpg, who.passphrase)
        ciphertext.unlink()
        return Opened(trailer, content.getvalue())

    def everything(self, reviewer: int = 0) -> list[Opened]:
        """Open all that is there but the manifests."""
        return [
            self.opened(part.part_id, reviewer)
            for submission in self.submissions()
            for part in submission.parts
            if part.kind != "manifest"
        ]

    def manifests(self) -> list[Manifest]:
        return [
            parse_manifest(self.opened(part.part_id).content)
            for submission in self.submissions()
            for part in submission.parts
            if part.kind == "manifest"
        ]

    def reply(self, codename: str, text: str) -> str:
        """Have a reviewer answer; returns the reply's id."""
        self._bags += 1
        collection_id = self.collection(codename).collection_id
        reply_id = hashlib.sha256(f"reply {self._bags}".encode()).hexdigest()[:32]
        box = seal_reply(text, self.secrets(codename).public_key)
        reply = ReturnedReply(reply_id, collection_id, box)
        self.outbox.accept(ReturnBag("A" * 40, self._bags, f"{self._bags:064x}", (reply,), ()))
        return reply_id

    def nothing_kept(self) -> bool:
        """No row, no file, no folder: as if nobody had come."""
        folders = [*(self.root / "incoming").iterdir(), *(self.root / "objects").glob("*/*")]
        return not folders and not self.reader.newest()

    @contextmanager
    def living(self, limits: ServingLimits | None = None) -> Generator["House"]:
        self.clients: list[httpx.Client] = []
        server = DropServer(self.app, self.listeners, limits or ServingLimits(), build_refusal(self.parts))
        thread = threading.Thread(target=asyncio.run, args=(server.run(),))
        thread.start()
        try:
            yield self
        finally:
            for client in self.clients:
                client.close()
            server.stop()
            thread.join(40)
            for database in self.databases:
                database.close()
            assert not thread.is_alive()

    def _kept(self, database: Database) -> Database:
        self.databases.append(database)
        return database


@contextmanager
def short_folder() -> Iterator[Path]:
    """A private folder with a short path: those of sockets are short."""
    folder = Path(tempfile.mkdtemp(prefix="svs", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def shown_codename(page: Page) -> str:
    words = [re.sub(r"\s+", "", "".join(item.itertext())) for item in page.first("ol", "words")]
    return " ".join(words)


def read_answer(connection: socket.socket, *, bodiless: bool = False) -> Answer:
    """Read one answer to its end."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, body = received.split(b"\r\n\r\n", 1)
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    size_bytes = 0 if bodiless else int(dict(headers).get("content-length", "0"))
    while len(body) < size_bytes:
        body += _more(connection)
    return Answer(int(status_line.split()[1]), headers, body)


def small_form(path: str, body: bytes, *headers: str) -> bytes:
    """Write the request that sends a form which is text alone."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def form_body(boundary: str, parts: Sequence[tuple[str, str | None, bytes]], *, closed: bool = True) -> bytes:
    """Write a multipart body by hand: name, file name or None, content."""
    pieces: list[bytes] = []
    for name, filename, content in parts:
        disposition = f'form-data; name="{name}"' + ("" if filename is None else f'; filename="{filename}"')
        pieces += [f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode(), content, b"\r\n"]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode() if closed else b""])


def until(happened: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for something that another thread does."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen in time"
        threading.Event().wait(0.01)


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionError("the answer broke off")
    return chunk


def drawn() -> Codename:
    """Some codename that nobody has."""
    return Codename(12345678901234567890)
