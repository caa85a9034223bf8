"""`svidok keys`: hold the ceremony offline, install a keyset on a server, watch it, change it."""

import argparse
import getpass
import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from hardening.clock import SystemClock, today
from hardening.files import private_folder
from keys.errors import KeysError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, stop_agent
from keys.keyset import DEFAULT_QUORUM, Keyset, expiring, quorum_met, usable
from keys.keyset_store import is_stored, load, store
from keys.keyset_trust import SIGNATURES_NEEDED, refuse_future, verify_change, verify_first
from svidok import ceremony, passphrases
from svidok.errors import CommandError
from svidok.identity import Identity
from svidok.place import Place
from svidok.statement import install_statement


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    _ceremony_arguments(actions.add_parser("ceremony", help="offline: make keys and the first keyset"))
    install = actions.add_parser("import", help="on the server: check a keyset and seal to it from now on")
    install.add_argument("folder", type=Path, metavar="DIR", help="the drop's folder")
    install.add_argument("keyset", type=Path, metavar="KEYSET", help="the keyset's folder")
    install.add_argument("--statement", type=Path, help="the folder of the signed statement, for the pages")
    install.add_argument("--root", action="append", default=[], help="first import: a signer's fingerprint, typed")
    status = actions.add_parser("status", help="who is sealed to, and until when")
    status.add_argument("folder", type=Path, metavar="DIR", help="the drop's folder, or a keyset's")
    status.add_argument("--json", action="store_true")
    for name, says in (
        ("rotate", "offline: a fresh subkey for its owner; one more person must sign"),
        ("withdraw", "offline: take one's own keys out for ever"),
        ("sign", "offline: add one's signature to a keyset that others made"),
    ):
        _owner_arguments(actions.add_parser(name, help=says))


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; errors of gpg and of the format become plain sentences."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "ceremony": _ceremony,
        "import": _import,
        "status": _status,
        "rotate": _rotate,
        "withdraw": _withdraw,
        "sign": _sign,
    }
    try:
        return actions[arguments.action](arguments)
    except KeysError as error:
        raise CommandError(str(error)) from error


def install_keyset(place: Place, keyset: Path, roots: list[Fingerprint]) -> Keyset:
    """Check the keyset in the folder *keyset* and put it where the drop looks for it; the one there is fine, too.

    Raises:
        CommandError: This is no drop's folder, the keyset is another drop's, or it is the first and no fingerprints
            were typed.
        KeysError: It may not follow what is installed; that stays.
    """
    identity = Identity.read(place.identity)
    signed = load(keyset)
    if signed.keyset.log not in (None, str(identity.log)):
        raise CommandError("this keyset was made for another drop: it names another log")
    refuse_future(signed.keyset, _today())
    judge = Gpg(private_folder(place.judge))
    if is_stored(place.keyset):
        before = load(place.keyset).keyset
        if before.hash == signed.keyset.hash:
            return before
        installed = verify_change(before, signed, judge)
    elif len(set(roots)) < SIGNATURES_NEEDED:
        raise CommandError("the first keyset needs --root twice: two signers' fingerprints, typed from their own hand")
    else:
        installed = verify_first(signed, roots, judge)
    private_folder(place.keys, 0o755)
    store(signed, place.keyset)
    return installed


def _ceremony_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="a new folder; each owner takes her part of it away")
    parser.add_argument("--reviewer", action="append", default=[], help="a pseudonym; at least two people in all")
    parser.add_argument("--adopt", action="append", default=[], type=Path, help="a public key that exists (smartcard)")
    parser.add_argument("--quorum", type=int, default=DEFAULT_QUORUM, help="usable keys without which a drop closes")
    parser.add_argument("--drop", type=Path, help="the drop's public/drop.json: binds the keyset to its log")
    parser.add_argument("--passphrase-file", type=Path, help="one passphrase for all keys; otherwise each is asked for")


def _owner_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("keyset", type=Path, metavar="KEYSET", help="the keyset's folder; it is changed in place")
    parser.add_argument("--gnupg", type=Path, required=True, help="the owner's GnuPG home")
    parser.add_argument("--key", required=True, help="the owner's fingerprint")
    parser.add_argument("--passphrase-file", type=Path, help="otherwise gpg asks")


def _ceremony(arguments: argparse.Namespace) -> int:
    if arguments.out.exists():
        raise CommandError(f"{arguments.out} exists; nothing was touched")
    identity = Identity.read(arguments.drop) if arguments.drop else None
    wanted = ceremony.Wanted(
        reviewers=arguments.reviewer,
        adopted=[path.read_bytes() for path in arguments.adopt],
        quorum=arguments.quorum,
        log=str(identity.log) if identity else None,
        address=identity.source_address if identity else None,
    )
    made = ceremony.hold(arguments.out, wanted, _asking(arguments.passphrase_file), _today())
    for one in made:
        print(f"{one.name:<12} {one.fingerprint}  {one.gnupg}")
    signatures = len(load(arguments.out / "keyset").signatures)
    if signatures < SIGNATURES_NEEDED:
        print(
            f"the keyset has {signatures} of {SIGNATURES_NEEDED} signatures: svidok keys sign adds an adopted owner's"
        )
    print(f"\nthe signed keyset is in {arguments.out / 'keyset'}; take it to the server: svidok keys import")
    if identity:
        print(f"the signed statement for the pages is in {arguments.out / 'statement'}: keys import --statement")
    print("type the fingerprints of two signers there. Give each owner her folder, and wipe this machine's copy.")
    print("keep the recovery key offline, in another place; a third reviewer as standby keeps the drop open when one")
    print("of the others is lost.")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    place = Place(arguments.folder.resolve())
    keyset = install_keyset(place, arguments.keyset, [Fingerprint(root) for root in arguments.root])
    if arguments.statement:
        address = Identity.read(place.identity).source_address
        try:
            install_statement(arguments.statement, place.statement, keyset, address, Gpg(place.judge))
        except (CommandError, KeysError) as error:
            raise CommandError(f"keyset {keyset.serial} is installed, the statement is not: {error}") from error
    print(f"installed keyset {keyset.serial}, {keyset.hash}")
    _print_status(keyset)
    return 0


def _status(arguments: argparse.Namespace) -> int:
    place = Place(arguments.folder)
    keyset = load(place.keyset if is_stored(place.keyset) else arguments.folder).keyset
    if arguments.json:
        print(json.dumps(_facts(keyset)))
    else:
        _print_status(keyset)
    return 0 if quorum_met(keyset, _today()) else 1


def _rotate(arguments: argparse.Namespace) -> int:
    with _owner(arguments) as owner:
        keyset = ceremony.rotate(arguments.keyset, *owner, _today())
    print(f"keyset {keyset.serial} is signed by one; svidok keys sign adds the second signature it needs")
    return 0


def _withdraw(arguments: argparse.Namespace) -> int:
    with _owner(arguments) as owner:
        keyset = ceremony.withdraw(arguments.keyset, *owner, _today())
    print(f"keyset {keyset.serial} no longer seals to {arguments.key}; take it to the server: svidok keys import")
    return 0


def _sign(arguments: argparse.Namespace) -> int:
    with _owner(arguments) as owner:
        signed = ceremony.countersign(arguments.keyset, *owner)
    print(f"keyset {signed.keyset.serial} has {len(signed.signatures)} signatures")
    return 0


@contextmanager
def _owner(arguments: argparse.Namespace) -> Generator[tuple[Fingerprint, Gpg, str | None]]:
    """Lend the owner's key and passphrase; afterwards no agent remembers them."""
    passphrase = passphrases.from_file(arguments.passphrase_file) if arguments.passphrase_file else None
    gpg = Gpg(arguments.gnupg.resolve(strict=True), agent=True)
    try:
        yield Fingerprint(arguments.key), gpg, passphrase
    finally:
        stop_agent(gpg)


def _asking(file: Path | None) -> ceremony.Passphrase:
    if file is not None:
        shared = passphrases.from_file(file)
        return lambda _name: shared
    known: dict[str, str] = {}

    def ask(name: str) -> str:
        if name not in known:
            known[name] = _ask_twice(name)
        return known[name]

    return ask


def _ask_twice(name: str) -> str:
    while True:
        first = getpass.getpass(f"passphrase for {name}: ")
        if first and first == getpass.getpass("again: "):
            return first
        print("the two are not the same, or empty", file=sys.stderr)


def _facts(keyset: Keyset) -> dict[str, object]:
    day = _today()
    return {
        "serial": keyset.serial,
        "hash": keyset.hash,
        "quorum": keyset.quorum,
        "open_for_reports": quorum_met(keyset, day),
        "usable": [{"fingerprint": str(key.fingerprint), "until": str(key.not_after)} for key in usable(keyset, day)],
        "expiring": [{"fingerprint": str(one.fingerprint), "days": one.days_left} for one in expiring(keyset, day)],
    }


def _print_status(keyset: Keyset) -> None:
    day = _today()
    for key in usable(keyset, day):
        print(f"  seals to {key.fingerprint} until {key.not_after}")
    for one in expiring(keyset, day):
        print(f"  warning: {one.fingerprint} has {one.days_left} days left")
    if not quorum_met(keyset, day):
        print(f"  closed for new reports: {keyset.quorum} usable keys are needed", file=sys.stderr)


def _today() -> date:
    return today(SystemClock())
