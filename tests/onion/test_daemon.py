import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from onion.controller import Controller
from onion.daemon import Daemon, Running
from onion.errors import (
    BootstrapError,
    ControlError,
    NotPublishedError,
    TorMissingError,
    TorStartError,
    TorStoppedError,
)
from onion.program import TorProgram
from onion.service import OnionAddress
from onion.torrc import Option, Place, Torrc, control_options
from onion.watch import Watch

ADDRESS = OnionAddress.of(bytes(32))

OWNER = """
import os, sys
from pathlib import Path
from onion.daemon import Daemon
from onion.torrc import Option, Place, Torrc, control_options
place = Place(Path(sys.argv[1]))
torrc = Torrc((*control_options(place), Option("SocksPort", "0"), Option("DisableNetwork", "1")))
print(Daemon(torrc, place).start().pid, flush=True)
os.kill(os.getpid(), 9)
"""


def _daemon(folder: Path, *more: Option) -> Daemon:
    """Make a tor that never opens a connection."""
    place = Place(folder / "tor")
    still = (Option("SocksPort", "0"), Option("DisableNetwork", "1"))
    return Daemon(Torrc((*control_options(place), *still, *more)), place)


@pytest.fixture
def running(short_folder: Path) -> Iterator[Running]:
    with _daemon(short_folder).start() as tor:
        yield tor


def test_a_tor_starts_and_stops(running: Running) -> None:
    assert running.alive

    running.stop()
    running.stop()

    assert not running.alive
    # Asked in its first moments, before it minds signals, tor ends by the signal itself.
    assert running.wait_ended(0) in (0, -signal.SIGTERM)


def test_a_crash_is_noticed(running: Running) -> None:
    os.kill(running.pid, signal.SIGKILL)

    with pytest.raises(TorStoppedError):
        running.wait_published(ADDRESS, 30)
    assert running.wait_ended(10) == -signal.SIGKILL
    assert not running.alive
    with pytest.raises(ControlError):
        running.controller.reload()


def test_a_tor_that_ended_can_be_started_again_in_its_place(short_folder: Path) -> None:
    daemon = _daemon(short_folder)
    with daemon.start() as first:
        os.kill(first.pid, signal.SIGKILL)
        first.wait_ended(10)

    with daemon.start() as second:
        assert second.alive


@pytest.mark.check("M10")
def test_a_reload_keeps_the_process(running: Running) -> None:
    before = running.pid

    running.controller.reload()

    assert running.alive
    assert running.pid == before


def test_whoever_hangs_up_right_after_a_reload_does_not_wait_for_ever(running: Running) -> None:
    controller = Controller.connect(running.place.control)
    controller.listen(Watch())

    def hang_up() -> None:
        # As if its event came in the very moment in which the connection is being closed.
        with controller._connection._socket._get_send_lock():  # type: ignore[attr-defined]  # stem's own
            os.kill(running.pid, signal.SIGHUP)
            time.sleep(0.5)
            controller.close()

    closing = Thread(target=hang_up, daemon=True)
    closing.start()
    closing.join(20)

    assert not closing.is_alive()


def test_a_tor_without_a_network_says_so_in_time(running: Running) -> None:
    with pytest.raises(BootstrapError):
        running.wait_bootstrapped(0.1)
    with pytest.raises(NotPublishedError):
        running.wait_published(ADDRESS, 0.1)
    with pytest.raises(ControlError):
        running.controller.consensus_time()
    with pytest.raises(ControlError):
        _ = running.socks_port


@pytest.mark.check("M12")
def test_nobody_else_can_open_the_control_port(running: Running) -> None:
    place = running.place

    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.control.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE((place.data / "control_auth_cookie").stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in place.folder.rglob("*")} == {0}


@pytest.mark.check("M12")
def test_answers_of_tor_are_not_logged(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        running.controller.bootstrap()

    assert caplog.records == []


@pytest.mark.check("M3", "M12")
def test_no_port_is_open(running: Running) -> None:
    listeners = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout

    assert f"pid={running.pid}," not in listeners
    assert running.controller.alive


def test_a_refused_configuration_is_said_with_the_words_of_tor(short_folder: Path) -> None:
    with pytest.raises(TorStartError) as caught:
        _daemon(short_folder, Option("NoSuchOption", "1")).start()

    assert any("NoSuchOption" in line for line in caught.value.last_words)


def test_a_silent_tor_is_ended(tmp_path: Path) -> None:
    program = tmp_path / "tor"
    program.write_text(
        textwrap.dedent("""\
        #!/bin/sh
        case "$1" in
        --version) echo "Tor version 0.4.9.11." ;;
        --list-modules) echo "pow: yes" ;;
        *) echo $$ > pid; exec sleep 600 ;;
        esac
        """)
    )
    program.chmod(0o755)
    place = Place(tmp_path / "place")

    with pytest.raises(TorStartError, match="silent"):
        Daemon(Torrc(()), place, TorProgram(str(program))).start(limit_seconds=0.5)

    assert not Path("/proc", (place.folder / "pid").read_text().strip()).exists()


def test_a_tor_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(TorMissingError):
        Daemon(Torrc(()), Place(tmp_path / "place"), TorProgram(str(tmp_path / "none"))).start()


@pytest.mark.full
def test_a_tor_does_not_outlive_its_owner(short_folder: Path) -> None:
    """Tor looks every 15 seconds whether its owner lives."""
    owner = subprocess.run([sys.executable, "-c", OWNER, short_folder / "tor"], capture_output=True, check=False)
    pid = int(owner.stdout)

    assert owner.returncode == -signal.SIGKILL
    end = time.monotonic() + 30
    while _runs(pid) and time.monotonic() < end:
        time.sleep(0.5)  # It is nobody's child any more, so nobody is told.
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
