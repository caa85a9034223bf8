"""`svidok workstation`: the reviewer's side, on a machine without a network."""

import argparse
import contextlib
import getpass
import json
import os
import secrets
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from casework.errors import CaseworkError
from casework.views import Cases
from hardening.clock import SystemClock, today
from hardening.files import FilesError, private_folder
from keys.ceremony import export, make_key
from keys.errors import KeysError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg
from keys.gpg import run as run_gpg
from keys.keyset_store import load
from svidok.errors import CommandError
from svidok.identity import Identity
from workstation.desk import Desk, Founding, found_desk, open_desk
from workstation.errors import WorkstationError
from workstation.intake import take_in
from workstation.names import shown
from workstation.outbox import pack, reply
from workstation.reading import Opened, find, find_collection, judge, known, open_submission

_PASSPHRASE_BYTES = 1024
_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder in memory; what is made in it is private and new

PROBLEMS = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_subparsers(dest="action", required=True, metavar="ACTION").add_parser
    key = _action(add, "key", "make the reviewer's key here, before the ceremony")
    key.add_argument("--name", required=True, help="a pseudonym; everybody who reads the keyset reads it")
    init = _action(add, "init", "make the desk, once the keyset is signed")
    init.add_argument("--drop", type=Path, required=True, help="the drop's public/drop.json")
    init.add_argument("--keyset", type=Path, required=True, help="the signed keyset's folder")
    init.add_argument("--root", action="append", default=[], help="a signer's fingerprint, typed; at least two")
    init.add_argument("--reviewer", required=True, help="this reviewer's fingerprint")
    init.add_argument("--gnupg", type=Path, help="adopt this GnuPG home; otherwise the key lies in DIR/gnupg already")
    init.add_argument("--card", action="store_true", help="the key is on a smartcard that asks for its own PIN")
    keyset = _action(add, "keyset", "take up the next keyset")
    keyset.add_argument("keyset", type=Path, metavar="KEYSET")
    bag = _action(add, "import", "take a transfer bag in; again is fine")
    bag.add_argument("bag", type=Path, metavar="BAG")
    listing = _action(add, "list", "what is here")
    listing.add_argument("--json", action="store_true")
    opening = _action(add, "open", "judge and open a submission, or all of a collection")
    opening.add_argument("id", metavar="ID", help="designation, or the start of an id")
    opening.add_argument("--to", type=Path, help="a new folder; otherwise one in memory is made")
    answer = _action(add, "reply", "answer a source; the words come from standard input or --file")
    answer.add_argument("id", metavar="ID", help="designation, or the start of a collection's id")
    answer.add_argument("--file", type=Path)
    _action(add, "outbox", "write the return bag for the server")
    _action(add, "verify", "check every event of the case log")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; every refusal becomes a plain sentence."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "key": _key,
        "init": _init,
        "keyset": _keyset,
        "import": _import,
        "list": _list,
        "open": _open,
        "reply": _reply,
        "outbox": _outbox,
        "verify": _verify,
    }
    try:
        return actions[arguments.action](arguments)
    except (WorkstationError, CaseworkError, KeysError, FilesError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{error.strerror}: {error.filename}") from error


def _action(add: Callable[..., argparse.ArgumentParser], name: str, says: str) -> argparse.ArgumentParser:
    parser = add(name, help=says)
    parser.add_argument("folder", type=Path, metavar="DIR", help="the workstation's folder")
    parser.add_argument("--passphrase-file", type=Path, help="otherwise it is asked for")
    return parser


def _key(arguments: argparse.Namespace) -> int:
    root = private_folder(arguments.folder.resolve())
    gpg = Gpg(private_folder(root / "gnupg"), agent=True)
    fingerprint = make_key(arguments.name, _passphrase(arguments)(), today(SystemClock()), gpg)
    certificate = root / f"{fingerprint}.gpg"
    certificate.write_bytes(export(fingerprint, gpg))
    print(f"{fingerprint}\nbring {certificate} to the ceremony: svidok keys ceremony --adopt")
    return 0


def _init(arguments: argparse.Namespace) -> int:
    root = private_folder(arguments.folder.resolve())
    gnupg = private_folder(root / "gnupg")
    if arguments.gnupg:
        adopt(arguments.gnupg, gnupg)
    founding = Founding(
        reviewer=Fingerprint(arguments.reviewer),
        log=Identity.read(arguments.drop).log,
        keyset=load(arguments.keyset),
        roots=tuple(Fingerprint(one) for one in arguments.root),
        agent_asks=arguments.card,
    )
    found_desk(root, founding, _passphrase(arguments)(), SystemClock()).close()
    print(f"made the desk in {root}")
    return 0


def adopt(gnupg: Path, into: Path) -> None:
    """Copy the keys of one GnuPG home into another, without unlocking them.

    Raises:
        CommandError: Gpg refused.
    """
    source, target = Gpg(gnupg.resolve(), agent=True), Gpg(into, agent=True)
    public = run_gpg(source, ["--export"]).stdout
    private = gnupg / "private-keys-v1.d"
    imported = run_gpg(target, ["--import"], stdin=public)
    if imported.returncode != 0:
        raise CommandError("the public half of the key could not be adopted")
    keys = private_folder(into / "private-keys-v1.d")
    for path in sorted(private.glob("*.key")):
        copy = keys / path.name
        copy.touch(mode=0o600)
        copy.write_bytes(path.read_bytes())


def _keyset(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as desk:
        keyset = desk.learn_keyset(load(arguments.keyset))
    print(f"took up keyset {keyset.serial}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as desk:
        taken = take_in(arguments.bag, desk)
    print(f"{len(taken.new)} new, {len(taken.known)} known already")
    for conflict in taken.conflicts:
        print(f"CONFLICT: submission {conflict} differs from what is here; it was left out", file=sys.stderr)
    for problem in taken.problems:
        print(f"PROBLEM: submission {problem}", file=sys.stderr)
    return PROBLEMS if taken.conflicts or taken.problems else 0


def _list(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as desk:
        facts = _facts(known(desk))
    if arguments.json:
        print(json.dumps(facts, ensure_ascii=False))
        return 0
    for one in facts:
        unread = "" if one["opened"] == one["submissions"] else "  NEW"
        print(f"{one['id']!s:.8}  {one['designation']:<28} {one['submissions']:>4} {one['last_day']}{unread}")
    return 0


def _facts(cases: Cases) -> list[dict[str, str | int]]:
    facts: list[dict[str, str | int]] = []
    for collection in cases.collections.values():
        submissions = cases.of_collection(collection.collection_id)
        facts.append(
            {
                "id": collection.collection_id,
                "designation": shown(collection.designation),
                "submissions": len(submissions),
                "opened": sum(one.submission_id in cases.opened for one in submissions),
                "replies": sum(one.collection_id == collection.collection_id for one in cases.replies.values()),
                "problems": sum(bool(one.problems) for one in submissions),
                "last_day": submissions[-1].day.isoformat() if submissions else "",
            }
        )
    return sorted(facts, key=lambda one: (one["last_day"], one["designation"]), reverse=True)


def _open(arguments: argparse.Namespace) -> int:
    target = arguments.to or _memory_folder()
    with _desk(arguments) as desk:
        # All are judged before anything of the first is let out.
        judged = [judge(one, desk) for one in find(known(desk), arguments.id)]
        target.mkdir(mode=0o700)
        for one in judged:
            folder = target / one.submission.submission_id[:8]
            _show(open_submission(one, folder, desk), folder)
    return 0


def _show(opened: Opened, folder: Path) -> None:
    print(f"--- submission {opened.submission.submission_id[:8]}, kept since {opened.submission.day}: intact")
    for problem in opened.submission.problems:
        print(f"PROBLEM: {shown(problem)}")
    for trailer, text in opened.messages:
        print(f"[message{', sealed by the source herself' if trailer.preencrypted else ''}]")
        print(shown(text, lines=True))
    for file in opened.files:
        mark = ", sealed by the source herself" if file.trailer.preencrypted else ""
        print(f"[file] {file.path.name}  {file.trailer.length} bytes  {shown(file.trailer.media_type)}{mark}")
    print(f"files are in {folder}; remove the folder when you have looked")


def _reply(arguments: argparse.Namespace) -> int:
    text = arguments.file.read_text("utf-8") if arguments.file else sys.stdin.read()
    with _desk(arguments) as desk:
        written = reply(find_collection(known(desk), arguments.id), text, desk)
    print(f"wrote reply {written.reply_id[:8]}; `outbox` packs it")
    return 0


def _outbox(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as desk:
        packed = pack(desk)
    print(f"{packed.replies} replies and {packed.receipts} receipts in return bag {packed.sequence}:")
    print(f"  {packed.bag}\n  {packed.signature}\nupload both together")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as desk:
        count = desk.verify_log()
    print(f"{count} events, every one in its place and signed")
    return 0


@contextmanager
def _desk(arguments: argparse.Namespace) -> Generator[Desk]:
    with contextlib.closing(open_desk(arguments.folder.resolve(), _passphrase(arguments), SystemClock())) as desk:
        yield desk


def _passphrase(arguments: argparse.Namespace) -> Callable[[], str]:
    if arguments.passphrase_file is None:
        return lambda: getpass.getpass("passphrase: ")

    def read() -> str:
        with arguments.passphrase_file.open("rb") as file:
            return str(file.read(_PASSPHRASE_BYTES).decode("utf-8").rstrip("\r\n"))

    return read


def _memory_folder() -> Path:
    """A new folder in memory, so that what is opened never reaches a disk."""
    if not _MEMORY.is_dir() or not os.path.ismount(_MEMORY):
        raise CommandError("this machine has no /dev/shm in memory; name a folder with --to")
    return _MEMORY / f"svidok-{secrets.token_hex(8)}"
