"""The secret half of a key in the keyset keeps a real drop from running, wherever on the machine it was left."""

import os
import shutil
from pathlib import Path

import pytest

from hardening.files import private_folder
from keys.gpg import Gpg
from keys.keyset_store import load
from settings import Drop, Settings
from svidok.errors import CommandError
from svidok.place import Place
from svidok.safety import refuse_unsafe
from svidok.secrets_here import likely_homes, refuse_secret_keys
from tests.svidok.conftest import Held
from tests.svidok.console import Console

NO_SWAP = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


@pytest.fixture
def judge(tmp_path: Path) -> Gpg:
    return Gpg(private_folder(tmp_path / "judge"))


def left(key: Path, folder: Path) -> Path:
    """Leave a secret key's file in the GnuPG home *folder*."""
    secrets = folder / "private-keys-v1.d"
    secrets.mkdir(parents=True)
    shutil.copy(key, secrets)
    return folder


def secret_files(held: Held, person: str) -> list[Path]:
    return sorted((held.home(person) / "private-keys-v1.d").iterdir())


@pytest.mark.check("M7")
def test_a_machine_without_them_is_fine(held: Held, tmp_path: Path, judge: Gpg) -> None:
    (tmp_path / "home" / ".gnupg" / "private-keys-v1.d").mkdir(parents=True)
    (tmp_path / "home" / ".gnupg" / "private-keys-v1.d" / f"{'A' * 40}.key").write_text("somebody's own key")

    refuse_secret_keys(held.keyset, [tmp_path / "home", tmp_path / "nobody"], judge)


@pytest.mark.check("G7")
@pytest.mark.parametrize("person", ["one", "two", "recovery"])
@pytest.mark.parametrize("where", [".gnupg", "OUT/one/gnupg", "medium/OUT/one/gnupg"])
def test_any_part_of_any_persons_key_is_found_without_an_agent(
    person: str, where: str, held: Held, tmp_path: Path, judge: Gpg
) -> None:
    """Gpg itself lists no secret key where no agent runs, so it cannot be asked."""
    for number, key in enumerate(secret_files(held, person)):
        home = left(key, tmp_path / f"home{number}" / where)

        with pytest.raises(CommandError, match=f"^{home} holds a secret key of the keyset"):
            refuse_secret_keys(held.keyset, [tmp_path / f"home{number}"], judge)


def test_a_card_that_was_used_here_left_no_secret(held: Held, tmp_path: Path, judge: Gpg) -> None:
    """Gpg-agent keeps a note of a card's key under the same name."""
    home = left(secret_files(held, "one")[0], tmp_path / "home" / ".gnupg")
    (home / "private-keys-v1.d" / secret_files(held, "one")[0].name).write_bytes(b"(20:shadowed-private-key(3:ecc))")

    refuse_secret_keys(held.keyset, [tmp_path / "home"], judge)


def test_without_a_keyset_no_drop_runs(tmp_path: Path, judge: Gpg) -> None:
    with pytest.raises(CommandError, match=r"^no keyset that could be used is installed \(there is no keyset in "):
        refuse_secret_keys(tmp_path / "none", [], judge)


def test_peoples_homes_and_scratch_space_are_looked_at() -> None:
    homes = likely_homes()

    assert Path.home() in homes
    assert Path("/tmp") in homes  # noqa: S108
    assert Path("/") not in homes


def test_a_real_drop_on_a_clean_machine_may_go_public(drop: Place, tmp_path: Path) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text(NO_SWAP)

    refuse_unsafe(drop, Settings(), swaps, [drop.root])


@pytest.mark.check("F8")
def test_swap_is_refused(drop: Place, tmp_path: Path) -> None:
    swaps = tmp_path / "swaps"
    swaps.write_text(f"{NO_SWAP}/dev/dm-1 partition 1048572 0 -2\n")

    with pytest.raises(CommandError, match="swap is in use"):
        refuse_unsafe(drop, Settings(), swaps, [])


def test_an_evaluation_drop_never_goes_public(drop: Place) -> None:
    with pytest.raises(CommandError, match="an evaluation drop never goes to the public Tor network"):
        refuse_unsafe(drop, Settings(drop=Drop(evaluation=True)))


@pytest.mark.check("G7", "D9")
def test_the_command_finds_what_the_ceremony_left_and_opens_no_socket(
    console: Console, drop: Place, held: Held
) -> None:
    """The ceremony of these tests lies under /tmp, where somebody in a hurry might have held it."""
    said = console("run", drop.root, "--tor", "public")

    assert "holds a secret key of the keyset: it must never be on a server" in said.refusal
    assert list(drop.run.iterdir()) == []
    assert load(drop.keyset).keyset.hash == load(held.keyset).keyset.hash
    assert os.access(drop.root, os.R_OK)
