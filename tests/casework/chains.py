"""Case logs with chains in them, signed by stand-ins: what a signature is worth is the desk's business."""

import hashlib
from datetime import date
from pathlib import Path

from casework.errors import EventError
from casework.events import Event, Kind
from casework.log import CaseLog, SignedEvent
from hardening.canonical import JSON

AMBER = "A" * 40
BIRCH = "B" * 40
DAY = date(2026, 3, 4)
PASSPHRASE = "it's a long 'story'"


def sign_as(reviewer: str, body: bytes) -> bytes:
    return hashlib.sha256(reviewer.encode() + body).digest()


def check(signed: SignedEvent) -> None:
    if signed.signature != sign_as(signed.event.reviewer, signed.body):
        raise EventError(f"event {signed.event.index} of {signed.event.reviewer} is not signed by her")


def append(log: CaseLog, reviewer: str, text: str) -> Event:
    body: dict[str, JSON] = {"submission": text, "source_key": "07" * 32}
    return log.append(reviewer, lambda event: sign_as(reviewer, event), DAY, (Kind.OPENED, body))


def filled(path: Path, count: int = 5) -> CaseLog:
    log = CaseLog.create(path, PASSPHRASE)
    for number in range(count):
        append(log, AMBER, f"{number:032x}")
        append(log, BIRCH, f"{number:032x}")
    return log


def by_hand(log: CaseLog, change: str, reviewer: str, index: int, value: object = None) -> None:
    """Change one event as somebody can who has the passphrase; *value* is what ``?3`` stands for in *change*."""
    with log._engine.begin() as connection:
        connection.exec_driver_sql(
            change + ' WHERE reviewer = ?1 AND "index" = ?2 AND ?3 IS ?3', (reviewer, index, value)
        )
