"""`svidok evaluate DIR`: from nothing to a drop that can be tried out, on this machine and in a private Tor network."""

import argparse
from pathlib import Path

from pyotp.totp import TOTP

from settings import Settings
from svidok.commands.run import Wish, run_drop
from svidok.drop import open_drop
from svidok.errors import CommandError
from svidok.evaluation import SignIn, Trial, set_up
from svidok.place import Place
from svidok.running import is_running
from svidok.stores import upgrade_stores

SOURCE_PORT = 8080
JOURNALIST_PORT = 8081


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="where everything for trying out lies")
    parser.add_argument("--listen", nargs=2, type=int, metavar=("SOURCE", "JOURNALIST"),
                        default=(SOURCE_PORT, JOURNALIST_PORT), help="loopback ports; 0 is any free one")  # fmt: skip
    parser.add_argument("--code", action="store_true", help="only print the reviewer's code of this moment")


def run(arguments: argparse.Namespace) -> int:
    """Set up what is missing, run it until Ctrl-C."""
    trial = Trial(arguments.folder.resolve())
    if arguments.code and not trial.complete:
        raise CommandError(f"nothing was set up in {arguments.folder} yet")
    if arguments.code:
        print(TOTP(SignIn.read(trial.credentials).totp_secret).now())
        return 0
    if not trial.complete:
        print(f"setting up a drop for trying out in {trial.root} ...", flush=True)
        set_up(trial)
    wish = Wish("private", tuple(arguments.listen), proxy_line=False)
    place, settings, identity = open_drop(trial.place.root)
    bring_up(place, settings)
    return run_drop(place, settings, identity, wish, lambda: _tell(trial, arguments.folder))


def bring_up(place: Place, settings: Settings) -> None:
    """Take up what an older version of this program has left; of a drop that runs already, `run_drop` says so."""
    if is_running(place):
        return
    for one in upgrade_stores(place, settings):
        if one.before != one.now:
            print(f"brought the {one.store} store from {one.before} to {one.now}", flush=True)


def _tell(trial: Trial, folder: Path) -> None:
    sign_in = SignIn.read(trial.credentials)
    print(
        f"""
The drop is ready. It is a TEST: its secret keys lie beside it. Send nothing real.

  1. Be a source: open the sources' page above, begin, send a message, write down the codename.
  2. Be a reviewer: open the reviewers' page above and sign in:
       name      {sign_in.name}
       password  {sign_in.password}
       code      svidok evaluate {folder} --code   (secret for an authenticator app: {sign_in.totp_secret})
     Fetch a transfer bag.
  3. At the desk: svidok workstation import {folder}/desk BAG --passphrase-file {folder}/passphrase
     then list, open, reply, outbox in the same way; upload the return bag as the reviewer.
  4. Be the source again: come back with the codename and read the reply.

`make demo` plays all of this by itself.""",
        flush=True,
    )
