"""What a check is given, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import NamedTuple

from settings import Settings
from svidok.identity import Identity
from svidok.place import Place


class Level(Enum):
    """How urgent a finding is; its value is the exit code."""

    WELL = 0
    SOON = 3
    WRONG = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check has to say; nothing of it is about sources."""

    level: Level
    check: str
    text: str


@dataclass(frozen=True, slots=True)
class Examined:
    """The drop that is looked at, and the day on which."""

    place: Place
    settings: Settings
    identity: Identity
    day: date


Complaints = Iterator[tuple[Level, str]]


class Check(NamedTuple):
    """One thing to look at.

    Attributes:
        name: Of its findings.
        well: What is said when it has nothing to complain of.
        look: Gives its complaints; what it raises is one as well.
    """

    name: str
    well: str
    look: Callable[[Examined], Complaints]
