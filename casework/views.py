"""Fold the case log into what a reviewer works with: collections, submissions, parts, replies, what went back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from casework.errors import EventError
from casework.events import Event, Kind
from hardening.canonical import JSON


@dataclass(frozen=True, slots=True)
class KnownPart:
    """A sealed part that was imported."""

    part_id: str
    kind: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class KnownSubmission:
    """A submission that was imported."""

    submission_id: str
    collection_id: str
    day: date
    parts: tuple[KnownPart, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WrittenReply:
    """A reply that was written here, sealed to the source of *collection_id*."""

    reply_id: str
    collection_id: str
    box: bytes
    text: str
    day: date


@dataclass(frozen=True, slots=True)
class KnownCollection:
    """All that is known from one source."""

    collection_id: str
    designation: str
    source_key: bytes


@dataclass(slots=True)
class Cases:
    """The state after all events of a log."""

    collections: dict[str, KnownCollection] = field(default_factory=dict[str, KnownCollection])
    submissions: dict[str, KnownSubmission] = field(default_factory=dict[str, KnownSubmission])
    parts: dict[str, KnownPart] = field(default_factory=dict[str, KnownPart])
    opened: set[str] = field(default_factory=set[str])
    replies: dict[str, WrittenReply] = field(default_factory=dict[str, WrittenReply])
    returned: set[str] = field(default_factory=set[str])
    receipted: set[str] = field(default_factory=set[str])
    sequences: dict[str, int] = field(default_factory=dict[str, int])

    def of_collection(self, collection_id: str) -> list[KnownSubmission]:
        """Give the submissions of one collection, the oldest day first."""
        found = (one for one in self.submissions.values() if one.collection_id == collection_id)
        return sorted(found, key=lambda one: (one.day, one.submission_id))

    def unreturned(self) -> list[WrittenReply]:
        """Give the replies that no return bag has carried yet."""
        return [reply for reply in self.replies.values() if reply.reply_id not in self.returned]

    def unreceipted(self) -> list[str]:
        """Give the ciphertext hashes of imported parts that no return bag has confirmed yet."""
        return sorted({part.sha256 for part in self.parts.values()} - self.receipted)


def fold(events: Iterable[Event]) -> Cases:
    """Fold *events* into what is known after them.

    Raises:
        EventError: The body of an event is not what its kind says.
    """
    cases = Cases()
    for event in events:
        try:
            _apply(cases, event)
        except (KeyError, TypeError, ValueError) as error:
            raise EventError(f"event {event.index} of kind {event.kind} has a body that makes no sense") from error
    return cases


def _apply(cases: Cases, event: Event) -> None:
    match event.kind:
        case Kind.IMPORTED:
            for told in _list(event.body["collections"]):
                _import(cases, _dict(told))
        case Kind.OPENED:
            cases.opened.add(str(event.body["submission"]))
        case Kind.REPLIED:
            reply = WrittenReply(
                str(event.body["reply"]),
                str(event.body["collection"]),
                bytes.fromhex(str(event.body["box"])),
                str(event.body["text"]),
                event.day,
            )
            cases.replies[reply.reply_id] = reply
        case Kind.RETURNED:
            cases.returned.update(str(one) for one in _list(event.body["replies"]))
            cases.receipted.update(str(one) for one in _list(event.body["imported"]))
            cases.sequences[event.reviewer] = _int(event.body["sequence"])
        case Kind.KEYSET:
            pass


def _import(cases: Cases, told: Mapping[str, JSON]) -> None:
    collection = KnownCollection(str(told["id"]), str(told["designation"]), bytes.fromhex(str(told["source_key"])))
    cases.collections.setdefault(collection.collection_id, collection)
    for one in _list(told["submissions"]):
        submission = _submission(collection.collection_id, _dict(one))
        cases.submissions[submission.submission_id] = submission
        cases.parts.update({part.part_id: part for part in submission.parts})


def _submission(collection_id: str, told: Mapping[str, JSON]) -> KnownSubmission:
    parts = tuple(
        KnownPart(str(part["id"]), str(part["kind"]), str(part["sha256"]), _int(part["size"]))
        for part in map(_dict, _list(told["parts"]))
    )
    problems = tuple(str(problem) for problem in _list(told["problems"]))
    return KnownSubmission(str(told["id"]), collection_id, date.fromisoformat(str(told["day"])), parts, problems)


def _list(value: JSON) -> list[JSON]:
    if not isinstance(value, list):
        raise TypeError("a list is wanted")
    return value


def _dict(value: JSON) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise TypeError("an object is wanted")
    return value


def _int(value: JSON) -> int:
    if not isinstance(value, int):
        raise TypeError("a number is wanted")
    return value
