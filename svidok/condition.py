"""Look at how a drop is doing, from what its processes leave in the public folder."""

import json
from dataclasses import dataclass

from hardening.clock import SystemClock, today
from keeper.alarm_file import Alarm, read
from keys.errors import KeysError
from keys.keyset import quorum_met
from keys.keyset_store import load
from settings import Settings
from source_interface.languages import SOURCE_CODE
from svidok.approvals import Installed, installed
from svidok.identity import Identity
from svidok.place import Place
from svidok.running import is_running


@dataclass(frozen=True, slots=True)
class Status:
    """How a drop is doing; nothing of it is about sources."""

    name: str
    evaluation: bool
    running: bool
    open_for_reports: bool
    source_address: str
    reviewer_address: str
    services: dict[str, str]
    languages: dict[str, str]
    alarms: tuple[Alarm, ...]


def look(place: Place, settings: Settings, identity: Identity) -> Status:
    """Gather it.

    Raises:
        CommandError: Whoever asks may not know whether it runs.
    """
    return Status(
        name=settings.drop.name,
        evaluation=identity.evaluation,
        running=is_running(place),
        open_for_reports=_open(place),
        source_address=identity.source_address,
        reviewer_address=identity.reviewer_address,
        services=_services(place),
        languages={
            one.language.code: _language(one, evaluation=identity.evaluation) for one in installed(place.approvals)
        },
        alarms=read(place.alarms),
    )


def _services(place: Place) -> dict[str, str]:
    try:
        told = json.loads(place.services.read_bytes())
    except FileNotFoundError:
        return {}
    return {str(service): str(state) for service, state in told["services"].items()}


def _language(found: Installed, *, evaluation: bool) -> str:
    if found.holds:
        return "served"
    if evaluation:
        return "served as a draft"
    # A drop must have one language, so this one is never refused.
    return (
        "served, but its words are not approved" if found.language.code == SOURCE_CODE else "not served: not approved"
    )


def _open(place: Place) -> bool:
    try:
        return quorum_met(load(place.keyset).keyset, today(SystemClock()))
    except KeysError:
        return False
