"""Start one tor, know when it works and when it has died, and never leave it behind."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from hardening.files import private_folder, write_whole
from onion.controller import Controller
from onion.errors import ControlError, TorMissingError, TorStartError
from onion.program import TorProgram
from onion.service import OnionAddress
from onion.torrc import Place, Torrc
from onion.watch import Bootstrap, Watch

_POLL_SECONDS = 0.02
_LAST_WORDS = 12


class Running:
    """A tor that runs and obeys; a context manager that stops it."""

    def __init__(self, process: subprocess.Popen[bytes], controller: Controller, torrc: Torrc, place: Place) -> None:
        self.controller = controller
        self.torrc = torrc
        self.place = place
        self._process = process
        self._watch = Watch()
        controller.listen(self._watch)

    @property
    def pid(self) -> int:
        """The process id of tor."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Tell whether tor runs and can be controlled."""
        return self._process.poll() is None and self.controller.alive

    @property
    def socks_port(self) -> int:
        """The loopback port of a client-only tor that has one."""
        return self.controller.socks_port()

    def wait_bootstrapped(
        self, limit_seconds: float = 120, progress: Callable[[Bootstrap], None] = lambda _: None
    ) -> None:
        """Return when the network can be used; *progress* hears each step.

        Raises:
            BootstrapError: The time is over.
            TorStoppedError: Tor died meanwhile.
        """
        self._watch.wait_bootstrapped(limit_seconds, progress)

    def published(self, address: OnionAddress) -> bool:
        """Tell whether the onion service can be found in the network."""
        return self._watch.published(address)

    def forget_published(self, address: OnionAddress) -> None:
        """Let `wait_published` wait for a publication that begins after this moment."""
        self._watch.forget_published(address)

    def wait_published(self, address: OnionAddress, limit_seconds: float = 120) -> None:
        """Return when the onion service can be found in the network.

        Raises:
            NotPublishedError: The time is over.
            TorStoppedError: Tor died meanwhile.
        """
        self._watch.wait_published(address, limit_seconds)

    def wait_ended(self, limit_seconds: float) -> int | None:
        """Tell the exit code when tor has ended, or nothing if it still runs when the time is over."""
        try:
            return self._process.wait(limit_seconds)
        except subprocess.TimeoutExpired:
            return None

    def last_words(self) -> tuple[str, ...]:
        """Read the end of tor's log, for the operator's screen."""
        return _last_words(self.place)

    def stop(self, grace_seconds: float = 10) -> None:
        """End tor: politely, and after *grace_seconds* without mercy. Stopping twice is fine."""
        self.controller.close()
        _end(self._process, grace_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@dataclass(frozen=True, slots=True)
class Daemon:
    """A tor that can be started: what it is to do, and where it lives."""

    torrc: Torrc
    place: Place
    program: TorProgram = field(default_factory=TorProgram)

    def start(self, limit_seconds: float = 30) -> Running:
        """Start tor and take control of it; a failure leaves nothing running.

        Tor watches this process and ends within 15 seconds of its death, however that came.

        Raises:
            TorMissingError: There is no tor.
            TorTooOldError: It is too old (M1).
            TorModuleError: It lacks proof of work (M4).
            TorStartError: It stopped, or stayed silent for *limit_seconds*.
        """
        self.program.require()
        self._prepare()
        process = self._launch()
        try:
            return Running(process, self._controlled(process, limit_seconds), self.torrc, self.place)
        except BaseException:
            _end(process, 0)
            raise

    def _prepare(self) -> None:
        private_folder(self.place.folder)
        private_folder(self.place.data)
        write_whole(self.place.torrc, self.torrc.text().encode())
        write_whole(self.place.defaults, b"")
        # Left by a tor that was killed; else we might speak to nobody.
        self.place.control.unlink(missing_ok=True)
        self.place.log.unlink(missing_ok=True)

    def _launch(self) -> subprocess.Popen[bytes]:
        command = [
            self.program.path,
            *("-f", str(self.place.torrc)),
            *("--defaults-torrc", str(self.place.defaults)),
            "--hush",
            *("--__OwningControllerProcess", str(os.getpid())),
        ]
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.place.folder), "TZ": "UTC"}
        output = os.open(_output(self.place), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            # A session of its own: Ctrl-C at the terminal reaches us alone, and we stop things in order.
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                cwd=self.place.folder,
                start_new_session=True,
                umask=0o077,
            )
        except OSError as error:
            raise TorMissingError("the tor program cannot be run") from error
        finally:
            os.close(output)

    def _controlled(self, process: subprocess.Popen[bytes], limit_seconds: float) -> Controller:
        end = time.monotonic() + limit_seconds
        while process.poll() is None and time.monotonic() < end:
            # Tor tells nobody that its socket is there, so we look.
            if self.place.control.exists():
                try:
                    return Controller.connect(self.place.control)
                except ControlError:
                    pass
            time.sleep(_POLL_SECONDS)
        code = process.poll()
        what = f"stayed silent for {limit_seconds:g} seconds" if code is None else f"stopped at once with code {code}"
        raise TorStartError(f"tor {what}", _last_words(self.place))


def _end(process: subprocess.Popen[bytes], grace_seconds: float) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def _last_words(place: Place) -> tuple[str, ...]:
    lines: list[str] = []
    for path in (_output(place), place.log):
        if path.exists():
            lines += path.read_text("utf-8", errors="replace").splitlines()
    return tuple(lines[-_LAST_WORDS:])


def _output(place: Place) -> Path:
    return place.folder / "output"
