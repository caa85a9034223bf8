"""`svidok status DIR`: say how a drop is doing, from what its processes leave in the public folder."""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hardening.clock import SystemClock, today
from keeper.alarm_file import Alarm, read
from keys.errors import KeysError
from keys.keyset import quorum_met
from keys.keyset_store import load
from source_interface.languages import SOURCE_CODE
from svidok.approvals import Installed, installed
from svidok.drop import open_drop
from svidok.place import Place
from svidok.running import is_running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the drop's folder")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Print the state; the exit code is 0 only if sources can begin a report and nothing needs a person."""
    place, settings, identity = open_drop(arguments.folder)
    found = Status(
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
    if arguments.json:
        print(json.dumps(asdict(found), ensure_ascii=False))
    else:
        _print(found)
    return 0 if found.running and found.open_for_reports and not found.alarms else 1


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


def _print(found: Status) -> None:
    print(f"{found.name}{' (evaluation: TEST)' if found.evaluation else ''}")
    print(f"running            {'yes' if found.running else 'no'}")
    print(f"open for reports   {'yes' if found.open_for_reports else 'no'}")
    print(f"sources            http://{found.source_address}")
    print(f"reviewers          http://{found.reviewer_address}")
    for service, state in found.services.items():
        print(f"tor of {service:<11} {state}")
    for language, state in found.languages.items():
        print(f"language {language:<9} {state}")
    for alarm in found.alarms:
        print(f"alarm              {alarm.text}")


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
