"""`svidok init DIR`: make the folder of a new drop, with its keys, stores and settings."""

import argparse
import os
import secrets
from pathlib import Path

from hardening import files
from hardening.migrating import create
from keeper.log_key import LogKey
from onion.client_auth import AuthorizedClients
from onion.service import OnionKeys
from reviewers.tables import REVIEWERS
from settings import Drop, Settings, SettingsError, parse, write
from svidok.drop import PEPPER_BYTES
from svidok.errors import CommandError
from svidok.identity import Identity, new_origin
from svidok.isolation import create_users, find
from svidok.ownership import give_away
from svidok.place import Place
from vault.making import make_inbox, make_outbox

EVALUATION_REPLY_DAYS = 14
"""A drop for trying out says when it answers, so that it can be seen."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the drop's folder; must not exist or be empty")
    parser.add_argument("--name", default="Svidok", help="the organisation's name as sources read it")
    parser.add_argument("--evaluation", action="store_true", help="a drop for trying out; every page says TEST")
    parser.add_argument(
        "--reply-days", type=int, metavar="N", help="sources read that you try to answer in so many days"
    )


def run(arguments: argparse.Namespace) -> int:
    """Make the drop and say what comes next."""
    if not arguments.name.strip() or not arguments.name.isprintable():
        raise CommandError("the name is one line of visible characters")
    place = Place(arguments.folder.resolve())
    drop = Drop(name=arguments.name, evaluation=arguments.evaluation, reply_days=_reply_days(arguments))
    identity = create_drop(place, Settings(drop=drop))
    print(f"made the drop in {place.root}")
    find(place.root).say_what_is_missing()
    print(f"  sources will reach it at    http://{identity.source_address}")
    print(f"  reviewers will reach it at  http://{identity.reviewer_address}")
    print("next: svidok keys ceremony (on an offline machine), svidok keys import, svidok form install,")
    print("      svidok i18n install, svidok reviewers add, svidok doctor, svidok run")
    return 0


def create_drop(place: Place, settings: Settings) -> Identity:
    """Make everything a drop needs in the folder of *place*.

    A failure leaves a folder that `init` refuses to touch again: look at it, then remove it.

    Raises:
        CommandError: The folder is not empty, or its path is too long for tor's sockets.
    """
    _refuse_used(place.root)
    place.root.mkdir(parents=True, exist_ok=True)
    place.root.chmod(0o755)
    isolation = find(place.root)
    if isolation.missing is None:
        create_users()
    write(settings, place.settings)
    _make_stores(place, settings)
    files.write_whole(place.pepper, secrets.token_bytes(PEPPER_BYTES))
    identity = _make_keys(place, evaluation=settings.drop.evaluation)
    identity.write(place.identity)
    give_away(place, isolation)
    return identity


def _reply_days(arguments: argparse.Namespace) -> int:
    if arguments.reply_days is None:
        return EVALUATION_REPLY_DAYS if arguments.evaluation else Drop().reply_days
    try:
        # The bounds are those of the settings file.
        return parse(f"[drop]\nreply_days = {arguments.reply_days}".encode()).drop.reply_days
    except SettingsError as error:
        raise CommandError(str(error)) from error


def _refuse_used(root: Path) -> None:
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise CommandError(f"{root} exists and is not an empty folder; nothing was touched")
    longest = Place(root).tor("network") / "relay0" / "control"
    if len(os.fsencode(longest)) > 107:
        raise CommandError(f"the path {root} is too long: tor's sockets need paths of at most 107 bytes")


def _make_stores(place: Place, settings: Settings) -> None:
    for folder in (place.public, place.run, place.source, place.inbox, place.outbox, place.reviewers, place.keeper):
        files.private_folder(folder)
    for folder in (place.source / "gnupg", place.recipients, place.reviewers / "gnupg", place.reviewers / "returns"):
        files.private_folder(folder)
    for readable in (place.keys, place.helplines, place.approvals):
        files.private_folder(readable, 0o755)
    make_inbox(place.database("inbox", settings.stores.inbox), place.inbox)
    make_outbox(place.database("outbox", settings.stores.outbox))
    create(place.database("reviewers", settings.stores.reviewers), REVIEWERS, mode=0o600)


def _make_keys(place: Place, *, evaluation: bool) -> Identity:
    files.private_folder(place.onion)
    source = OnionKeys.create(place.onion / "source")
    reviewer = OnionKeys.create(place.onion / "reviewer")
    AuthorizedClients.prepare(reviewer.folder)
    log_key = LogKey.create(place.log_key, new_origin())
    return Identity(log_key.verifier, str(source.address), str(reviewer.address), evaluation)
