"""`svidok evaluate DIR`: from nothing to a drop that can be tried out, on this machine and in a private Tor network."""

import argparse
import shlex
import shutil
import sys
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
    return run_drop(place, settings, identity, wish, lambda: _tell(trial, arguments))


def bring_up(place: Place, settings: Settings) -> None:
    """Take up what an older version of this program has left; of a drop that runs already, `run_drop` says so."""
    if is_running(place):
        return
    for one in upgrade_stores(place, settings):
        if one.before != one.now:
            print(f"brought the {one.store} store from {one.before} to {one.now}", flush=True)


def program(called: str) -> str:
    """Say what to type to call this program again, as it was *called*: what make installs is on nobody's path."""
    path = Path(called).absolute()
    if path.name != "svidok":
        return f"{_typed(Path(sys.executable))} -m svidok"
    return path.name if shutil.which(path.name) == str(path) else _typed(path)


def _typed(path: Path) -> str:
    here = Path.cwd()
    # A name without a slash would be looked for elsewhere.
    short = f"./{path.name}" if path.parent == here else str(path.relative_to(here) if here in path.parents else path)
    return shlex.quote(short)


def _page(port: int, whose: str) -> str:
    # Who asked for any free port reads above which one it became.
    return f"http://127.0.0.1:{port}" if port else f"the {whose}' page on 127.0.0.1, named above,"


def _tell(trial: Trial, arguments: argparse.Namespace) -> None:
    sign_in = SignIn.read(trial.credentials)
    svidok, folder = program(sys.argv[0]), shlex.quote(str(arguments.folder))
    source, journalist = arguments.listen
    print(
        f"""
The drop is ready. It is a TEST: its secret keys lie beside it. Send nothing real.
Open its pages at 127.0.0.1, in a browser on this machine: its .onion addresses are those of a private network, which
Tor Browser cannot reach.

  1. Be a source: open {_page(source, "sources")} and begin, send a message, write down the codename.
  2. Be a reviewer: open {_page(journalist, "reviewers")} and sign in:
       name      {sign_in.name}
       password  {sign_in.password}
       code      {svidok} evaluate {folder} --code
                 (secret for an authenticator app: {sign_in.totp_secret})
     Fetch a transfer bag.
  3. At the desk: {svidok} workstation import {folder}/desk BAG --passphrase-file {folder}/passphrase
     then list, open, reply, outbox in the same way; upload the return bag as the reviewer.
  4. Be the source again: come back with the codename and read the reply.

`make demo` plays all of this by itself.""",
        flush=True,
    )
