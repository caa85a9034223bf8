"""Set up everything that somebody needs to try Svidok out on one machine: a drop, keys, a desk, an account.

Nothing of this may ever be used in earnest: the secret keys lie beside the server. A drop made here says TEST on
every page and refuses the public Tor network.
"""

import json
import secrets
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hardening.clock import SystemClock, today
from hardening.files import private_folder, write_whole
from keys.gpg import Gpg
from onion.service import OnionAddress
from settings import Drop, Settings
from svidok import ceremony
from svidok.commands.init import EVALUATION_REPLY_DAYS, create_drop
from svidok.commands.keys import install_keyset
from svidok.commands.reviewers import add_reviewer, make_client_key
from svidok.errors import CommandError
from svidok.place import Place
from svidok.statement import install_statement

REVIEWERS = ("reviewer-one", "reviewer-two")


@dataclass(frozen=True, slots=True)
class Trial:
    """The folder in which everything for trying out lies."""

    root: Path

    @property
    def place(self) -> Place:
        """The drop."""
        return Place(self.root / "drop")

    @property
    def ceremony(self) -> Path:
        """What the key ceremony made; in earnest this is on other machines."""
        return self.root / "keys"

    @property
    def workstation(self) -> Path:
        """The first reviewer's desk; in earnest on a machine without a network."""
        return self.root / "desk"

    @property
    def passphrase(self) -> Path:
        """The passphrase of all keys here."""
        return self.root / "passphrase"

    @property
    def client_key(self) -> Path:
        """The first reviewer's onion client key, for a tor of hers."""
        return self.root / "reviewer.auth_private"

    @property
    def credentials(self) -> Path:
        """How the first reviewer signs in."""
        return self.root / "sign-in.json"

    @property
    def complete(self) -> bool:
        """Whether `set_up` has come to its end here."""
        return self.credentials.exists()


@dataclass(frozen=True, slots=True)
class SignIn:
    """How the first reviewer of a trial signs in."""

    name: str
    password: str
    totp_secret: str

    @classmethod
    def read(cls, path: Path) -> "SignIn":
        """Read what `set_up` left."""
        told = json.loads(path.read_bytes())
        return cls(told["name"], told["password"], told["totp_secret"])


def set_up(trial: Trial) -> None:
    """Make everything in the empty or missing folder of *trial*.

    Raises:
        CommandError: The folder holds something that is not a complete trial, or a step failed.
    """
    if trial.root.exists() and any(trial.root.iterdir()):
        raise CommandError(f"{trial.root} holds something that is not a complete trial; remove it first")
    trial.root.mkdir(parents=True, exist_ok=True)
    trial.root.chmod(0o755)
    write_whole(trial.passphrase, f"{secrets.token_hex(16)}\n".encode("ascii"))
    settings = Settings(drop=Drop(name="Svidok", evaluation=True, reply_days=EVALUATION_REPLY_DAYS))
    identity = create_drop(trial.place, settings)
    passphrase = trial.passphrase.read_text("ascii").strip()
    wanted = ceremony.Wanted(REVIEWERS, (), 2, str(identity.log), identity.source_address)
    made = ceremony.hold(trial.ceremony, wanted, lambda _name: passphrase, today(SystemClock()))
    roots = [one.fingerprint for one in made[:2]]
    keyset = install_keyset(trial.place, trial.ceremony / "keyset", roots)
    statement, judge = trial.ceremony / "statement", Gpg(trial.place.judge)
    install_statement(statement, trial.place.statement, keyset, identity.source_address, judge)
    first = made[0]
    private_folder(trial.workstation)
    desk(
        trial,
        "init",
        *("--drop", str(trial.place.identity), "--keyset", str(trial.ceremony / "keyset")),
        *(word for root in roots for word in ("--root", str(root))),
        *("--reviewer", str(first.fingerprint), "--gnupg", str(first.gnupg)),
    )
    public = make_client_key(OnionAddress.parse(identity.reviewer_address), trial.client_key)
    credentials = add_reviewer(trial.place, settings.stores.reviewers, REVIEWERS[0], public, admin=True)
    told = {"name": REVIEWERS[0], "password": credentials.password, "totp_secret": credentials.totp_secret}
    # Last: with this file the trial is complete.
    write_whole(trial.credentials, json.dumps(told).encode("utf-8"))


def desk(trial: Trial, action: str, *words: str, said: str = "", alone: Sequence[str] = ()) -> str:
    """Use the first reviewer's desk, as a process of its own: it shares nothing with the server but the media.

    Args:
        trial: Whose desk.
        action: Of `svidok workstation`.
        words: Its arguments behind the folder.
        said: What goes to its standard input.
        alone: Words before the command, to take the network away.

    Returns:
        What it printed.

    Raises:
        CommandError: It failed; the message is the one it gave.
    """
    command = [*alone, sys.executable, "-m", "svidok", "workstation", action, str(trial.workstation), *words]
    passphrase = ["--passphrase-file", str(trial.passphrase)]
    done = subprocess.run([*command, *passphrase], check=False, input=said, capture_output=True, text=True)
    if done.returncode != 0:
        raise CommandError(f"the desk could not {action}: {done.stderr.strip()}")
    return done.stdout
