"""`svidok serve PROCESS DIR`: be one process of a running drop; `svidok run` starts these with their sockets."""

import argparse
import importlib
import sys
from pathlib import Path

from hardening.process import ProcessError
from svidok.children import REFUSED
from svidok.errors import CommandError

PROCESSES = ("keeper", "source", "journalist")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("process", choices=PROCESSES)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--fd", type=int, action="append", required=True, help="a bound socket, inherited")
    parser.add_argument("--user", help="the system user to become")
    parser.add_argument("--parent", type=int, required=True, help="the process that this one ends with")
    parser.add_argument("--tor", choices=("public", "private", "off"), default="public")
    parser.add_argument("--proxy-line", action="store_true")


def run(arguments: argparse.Namespace) -> int:
    """Be the process until told to stop; a reason not to run ends it for good."""
    # Only the module of this process is loaded: a test reads sys.modules of each.
    process = importlib.import_module(f"svidok.serving.{arguments.process}")
    try:
        return int(process.serve(arguments))
    except (CommandError, ProcessError) as error:
        print(f"svidok: the {arguments.process} process refuses to run: {error}", file=sys.stderr)
        return REFUSED
