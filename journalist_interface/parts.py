"""What the journalist interface is made of: everything that it needs is handed to it here, and nowhere else."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bags.profile import RETURN
from hardening.clock import Clock
from hardening.sessions import Sessions
from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from reviewers.accounts import Accounts
from reviewers.audit import AuditLog
from reviewers.marks import Marks
from reviewers.selections import Selections
from vault.outbox import Outbox, OutboxReader
from vault.reading import InboxReader

SESSIONS_PER_REVIEWER = 1
"""For the `SessionLimits` of the reviewers' sessions (C22)."""

Broker = Callable[[str], Awaitable[str]]
"""Asks the keeper one line: `hardening.asking.ask` at the reviewers' broker socket."""

Alarm = tuple[str, str]
"""Its kind, and what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerLimits:
    """How much a reviewer may ask for at once.

    Attributes:
        bag_parts: In one transfer bag; the keeper signs a promise for nearly each of them while the reviewer waits.
    """

    return_bytes: int = RETURN.limit_bytes
    bag_parts: int = 2_000
    sign_ins_at_once: int = 2
    sign_ins_waiting: int = 64
    sign_ins_per_second: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DropFacts:
    """What this drop is.

    Attributes:
        name: The organisation's.
        origin: The name of the log's key: bags carry it, so that none is taken for another drop's.
        evaluation: Whether every page says TEST.
    """

    name: str
    origin: str
    evaluation: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Where everything is kept; swept and opened by whoever makes the parts.

    Attributes:
        inbox: Read only.
        outbox: Written by this process alone.
        replies: The same store, for reading.
    """

    inbox: InboxReader
    outbox: Outbox
    replies: OutboxReader
    accounts: Accounts
    marks: Marks
    selections: Selections
    audit: AuditLog


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerParts:
    """Everything that `app.build_app` puts together.

    Attributes:
        keyset: Gives the keyset in force, verified when it was installed; None before there is one.
        alarms: Gives what the keeper has found that needs a person.
        gpg: Verifies signatures; its home holds no secret.
        sessions: Made with `SESSIONS_PER_REVIEWER`.
        work: A private folder for return bags until they are verified, on the disk of the outbox; what lies in it when
            the interface starts is destroyed.
        hosts: What a request's Host may say.
    """

    clock: Clock
    limits: ReviewerLimits
    facts: DropFacts
    stores: Stores = field(repr=False)
    keyset: Callable[[], SignedKeyset | None]
    alarms: Callable[[], Sequence[Alarm]]
    gpg: Gpg
    broker: Broker
    sessions: Sessions
    work: Path
    hosts: frozenset[str]
