"""A keyset changes on disk as a whole, and what lies there is read with suspicion."""

from datetime import timedelta
from pathlib import Path

import pytest

from keys.errors import KeysetError
from keys.keyset import MOST_KEYSET_BYTES
from keys.keyset_store import load, store
from keys.keyset_trust import SignedKeyset
from keys.signing import MOST_SIGNATURE_BYTES
from tests.keyring import DAY


@pytest.fixture
def folder(signed_keyset: SignedKeyset, tmp_path: Path) -> Path:
    store(signed_keyset, tmp_path / "keyset")
    return tmp_path / "keyset"


def successor(signed: SignedKeyset) -> SignedKeyset:
    keyset = signed.keyset
    return SignedKeyset(keyset.succeeded(DAY + timedelta(days=1), keyset.recipients, keyset.signers), {})


def test_what_was_stored_is_loaded(folder: Path, signed_keyset: SignedKeyset) -> None:
    assert load(folder) == signed_keyset
    assert folder.stat().st_mode & 0o777 == 0o755
    assert (folder / "keyset.json").stat().st_mode & 0o777 == 0o644
    assert (folder / "keyset.json").read_bytes() == signed_keyset.keyset.canonical


def test_the_new_keyset_replaces_the_old_one_and_its_signatures(folder: Path, signed_keyset: SignedKeyset) -> None:
    new = successor(signed_keyset)

    store(new, folder)

    assert load(folder) == new
    assert [path.name for path in folder.parent.iterdir()] == ["keyset"]


def test_a_crash_between_two_renames_leaves_the_old_keyset(folder: Path, signed_keyset: SignedKeyset) -> None:
    before = folder.with_name(".keyset.old")
    folder.rename(before)
    (folder.parent / ".keyset.new").mkdir()

    assert load(folder) == signed_keyset
    store(successor(signed_keyset), folder)
    assert load(folder) == successor(signed_keyset)
    assert [path.name for path in folder.parent.iterdir()] == ["keyset"]


@pytest.mark.parametrize("name", ["ABCD.sig", "README", "A" * 40 + ".asc", "a" * 40 + ".sig"])
def test_a_file_that_does_not_belong_there_is_refused(name: str, folder: Path) -> None:
    (folder / "signatures" / name).write_bytes(b"x")

    with pytest.raises(KeysetError):
        load(folder)


def test_links_folders_and_endless_files_are_refused(folder: Path) -> None:
    strange = folder / "signatures" / f"{'A' * 40}.sig"

    strange.symlink_to("/dev/zero")
    with pytest.raises(KeysetError):
        load(folder)
    strange.unlink()
    strange.mkdir()
    with pytest.raises(KeysetError):
        load(folder)
    strange.rmdir()
    strange.write_bytes(b"x" * (MOST_SIGNATURE_BYTES + 1))
    with pytest.raises(KeysetError):
        load(folder)
    strange.unlink()
    (folder / "keyset.json").write_bytes(b" " * (MOST_KEYSET_BYTES + 1))
    with pytest.raises(KeysetError):
        load(folder)


def test_too_many_signatures_are_refused(folder: Path) -> None:
    for number in range(40):
        (folder / "signatures" / f"{number:040d}.sig").write_bytes(b"x")

    with pytest.raises(KeysetError):
        load(folder)


def test_a_missing_keyset_or_part_of_one_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KeysetError, match=f"^there is no keyset in {tmp_path / 'nothing'}$"):
        load(tmp_path / "nothing")
    (folder / "signatures").rename(folder / "elsewhere")
    with pytest.raises(KeysetError, match=f"^the keyset in {folder} cannot be read: no such file or directory$"):
        load(folder)
    (folder / "keyset.json").unlink()
    with pytest.raises(KeysetError):
        load(folder)
