"""The signed statement on the page of keys: anybody can check it with gpg alone, and a false one is not installed."""

import subprocess
from pathlib import Path

import pytest

from keys.errors import KeysError
from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from svidok.errors import CommandError
from svidok.statement import CERTIFICATES, SIGNATURE, TEXT, Signing, install_statement, write_statement
from tests.keyring import Reviewer

ADDRESS = f"{'a' * 55}d.onion"


@pytest.fixture
def statement(tmp_path: Path, reviewers: tuple[Reviewer, ...], signed_keyset: SignedKeyset) -> Path:
    first, *others = reviewers
    by = Signing(first.fingerprint, first.gpg, first.passphrase)
    write_statement(tmp_path / "made", ADDRESS, signed_keyset.keyset, by, [one.gpg for one in others])
    return tmp_path / "made"


@pytest.mark.check("B7")
def test_gpg_alone_verifies_it_offline(statement: Path, gpg_homes: Path) -> None:
    home = gpg_homes / "page-reader"
    home.mkdir(mode=0o700, exist_ok=True)
    gpg = ["unshare", "-n", "gpg", "--homedir", str(home), "--batch", "--no-autostart", "--trust-model", "always"]

    imported = subprocess.run([*gpg, "--import", str(statement / CERTIFICATES)], check=False, capture_output=True)
    # The keys of the tests are dated years apart from today, so the clock stands at the day of the signature.
    then = ["--faked-system-time", "20260304T235959!"]
    verified = subprocess.run(
        [*gpg, *then, "--verify", str(statement / SIGNATURE), str(statement / TEXT)], check=False, capture_output=True
    )

    assert imported.returncode == 0
    assert verified.returncode == 0, verified.stderr


@pytest.mark.check("B7")
def test_it_names_the_address_and_every_fingerprint(statement: Path, signed_keyset: SignedKeyset) -> None:
    text = (statement / TEXT).read_text("utf-8")

    assert f"http://{ADDRESS}" in text
    for key in signed_keyset.keyset.recipients:
        assert key.fingerprint.grouped() in text


def test_one_about_another_drop_is_not_installed(
    statement: Path, signed_keyset: SignedKeyset, tmp_path: Path, public_gpg: Gpg
) -> None:
    with pytest.raises(CommandError, match="another address"):
        install_statement(statement, tmp_path / "there", signed_keyset.keyset, f"{'b' * 55}d.onion", public_gpg)

    assert not (tmp_path / "there").exists()


@pytest.mark.check("G7")
def test_an_altered_one_is_not_installed(
    statement: Path, signed_keyset: SignedKeyset, tmp_path: Path, public_gpg: Gpg
) -> None:
    (statement / TEXT).write_text((statement / TEXT).read_text("utf-8").replace("drop", "trap"), "utf-8")

    with pytest.raises(KeysError):
        install_statement(statement, tmp_path / "there", signed_keyset.keyset, ADDRESS, public_gpg)

    assert not (tmp_path / "there").exists()
