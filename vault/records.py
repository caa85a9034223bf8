"""What leaves the vault: plain facts, never rows."""

from dataclasses import dataclass
from datetime import date

PROGRESS_BYTES = 512
"""Of every source's sealed progress; what is in it only her codename opens."""


@dataclass(frozen=True, slots=True)
class Source:
    """Somebody with a codename.

    Attributes:
        collection_id: Of everything from this source; 32 hexadecimal digits.
        designation: The two words by which reviewers know the source; the source never sees them. The
            ones of a source that has sent nothing yet may still change.
        lookup_id: What the codename makes and the inbox is found by.
        public_key: What replies are sealed to.
        withdrawn_day: On which she withdrew everything, if she did; she may still take it back.
    """

    collection_id: str
    designation: str
    lookup_id: bytes
    public_key: bytes
    withdrawn_day: date | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """So much of one kind arrived on one day: all that a source sees again of what was sent.

    Attributes:
        kind: As the rows have it: `message`, `file`, `report` or `manifest`.
        count: Of parts; a report's parts count as one for each sending.
    """

    day: date
    kind: str
    count: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a source has sent today; yesterday's is not counted.

    Attributes:
        size_bytes: Of all sealed parts.
        items: Messages, files and reports, without the manifests that come with them.
    """

    size_bytes: int
    items: int

    def within(self, share: "Usage") -> bool:
        """Say whether this is no more than *share*."""
        return self.size_bytes <= share.size_bytes and self.items <= share.items


@dataclass(frozen=True, slots=True)
class Collection:
    """Everything from one source, as reviewers see it.

    Attributes:
        last_day: Of the last submission.
        closed: The source has closed the inbox: no reply can be read any more.
    """

    collection_id: str
    designation: str
    last_day: date
    submissions: int
    closed: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One sealed item; the size and the hash are the ciphertext's."""

    part_id: str
    kind: str
    ct_sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Submission:
    """One sending; its parts have no order but that of their random ids."""

    submission_id: str
    collection_id: str
    day: date
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class SubmissionNotice:
    """A submission is there: what the reviewers' process learns to mark what is new."""

    submission_id: str
    collection_id: str
    day: date


@dataclass(frozen=True, slots=True)
class Reply:
    """A sealed answer; only the codename's key opens the box."""

    reply_id: str
    day: date
    box: bytes


@dataclass(frozen=True, slots=True)
class ReturnedReply:
    """A sealed answer on its way from the workstation."""

    reply_id: str
    collection_id: str
    box: bytes


@dataclass(frozen=True, slots=True)
class ImportReceipt:
    """A workstation holds the part with this hash."""

    ct_sha256: str
    collection_id: str


@dataclass(frozen=True, slots=True)
class ReturnBag:
    """What a return bag says, after its signature and its manifest were checked.

    Attributes:
        signer: The fingerprint of who signed it.
        sequence: The signer's running number; each is taken once.
        sha256: Of the bag, so that the same bag sent twice is known from another with its number.
    """

    signer: str
    sequence: int
    sha256: str
    replies: tuple[ReturnedReply, ...]
    receipts: tuple[ImportReceipt, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a return bag changed; *already* when it had been accepted before, and so changed nothing."""

    replies: int
    receipts: int
    already: bool
