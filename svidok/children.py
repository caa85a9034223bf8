"""Start the processes of a drop, start again what dies, and stop everything that was started."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

_log = logging.getLogger(__name__)

# A process that ends with this code has said why it must not run; starting it again would not help.
REFUSED = 3

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0
_CALM_SECONDS = 60.0
_GRACE_SECONDS = 35.0


@dataclass(frozen=True, slots=True)
class Child:
    """One process: what it is called, how it is started, which descriptors and environment it gets."""

    name: str
    arguments: Sequence[str]
    descriptors: Sequence[int]
    environment: Mapping[str, str]


@dataclass(slots=True)
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    started: float
    pause: float = _FIRST_PAUSE_SECONDS
    not_before: float = 0.0


@dataclass(slots=True)
class Children:
    """The processes of a drop; a context manager that stops them.

    Attributes:
        program: The command that every child's arguments, and our process id, are put behind.
        monotonic: A clock that only runs forward.
        grace_seconds: How long a process may take to end when it is asked to.
    """

    program: Sequence[str] = (sys.executable, "-m", "svidok", "serve")
    monotonic: Callable[[], float] = time.monotonic
    grace_seconds: float = _GRACE_SECONDS
    _running: list[_Running] = field(default_factory=list)

    def start(self, child: Child) -> None:
        """Start *child*."""
        self._running.append(_Running(child, self._launch(child), self.monotonic()))

    def tend(self) -> str | None:
        """Start again what has died; tell the name of a process that refuses to run, if one does."""
        for one in self._running:
            code = one.process.poll()
            if code is None:
                continue
            if code == REFUSED:
                return one.child.name
            self._again(one, code)
        return None

    def stop(self) -> None:
        """Ask the processes to end, the first started last because the others ask it; kill what does not end."""
        self._end(self._running[1:])
        self._end(self._running[:1])
        self._running.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _end(self, together: Sequence[_Running]) -> None:
        for one in together:
            if one.process.poll() is None:
                one.process.send_signal(signal.SIGTERM)
        end = self.monotonic() + self.grace_seconds
        for one in together:
            try:
                one.process.wait(max(0.0, end - self.monotonic()))
            except subprocess.TimeoutExpired:
                _log.warning("the process %s did not end when asked and was killed", one.child.name)
                one.process.kill()
                one.process.wait()

    def _again(self, one: _Running, code: int) -> None:
        now = self.monotonic()
        if one.not_before == 0.0:
            _log.warning("the process %s ended with code %s and is started again", one.child.name, code)
            one.pause = _FIRST_PAUSE_SECONDS if now - one.started > _CALM_SECONDS else one.pause
            one.not_before = now + one.pause
            one.pause = min(one.pause * 2, _LONGEST_PAUSE_SECONDS)
        if now >= one.not_before:
            one.process, one.started, one.not_before = self._launch(one.child), now, 0.0

    def _launch(self, child: Child) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches the parent alone, which stops things in order.
        return subprocess.Popen(
            [*self.program, *child.arguments, "--parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            pass_fds=child.descriptors,
            env={**_clean_environment(), **child.environment},
            start_new_session=True,
        )


def _clean_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE") if name in os.environ}
    return {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        # Nothing is ever imported from the folder in which somebody happened to type the command.
        "PYTHONSAFEPATH": "1",
        **kept,
    }
