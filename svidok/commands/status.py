"""`svidok status DIR`: say how a drop is doing, from what its processes leave in the public folder."""

import argparse
import json
from pathlib import Path

from hardening.clock import SystemClock, today
from keeper.alarm_file import read
from keys.errors import KeysError
from keys.keyset import quorum_met
from keys.keyset_store import load
from settings import SettingsError
from svidok.commands.init import open_drop
from svidok.errors import CommandError
from svidok.place import Place


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the drop's folder")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Print the state; the exit code is 0 only if sources can begin a report and nothing needs a person."""
    try:
        place, settings, identity = open_drop(arguments.folder)
    except SettingsError as error:
        raise CommandError(str(error)) from error
    alarms = [{"kind": alarm.kind, "text": alarm.text} for alarm in read(place.alarms)]
    facts = {
        "name": settings.drop.name,
        "evaluation": identity.evaluation,
        "running": place.services.exists() or place.source_socket.exists(),
        "services": _services(place),
        "source_address": identity.source_address,
        "reviewer_address": identity.reviewer_address,
        "open_for_reports": _open(place),
        "alarms": alarms,
    }
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False))
    else:
        _print(facts)
    return 0 if facts["running"] and facts["open_for_reports"] and not alarms else 1


def _print(facts: dict[str, object]) -> None:
    for name, value in facts.items():
        match value:
            case list(alarms):
                for alarm in alarms:
                    print(f"alarm              {alarm['text']}")
            case dict(services):
                for service, state in services.items():
                    print(f"tor of {service:<11} {state}")
            case _:
                print(f"{name.replace('_', ' '):<18} {value}")


def _services(place: Place) -> dict[str, str]:
    try:
        told = json.loads(place.services.read_bytes())
    except FileNotFoundError:
        return {}
    return {str(service): str(state) for service, state in told["services"].items()}


def _open(place: Place) -> bool:
    try:
        return quorum_met(load(place.keyset).keyset, today(SystemClock()))
    except KeysError:
        return False
