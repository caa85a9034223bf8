import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardening.listeners import ListenError, bind_loopback, bind_unix
from tests.hardening.site import folder

# Everything is imported before the rights are given up: nobody may be unable to read Python itself.
CONNECT_AS_NOBODY = """
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
socket.socket(socket.AF_UNIX).connect(sys.argv[1])
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with folder() as path:
        yield path


def stranger_can_connect(path: Path) -> bool:
    """Try it as nobody; without the right to become nobody, judge by the modes."""
    if os.geteuid() != 0:
        return bool(path.stat().st_mode & stat.S_IWOTH and path.parent.stat().st_mode & stat.S_IXOTH)
    tried = subprocess.run([sys.executable, "-c", CONNECT_AS_NOBODY, path], capture_output=True, check=False)
    assert tried.returncode == 0 or b"PermissionError" in tried.stderr, tried.stderr
    return tried.returncode == 0


@pytest.mark.check("D9")
def test_a_socket_is_for_its_owner_and_group_alone(home: Path) -> None:
    with bind_unix(home / "s"):
        assert stat.S_IMODE((home / "s").stat().st_mode) == 0o660
        assert not stranger_can_connect(home / "s")


@pytest.mark.check("D9")
def test_a_stranger_could_connect_if_the_modes_were_wrong(home: Path) -> None:
    """The control of the test above."""
    with bind_unix(home / "s"):
        home.chmod(0o755)
        (home / "s").chmod(0o666)

        assert stranger_can_connect(home / "s")


@pytest.mark.check("D9")
@pytest.mark.parametrize("mode", [0o755, 0o751, 0o754, 0o752, 0o1777])
def test_a_folder_that_others_may_use_is_refused(home: Path, mode: int) -> None:
    home.chmod(mode)

    with pytest.raises(ListenError, match="others"):
        bind_unix(home / "s")
    assert not (home / "s").exists()


def test_a_folder_must_exist_and_be_one(home: Path) -> None:
    (home / "file").touch(0o600)
    (home / "link").symlink_to(home)

    for parent in ("missing", "file", "link"):
        with pytest.raises(ListenError):
            bind_unix(home / parent / "s")


def test_a_dead_socket_is_replaced_and_a_living_one_is_not(home: Path) -> None:
    bind_unix(home / "s").close()

    with bind_unix(home / "s"), pytest.raises(ListenError, match="another process"):
        bind_unix(home / "s")


def test_nothing_else_is_replaced(home: Path) -> None:
    (home / "s").write_text("kept")

    with pytest.raises(ListenError, match="no socket"):
        bind_unix(home / "s")
    assert (home / "s").read_text() == "kept"


def test_a_path_too_long_for_a_socket_is_refused(home: Path) -> None:
    with pytest.raises(ListenError, match="107"):
        bind_unix(home / ("x" * 100))


def test_the_umask_is_left_as_it_was(home: Path) -> None:
    before = os.umask(0o027)
    try:
        with bind_unix(home / "s"):
            assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)


def test_a_port_is_on_loopback_alone() -> None:
    with bind_loopback(0) as bound:
        host, port = bound.getsockname()

        assert host == "127.0.0.1"
        with socket.create_connection(("127.0.0.1", port), 1):
            pass
        with pytest.raises(ListenError, match="taken"):
            bind_loopback(port)
    with pytest.raises(ListenError, match="99999 is no port"):
        bind_loopback(99999)
