"""A house in a process of its own, to be watched from outside: `python -m tests.source_interface.alone ROOT KEYSET`."""

import logging
import sys
from pathlib import Path

from hardening.logs import configure
from keys.lexicon import lexicons
from tests.clock import FakeClock
from tests.source_interface.house import House, Keyring
from tests.source_interface.reports import ASKED


def main(root: Path, keyset_file: Path) -> None:
    configure(logging.DEBUG, sys.stderr)
    lexicons()
    house = House(root, Keyring.alone(root, keyset_file), FakeClock(), questionnaire=ASKED)
    with house.living():
        print("ready", flush=True)  # noqa: T201 - the test waits for it
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
