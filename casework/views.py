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
    """A submission that was imported; under which source, and with which key, is what the server said."""

    submission_id: str
    collection_id: str
    source_key: bytes
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
class SentBag:
    """A return bag that was made here, from which the same bag can be made again."""

    sequence: int
    replies: tuple[str, ...]
    imported: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownCollection:
    """All that is known from one source; its key is what the server said, and so a claim."""

    collection_id: str
    designation: str
    source_key: bytes


@dataclass(frozen=True, slots=True)
class KnownConsents:
    """What a source allows, as a document of hers says that was opened here.

    Attributes:
        seq: The number of its sending; of one report's the greatest holds.
        form: The hash of the form that asked.
        answers: By question. What is not there is not allowed.
    """

    submission_id: str
    report: str
    seq: int
    form: str
    answers: Mapping[str, JSON]

    def allows(self, question: str) -> bool:
        """Say whether the source has said yes, and nothing else."""
        return self.answers.get(question) == "yes"

    def says_the_same(self, other: "KnownConsents") -> bool:
        """Say whether it does not matter which of the two holds."""
        return (self.form, self.answers) == (other.form, other.answers)


@dataclass(slots=True)
class Cases:
    """The state after all events of a log.

    Attributes:
        opened: The source's key as her own manifest names it, by submission.
        consents: What holds, by collection and report; more than one where one number stands on several.
        sent: By reviewer and sequence.
        keysets: Hashes, in the order in which they were taken up.
    """

    collections: dict[str, KnownCollection] = field(default_factory=dict[str, KnownCollection])
    submissions: dict[str, KnownSubmission] = field(default_factory=dict[str, KnownSubmission])
    parts: dict[str, KnownPart] = field(default_factory=dict[str, KnownPart])
    opened: dict[str, bytes] = field(default_factory=dict[str, bytes])
    consents: dict[str, dict[str, list[KnownConsents]]] = field(
        default_factory=dict[str, dict[str, list[KnownConsents]]]
    )
    replies: dict[str, WrittenReply] = field(default_factory=dict[str, WrittenReply])
    returned: set[str] = field(default_factory=set[str])
    receipted: set[str] = field(default_factory=set[str])
    sent: dict[tuple[str, int], SentBag] = field(default_factory=dict[tuple[str, int], SentBag])
    sequences: dict[str, int] = field(default_factory=dict[str, int])
    keysets: list[str] = field(default_factory=list[str])
    _members: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def of_collection(self, collection_id: str) -> list[KnownSubmission]:
        """Give the submissions of one collection, the oldest day first."""
        found = (self.submissions[one] for one in self._members.get(collection_id, ()))
        return sorted(found, key=lambda one: (one.day, one.submission_id))

    def consents_of(self, collection_id: str) -> list[KnownConsents]:
        """Give what the source of a collection allows, of each report; two of one report allow what both allow."""
        return [one for held in self.consents.get(collection_id, {}).values() for one in held]

    def unreturned(self) -> list[WrittenReply]:
        """Give the replies that no return bag has carried yet, in the order of writing."""
        return [reply for reply in self.replies.values() if reply.reply_id not in self.returned]

    def unreceipted(self) -> list[str]:
        """Give the ciphertext hashes of imported parts that no return bag has confirmed yet."""
        return sorted({part.sha256 for part in self.parts.values()} - self.receipted)

    def apply(self, event: Event) -> None:
        """Take one more event in."""
        body = event.body
        match event.kind:
            case Kind.IMPORTED:
                for told in _list(body["collections"]):
                    self._import(_dict(told))
            case Kind.OPENED:
                self.opened[_text(body["submission"])] = bytes.fromhex(_text(body["source_key"]))
            case Kind.CONSENTS:
                self._allow(_text(body["collection"]), _consents(body))
            case Kind.REPLIED:
                reply = _reply(body, event.day)
                self.replies[reply.reply_id] = reply
            case Kind.RETURNED:
                sent = SentBag(_int(body["sequence"]), _texts(body["replies"]), _texts(body["imported"]))
                self.sent[event.reviewer, sent.sequence] = sent
                self.sequences[event.reviewer] = sent.sequence
                self.returned.update(sent.replies)
                self.receipted.update(sent.imported)
            case Kind.KEYSET:
                self.keysets.append(_text(body["keyset"]))

    def _allow(self, collection_id: str, told: KnownConsents) -> None:
        held = self.consents.setdefault(collection_id, {}).setdefault(told.report, [])
        if held and told.seq > held[0].seq:
            held.clear()
        if not held or (told.seq == held[0].seq and not any(told.says_the_same(one) for one in held)):
            held.append(told)

    def _import(self, told: Mapping[str, JSON]) -> None:
        collection_id = _text(told["id"])
        collection = KnownCollection(
            collection_id, _text(told["designation"]), bytes.fromhex(_text(told["source_key"]))
        )
        # What came first stays: intake has refused or reported whatever differs.
        self.collections.setdefault(collection_id, collection)
        for one in _list(told["submissions"]):
            submission = _submission(collection, _dict(one))
            if submission.submission_id not in self.submissions:
                self.submissions[submission.submission_id] = submission
                self._members.setdefault(collection_id, []).append(submission.submission_id)
                self.parts.update({part.part_id: part for part in submission.parts})


def fold(events: Iterable[Event]) -> Cases:
    """Fold *events* into what is known after them.

    Raises:
        EventError: The body of an event is not what its kind says.
    """
    cases = Cases()
    for event in events:
        try:
            cases.apply(event)
        except (KeyError, TypeError, ValueError) as error:
            raise EventError(f"event {event.index} of kind {event.kind} has a body that makes no sense") from error
    return cases


def _submission(collection: KnownCollection, told: Mapping[str, JSON]) -> KnownSubmission:
    parts = tuple(
        KnownPart(_text(part["id"]), _text(part["kind"]), _text(part["sha256"]), _int(part["size"]))
        for part in map(_dict, _list(told["parts"]))
    )
    day = date.fromisoformat(_text(told["day"]))
    problems = _texts(told["problems"])
    return KnownSubmission(_text(told["id"]), collection.collection_id, collection.source_key, day, parts, problems)


def _consents(told: Mapping[str, JSON]) -> KnownConsents:
    form = _text(_dict(told["form"])["sha256"])
    answers = _dict(told["answers"])
    return KnownConsents(_text(told["submission"]), _text(told["report"]), _int(told["seq"]), form, answers)


def _reply(told: Mapping[str, JSON], day: date) -> WrittenReply:
    box = bytes.fromhex(_text(told["box"]))
    return WrittenReply(_text(told["reply"]), _text(told["collection"]), box, _text(told["text"]), day)


def _list(value: JSON) -> list[JSON]:
    if not isinstance(value, list):
        raise TypeError("a list is wanted")
    return value


def _dict(value: JSON) -> dict[str, JSON]:
    if not isinstance(value, dict):
        raise TypeError("an object is wanted")
    return value


def _texts(value: JSON) -> tuple[str, ...]:
    return tuple(_text(each) for each in _list(value))


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is wanted")
    return value


def _int(value: JSON) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("a number is wanted")
    return value
