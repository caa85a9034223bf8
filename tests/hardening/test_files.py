"""Files are private, whole, and tell no story by their times."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardening.files import (
    FROZEN_AT,
    FilesError,
    destroy,
    freeze_times,
    private_folder,
    room_left,
    sync_file,
    sync_folder,
    write_whole,
)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=["umask 000", "umask 022", "umask 077"], autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    """No promise may hang on the umask that somebody started us with."""
    mask: int = request.param
    before = os.umask(mask)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.check("G13")
@pytest.mark.parametrize("wanted", [0o700, 0o750, 0o2750])
def test_a_private_folder_has_exactly_its_mode(tmp_path: Path, wanted: int) -> None:
    made = private_folder(tmp_path / "vault", wanted)

    assert mode(made) == wanted


@pytest.mark.check("G13")
def test_a_folder_that_was_open_to_others_is_closed_and_kept(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "kept").write_bytes(b"x")

    private_folder(folder)

    assert mode(folder) == 0o700
    assert (folder / "kept").read_bytes() == b"x"


def test_a_link_is_no_private_folder(tmp_path: Path) -> None:
    """Somebody who may write beside us could otherwise choose where the vault lies."""
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "vault").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(FilesError):
        private_folder(tmp_path / "vault")


def test_a_file_is_no_private_folder(tmp_path: Path) -> None:
    (tmp_path / "vault").write_bytes(b"")

    with pytest.raises(FilesError):
        private_folder(tmp_path / "vault")


def test_a_private_folder_makes_no_parents(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        private_folder(tmp_path / "missing" / "vault")


@pytest.mark.check("G13")
@pytest.mark.parametrize("wanted", [0o600, 0o640])
def test_a_written_file_has_exactly_its_mode_and_content(tmp_path: Path, wanted: int) -> None:
    path = tmp_path / "pepper"

    write_whole(path, b"x" * 100_000, wanted)

    assert mode(path) == wanted
    assert path.read_bytes() == b"x" * 100_000
    assert names(tmp_path) == ["pepper"]


def test_writing_again_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "drop.json"
    write_whole(path, b"a long first version")

    write_whole(path, b"short")

    assert path.read_bytes() == b"short"


def test_writing_through_a_link_replaces_the_link_and_spares_its_target(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"spared")
    (tmp_path / "name").symlink_to(target)

    write_whole(tmp_path / "name", b"new")

    assert target.read_bytes() == b"spared"
    assert not (tmp_path / "name").is_symlink()


def test_a_write_that_fails_leaves_nothing_beside(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "full").write_bytes(b"")

    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "taken", b"content")

    assert names(tmp_path) == ["taken"]


def test_syncing_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "real")

    sync_file(tmp_path / "real")
    sync_folder(tmp_path)
    with pytest.raises(OSError, match="symbolic links"):
        sync_file(tmp_path / "link")


@pytest.mark.check("K2")
def test_frozen_times_are_the_same_for_everything_in_a_folder(tmp_path: Path) -> None:
    inner = tmp_path / "s1" / "deep"
    inner.mkdir(parents=True)
    (inner / "part").write_bytes(b"x")
    (tmp_path / "s1" / "link").symlink_to(tmp_path)

    freeze_times(tmp_path / "s1")

    for path in (tmp_path / "s1", inner, inner / "part", tmp_path / "s1" / "link"):
        found = path.lstat()
        assert found.st_mtime_ns == found.st_atime_ns == FROZEN_AT.timestamp() * 10**9


@pytest.mark.check("K2")
def test_freezing_a_link_does_not_reach_its_target(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    before = (tmp_path / "target").stat().st_mtime_ns

    freeze_times(tmp_path / "link")

    assert (tmp_path / "link").lstat().st_mtime == FROZEN_AT.timestamp()
    assert (tmp_path / "target").stat().st_mtime_ns == before


def test_destroying_takes_a_tree_but_never_what_its_links_point_to(tmp_path: Path) -> None:
    spared = tmp_path / "spared"
    spared.mkdir()
    (spared / "file").write_bytes(b"x")
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "file").write_bytes(b"x")
    (tree / "link").symlink_to(spared)

    destroy(tree)

    assert not tree.exists()
    assert (spared / "file").exists()


def test_destroying_a_link_takes_the_link_alone(tmp_path: Path) -> None:
    spared = tmp_path / "spared"
    spared.mkdir()
    (tmp_path / "link").symlink_to(spared)

    destroy(tmp_path / "link")

    assert spared.is_dir()
    assert not (tmp_path / "link").is_symlink()


def test_destroying_what_is_gone_already_is_fine(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")

    destroy(tmp_path / "file")
    destroy(tmp_path / "file")

    assert names(tmp_path) == []


def test_room_left_is_measured(tmp_path: Path) -> None:
    room = room_left(tmp_path)

    assert room.free_bytes > 0
    assert 0 < room.free_fraction <= 1
