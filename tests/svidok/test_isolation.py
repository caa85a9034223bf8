"""Whether processes can be kept apart by system users is found out, said, and never half-done."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from svidok.errors import CommandError
from svidok.isolation import KEEPER, USERS, Isolation, find
from tests.svidok.console import Program, owner

AS_ROOT = os.geteuid() == 0
_REACHABLE = Path(__file__).parents[2] / "scripts" / "reachable"


@pytest.mark.check("P9")
def test_what_is_missing_is_named(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    missing = find(closed / "drop").missing

    if AS_ROOT:
        # Pytest's own folder is closed to others, too, and is met first.
        assert missing is not None
        assert missing.startswith("other users cannot reach /")
        assert missing.endswith(": all processes run as root")
    else:
        assert missing == "not started as root: all processes run as one user"


@pytest.mark.check("P9")
def test_a_python_that_others_cannot_reach_is_named(short: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = short / "python"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(sys, "prefix", str(closed))

    assert AS_ROOT, "only root can give processes users of their own: run it as root"
    assert find(short / "drop").missing == f"other users cannot reach {closed}: all processes run as root"


@pytest.mark.check("P9")
def test_a_folder_that_others_can_reach_is_kept_apart_by_root(svidok: Program, fresh_drop: Path) -> None:
    """As whoever installs it for real: as root, with Debian's Python, below a folder that is open."""
    assert owner(fresh_drop / "keeper")[0] == (KEEPER if AS_ROOT else owner(fresh_drop)[0])


@pytest.mark.check("P9")
def test_whoever_makes_a_drop_that_cannot_be_kept_apart_is_told(svidok: Program, short: Path) -> None:
    closed = short / "closed"
    closed.mkdir(mode=0o700)

    apart, together = svidok("init", short / "open", "--name", "A"), svidok("init", closed / "drop", "--name", "A")

    assert AS_ROOT, "only root can give processes users of their own: run it as root"
    assert "note:" not in apart.done
    assert f"note: other users cannot reach {closed}: all processes run as root; Landlock alone" in together.done


def test_the_tests_of_a_clone_in_a_closed_home_run_where_other_users_reach_it(tmp_path: Path) -> None:
    clone = tmp_path / "home" / "clone"
    clone.mkdir(parents=True)
    (clone / "file").write_text("reached")
    (tmp_path / "home").chmod(0o700)
    asked = ["setpriv", "--reuid=65534", "--clear-groups", "cat", str(clone / "file")]

    alone = subprocess.run(asked, cwd=clone, capture_output=True, text=True, check=False)
    within = subprocess.run([_REACHABLE, *asked], cwd=clone, capture_output=True, text=True, check=False, umask=0o077)
    clone.chmod(0o700)
    closed = subprocess.run([_REACHABLE, *asked], cwd=clone, capture_output=True, text=True, check=False)

    assert AS_ROOT, "only root can put another user to the test: run it as root"
    assert "Permission denied" in alone.stderr
    assert (within.stdout, within.stderr) == ("reached", "")
    assert (closed.returncode, closed.stdout) == (1, "")
    assert closed.stderr == f"svidok: other users cannot reach {clone}: clone it anew under umask 022\n"
    assert (clone / "file").read_text() == "reached"


def test_without_isolation_nobody_else_gets_any_right(tmp_path: Path) -> None:
    alone = Isolation("not started as root")
    (tmp_path / "file").write_text("x")

    alone.give(tmp_path / "file", KEEPER, "svidok", 0o2666)

    assert owner(tmp_path / "file")[2] == 0o600
    assert [alone.user(name) for name in USERS] == [None, None, None]


def test_with_it_each_process_has_its_user() -> None:
    assert [Isolation(None).user(name) for name in USERS] == list(USERS)


def test_a_user_or_group_that_is_missing_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(CommandError, match="the system user svidok-nobody is missing: svidok init, as root, makes it"):
        Isolation(None).give(tmp_path / "file", "svidok-nobody", "root", 0o600)
    with pytest.raises(CommandError, match="the system group svidok-nobody is missing"):
        Isolation(None).give(tmp_path / "file", "root", "svidok-nobody", 0o600)
