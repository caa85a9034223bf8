import os
from pathlib import Path

import pytest

from workstation.errors import ReleaseError
from workstation.release import folder_in_memory, releasing, sweep


def test_a_folder_appears_when_all_is_in_it(tmp_path: Path) -> None:
    target = tmp_path / "out"

    with releasing(target) as folder:
        (folder / "a").write_bytes(b"x")
        assert not target.exists()

    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert target.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt, SystemExit, ValueError])
def test_any_failure_destroys_the_folder(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error), releasing(tmp_path / "out") as folder:
        (folder / "a").write_bytes(b"x")
        raise error

    assert list(tmp_path.iterdir()) == []


def test_what_a_run_that_was_cut_off_has_left_is_destroyed(tmp_path: Path) -> None:
    (tmp_path / ".out.part").mkdir()
    (tmp_path / ".out.part" / "secret").write_bytes(b"x")

    with releasing(tmp_path / "out") as folder:
        assert list(folder.iterdir()) == []


def test_what_is_there_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "out").mkdir()
    for name in ("link", "out"):
        with pytest.raises(FileExistsError), releasing(tmp_path / name):
            pass

    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "out"]


def test_plaintext_goes_into_memory(tmp_path: Path) -> None:
    folder = folder_in_memory(tmp_path)

    assert os.path.ismount(folder.parent)
    assert not folder.exists()
    assert folder != folder_in_memory(tmp_path)


def test_without_memory_a_folder_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="name a folder with --to"):
        folder_in_memory(tmp_path, tmp_path)


def test_only_this_desks_leftovers_are_swept(tmp_path: Path) -> None:
    desk, other = tmp_path / "desk", tmp_path / "other"
    prefix = folder_in_memory(desk).name.rpartition("-")[0]
    memory = tmp_path / "memory"
    memory.mkdir()
    kept = [folder_in_memory(other).name, f"{prefix}-0123", ".unrelated.part"]
    for name in (*kept, f".{prefix}-4567.part"):
        (memory / name).mkdir()

    sweep(desk, memory)

    assert {path.name for path in memory.iterdir()} == set(kept)
