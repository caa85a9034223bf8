"""Sign a form in a language, install it on a server, and say what a drop asks."""

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import get_args

from hardening.clock import SystemClock, today
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, stop_agent
from keys.signing import sign_detached
from questionnaire.approval import Approval, Reader, Role
from questionnaire.model import Form, is_newer
from questionnaire.served import draft
from svidok.approved_form import (
    SignedForm,
    beliefs,
    install,
    is_installed,
    read_folder,
    read_installed,
    told,
    what_of,
    write_approval,
    write_form,
)
from svidok.errors import CommandError
from svidok.forms.reading import known_language, read_form
from svidok.identity import Identity
from svidok.passphrases import from_file
from svidok.place import Place
from svidok.signed_approval import Signed, believe, signers_here


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    match arguments.action:
        case "sign":
            return _sign(arguments)
        case "install":
            return _install(Place(arguments.drop.resolve()), arguments.signed, older=arguments.older)
        case _:
            return _status(Place(arguments.drop.resolve()))


def _sign(arguments: argparse.Namespace) -> int:
    form = read_form(arguments.form)
    language = known_language(form, arguments.language)
    day = _day()
    approval = Approval(what_of(form, language), tuple(_readers(arguments, day)))
    passphrase = from_file(arguments.passphrase_file) if arguments.passphrase_file else None
    gpg = Gpg(arguments.gnupg.resolve(strict=True), agent=True)
    try:
        signature = sign_detached(approval.canonical, gpg, Fingerprint(arguments.signer), day, passphrase)
    finally:
        stop_agent(gpg)
    write_form(arguments.out, form)
    write_approval(arguments.out, form, language, Signed(approval.canonical, signature))
    print(f"{form.form_id} {form.version} is approved in {language}; take {arguments.out} to the server")
    return 0


def _readers(arguments: argparse.Namespace, day: date) -> Iterator[Reader]:
    for role in get_args(Role):
        names: list[str] = getattr(arguments, role)
        yield from (Reader(name, role, day) for name in names)


def _install(place: Place, folder: Path, *, older: bool) -> int:
    identity = Identity.read(place.identity)
    signed = read_folder(folder)
    if not identity.evaluation:
        _check(place, signed)
    if is_installed(place.forms):
        _refuse_silent_change(read_installed(place.forms), signed.form, older=older)
    install(signed, place.forms)
    languages = sorted(signed.form.languages if identity.evaluation else signed.approvals)
    print(f"{signed.form.form_id} {signed.form.version} is asked in {', '.join(languages)} from the next start on")
    return 0


def _check(place: Place, signed: SignedForm) -> None:
    """Refuse a form of which a part was not approved by this drop's signers."""
    if not signed.approvals:
        raise CommandError("nobody has approved this form: svidok form sign writes what a drop wants to see")
    signers = signers_here(place)
    if signers is None:
        raise CommandError("there is no keyset yet, so nobody could have approved a form: svidok keys import")
    for language, one in signed.approvals.items():
        believe(what_of(signed.form, language), one, signers)


def _refuse_silent_change(before: Form, form: Form, *, older: bool) -> None:
    """Refuse other words under the version that reports have named already, and unless *older*, an earlier version."""
    if before.form_id != form.form_id or before.sha256 == form.sha256:
        return
    if before.version == form.version:
        raise CommandError(f"another form is installed as {before.form_id} {before.version}: raise the version")
    if not older and not is_newer(form.version, before.version):
        says = f"{form.form_id} {form.version} is not newer than {before.version}, which is installed"
        raise CommandError(f"{says}: --older installs it all the same")


def _status(place: Place) -> int:
    """Say what the drop asks; 1 if it asks nothing."""
    if Identity.read(place.identity).evaluation:
        shown = draft(place.forms)
        if shown is not None:
            languages = ", ".join(sorted(shown.approved))
            print(f"{shown.form.form_id} {shown.form.version} in {languages}, as a draft: nobody has approved it")
        return 0 if shown is not None else 1
    if not is_installed(place.forms):
        print("no form is installed: sources can send words and files alone")
        return 1
    form = read_installed(place.forms)
    print(f"{form.form_id} {form.version}, SHA-256 {form.sha256}")
    found = beliefs(place.forms, form, signers_here(place))
    for language, belief in found.items():
        print(f"  {language}: {told(belief)}")
    return 0 if any(belief.holds for belief in found.values()) else 1


def _day() -> date:
    return today(SystemClock())
