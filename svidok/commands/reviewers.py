"""`svidok reviewers`: add, list and disable the people who may fetch reports, from the server's own shell."""

import argparse
import asyncio
import contextlib
import json
import os
import pwd
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from hardening.asking import AskingError, RefusedError, ask
from hardening.clock import SystemClock
from hardening.database import open_to_write
from keys.argon import FLOOR
from keys.password import Passwords
from onion.client_auth import AuthorizedClients, ClientKey, auth_private_line, client_pair
from onion.errors import OnionError
from onion.service import OnionAddress
from reviewers.accounts import Accounts
from reviewers.audit import CONSOLE, AuditLog
from reviewers.errors import ReviewersError
from reviewers.guard import SignInGuard
from reviewers.records import Credentials, Reviewer
from reviewers.tables import REVIEWERS
from svidok.drop import open_drop
from svidok.errors import CommandError
from svidok.isolation import KEEPER, find
from svidok.place import Place
from svidok.running import is_running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = actions.add_parser("add", help="make an account; password and code secret are shown once")
    add.add_argument("folder", type=Path, metavar="DIR")
    add.add_argument("name", help="the name that colleagues see")
    add.add_argument("--client-key", required=True, help="the public half of the reviewer's own onion client key")
    add.add_argument("--admin", action="store_true", help="may add, disable and reset reviewers")
    add.add_argument("--json", action="store_true")
    key = actions.add_parser("client-key", help="on the reviewer's machine: make an onion client key")
    key.add_argument("address", help="the reviewers' onion address")
    key.add_argument("out", type=Path, metavar="OUT", help="where the private half goes, for Tor")
    listing = actions.add_parser("list", help="who may sign in")
    listing.add_argument("folder", type=Path, metavar="DIR")
    listing.add_argument("--json", action="store_true")
    disable = actions.add_parser("disable", help="shut a reviewer out, for good and at once")
    disable.add_argument("folder", type=Path, metavar="DIR")
    disable.add_argument("name")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "add": _add,
        "client-key": _client_key,
        "list": _list,
        "disable": _disable,
    }
    try:
        return actions[arguments.action](arguments)
    except (ReviewersError, OnionError) as error:
        raise CommandError(str(error)) from error


def add_reviewer(place: Place, url: str, name: str, client_key: str, *, admin: bool) -> Credentials:
    """Make an account and let its onion key in, whether the drop runs or not.

    Raises:
        ReviewersError: The name or the key cannot be had.
        OnionError: The key is none.
    """
    key = ClientKey.parse(client_key)
    with _accounts(place, url) as (accounts, audit):
        credentials = accounts.add(name, client_key, is_admin=admin)
        audit.append(CONSOLE, "added", credentials.reviewer.reviewer_id)
    _let_in(place, credentials.reviewer.reviewer_id, key)
    return credentials


def _add(arguments: argparse.Namespace) -> int:
    place, settings, identity = open_drop(arguments.folder)
    made = add_reviewer(place, settings.stores.reviewers, arguments.name, arguments.client_key, admin=arguments.admin)
    facts = {
        "name": made.reviewer.display_name,
        "password": made.password,
        "totp_secret": made.totp_secret,
        "address": f"http://{identity.reviewer_address}",
    }
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False))
        return 0
    print("shown once; give it to the reviewer in person:")
    for fact, value in facts.items():
        print(f"  {fact.replace('_', ' '):<12} {value}")
    return 0


def _client_key(arguments: argparse.Namespace) -> int:
    address = OnionAddress.parse(arguments.address)
    public = make_client_key(address, arguments.out)
    print(f"{public}\ngive this to whoever adds you; put {arguments.out} into Tor's ClientOnionAuthDir")
    return 0


def make_client_key(address: OnionAddress, out: Path) -> str:
    """Make an onion client key, leave the private half at *out* for Tor, and give the public half.

    Raises:
        CommandError: Something lies at *out*.
    """
    pair = client_pair()
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise CommandError(f"{out} exists; nothing was touched") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(auth_private_line(address, pair.private))
    return pair.public


def _list(arguments: argparse.Namespace) -> int:
    place, settings, _identity = open_drop(arguments.folder)
    with _accounts(place, settings.stores.reviewers) as (accounts, _audit):
        found = accounts.all()
    if arguments.json:
        print(json.dumps([_fact(one) for one in found], ensure_ascii=False))
        return 0
    for one in found:
        marks = [mark for mark, holds in (("admin", one.is_admin), ("disabled", one.disabled)) if holds]
        print(f"{one.display_name:<32} {' '.join(marks)}")
    return 0


def _disable(arguments: argparse.Namespace) -> int:
    place, settings, _identity = open_drop(arguments.folder)
    with _accounts(place, settings.stores.reviewers) as (accounts, audit):
        found = accounts.by_name(arguments.name)
        if found is None:
            raise CommandError("no account has this name")
        accounts.disable(found.reviewer_id)
        audit.append(CONSOLE, "disabled", found.reviewer_id)
    _shut_out(place, found.reviewer_id)
    print(f"{found.display_name} is shut out")
    return 0


def _fact(one: Reviewer) -> dict[str, str | bool]:
    return {"name": one.display_name, "admin": one.is_admin, "disabled": one.disabled}


@contextmanager
def _accounts(place: Place, url: str) -> Generator[tuple[Accounts, AuditLog]]:
    clock = SystemClock()
    with contextlib.closing(open_to_write(place.database("reviewers", url), REVIEWERS)) as database:
        yield Accounts(database, Passwords(FLOOR), SignInGuard(clock), clock), AuditLog(database, clock)


def _let_in(place: Place, reviewer_id: str, key: ClientKey) -> None:
    if is_running(place):
        _tell_keeper(place, f"authorize {reviewer_id} {key.text}")
        return
    with _clients(place) as clients:
        clients.add(reviewer_id, key)


def _shut_out(place: Place, reviewer_id: str) -> None:
    if is_running(place):
        _tell_keeper(place, f"revoke {reviewer_id}")
        return
    with _clients(place) as clients:
        clients.remove(reviewer_id)


def _tell_keeper(place: Place, line: str) -> None:
    try:
        asyncio.run(ask(place.reviewer_broker, line))
    except (AskingError, RefusedError) as error:
        # Files that we wrote behind its back would not bind the tor that runs; the reviewers' process asks again.
        print(
            f"note: {error}; the keeper will be asked again until the onion keys follow the accounts", file=sys.stderr
        )


@contextmanager
def _clients(place: Place) -> Generator[AuthorizedClients]:
    """Lend the onion keys of a drop that does not run."""
    clients = AuthorizedClients.prepare(place.onion / "reviewer")
    yield clients
    _give_back(place, clients.folder)


def _give_back(place: Place, folder: Path) -> None:
    """What root has written in the keeper's folder belongs to the keeper."""
    if find(place.root).missing is None:
        keeper = pwd.getpwnam(KEEPER)
        for path in (folder, *folder.iterdir()):
            os.chown(path, keeper.pw_uid, keeper.pw_gid)
