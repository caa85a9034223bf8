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
from svidok.signed_approval import Signers, signers_here


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
            one.language.code: _language(one, evaluation=identity.evaluation)
            for one in installed(place.approvals, _signers(place))
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
    if found.belief.holds:
        return "served"
    why = f": {found.belief.fault}" if found.belief.fault else ""
    if evaluation:
        return f"served as a draft{why}"
    # A drop must have one language, so this one is never refused.
    if found.language.code == SOURCE_CODE:
        return f"served, but its words are not approved{why}"
    return f"not served{why or ': not approved'}"


def _signers(place: Place) -> Signers | None:
    try:
        return signers_here(place)
    except (KeysError, OSError):
        # That the keyset cannot be read, or nothing written, is told elsewhere; nobody has approved anything then.
        return None


def _open(place: Place) -> bool:
    try:
        return quorum_met(load(place.keyset).keyset, today(SystemClock()))
    except KeysError:
        return False
