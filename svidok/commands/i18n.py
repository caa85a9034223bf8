"""`svidok i18n`: how far the translations of the sources' pages are, who approved them, and which a drop may serve."""

import argparse
import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from hardening.clock import SystemClock, today
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, stop_agent
from questionnaire.approval import Approval, Reader
from source_interface.languages import SOURCE_CODE, Language, languages
from svidok import approvals, passphrases
from svidok.drop import open_drop
from svidok.errors import CommandError
from svidok.place import Place
from svidok.signed_approval import Belief, signers_here
from svidok.statement import Signing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    status = actions.add_parser("status", help="how far each language is, and who has approved it")
    status.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="the drop whose approvals to look at")
    status.add_argument("--json", action="store_true")
    approve = actions.add_parser("approve", help="offline: write down who has read a language, and sign it")
    approve.add_argument("out", type=Path, metavar="OUT", help="the folder that the approval is written into")
    approve.add_argument("language", metavar="LANGUAGE", help="a code like uk")
    approve.add_argument("--native", required=True, metavar="NAME", help="who speaks it from home and has read it")
    approve.add_argument("--survivor", required=True, metavar="NAME", help="the survivor who has read it")
    approve.add_argument("--date", type=_day, metavar="DAY", help="when they had read all of it; default: today")
    approve.add_argument("--gnupg", type=Path, required=True, metavar="HOME", help="the signing reviewer's GnuPG home")
    approve.add_argument("--signer", required=True, metavar="FINGERPRINT", help="her key")
    approve.add_argument("--passphrase-file", type=Path, help="otherwise gpg asks")
    install = actions.add_parser("install", help="on the server: check approvals and serve those languages")
    install.add_argument("folder", type=Path, metavar="DIR", help="the drop's folder")
    install.add_argument("approvals", type=Path, metavar="FOLDER", help="where `approve` has written")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    match arguments.action:
        case "approve":
            return _approve(arguments)
        case "install":
            return _install(arguments)
        case _:
            return _status(arguments)


@dataclass(frozen=True, slots=True)
class Row:
    """One language, as the table and programs read it.

    Attributes:
        approved_by: Who has read it. If it is stale, as it says: nobody has looked at its signature.
        stale: Somebody has approved it, but other words than it says now.
        fault: Why an approval that is there does not hold; empty if there is none, or if it does.
        served: Whether a real drop serves it.
    """

    language: str
    name: str
    messages: int
    translated: int
    fuzzy: int
    sha256: str
    approved_by: tuple[str, ...]
    signed_by: str | None
    stale: bool
    fault: str
    served: bool


def _status(arguments: argparse.Namespace) -> int:
    if arguments.folder is None:
        found = tuple(approvals.Installed(one, Belief(approvals.catalogue(one))) for one in languages())
    else:
        place, _, _ = open_drop(arguments.folder)
        found = approvals.installed(place.approvals, signers_here(place))
    rows = [_row(one) for one in found]
    if arguments.json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
    else:
        _print(rows)
    return 0


def _row(found: approvals.Installed) -> Row:
    language, belief = found.language, found.belief
    readers = belief.approval.readers if belief.approval and (belief.holds or belief.stale) else ()
    return Row(
        language=language.code,
        name=language.name,
        **asdict(language.progress),
        sha256=language.sha256,
        approved_by=tuple(f"{one.name} ({one.role}, {one.day})" for one in readers),
        signed_by=str(belief.signer) if belief.signer else None,
        stale=belief.stale,
        fault=belief.fault,
        served=belief.holds or language.code == SOURCE_CODE,
    )


def _print(rows: list[Row]) -> None:
    for row in rows:
        print(f"{row.language}  {row.name}")
        print(f"    messages   {row.translated} of {row.messages} translated, {row.fuzzy} fuzzy")
        print(f"    sha256     {row.sha256}")
        print(f"    approved   {', '.join(row.approved_by) or 'by nobody'}{' (stale: words changed)' * row.stale}")
        if row.signed_by:
            print(f"    signed by  {row.signed_by}")
        if row.fault:
            print(f"    fault      {row.fault}")
        print(f"    real drop  {_served(row)}")


def _served(row: Row) -> str:
    if not row.served:
        return "not served"
    if row.language == SOURCE_CODE and (row.stale or not row.approved_by):
        return "served although nobody has approved its words: a drop must have one language. Have them read"
    return "served"


def _approve(arguments: argparse.Namespace) -> int:
    day = arguments.date or today(SystemClock())
    readers = (Reader(arguments.native, "native", day), Reader(arguments.survivor, "survivor", day))
    language = _language(arguments.language)
    if language.progress.translated < language.progress.messages:
        raise CommandError(f"{language.name} does not say everything yet: the rest would be read in another language")
    approval = Approval(approvals.catalogue(language), readers)
    passphrase = passphrases.from_file(arguments.passphrase_file) if arguments.passphrase_file else None
    gpg = Gpg(arguments.gnupg.resolve(strict=True), agent=True)
    try:
        signing = Signing(Fingerprint(arguments.signer), gpg, passphrase)
        path = approvals.write_approval(arguments.out, approval, signing)
    finally:
        stop_agent(gpg)
    print(f"{path}: {language.name}, {language.sha256}")
    print("take the folder to the server: svidok i18n install")
    return 0


def _install(arguments: argparse.Namespace) -> int:
    place = Place(arguments.folder.resolve())
    open_drop(place.root)
    signers = signers_here(place)
    if signers is None:
        raise CommandError("there is no keyset yet, so nobody could have approved a language: svidok keys import")
    found = approvals.install(arguments.approvals, place.approvals, signers)
    print(f"installed: {', '.join(found)}")
    print("a running drop serves them after its next start")
    return 0


def _language(code: str) -> Language:
    for language in languages():
        if language.code == code:
            return language
    raise CommandError(f"there is no catalogue of {code!r}; there are {', '.join(one.code for one in languages())}")


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise argparse.ArgumentTypeError("a day is written like 2026-03-04") from None
