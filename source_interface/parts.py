"""What the source interface is made of: everything that it needs is handed to it here, and nowhere else."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from hardening.clock import Clock
from hardening.files import Room
from hardening.sessions import Sessions
from keys.argon import ArgonParameters
from keys.gpg import Gpg
from keys.keyset import Keyset
from keys.recipients import Recipients
from questionnaire.reading import Regions
from questionnaire.served import Questionnaire
from source_interface.help_entries import HelpBook
from vault.inbox import Inbox
from vault.outbox import OutboxReader

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

SESSIONS_PER_SOURCE = 3
"""For the `SessionLimits` of the source's sessions (C22)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLimits:
    """How much a source may send, and how much happens at once."""

    uploads: bool = True
    post_bytes: int = 500 * MIB
    files_per_post: int = 10
    message_characters: int = 100_000
    source_bytes_per_day: int = 2 * GIB
    source_items_per_day: int = 100
    disk_floor_percent: int = 10
    seals_at_once: int = 4
    derivations_at_once: int = 2
    derivations_waiting: int = 64


@dataclass(frozen=True, slots=True)
class Desk:
    """Whom reports are sealed to at present."""

    keyset: Keyset
    recipients: Recipients


class Places(Regions, Protocol):
    """The countries of the world and what they are divided into; codes of ISO 3166."""

    def countries(self, language: str) -> Sequence[tuple[str, str]]:
        """Give code and name of every country, in the order of *language*."""
        ...

    def regions(self, country: str, language: str) -> Sequence[tuple[str, str]]:
        """Give code and name of every region of *country*; none for a country that there is not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFacts:
    """What everybody may know of this drop.

    Attributes:
        name: The organisation's, as sources read it.
        onion_address: Of the source interface; empty if there is none.
        files: What the page of keys offers, by name: text (signatures armored), because no page may start a download.
        evaluation: Whether every page says TEST.
        approved: The languages whose words readers have approved; no others are served, but in an evaluation, where
            they are marked. The source language always is: a drop must have one.
        reply_days: Within so many days we try to answer; 0 says nothing of it.
    """

    name: str
    onion_address: str = ""
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))
    evaluation: bool = False
    approved: frozenset[str] = frozenset()
    reply_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceParts:
    """Everything that `app.build_app` puts together.

    Attributes:
        desk: Tells whom to seal to, or None while the quorum is not met; called often and from any thread.
        room: Measures the disk that submissions go to.
        inbox: Swept already.
        sessions: Made with `SESSIONS_PER_SOURCE`.
        pepper: 32 bytes from outside the database.
        hosts: What a request's Host may say.
        places: For the questions about where.
        questionnaire: None: no form was installed, so sources can send words and files alone.
        helplines: Who helps, country by country.
    """

    clock: Clock
    limits: SourceLimits
    facts: PublicFacts
    desk: Callable[[], Desk | None]
    room: Callable[[], Room]
    inbox: Inbox
    outbox: OutboxReader
    gpg: Gpg
    sessions: Sessions
    pepper: bytes = field(repr=False)
    argon: ArgonParameters
    hosts: frozenset[str]
    places: Places
    questionnaire: Questionnaire | None = None
    helplines: HelpBook = field(default_factory=HelpBook)
