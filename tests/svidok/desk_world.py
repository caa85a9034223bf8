"""A desk that was made by the real commands, and the drop that its bags come from."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hardening.clock import SystemClock, today
from hardening.files import private_folder
from keys.gpg import Gpg, stop_agent
from keys.keyset_store import load, store
from keys.recipients import write_recipients
from svidok.identity import Identity
from tests.drop import Drop
from tests.keyring import make_keyset, make_reviewer, signed_by
from tests.ledger.signers import LOG

PASSPHRASE = "correct horse battery"
REVIEWERS = ("amber", "birch")


def alone() -> list[str]:
    """The words before a command that take its network away; they work for root and, where allowed, for others."""
    return ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]


def svidok(*words: object, said: bytes = b"", before: Sequence[str] = ()) -> subprocess.CompletedProcess[bytes]:
    """Run the real command line."""
    command = [*before, sys.executable, "-m", "svidok", *map(str, words)]
    return subprocess.run(command, check=False, input=said, capture_output=True, timeout=280)


@dataclass(frozen=True, slots=True)
class World:
    """A short folder with everything in it."""

    root: Path

    @property
    def passphrase(self) -> Path:
        return self.root / "passphrase"

    @property
    def identity(self) -> Path:
        return self.root / "drop.json"

    @property
    def keyset(self) -> Path:
        return self.root / "keyset"

    def desk(self, name: str) -> Path:
        return self.root / f"desk-{name}"

    def fingerprint(self, name: str) -> str:
        return (self.root / name / "fingerprint").read_text()

    def make(self) -> None:
        """Make the keys and a signed keyset as a ceremony would, and each reviewer's desk by the command."""
        self.passphrase.write_text(f"{PASSPHRASE}\n")
        Identity(LOG.key, f"{'a' * 56}.onion", f"{'b' * 56}.onion", evaluation=True).write(self.identity)
        day = today(SystemClock())
        reviewers = [make_reviewer(name, self.root, day, PASSPHRASE) for name in REVIEWERS]
        keyset = make_keyset(reviewers, Gpg(private_folder(self.root / "judge")), day)
        store(signed_by(keyset, reviewers), self.keyset)
        for reviewer in reviewers:
            (self.root / reviewer.name / "fingerprint").write_text(str(reviewer.fingerprint))
            stop_agent(reviewer.gpg)
        for name in REVIEWERS:
            _must(self.init(name))

    def init(self, name: str, *more: object) -> subprocess.CompletedProcess[bytes]:
        roots = [word for one in REVIEWERS for word in ("--root", self.fingerprint(one))]
        words = ["--drop", self.identity, "--keyset", self.keyset, *roots, "--reviewer", self.fingerprint(name)]
        return self.at(name, "init", *words, "--gnupg", self.root / name, *more)

    def at(
        self, name: str, action: str, *words: object, said: bytes = b"", before: Sequence[str] = ()
    ) -> subprocess.CompletedProcess[bytes]:
        """Do something at a reviewer's desk."""
        desk = ("workstation", action, self.desk(name), *words, "--passphrase-file", self.passphrase)
        return svidok(*desk, said=said, before=before)

    def facts(self, name: str, action: str, *words: object, said: bytes = b"", before: Sequence[str] = ()) -> Any:  # noqa: ANN401 - JSON
        """Do something at a desk, and give the facts that it tells."""
        return json.loads(_must(self.at(name, action, *words, "--json", said=said, before=before)).stdout)

    def drop(self, name: str) -> Drop:
        """The server's side, keeping what it has in a new folder."""
        judge = Gpg(self.root / "judge")
        keyset = load(self.keyset).keyset
        day = today(SystemClock())
        recipients = write_recipients(keyset, day, private_folder(self.root / "recipients"), judge)
        return Drop(private_folder(self.root / name), keyset, recipients, judge, day=day)


def peak_kib(words: Sequence[object]) -> int:
    """Run the command line in a process of its own and give its greatest size in memory; of its children nothing."""
    program = (
        "import re, sys; from pathlib import Path; from svidok.cli import main; code = main(sys.argv[1:]);"
        # What getrusage tells would include the size of whoever started this process.
        "status = Path('/proc/self/status').read_text();"
        "print(re.search(r'VmHWM:\\s+(\\d+)', status)[1], file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, words)], check=False, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return int(done.stderr.splitlines()[-1])


def _must(done: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[bytes]:
    assert done.returncode == 0, done.stderr.decode()
    return done
