"""`svidok doctor DIR`: say what is well with a drop, what needs somebody's eyes soon, and what is wrong."""

import argparse
import json
from pathlib import Path

from hardening.clock import SystemClock, today
from svidok.checkup.checks import examine
from svidok.checkup.finding import Examined, Level
from svidok.drop import open_drop

_MOST_URGENT_FIRST = (Level.WRONG, Level.SOON, Level.WELL)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the drop's folder")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; the exit code is 0 if all is well, 3 if something needs eyes soon, 1 if it is wrong."""
    found = examine(Examined(*open_drop(arguments.folder), today(SystemClock())))
    ordered = sorted(found, key=lambda one: _MOST_URGENT_FIRST.index(one.level))
    if arguments.json:
        findings = [{"level": one.level.name.lower(), "check": one.check, "text": one.text} for one in ordered]
        print(json.dumps({"level": ordered[0].level.name.lower(), "findings": findings}, ensure_ascii=False))
    else:
        for one in ordered:
            print(f"{one.level.name.lower():<6} {one.check:<12} {one.text}")
    return ordered[0].level.value
