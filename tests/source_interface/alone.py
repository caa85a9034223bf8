"""A house in a process of its own, to be watched from outside: `python -m tests.source_interface.alone ROOT KEYSET`."""

import logging
import sys
from pathlib import Path

from hardening.logs import configure
from keys.gpg import Gpg
from keys.keyset import parse
from keys.lexicon import lexicons
from keys.recipients import write_recipients
from tests.clock import FakeClock
from tests.keyring import DAY
from tests.source_interface.house import House, Keyring


def main(root: Path, keyset_file: Path) -> None:
    configure(logging.DEBUG, sys.stderr)
    lexicons()
    keyset = parse(keyset_file.read_bytes())
    home, recipients = root / "gnupg", root / "recipients"
    for folder in (home, recipients):
        folder.mkdir(mode=0o700)
    gpg = Gpg(home)
    keyring = Keyring(keyset, write_recipients(keyset, DAY, recipients, gpg), gpg, ())
    house = House(root, keyring, FakeClock())
    with house.living():
        print("ready", flush=True)  # noqa: T201 - the test waits for it
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
