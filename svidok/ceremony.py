"""What the key ceremony does on an offline machine: make or adopt keys, put keysets together, sign them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from hardening.files import destroy, private_folder
from keys.ceremony import (
    Parts,
    add_submission_key,
    export,
    first_keyset,
    make_key,
    make_signing_key,
    next_keyset,
    recovery_signer,
    sign_keyset,
    signer,
    submission_key,
)
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, stop_agent
from keys.keyset import Keyset
from keys.keyset_store import load, store
from keys.keyset_trust import SignedKeyset
from svidok.errors import CommandError
from svidok.statement import Signing, write_statement

RECOVERY = "recovery"
_FEWEST_PEOPLE = 2
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)

Passphrase = Callable[[str], str]
"""Gives the passphrase for the key of the person named."""


@dataclass(frozen=True, slots=True)
class Made:
    """A key that the ceremony made, and the GnuPG home that its owner takes away."""

    name: str
    fingerprint: Fingerprint
    gnupg: Path


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the first keyset is to be made of."""

    reviewers: Sequence[str]
    adopted: Sequence[bytes]
    quorum: int
    log: str | None
    address: str | None = None


def hold(out: Path, wanted: Wanted, passphrase: Passphrase, day: date) -> tuple[Made, ...]:
    """Make the keys and the first keyset, signed by two, in the new folder *out*.

    Each reviewer's key lies in `out/NAME/gnupg`, the recovery signer's in `out/recovery/gnupg`, the public keyset
    in `out/keyset`, the statement for the pages in `out/statement`. Whoever holds the ceremony gives each home to
    its owner and keeps none.

    Raises:
        CommandError: A name is unfit, or twice, or there are fewer than two people.
        KeysError: Gpg refused, or an adopted key is not good enough. Nothing is left in *out*.
    """
    _check_names(wanted.reviewers)
    _check_numbers(wanted)
    private_folder(out)
    try:
        made = _hold(out, wanted, passphrase, day)
    except BaseException:
        # Half a ceremony is of no use, and its secret keys must not lie about.
        _stop_agents(out)
        destroy(out)
        raise
    _stop_agents(out)
    return made


def _hold(out: Path, wanted: Wanted, passphrase: Passphrase, day: date) -> tuple[Made, ...]:
    made = [_make(out, name, make_key, passphrase, day) for name in wanted.reviewers]
    recovery = _make(out, RECOVERY, make_signing_key, passphrase, day)
    judge = Gpg(private_folder(out / "judge"))
    certificates = [*(export(one.fingerprint, _home(one)) for one in made), *wanted.adopted]
    parts = Parts(
        recipients=tuple(submission_key(certificate, day, judge) for certificate in certificates),
        signers=(
            *(signer(certificate, day, judge) for certificate in certificates),
            recovery_signer(export(recovery.fingerprint, _home(recovery)), day, judge),
        ),
        quorum=wanted.quorum,
        log=wanted.log,
    )
    keyset = first_keyset(parts, day)
    # The recovery signer signs only when nobody else can: people who are here sign what they made.
    signing = [*made, recovery][:2]
    signatures = {
        one.fingerprint: sign_keyset(keyset, one.fingerprint, _home(one), passphrase(one.name)) for one in signing
    }
    store(SignedKeyset(keyset, signatures), out / "keyset")
    if wanted.address is not None:
        first = signing[0]
        others = [_home(one) for one in (*made, recovery) if one is not first]
        by = Signing(first.fingerprint, _home(first), passphrase(first.name))
        write_statement(out / "statement", wanted.address, keyset, by, others)
    return (*made, recovery)


def rotate(keyset_folder: Path, owner: Fingerprint, gpg: Gpg, passphrase: str | None, day: date) -> Keyset:
    """Give *owner* a fresh subkey and put the next keyset together, signed by her; one more must sign it.

    The keyset in *keyset_folder* is replaced. The old subkey stays in her GnuPG home, to open what was
    sealed to it.

    Raises:
        CommandError: She is not in the keyset.
        KeysError: Gpg refused.
    """
    previous = load(keyset_folder).keyset
    _refuse_stranger(previous, owner)
    add_submission_key(owner, passphrase, day, gpg)
    certificate = export(owner, gpg)
    others = tuple(key for key in previous.recipients if key.fingerprint != owner)
    keyset = next_keyset(previous, (*others, submission_key(certificate, day, gpg)), previous.signers, day)
    store(SignedKeyset(keyset, {owner: sign_keyset(keyset, owner, gpg, passphrase)}), keyset_folder)
    return keyset


def withdraw(keyset_folder: Path, owner: Fingerprint, gpg: Gpg, passphrase: str | None, day: date) -> Keyset:
    """Take *owner*'s keys out of the keyset for ever; her own signature is enough.

    Raises:
        CommandError: She is not in the keyset.
        KeysError: Gpg refused.
    """
    previous = load(keyset_folder).keyset
    _refuse_stranger(previous, owner)
    keyset = previous.without(owner, day)
    store(SignedKeyset(keyset, {owner: sign_keyset(keyset, owner, gpg, passphrase)}), keyset_folder)
    return keyset


def countersign(keyset_folder: Path, who: Fingerprint, gpg: Gpg, passphrase: str | None) -> SignedKeyset:
    """Add *who*'s signature to the keyset in *keyset_folder*.

    Raises:
        KeysError: Gpg refused.
    """
    signed = load(keyset_folder)
    mine = {who: sign_keyset(signed.keyset, who, gpg, passphrase)}
    both = replace(signed, signatures={**signed.signatures, **mine})
    store(both, keyset_folder)
    return both


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not _NAME.fullmatch(name) or name in (RECOVERY, "keyset", "judge", "statement"):
            raise CommandError(f"{name!r}: a pseudonym has 1 to 32 of a-z, 0-9 and hyphen")
    if len(set(names)) != len(names):
        raise CommandError("a pseudonym stands there twice")


def _check_numbers(wanted: Wanted) -> None:
    people = len(wanted.reviewers) + len(wanted.adopted)
    if people < _FEWEST_PEOPLE:
        raise CommandError(f"a ceremony needs at least {_FEWEST_PEOPLE} people with a key, made here or adopted")
    if not 1 <= wanted.quorum <= people:
        raise CommandError(f"the quorum lies between 1 and the number of people, {people}")


def _stop_agents(out: Path) -> None:
    for home in out.glob("*/gnupg"):
        stop_agent(Gpg(home, agent=True))


def _make(
    out: Path, name: str, make: Callable[[str, str, date, Gpg], Fingerprint], passphrase: Passphrase, day: date
) -> Made:
    home = private_folder(private_folder(out / name) / "gnupg")
    return Made(name, make(name, passphrase(name), day, Gpg(home, agent=True)), home)


def _home(made: Made) -> Gpg:
    return Gpg(made.gnupg, agent=True)


def _refuse_stranger(keyset: Keyset, owner: Fingerprint) -> None:
    if owner not in {key.fingerprint for key in keyset.recipients}:
        raise CommandError(f"{owner} is not in this keyset")
