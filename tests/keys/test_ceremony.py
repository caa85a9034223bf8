"""Keys are made so that they tell nothing but their day, and keysets so that they can be used."""

from datetime import timedelta
from pathlib import Path

import pytest

from keys import ceremony
from keys.certificate import read_certificate
from keys.errors import GpgFailedError, KeysetError, PolicyError, UnsafeArgumentError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, run
from keys.keyset_trust import SignedKeyset
from keys.recipients import check_signer, check_submission_key
from tests.keyring import DAY, Reviewer
from tests.keys.oddities import Recipe, bake, baked

Two = tuple[Reviewer, Reviewer]


@pytest.mark.check("K4")
def test_a_key_tells_the_day_of_its_making_and_no_more(reviewers: Two, public_gpg: Gpg) -> None:
    listing = run(public_gpg, ("--with-colons", "--show-keys"), reviewers[0].certificate).stdout.decode()

    rows = [line.split(":") for line in listing.splitlines()]
    times = [int(row[field]) for row in rows if row[0] in {"pub", "uid", "sub"} for field in (5, 6) if row[field]]
    assert len(times) == 5
    assert all(time % 86400 == 0 for time in times)


@pytest.mark.check("G8")
def test_a_reviewers_key_is_made_as_the_policy_wants_it(reviewers: Two, public_gpg: Gpg) -> None:
    found = read_certificate(reviewers[0].certificate, DAY, public_gpg)

    assert (found.primary.algorithm, found.primary.uses) == ("ed25519", frozenset("sc"))
    assert [(key.algorithm, key.uses) for key in found.subkeys] == [("cv25519", frozenset("e"))]
    assert found.primary.not_after == DAY + timedelta(days=364)


@pytest.mark.check("G14", "G15")
@pytest.mark.parametrize("name", ["", " x", "x ", "a\nb", "a\rb", "a\0b", "x" * 65, "a\u202eb", "a\x1bb"])
def test_a_name_that_could_be_misread_is_refused(name: str, gpg_homes: Path) -> None:
    with pytest.raises(UnsafeArgumentError):
        ceremony.make_key(name, "passphrase", DAY, Gpg(gpg_homes, agent=True))


def test_a_key_without_a_passphrase_is_refused(gpg_homes: Path) -> None:
    with pytest.raises(UnsafeArgumentError):
        ceremony.make_key("name", "", DAY, Gpg(gpg_homes, agent=True))


@pytest.mark.check("G15")
def test_a_name_that_looks_like_an_option_is_a_name(gpg_homes: Path) -> None:
    home = gpg_homes / "dashes"
    home.mkdir(mode=0o700)
    gpg = Gpg(home, agent=True)

    ceremony.make_signing_key("--output=evil", "passphrase", DAY, gpg)

    assert b"--output=evil" in run(gpg, ("--with-colons", "--list-keys")).stdout


def test_gpgs_refusal_is_told(public_gpg: Gpg) -> None:
    unknown = Fingerprint("A" * 40)

    with pytest.raises(GpgFailedError):
        ceremony.export(unknown, public_gpg)
    with pytest.raises(GpgFailedError):
        ceremony.add_submission_key(unknown, "passphrase", DAY, public_gpg)


def test_a_key_made_elsewhere_is_adopted_with_what_is_needed_of_it(gpg_homes: Path, public_gpg: Gpg) -> None:
    """Like a smartcard's: the primary key signs no documents, a subkey does; one more subkey is of no use to us."""
    owner, gpg = bake(Recipe(primary="rsa3072", subkey="rsa3072"), gpg_homes / "elsewhere")
    for command in (("ed25519", "sign"), ("ed25519", "auth")):
        run(gpg, ("--faked-system-time", "1772582400!", "--quick-add-key", owner, *command, "1y"), passphrase="")
    certificate = ceremony.export(owner, gpg)

    key, signer = (
        ceremony.submission_key(certificate, DAY, public_gpg),
        ceremony.signer(certificate, DAY, public_gpg),
    )

    check_submission_key(key, DAY, public_gpg)
    check_signer(signer, DAY, public_gpg)
    assert key.packet_algorithm == 1
    assert [each.uses for each in read_certificate(signer.certificate, DAY, public_gpg).subkeys] == [frozenset("s")]


def test_who_cannot_be_sealed_to_is_no_recipient(gpg_homes: Path, public_gpg: Gpg) -> None:
    with pytest.raises(PolicyError):
        ceremony.submission_key(baked(Recipe(subkey=None), gpg_homes / "sign-only"), DAY, public_gpg)


def test_a_keyset_that_could_never_be_used_or_changed_is_not_made(signed_keyset: SignedKeyset) -> None:
    good = signed_keyset.keyset

    for recipients, signers in (
        (good.recipients[:1], good.signers),
        (good.recipients, good.signers[:1]),
        ((), ()),
    ):
        with pytest.raises(KeysetError):
            ceremony.first_keyset(ceremony.Parts(recipients, signers), DAY)
        with pytest.raises(KeysetError):
            ceremony.next_keyset(good, recipients, signers, DAY)
