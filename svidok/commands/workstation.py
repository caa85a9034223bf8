"""`svidok workstation`: the reviewer's side, on a machine without a network."""

import argparse
import contextlib
import io
import signal
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from casework.errors import CaseworkError
from hardening.clock import SystemClock, today
from hardening.files import private_folder, write_whole
from hardening.process import no_core_dumps
from keys.ceremony import export, make_key
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, stop_agent
from keys.keyset_store import load
from keys.source_key import LONGEST_REPLY_BYTES
from questionnaire.load import MOST_FORM_BYTES
from svidok.desk_facts import Said, elsewhere, list_said, opened_said, returned_said, taken_said, verified_said
from svidok.errors import CommandError
from svidok.identity import Identity
from svidok.passphrases import once, twice
from workstation.desk import Desk, open_desk, refuse_long_path
from workstation.errors import WorkstationError
from workstation.finding import find, find_collection
from workstation.forms import learn_form
from workstation.founding import Founding, found_desk
from workstation.intake import take_in
from workstation.outbox import pack, pack_again, reply
from workstation.reading import SHUT, judge, open_all, told
from workstation.release import folder_in_memory, sweep

# What was asked for is done, and something about it needs a person's eyes.
PROBLEMS = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def add(name: str, says: str) -> argparse.ArgumentParser:
        action = actions.add_parser(name, help=says)
        action.add_argument("folder", type=Path, metavar="DIR", help="the workstation's folder")
        action.add_argument("--passphrase-file", type=Path, help="otherwise it is asked for")
        action.add_argument("--json", action="store_true", help="print the facts for a program")
        return action

    key = add("key", "make the reviewer's key here, before the ceremony")
    key.add_argument("--name", required=True, help="a pseudonym; everybody who reads the keyset reads it")
    _init_arguments(add("init", "make the desk, once the keyset is signed"))
    add("keyset", "take up the next keyset").add_argument("keyset", type=Path, metavar="KEYSET")
    add("form", "take up the form of a report, so that answers have their questions").add_argument(
        "form", type=Path, metavar="FORM"
    )
    add("import", "take a transfer bag in; again is fine").add_argument("bag", type=Path, metavar="BAG")
    add("list", "what is here")
    opening = add("open", "judge and open a submission, or all of a collection")
    opening.add_argument("id", metavar="ID", help="designation, or the start of an id")
    opening.add_argument("--to", type=Path, help="a new folder; otherwise one in memory is made")
    opening.add_argument("--identity", action="store_true", help="open also what says who the source is")
    opening.add_argument("--language", metavar="CODE", help="of the form, to tell reports in; otherwise its first")
    answer = add("reply", "answer a source; the words come from standard input or --file")
    answer.add_argument("id", metavar="ID", help="designation, or the start of a collection's id")
    answer.add_argument("--file", type=Path)
    outbox = add("outbox", "write the return bag for the server")
    outbox.add_argument("--again", type=int, metavar="NUMBER", help="write this return bag once more; it was lost")
    add("verify", "check every event of the case log")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; every refusal becomes a plain sentence."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "key": _key,
        "init": _init,
        "keyset": _keyset,
        "form": _form,
        "import": _import,
        "list": _list,
        "open": _open,
        "reply": _reply,
        "outbox": _outbox,
        "verify": _verify,
    }
    no_core_dumps()
    _end_in_order()
    try:
        return actions[arguments.action](arguments)
    except (WorkstationError, CaseworkError) as error:
        raise CommandError(str(error)) from error
    except UnicodeDecodeError as error:
        raise CommandError("a reply, and a passphrase, are UTF-8 text") from error


def _init_arguments(init: argparse.ArgumentParser) -> None:
    init.add_argument("--drop", type=Path, required=True, help="the drop's public/drop.json")
    init.add_argument(
        "--keyset", type=Path, action="append", default=[], help="the first keyset's folder, then each later one's"
    )
    init.add_argument("--root", action="append", default=[], help="a signer's fingerprint, typed; at least two")
    init.add_argument("--reviewer", required=True, help="this reviewer's fingerprint")
    init.add_argument("--gnupg", type=Path, help="adopt her key from this GnuPG home; otherwise it is in DIR already")
    init.add_argument("--card", action="store_true", help="the key is on a smartcard that asks for its own PIN")


def _key(arguments: argparse.Namespace) -> int:
    root = arguments.folder.resolve()
    refuse_long_path(root)
    gpg = Gpg(private_folder(private_folder(root) / "gnupg"), agent=True)
    try:
        fingerprint = make_key(arguments.name, twice(arguments.passphrase_file), today(SystemClock()), gpg)
        certificate = root / f"{fingerprint}.gpg"
        write_whole(certificate, export(fingerprint, gpg))
    finally:
        stop_agent(gpg)
    lines = [str(fingerprint), f"bring {certificate} to the ceremony: svidok keys ceremony --adopt"]
    _say(Said({"fingerprint": str(fingerprint), "certificate": str(certificate)}, lines), arguments)
    return 0


def _init(arguments: argparse.Namespace) -> int:
    if len(arguments.root) < 2:
        raise CommandError("a desk needs --root twice: two signers' fingerprints, typed from their own hand")
    root = arguments.folder.resolve()
    refuse_long_path(root)
    founding = Founding(
        reviewer=Fingerprint.parse(arguments.reviewer),
        log=Identity.read(arguments.drop).log,
        keysets=tuple(load(folder) for folder in arguments.keyset),
        roots=tuple(Fingerprint.parse(one) for one in arguments.root),
        agent_asks=arguments.card,
        adopted_from=arguments.gnupg,
    )
    # The log of a card's owner has a passphrase that nothing else knows yet.
    passphrase = twice(arguments.passphrase_file) if arguments.card else once(arguments.passphrase_file)
    found_desk(root, founding, passphrase, SystemClock()).close()
    _say(Said({"folder": str(root)}, [f"made the desk in {root}"]), arguments)
    return 0


def _keyset(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as desk:
        keyset = desk.learn_keyset(load(arguments.keyset))
    lines = [f"took up keyset {keyset.serial}, {keyset.hash}"]
    _say(Said({"serial": keyset.serial, "hash": keyset.hash}, lines), arguments)
    return 0


def _form(arguments: argparse.Namespace) -> int:
    with arguments.form.open("rb") as file:
        # One byte more than may be, so that what is too long is refused and not cut.
        untrusted = file.read(MOST_FORM_BYTES + 1)
    with _desk(arguments) as desk:
        form = learn_form(untrusted, desk.layout)
    lines = [f"took up form {form.form_id}, version {form.version}, {form.sha256}"]
    _say(Said({"id": form.form_id, "version": form.version, "sha256": form.sha256}, lines), arguments)
    return 0


def _import(arguments: argparse.Namespace) -> int:
    # Before anybody is asked for a passphrase.
    if not arguments.bag.is_file():
        raise CommandError(f"{arguments.bag} is no file" if arguments.bag.exists() else f"there is no {arguments.bag}")
    with _desk(arguments) as desk:
        taken = take_in(arguments.bag, desk)
    _say(taken_said(taken), arguments)
    return PROBLEMS if taken.conflicts or taken.problems else 0


def _list(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as desk:
        cases = desk.cases()
    _say(list_said(cases), arguments)
    return 0


def _open(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as desk:
        target = arguments.to or folder_in_memory(desk.layout.root)
        # All are judged before anything of the first is let out.
        cases = desk.cases()
        judged = [judge(one, desk) for one in find(cases, arguments.id)]
        shut = () if arguments.identity else SHUT
        opened = open_all(judged, target.absolute(), desk, shut, arguments.language)
        reports = told(opened, desk, arguments.language)
    _say(opened_said(opened, reports, elsewhere(opened, cases), target), arguments)
    troubled = any(one.problems for one in opened) or any(one.report.conflicts for one in reports)
    return PROBLEMS if troubled else 0


def _reply(arguments: argparse.Namespace) -> int:
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(arguments.file.open("rb")) if arguments.file else sys.stdin.buffer
        # One byte more than may be, so that what is too long is refused and not cut.
        text = source.read(LONGEST_REPLY_BYTES + 1).decode("utf-8")
    with _desk(arguments) as desk:
        written = reply(find_collection(desk.cases(), arguments.id), text, desk)
    lines = [f"wrote reply {written.reply_id[:8]}; `outbox` packs it"]
    _say(Said({"reply": written.reply_id, "collection": written.collection_id}, lines), arguments)
    return 0


def _outbox(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as desk:
        packed = pack(desk) if arguments.again is None else pack_again(arguments.again, desk)
    _say(returned_said(packed), arguments)
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    with _desk(arguments) as desk:
        verified = desk.verify_log()
    _say(verified_said(verified), arguments)
    return 0


def _say(said: Said, arguments: argparse.Namespace) -> None:
    if arguments.json:
        said.tell_json()
    else:
        said.tell()


@contextmanager
def _desk(arguments: argparse.Namespace) -> Generator[Desk]:
    root = arguments.folder.resolve()
    with contextlib.closing(open_desk(root, lambda: once(arguments.passphrase_file), SystemClock())) as desk:
        sweep(root)
        yield desk


def _end_in_order() -> None:
    """Let a closed terminal or a `kill` end the command as Ctrl-C does: what was half let out is destroyed."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a letter shows its number; the work is not to fail for that.
            cast("io.TextIOWrapper[BinaryIO]", stream).reconfigure(errors="backslashreplace")
