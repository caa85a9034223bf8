"""One event of the case log: who did what on which day, chained to what she did before, signed by her.

An event is canonical JSON. Each reviewer has a chain of her own, so that the logs of several workstations can be
merged without loss: an event is named by its reviewer and its place in her chain. docs/specs/case-log.md is the
specification.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Self

from casework.errors import EventError
from hardening.audit import HASH_BYTES, START, link
from hardening.canonical import JSON, JsonError, Writable, canonical_json, strict_json

MOST_EVENT_BYTES = 64 * 1024 * 1024

_VERSION = 1
_TYPE = "svidok event"
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}", re.ASCII)


class Kind(StrEnum):
    """What can happen to a case."""

    KEYSET = "keyset"
    IMPORTED = "imported"
    OPENED = "opened"
    CONSENTS = "consents"
    REPLIED = "replied"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        reviewer: The fingerprint of the key that signs.
        index: Its place in the reviewer's chain, from 0.
        previous: The chain hash before it.
        body: What happened; its form depends on the kind.
    """

    reviewer: str
    index: int
    previous: bytes
    day: date
    kind: Kind
    body: dict[str, JSON]

    def format(self) -> bytes:
        """Write the event in its one form, which is signed and chained.

        Raises:
            EventError: It holds what canonical JSON cannot, or too much.
        """
        written: dict[str, Writable] = {
            "v": _VERSION,
            "type": _TYPE,
            "reviewer": self.reviewer,
            "index": self.index,
            "previous": self.previous.hex(),
            "day": self.day.isoformat(),
            "kind": str(self.kind),
            "body": self.body,
        }
        try:
            whole = canonical_json(written)
        except JsonError as error:
            raise EventError(f"this cannot stand in the case log: {error}") from error
        if len(whole) > MOST_EVENT_BYTES:
            raise EventError(f"an event has at most {MOST_EVENT_BYTES} bytes, not {len(whole)}")
        return whole

    def hash(self) -> bytes:
        """Tell the chain hash after this event."""
        return link(self.previous, self.format())

    @classmethod
    def following(cls, before: Self | None, reviewer: str, day: date, what: tuple[Kind, dict[str, JSON]]) -> Self:
        """Make the event that comes after *before* in the reviewer's chain; None is before the first."""
        kind, body = what
        if before is None:
            return cls(reviewer, 0, START, day, kind, body)
        return cls(reviewer, before.index + 1, before.hash(), day, kind, body)


def parse(untrusted: bytes) -> Event:
    """Read one event in its canonical form; who signed it is another question.

    Raises:
        EventError: It is not what `Event.format` writes.
    """
    try:
        told = strict_json(untrusted, MOST_EVENT_BYTES, canonical=True)
    except JsonError as error:
        raise EventError(f"the event is malformed: {error}") from error
    match told:
        case {
            "v": 1,
            "type": "svidok event",
            "reviewer": str(reviewer),
            "index": int(index),
            "previous": str(previous),
            "day": str(day),
            "kind": str(kind),
            "body": dict(body),
        }:
            return _checked((reviewer, index, previous, day, kind, body), untrusted)
        case _:
            raise EventError("this is no event of a known version")


def _checked(told: tuple[str, int, str, str, str, dict[str, JSON]], untrusted: bytes) -> Event:
    reviewer, index, previous, day, kind, body = told
    try:
        event = Event(reviewer, index, bytes.fromhex(previous), date.fromisoformat(day), Kind(kind), body)
    except ValueError as error:
        raise EventError("a field of the event has an impossible value") from error
    # JSON's true is an int to Python, but no place in a chain.
    if (
        isinstance(index, bool)
        or index < 0
        or len(event.previous) != HASH_BYTES
        or not _FINGERPRINT.fullmatch(reviewer)
    ):
        raise EventError("a field of the event has an impossible value")
    # Whatever else the bytes hold would be missing from what we would write.
    if event.format() != untrusted:
        raise EventError("the event holds more than an event")
    return event
