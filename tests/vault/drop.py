"""A small drop: an inbox, its readers, and parts as a sealing would leave them."""

import hashlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from keys.sealing import Sealed
from keys.trailer import Kind
from tests.clock import FakeClock
from tests.stores import Stores
from vault.inbox import Inbox
from vault.objects import Receiving, Shelves
from vault.outbox import Outbox, OutboxReader
from vault.reading import InboxReader
from vault.records import Source, Submission
from vault.tables import INBOX, OUTBOX

WORDS = [f"word{letter}{other}" for letter in "abcdefghijklmnopqrst" for other in "abcdefghijklmnopqrst"]


class Drop:
    """The vault of one drop, as each process sees it."""

    def __init__(self, stores: Stores, root: Path, clock: FakeClock) -> None:
        self.root = root
        self.clock = clock
        self.shelves = Shelves(root)
        self.shelves.prepare()
        self.database = stores.to_write(INBOX)
        self.inbox = Inbox(self.database, self.shelves, clock, WORDS)
        self.reader = InboxReader(stores.to_read(INBOX), self.shelves)
        self.outbox = Outbox(stores.to_write(OUTBOX), clock)
        self.replies = OutboxReader(stores.to_read(OUTBOX))

    def source(self) -> Source:
        return self.inbox.new_source(secrets.token_bytes(32), secrets.token_bytes(32))

    def send(self, source: Source, sizes: Iterable[int] = (65_536,), kind: Kind = "file") -> str:
        """One whole submission; returns its id."""
        with self.inbox.receiving(source) as receiving:
            for size in sizes:
                receiving.keep(seal(receiving, size, kind))
        return receiving.submission_id

    def send_report(self, source: Source, progress: bytes | None = None) -> str:
        """One whole report, of several parts that the rows do not tell apart."""
        with self.inbox.receiving(source) as receiving:
            for kind in ("account", "identity", "contact", "consents", "manifest"):
                receiving.keep(seal_as(receiving, kind))
            receiving.progress = progress
        return receiving.submission_id

    def files(self) -> list[Path]:
        """Every file below the two folders."""
        return sorted(
            path for name in ("incoming", "objects") for path in (self.root / name).rglob("*") if path.is_file()
        )

    def folders(self) -> list[Path]:
        """Every folder of a submission, arriving or stored."""
        return sorted([*(self.root / "incoming").iterdir(), *(self.root / "objects").glob("*/*")])


def read_whole(reader: InboxReader, submissions: Iterable[Submission]) -> int:
    """Read all parts of these to their ends, and tell how many there were."""
    read = 0
    for submission in submissions:
        for part in submission.parts:
            with reader.open_part(part.part_id) as opened:
                assert len(opened.read()) == part.size_bytes
                read += 1
    return read


def seal_as(receiving: Receiving, kind: str) -> Sealed:
    """Leave a part of a report."""
    return seal(receiving, kind=cast("Kind", kind))


def seal(receiving: Receiving, size: int = 65_536, kind: Kind = "file") -> Sealed:
    """Leave a part as `keys.sealing` would: whole, synced, private."""
    part_id = secrets.token_hex(16)
    content = secrets.token_bytes(size)
    descriptor = os.open(receiving.place(part_id), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    return Sealed(
        part_id,
        kind,
        hashlib.sha256(content).hexdigest(),
        size,
        length=7,
        plain_sha256="cafe" * 16,
        preencrypted=False,
    )
