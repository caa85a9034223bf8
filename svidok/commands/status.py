"""`svidok status DIR`: say how a drop is doing."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from svidok.condition import Network, Status, look
from svidok.drop import open_drop

_NETWORKS: dict[Network, str] = {
    "public": "public",
    "private": "private: nobody outside this machine can reach it",
    "none": "none: nobody outside this machine can reach it",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the drop's folder")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Print the state; the exit code is 0 only if sources can come and begin a report, and there is no alarm."""
    found = look(*open_drop(arguments.folder))
    if arguments.json:
        print(json.dumps(asdict(found), ensure_ascii=False))
    else:
        _print(found)
    return 0 if found.can_be_reached and found.open_for_reports and not found.alarms else 1


def _print(found: Status) -> None:
    print(f"{found.name}{' (evaluation: TEST)' if found.evaluation else ''}")
    print(f"running            {'yes' if found.running else 'no'}")
    print(f"open for reports   {'yes' if found.open_for_reports else 'no'}")
    if found.running:
        print(f"network            {_NETWORKS[found.network]}")
    print(f"sources            http://{found.source_address}")
    print(f"reviewers          http://{found.reviewer_address}")
    for service, state in found.services.items():
        print(f"tor of {service:<11} {state}")
    for language, state in found.languages.items():
        print(f"language {language:<9} {state}")
    print(f"form               {found.form}")
    for alarm in found.alarms:
        print(f"alarm              {alarm.text}")
