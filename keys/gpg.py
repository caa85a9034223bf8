"""The one place that starts gpg: fixed flags, private pipes, and no gpg that outlives its time."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from types import TracebackType
from typing import Self

from keys.errors import GpgFailedError, GpgMissingError, GpgTimeoutError, UnsafeArgumentError
from keys.fingerprint import Fingerprint
from keys.pipes import PipeFromGpg, PipeIntoGpg, Pipes, StatusPipe, open_pipes
from keys.status import MOST_STATUS_BYTES, Outcome, status_lines

LIMIT_SECONDS = 120.0

# Nothing that we ask gpg for in one piece (a certificate, a signature, a listing) comes near these.
MOST_OUTPUT_BYTES = 16 * 1024 * 1024
_LONGEST_PASSPHRASE_BYTES = 1024

# No options file, no terminal, no trust database, and above all no network: an unknown recipient that looks like a
# mail address makes gpg ask the world for it (G5). The same for reviewers and server, so that both see one gpg.
_ALWAYS = (
    "--no-options",
    "--batch",
    "--no-tty",
    "--quiet",
    "--no-verbose",
    "--no-greeting",
    "--display-charset=utf-8",
    "--trust-model=always",
    "--no-auto-check-trustdb",
    "--no-auto-key-locate",
    "--no-auto-key-import",
    "--no-auto-key-retrieve",
    "--disable-dirmngr",
    "--no-random-seed-file",
    "--exit-on-status-write-error",
)

# An agent draws its passphrase window where its user sits, so it must know where that is.
_WHERE_THE_USER_SITS = ("GPG_TTY", "TERM", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR")

# Options and commands are our own literals, files are paths, keys are fingerprints.
Argument = str | Path | Fingerprint


@dataclass(frozen=True, slots=True)
class Gpg:
    """A gpg and the home it works in.

    Attributes:
        home: Its folder, owned by the caller, mode 0700, path short enough for an agent's socket.
        program: Name or path of the program.
        agent: Whether secret keys live here. Without it no agent is ever started and nothing can be opened or signed:
            that is the server's gpg.
    """

    home: Path
    program: str = "gpg"
    agent: bool = False


class Process:
    """A running gpg; ends with its ``with`` block, whatever happens in it.

    ``stdin`` and ``stdout`` may be used by two threads, which the caller joins before the block ends. A call that needs
    no input closes ``stdin`` first.
    """

    def __init__(self, command: Sequence[str], kept: Pipes, limit_seconds: float, environment: dict[str, str]) -> None:
        self._limit_seconds = limit_seconds
        self._overran = False
        self._started = subprocess.Popen(
            command,
            stdin=kept.input_read,
            stdout=kept.output_write,
            stderr=subprocess.DEVNULL,
            pass_fds=kept.inherited,
            env=environment,
            # A group of its own, so that a kill reaches whatever gpg has started itself.
            process_group=0,
        )
        self.stdin = PipeIntoGpg(kept.input_write, limit_seconds, self._hanging)
        self._status = StatusPipe(kept.status_read, MOST_STATUS_BYTES)
        self.stdout = PipeFromGpg(kept.output_read, self._status, limit_seconds, self._has_all_input, self._hanging)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # The order is the point: a gpg whose input merely ends finishes a valid message of half the bytes (G2).
        self.kill()
        self.stdin.close()
        self.stdout.close()
        self._status.close()

    def kill(self) -> None:
        """End gpg and what it started at once, if it still runs; the pipes stay open until the block ends."""
        if self._started.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._started.pid, signal.SIGKILL)
            self._started.wait()

    def finish(self, stdout: bytes = b"") -> Outcome:
        """Tell gpg that its input is complete, wait for its end, and return what it said.

        Args:
            stdout: What the caller has read, if the outcome shall carry it. All output must have been read, and nobody
                may read any more: gpg cannot end while its output waits.

        Raises:
            GpgTimeoutError: Gpg did not end within the limit; it was killed.
            GpgFailedError: Gpg's status is not to be believed.
        """
        self.stdin.close()
        # Its status ends with gpg, and that can be waited for; a wait for the process itself looks ever more seldom.
        if not self._status.rest(self._limit_seconds):
            self._hanging()
        try:
            self._started.wait(self._limit_seconds)
        except subprocess.TimeoutExpired:
            self._hanging()
        if self._overran:
            raise GpgTimeoutError(f"gpg did not move for {self._limit_seconds:g} seconds and was killed")
        return Outcome(self._started.returncode, status_lines(self._status.said), stdout)

    def _hanging(self) -> None:
        self._overran = True
        self.kill()

    def _has_all_input(self) -> bool:
        return self.stdin.closed


def start(
    gpg: Gpg, arguments: Sequence[Argument], *, passphrase: str | None = None, limit_seconds: float = LIMIT_SECONDS
) -> Process:
    """Start gpg.

    Args:
        gpg: Which gpg, and whose keys.
        arguments: Options, one command, then files. A text is passed on as it stands, so only literals of ours and user
            ids behind ``"--"`` may be texts; a file is a ``Path`` and can never be taken for an option.
        passphrase: Given to the agent without a window; None leaves the asking to the agent.
        limit_seconds: How long gpg may stand still before it is killed.

    Raises:
        UnsafeArgumentError: An argument or the passphrase holds a character that would change its meaning.
        GpgMissingError: There is no such program.
    """
    plain = [_plain(argument) for argument in arguments]
    secret = None if passphrase is None else _passphrase_line(passphrase)
    pipes = open_pipes(secret)
    try:
        return Process([*_flags(gpg, pipes), *plain], pipes, limit_seconds, _environment(gpg))
    except OSError as error:
        pipes.close_our_ends()
        raise GpgMissingError("there is no gpg on this machine that could be started") from error
    finally:
        pipes.close_gpgs_ends()


def run(
    gpg: Gpg,
    arguments: Sequence[Argument],
    stdin: bytes | None = None,
    limit_seconds: float = LIMIT_SECONDS,
    passphrase: str | None = None,
) -> Outcome:
    """Run gpg to its end on input and output that fit into memory; arguments and errors as for ``start``.

    Raises:
        GpgTimeoutError: Gpg stood still and was killed.
        GpgFailedError: It wrote more than any answer we ask for in one piece.
    """
    with start(gpg, arguments, passphrase=passphrase, limit_seconds=limit_seconds) as process:
        feeder = threading.Thread(target=_feed, args=(process, stdin or b""), daemon=True)
        feeder.start()
        try:
            output = _read_bounded(process.stdout)
        except BaseException:
            process.kill()
            raise
        finally:
            feeder.join()
        return process.finish(output)


def stop_agent(gpg: Gpg) -> None:
    """End the agent of this home, and with it every secret that it remembers; none running is fine.

    Raises:
        GpgMissingError: There is no gpgconf on this machine.
    """
    command = ("gpgconf", "--homedir", str(gpg.home.absolute()), "--kill", "all")
    try:
        subprocess.run(command, env=_environment(gpg), capture_output=True, timeout=LIMIT_SECONDS, check=False)
    except FileNotFoundError as error:
        raise GpgMissingError("there is no gpgconf on this machine") from error


def frozen_on(day: date) -> tuple[str, str]:
    """Return the option that stops gpg's clock at the last second of *day*.

    Whatever gpg dates then tells the day and no more (G11); the first second would make a key of today one from the
    future.
    """
    return _frozen_at(datetime.combine(day, time(23, 59, 59), tzinfo=UTC))


def frozen_at_dawn(day: date) -> tuple[str, str]:
    """Return the option that stops gpg's clock at the first second of *day*, for keys that must be usable at once."""
    return _frozen_at(datetime.combine(day, time(0, 0, 0), tzinfo=UTC))


def _frozen_at(moment: datetime) -> tuple[str, str]:
    return ("--faked-system-time", f"{int(moment.timestamp())}!")


def _plain(argument: Argument) -> str:
    text = str(argument.absolute()) if isinstance(argument, Path) else str(argument)
    if any(character in text for character in "\0\n\r"):
        raise UnsafeArgumentError("an argument for gpg may not hold a line break or NUL")
    return text


def _passphrase_line(passphrase: str) -> bytes:
    # CVE-2019-6690: what stands behind a line break would reach gpg as something else.
    if any(character in passphrase for character in "\0\n\r"):
        raise UnsafeArgumentError("a passphrase may not hold a line break or NUL")
    line = passphrase.encode() + b"\n"
    if len(line) > _LONGEST_PASSPHRASE_BYTES:
        raise UnsafeArgumentError(f"a passphrase has less than {_LONGEST_PASSPHRASE_BYTES} bytes")
    return line


def _flags(gpg: Gpg, pipes: Pipes) -> list[str]:
    flags = [gpg.program, "--homedir", str(gpg.home.absolute()), *_ALWAYS, "--status-fd", str(pipes.status_write)]
    if not gpg.agent:
        flags += ["--no-autostart", "--lock-never"]
    if pipes.passphrase_read is not None:
        flags += ["--pinentry-mode=loopback", "--passphrase-fd", str(pipes.passphrase_read)]
    elif not gpg.agent:
        flags.append("--pinentry-mode=error")
    return flags


def _environment(gpg: Gpg) -> dict[str, str]:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
    if gpg.agent:
        environment |= _terminal() | {name: os.environ[name] for name in _WHERE_THE_USER_SITS if name in os.environ}
    return environment


def _terminal() -> dict[str, str]:
    """Name the terminal where a person sits, for the agent to ask her at: gpg's own input is a pipe."""
    for descriptor in (sys.stdin, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            return {"GPG_TTY": os.ttyname(descriptor.fileno())}
    return {}


def _feed(process: Process, stdin: bytes) -> None:
    # A gpg that has seen enough may end early; whether that was right, its outcome says.
    with contextlib.suppress(GpgFailedError, GpgTimeoutError):
        process.stdin.write(stdin)
    process.stdin.close()


def _read_bounded(stdout: PipeFromGpg) -> bytes:
    output = bytearray()
    while chunk := stdout.read(65536):
        output += chunk
        if len(output) > MOST_OUTPUT_BYTES:
            raise GpgFailedError(f"gpg wrote more than {MOST_OUTPUT_BYTES} bytes")
    return bytes(output)
