"""Every setting of a drop, with its default, its bounds and what it is for."""

from dataclasses import dataclass, field
from typing import Any

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


def _setting(default: object, says: str, *, at_least: int | None = None, at_most: int | None = None) -> Any:  # noqa: ANN401 - as dataclasses.field
    return field(default=default, metadata={"says": says, "at_least": at_least, "at_most": at_most})


@dataclass(frozen=True, slots=True)
class Drop:
    """Who this drop is."""

    name: str = _setting("Svidok", "the organisation's name as sources and reviewers read it")
    evaluation: bool = _setting(default=False, says="a drop for trying out: every page says TEST, send nothing real")
    reply_days: int = _setting(
        0, "sources are told that you try to answer within so many days; 0: nothing is said", at_least=0, at_most=365
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """What a source may send, and what the machine keeps free."""

    uploads: bool = _setting(default=True, says="whether sources may send files")
    post_bytes: int = _setting(
        500 * MIB, "the largest sending, message and files together", at_least=MIB, at_most=5 * GIB
    )
    files_per_post: int = _setting(10, "files in one sending", at_least=1, at_most=100)
    message_characters: int = _setting(100_000, "characters in one message", at_least=1_000, at_most=1_000_000)
    source_bytes_per_day: int = _setting(2 * GIB, "bytes that one source may send in a day", at_least=MIB)
    source_items_per_day: int = _setting(
        100, "messages, files and reports that one source may send in a day", at_least=1
    )
    disk_floor_percent: int = _setting(
        10, "below this share of free disk nothing new is taken in", at_least=1, at_most=50
    )
    seals_at_once: int = _setting(4, "gpg processes at work at the same time", at_least=1, at_most=64)


@dataclass(frozen=True, slots=True)
class Argon:
    """The cost of turning a codename into secrets; it can never change after the first source has come."""

    memory_kib: int = _setting(128 * KIB, "memory of one Argon2id", at_least=128 * KIB, at_most=4 * MIB)
    passes: int = _setting(3, "passes over that memory", at_least=3, at_most=100)


@dataclass(frozen=True, slots=True)
class Sessions:
    """How long a visit lasts."""

    idle_minutes: int = _setting(30, "a visit ends after so long without a request", at_least=1, at_most=240)
    absolute_minutes: int = _setting(120, "a visit ends after so long, whatever happens", at_least=5, at_most=480)


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the rows are kept."""

    inbox: str = _setting("", "database URL of the inbox; empty: SQLite in the drop's folder")
    outbox: str = _setting("", "database URL of the outbox; empty: SQLite in the drop's folder")
    reviewers: str = _setting("", "database URL of the reviewers' accounts; empty: SQLite in the drop's folder")


@dataclass(frozen=True, slots=True)
class Alarms:
    """When the keeper raises its voice."""

    unfetched_days: int = _setting(7, "days without a reviewer fetching before an alarm", at_least=1, at_most=90)
    disk_percent: int = _setting(20, "share of free disk below which an alarm is raised", at_least=1, at_most=90)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, section by section as they stand in the file."""

    drop: Drop = field(default_factory=Drop)
    limits: Limits = field(default_factory=Limits)
    argon: Argon = field(default_factory=Argon)
    sessions: Sessions = field(default_factory=Sessions)
    stores: Stores = field(default_factory=Stores)
    alarms: Alarms = field(default_factory=Alarms)
