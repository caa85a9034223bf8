"""What leaves the reviewers' store: plain facts, never rows."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Somebody who may sign in.

    Attributes:
        reviewer_id: Random; the name in the audit log and of the onion client key.
        display_name: What colleagues see.
        is_admin: May add, disable and reset reviewers; that opens nothing.
        disabled: May not sign in any more.
        onion_key: The public half of the onion client key, in base32.
        session_owner: Whose sessions end when this account is reset or disabled.
    """

    reviewer_id: str
    display_name: str
    is_admin: bool
    disabled: bool
    onion_key: str
    session_owner: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What a reviewer needs to sign in; shown once and kept nowhere (P11)."""

    reviewer: Reviewer
    password: str
    totp_secret: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A submission is there, as the inbox told."""

    submission_id: str
    collection_id: str
    day: date


@dataclass(frozen=True, slots=True)
class Fresh:
    """A collection with something that a reviewer has not seen; *day* is that of the newest of it."""

    collection_id: str
    day: date


@dataclass(frozen=True, slots=True)
class Selection:
    """What a transfer bag holds, frozen when it was asked for, so that a broken download goes on with the same bytes.

    Attributes:
        selection_id: Random; the last word of the bag's address.
        reviewer_id: Who may fetch it.
        part_ids: Sorted: their order tells nothing.
        keyset_hash: Of the keyset that travels with it.
        facts: Whatever else the bag's bytes depend on, in the words of whoever makes bags.
        day: Of the asking; seven days later it is gone.
    """

    selection_id: str
    reviewer_id: str
    part_ids: tuple[str, ...]
    keyset_hash: str
    facts: bytes
    day: date


@dataclass(frozen=True, slots=True)
class AuditLine:
    """Who did what to what on which day; ids are opaque."""

    position: int
    who: str
    what: str
    object_id: str
    day: date
    hash: bytes
