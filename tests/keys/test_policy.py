"""Keys that are weak, endless or not made for sealing are refused; so is whatever gpg would only warn of."""

from datetime import timedelta
from pathlib import Path

import pytest

from keys.ceremony import export
from keys.certificate import MOST_CERTIFICATE_BYTES, minimal, read_certificate
from keys.errors import CertificateError, KeysError, PolicyError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg
from keys.packets import Packet, Tag, read_packets
from keys.policy import assess, assess_signer
from tests.keyring import DAY, Reviewer
from tests.keys.oddities import Recipe, bake, baked, revoke, written


def test_a_reviewers_key_passes(reviewers: tuple[Reviewer, Reviewer], public_gpg: Gpg) -> None:
    report = assess(reviewers[0].certificate, DAY, public_gpg)

    assert report.fingerprint == reviewers[0].fingerprint
    assert [key.algorithm for key in report.sealing] == ["cv25519"]
    assert [key.fingerprint for key in report.signing] == [reviewers[0].fingerprint]
    assert report.sealing[0].not_after == DAY + timedelta(days=364)


@pytest.mark.check("G8")
def test_rsa_with_3072_bits_passes(gpg_homes: Path, public_gpg: Gpg) -> None:
    certificate = baked(Recipe(primary="rsa3072", subkey="rsa3072"), gpg_homes / "rsa3072")

    assert assess(certificate, DAY, public_gpg).sealing[0].algorithm == "rsa3072"


@pytest.mark.check("G8")
@pytest.mark.parametrize(
    ("name", "recipe", "why"),
    [
        ("sha1", Recipe(options=("--cert-digest-algo=SHA1",)), "SHA-256"),
        ("rsa1024", Recipe(primary="rsa1024", subkey="rsa1024"), "rsa1024"),
        ("rsa2048", Recipe(primary="rsa2048"), "rsa2048"),
        ("dsa", Recipe(primary="dsa2048", subkey="elg2048"), "not algorithm 17"),
        ("no-e", Recipe(subkey=None), "sealed to"),
        ("only-s", Recipe(subkey="ed25519", uses="sign"), "sealed to"),
        ("weak-e", Recipe(subkey="rsa1024"), "sealed to"),
        ("nist", Recipe(primary="nistp256", subkey="nistp256"), "nistp256"),
        ("endless", Recipe(life="0"), "never ends"),
        ("3-years", Recipe(life="3y"), "two years"),
        ("ended", Recipe(day=DAY - timedelta(days=400)), "good from"),
        ("future", Recipe(day=DAY + timedelta(days=1)), "not bound|good from|cannot read|never ends"),
    ],
)
def test_a_weak_key_is_refused(name: str, recipe: Recipe, why: str, gpg_homes: Path, public_gpg: Gpg) -> None:
    certificate = baked(recipe, gpg_homes / name)

    with pytest.raises(KeysError, match=why):
        assess(certificate, DAY, public_gpg)


@pytest.mark.check("G6", "G8")
def test_a_revoked_key_is_refused(gpg_homes: Path, public_gpg: Gpg) -> None:
    owner, gpg = bake(Recipe(), gpg_homes / "revoked")
    revoke(owner, gpg)

    with pytest.raises(PolicyError, match="revoked"):
        assess(minimal(export(owner, gpg), owner, gpg), DAY, public_gpg)
    with pytest.raises(PolicyError, match="revoked"):
        assess_signer(export(owner, gpg), DAY, public_gpg)


@pytest.mark.check("G7")
def test_a_subkey_that_its_owner_never_bound_counts_for_nothing(
    reviewers: tuple[Reviewer, Reviewer], public_gpg: Gpg
) -> None:
    mine, hers = (read_packets(reviewer.certificate) for reviewer in reviewers)

    with pytest.raises(PolicyError, match="sealed to"):
        assess(written([*mine[:3], *hers[3:]]), DAY, public_gpg)


@pytest.mark.check("G7")
def test_a_user_id_or_subkey_without_its_signature_counts_for_nothing(
    reviewers: tuple[Reviewer, Reviewer], public_gpg: Gpg
) -> None:
    mine = read_packets(reviewers[0].certificate)

    for cut in (mine[:1], mine[:2], [*mine[:2], *mine[3:]], mine[:4], mine[3:]):
        with pytest.raises(KeysError):
            assess(written(cut), DAY, public_gpg)


@pytest.mark.parametrize(
    "wrong",
    [b"", b"hello", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n", b"\xc6\x00"],
)
def test_what_is_no_certificate_is_refused(wrong: bytes, public_gpg: Gpg) -> None:
    with pytest.raises(CertificateError):
        read_certificate(wrong, DAY, public_gpg)


def test_two_certificates_at_once_or_an_endless_one_are_refused(
    reviewers: tuple[Reviewer, Reviewer], public_gpg: Gpg
) -> None:
    with pytest.raises(CertificateError):
        read_certificate(b"".join(reviewer.certificate for reviewer in reviewers), DAY, public_gpg)
    with pytest.raises(CertificateError):
        read_certificate(b"\xc6" * (MOST_CERTIFICATE_BYTES + 1), DAY, public_gpg)


def test_a_user_id_cannot_pose_as_a_line_of_the_listing(
    reviewers: tuple[Reviewer, Reviewer], public_gpg: Gpg, gpg_homes: Path
) -> None:
    """U+2028 ends a line for Python, not for gpg."""
    home = gpg_homes / "u2028"
    home.mkdir(mode=0o700)
    forged = f"x\u2028sub:-:255:18:AAAA:1:9999999999:::::e:::::cv25519::\u2028fpr:::::::::{'A' * 40}:"
    gpg = Gpg(home, agent=True)
    packets = read_packets(reviewers[0].certificate)
    renamed = written([packets[0], Packet(Tag.USER_ID, forged.encode()), *packets[2:]])

    found = _read_or_refuse(renamed, gpg)

    assert "A" * 40 not in found


def test_a_certificate_is_cut_down_to_one_subkey_or_refused(gpg_homes: Path, public_gpg: Gpg) -> None:
    certificate = baked(Recipe(), gpg_homes / "minimal")
    subkey = assess(certificate, DAY, public_gpg).sealing[0].fingerprint

    assert len(read_certificate(minimal(certificate, subkey, public_gpg), DAY, public_gpg).subkeys) == 1
    with pytest.raises(CertificateError):
        minimal(certificate, Fingerprint("A" * 40), public_gpg)
    with pytest.raises(CertificateError):
        read_certificate(certificate, DAY, public_gpg).subkey(Fingerprint("A" * 40))
    assert not list(public_gpg.home.glob("ring-*"))


def _read_or_refuse(certificate: bytes, gpg: Gpg) -> list[str]:
    try:
        found = read_certificate(certificate, DAY, gpg)
    except CertificateError:
        return []
    return [str(key.fingerprint) for key in (found.primary, *found.subkeys)]
