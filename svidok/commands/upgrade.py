"""`svidok upgrade DIR`: bring the stores of a drop to this program's version, all of them or none."""

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from svidok.drop import open_drop
from svidok.stores import Upgraded, upgrade_stores


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the drop's folder; the drop must not run")
    parser.add_argument("--json", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Upgrade, and say what was done; the exit code is 0 also if nothing had to be."""
    place, settings, _ = open_drop(arguments.folder)
    done = upgrade_stores(place, settings)
    if arguments.json:
        print(json.dumps({"stores": [asdict(one) for one in done]}))
    else:
        for one in done:
            print(_told(one))
    return 0


def _told(one: Upgraded) -> str:
    if one.before == one.now:
        return f"{one.store:<10} {one.now}, nothing to do"
    return f"{one.store:<10} {one.before} -> {one.now}"
