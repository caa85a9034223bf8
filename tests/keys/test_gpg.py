"""Gpg runs with our flags, tells us alone, and ends when it must."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from keys import gpg as gpg_module
from keys.errors import GpgFailedError, GpgMissingError, GpgTimeoutError, UnsafeArgumentError
from keys.fingerprint import Fingerprint
from keys.gpg import Gpg, frozen_at_dawn, frozen_on, run, start, stop_agent
from keys.recipients import Recipients
from tests.keyring import DAY, Reviewer, sealing_to

CANARY = b"canary-of-a-report-"


def fake(folder: Path, script: str) -> Gpg:
    """A program that stands where gpg should."""
    program = folder / "gpg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return Gpg(folder, str(program))


def sealing(recipients: Recipients) -> tuple[str | Path, ...]:
    """The arguments with which gpg seals its input."""
    return (*frozen_on(DAY), "--compress-algo=none", "--set-filename", "", *sealing_to(recipients), "--encrypt")


def children() -> list[str]:
    """What this process has started and not yet buried, the dead included."""
    listing = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
    return [child for child in listing.split() if "gpg" in Path(f"/proc/{child}/comm").read_text()]


def running(group: str) -> list[str]:
    """Who of a process group still runs; orphans whom nobody has buried yet do not."""
    listing = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, check=True, text=True).stdout
    rows = [line.split(maxsplit=2) for line in listing.splitlines()]
    return [row[2] for row in rows if row[0] == group and not row[1].startswith("Z")]


def test_gpg_runs_and_says_what_it_did(public_gpg: Gpg, recipients: Recipients) -> None:
    outcome = run(public_gpg, sealing(recipients), b"a report")

    assert outcome.returncode == 0
    assert len(outcome.said("END_ENCRYPTION")) == 1
    assert outcome.stdout


def test_a_passphrase_opens_what_was_sealed(
    public_gpg: Gpg, recipients: Recipients, reviewers: tuple[Reviewer, Reviewer]
) -> None:
    sealed = run(public_gpg, sealing(recipients), b"a report").stdout

    for reviewer in reviewers:
        assert run(reviewer.gpg, ("--decrypt",), sealed, passphrase=reviewer.passphrase).stdout == b"a report"


def test_a_wrong_passphrase_opens_nothing(
    public_gpg: Gpg, recipients: Recipients, reviewers: tuple[Reviewer, Reviewer]
) -> None:
    sealed = run(public_gpg, sealing(recipients), b"a report").stdout

    outcome = run(reviewers[0].gpg, ("--decrypt",), sealed, passphrase="wrong")

    assert outcome.returncode != 0
    assert outcome.stdout == b""


@pytest.mark.check("F7")
def test_the_servers_gpg_can_neither_hold_nor_use_a_secret_key(public_gpg: Gpg) -> None:
    outcome = run(public_gpg, ("--quick-generate-key", "--", "nobody", "ed25519", "cert", "1y"), passphrase="x")

    assert outcome.returncode != 0
    assert run(public_gpg, ("--with-colons", "--list-secret-keys")).stdout == b""
    assert not list(public_gpg.home.glob("S.gpg-agent*"))


@pytest.mark.check("G3")
def test_what_is_written_on_other_channels_is_not_heard(tmp_path: Path) -> None:
    """CVE-2018-12020: a hostile file name printed beside the status looks like a verdict."""
    lie = "[GNUPG:] GOODSIG AAAA me"
    gpg = fake(tmp_path, f"echo '{lie}'; echo '{lie}' >&2; exit 0")

    outcome = run(gpg, ("--verify",))

    assert outcome.status == ()
    assert outcome.stdout == f"{lie}\n".encode()


def traced(log: Path, folder: Path) -> str:
    """A gpg whose system calls are written down."""
    program = folder / "traced-gpg"
    calls = "trace=connect,socket,execve,sendto"
    program.write_text(f'#!/bin/sh\nexec strace -f -s 4096 -e {calls} -o {log} gpg "$@"\n')
    program.chmod(0o700)
    return str(program)


@pytest.mark.check("G5", "F7")
@pytest.mark.parametrize("whom", ["somebody@example.org", "https://example.org/key", "DEADBEEF" * 5])
def test_gpg_never_asks_the_network_for_a_key(whom: str, gpg_homes: Path, tmp_path: Path) -> None:
    """Positive control in the flags' absence is architecture's finding 0.9: gpg asks dirmngr for such a recipient."""
    home = gpg_homes / "g5"
    home.mkdir(mode=0o700, exist_ok=True)
    log = tmp_path / "calls"

    outcome = run(Gpg(home, traced(log, tmp_path)), ("--recipient", whom, "--encrypt"), CANARY * 100)

    calls = log.read_text()
    assert outcome.returncode != 0
    assert "execve(" in calls
    assert "AF_INET" not in calls
    assert "dirmngr" not in "".join(line for line in calls.splitlines() if "execve" in line).replace(
        "--disable-dirmngr", ""
    )
    assert CANARY.decode() not in calls


@pytest.mark.check("F7", "G5")
def test_the_text_reaches_gpg_by_pipe_alone(
    public_gpg: Gpg, recipients: Recipients, reviewers: tuple[Reviewer, Reviewer], tmp_path: Path
) -> None:
    log = tmp_path / "calls"
    gpg = Gpg(public_gpg.home, traced(log, tmp_path))

    outcome = run(gpg, sealing(recipients), CANARY)

    calls = log.read_text()
    assert outcome.returncode == 0
    assert "--status-fd" in calls
    assert CANARY.decode() not in calls
    assert "AF_INET" not in calls
    assert reviewers[0].passphrase not in calls


@pytest.mark.check("G14")
@pytest.mark.parametrize("character", ["\n", "\r", "\0"])
def test_a_passphrase_or_argument_that_breaks_its_line_never_reaches_gpg(character: str, tmp_path: Path) -> None:
    """CVE-2019-6690."""
    started = tmp_path / "started"
    gpg = fake(tmp_path, f"touch {started}")

    with pytest.raises(ValueError, match="passphrase"):
        run(gpg, ("--decrypt",), passphrase=f"half{character}--other")
    with pytest.raises(UnsafeArgumentError, match="argument"):
        run(gpg, ("--encrypt", f"half{character}"))
    with pytest.raises(UnsafeArgumentError, match="argument"):
        run(gpg, ("--encrypt", Path(f"half{character}")))

    assert not started.exists()


def test_a_passphrase_longer_than_gpg_would_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsafeArgumentError):
        run(Gpg(tmp_path), ("--decrypt",), passphrase="x" * 1024)


@pytest.mark.check("G15")
def test_a_file_can_never_be_an_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CVE-2014-1929."""
    gpg = fake(tmp_path, 'for each in "$@"; do echo "$each"; done')
    monkeypatch.chdir(tmp_path)

    arguments = run(gpg, ("--verify", Path("--output=evil"), Fingerprint("A" * 40))).stdout.decode().splitlines()

    assert arguments[-3:] == ["--verify", f"{tmp_path}/--output=evil", "A" * 40]


def test_the_environment_holds_nothing_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GNUPGHOME", "/elsewhere")
    monkeypatch.setenv("DISPLAY", ":7")
    gpg = fake(tmp_path, "/usr/bin/env")

    server = run(gpg, ("--version",)).stdout.decode()
    workstation = run(Gpg(gpg.home, gpg.program, agent=True), ("--version",)).stdout.decode()

    names = {line.partition("=")[0] for line in server.splitlines()}
    assert names - {"PWD", "SHLVL", "_", "OLDPWD"} == {"PATH", "LC_ALL"}
    assert "DISPLAY=:7" in workstation
    assert "GNUPGHOME" not in workstation


def test_a_person_is_asked_at_the_terminal_where_she_sits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gpg's own input is a pipe, so its agent would not know where to ask, and would only say no."""
    gpg = fake(tmp_path, "/usr/bin/env")
    asking = Gpg(gpg.home, gpg.program, agent=True)
    monkeypatch.delenv("GPG_TTY", raising=False)
    ours, hers = os.openpty()
    with os.fdopen(ours), os.fdopen(hers) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)

        assert f"GPG_TTY={os.ttyname(hers)}\n" in run(asking, ("--version",)).stdout.decode()
        assert "GPG_TTY" not in run(gpg, ("--version",)).stdout.decode()
        monkeypatch.setenv("GPG_TTY", "/dev/tty7")
        assert "GPG_TTY=/dev/tty7\n" in run(asking, ("--version",)).stdout.decode()
    with Path("/dev/null").open() as nothing:
        monkeypatch.delenv("GPG_TTY")
        monkeypatch.setattr(sys, "stdin", nothing)
        monkeypatch.setattr(sys, "stderr", None)
        assert "GPG_TTY" not in run(asking, ("--version",)).stdout.decode()


def test_an_absent_gpg_is_named(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    with pytest.raises(GpgMissingError):
        run(Gpg(tmp_path, str(tmp_path / "nothing")), ("--version",))

    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_pipes_are_given_back(public_gpg: Gpg) -> None:
    run(public_gpg, ("--version",))
    before = len(list(Path("/proc/self/fd").iterdir()))

    for _ in range(5):
        run(public_gpg, ("--version",))

    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.check("G18")
@pytest.mark.parametrize(
    "script",
    ["sleep 600", "cat >/dev/null; sleep 600", "exec >&- 2>&-; sleep 600", "while :; do sleep 600; done | cat"],
)
def test_a_gpg_that_hangs_is_killed_with_all_that_it_started(script: str, tmp_path: Path) -> None:
    gpg = fake(tmp_path, f"trap '' TERM; echo $$ > {tmp_path}/pid; {script}")
    begun = time.monotonic()

    with pytest.raises(GpgTimeoutError):
        run(gpg, ("--encrypt",), b"x" * 1_000_000, limit_seconds=0.3)

    assert time.monotonic() - begun < 10
    group = (tmp_path / "pid").read_text().strip()
    while running(group) and time.monotonic() - begun < 10:
        os.sched_yield()
    assert running(group) == []
    assert children() == []


@pytest.mark.check("G18")
def test_the_limit_is_two_minutes() -> None:
    assert gpg_module.LIMIT_SECONDS <= 120


def test_a_source_that_sends_slowly_is_no_hanging_gpg(public_gpg: Gpg, recipients: Recipients) -> None:
    """The pause is the test: it is longer than gpg may stand still."""
    with start(public_gpg, sealing(recipients), limit_seconds=0.2) as process:
        sealed = bytearray()
        reader = threading.Thread(target=lambda: sealed.extend(process.stdout.readall()))
        reader.start()
        for _ in range(3):
            process.stdin.write(b"slowly ")
            threading.Event().wait(0.4)
        process.stdin.close()
        reader.join()
        outcome = process.finish()

    assert outcome.returncode == 0
    assert sealed


@pytest.mark.check("G18")
def test_a_gpg_that_stops_reading_ends_the_writer(tmp_path: Path) -> None:
    gpg = fake(tmp_path, "sleep 600")

    with start(gpg, ("--encrypt",), limit_seconds=0.2) as process, pytest.raises(GpgTimeoutError):
        process.stdin.write(b"x" * 1_000_000)

    assert children() == []


def test_what_breaks_off_leaves_no_whole_message(
    public_gpg: Gpg, recipients: Recipients, reviewers: tuple[Reviewer, Reviewer]
) -> None:
    """Were its input closed first, gpg would finish a valid message of half the bytes (G2)."""
    sealed = bytearray()

    with start(public_gpg, sealing(recipients)) as process:
        reader = threading.Thread(target=lambda: sealed.extend(process.stdout.readall()))
        reader.start()
        process.stdin.write(CANARY * 50_000)
        process.kill()
        reader.join()

    opened = run(reviewers[0].gpg, ("--decrypt",), bytes(sealed), passphrase=reviewers[0].passphrase)
    assert opened.returncode != 0
    assert children() == []


def test_a_gpg_that_ends_before_its_input_is_noticed(tmp_path: Path) -> None:
    gpg = fake(tmp_path, "exit 2")

    with start(gpg, ("--encrypt",)) as process:
        with pytest.raises(GpgFailedError):
            process.stdin.write(b"x" * 1_000_000)
        assert process.finish().returncode == 2


def test_an_answer_without_end_is_cut_off(tmp_path: Path) -> None:
    with pytest.raises(GpgFailedError):
        run(fake(tmp_path, "cat /dev/zero"), ("--list-keys",))

    assert children() == []


def test_a_flood_on_the_status_pipe_neither_blocks_nor_fills_the_memory(tmp_path: Path) -> None:
    """The fake finds the status pipe's number in its arguments, as gpg does."""
    flood = 'while [ "$1" != "--status-fd" ]; do shift; done; head -c 3000000 /dev/zero >/proc/self/fd/$2'

    with pytest.raises(GpgFailedError):
        run(fake(tmp_path, flood), ("--verify",))


@pytest.mark.check("G11")
def test_a_frozen_clock_tells_the_day_alone(public_gpg: Gpg) -> None:
    assert frozen_on(DAY) == ("--faked-system-time", "1772668799!")
    assert frozen_at_dawn(DAY) == ("--faked-system-time", "1772582400!")


def test_an_agent_that_does_not_run_can_be_stopped(tmp_path: Path) -> None:
    stop_agent(Gpg(tmp_path, agent=True))


def test_a_gpg_that_says_much_before_it_takes_its_input_is_listened_to(tmp_path: Path) -> None:
    """It says more than its pipe holds, so it takes nothing before somebody has listened."""
    talk = 'while [ "$1" != "--status-fd" ]; do shift; done; yes "[GNUPG:] PROGRESS" | head -n 20000 >/proc/self/fd/$2'

    outcome = run(fake(tmp_path, f"{talk}; cat"), ("--encrypt",), b"x" * 3_000_000)

    assert len(outcome.said("PROGRESS")) == 20_000
    assert len(outcome.stdout) == 3_000_000
