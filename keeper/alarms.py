"""Say what needs a person: keys that expire, reports that nobody fetches, a disk that fills, a service that is gone.

Alarms hold no counts, times or names of sources (L6); they are read on the reviewers' pages and by `svidok status`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from hardening.files import Room
from keeper.alarm_file import Alarm
from keeper.tors import Service, State
from keys.keyset import Keyset, expiring, quorum_met


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When to speak up."""

    unfetched_days: int
    disk_percent: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the keeper saw of the drop on one look."""

    day: date
    keyset: Keyset | None
    last_collected: date | None
    oldest_waiting: date | None
    room: Room
    services: dict[Service, State]
    clock_trusted: bool
    source_unreachable: bool = False
    stores_readable: bool = True


def alarms(seen: Seen, thresholds: Thresholds) -> Iterator[Alarm]:
    """Give the alarms of one look, the most urgent first."""
    yield from of_keys(seen.keyset, seen.day)
    if not seen.clock_trusted:
        yield Alarm("clock", "this machine's clock differs from the Tor network's by more than a day")
    yield from of_disk(seen.room, thresholds)
    for service, state in seen.services.items():
        if state is State.DOWN:
            yield Alarm("service", f"the tor of the {service} service does not run")
    if not seen.stores_readable:
        yield Alarm("store", "a store cannot be read; whether anybody fetches is not known")
    if seen.source_unreachable:
        yield Alarm("unreachable", "the source service did not answer a visitor from outside")
    if _unfetched(seen, thresholds):
        yield Alarm("unfetched", f"nobody has fetched for {thresholds.unfetched_days} days or more")


def of_keys(keyset: Keyset | None, day: date) -> Iterator[Alarm]:
    """Give the alarms about what reports are sealed to."""
    if keyset is None:
        yield Alarm("keyset", "no keyset is installed: the drop is closed for new reports")
        return
    if not quorum_met(keyset, day):
        yield Alarm("quorum", "too few usable keys: the drop is closed for new reports")
    for fingerprint, days_left in expiring(keyset, day):
        left = f"expires in {days_left} days" if days_left > 0 else "has expired"
        yield Alarm("expiry", f"the key {fingerprint} {left}")


def of_disk(room: Room, thresholds: Thresholds) -> Iterator[Alarm]:
    """Give the alarm about a disk that fills."""
    free_percent = int(room.free_fraction * 100)
    if free_percent < thresholds.disk_percent:
        yield Alarm("disk", f"{free_percent} % of the disk is free; below the floor no report is taken in")


def _unfetched(seen: Seen, thresholds: Thresholds) -> bool:
    if seen.oldest_waiting is None:
        return False
    since = max(seen.oldest_waiting, seen.last_collected or seen.oldest_waiting)
    return (seen.day - since).days >= thresholds.unfetched_days
