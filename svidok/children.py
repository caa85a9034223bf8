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
    """The processes of a drop, in the order of their start; a context manager that stops them in reverse."""

    monotonic: Callable[[], float] = time.monotonic
    _running: list[_Running] = field(default_factory=list)

    def start(self, child: Child) -> None:
        """Start *child*."""
        self._running.append(_Running(child, _launch(child), self.monotonic()))

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
        """Ask every process to end, the last started first, and end those that do not."""
        for one in reversed(self._running):
            if one.process.poll() is None:
                one.process.send_signal(signal.SIGTERM)
                try:
                    one.process.wait(_GRACE_SECONDS)
                except subprocess.TimeoutExpired:
                    _log.warning("the process %s did not end when asked and was killed", one.child.name)
                    one.process.kill()
            one.process.wait()
        self._running.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _again(self, one: _Running, code: int) -> None:
        now = self.monotonic()
        if one.not_before == 0.0:
            _log.warning("the process %s ended with code %s and is started again", one.child.name, code)
            one.pause = _FIRST_PAUSE_SECONDS if now - one.started > _CALM_SECONDS else one.pause
            one.not_before = now + one.pause
            one.pause = min(one.pause * 2, _LONGEST_PAUSE_SECONDS)
        if now >= one.not_before:
            one.process, one.started, one.not_before = _launch(one.child), now, 0.0


def _launch(child: Child) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C reaches the parent alone, which stops things in order.
    return subprocess.Popen(
        [sys.executable, "-m", "svidok", "serve", *child.arguments],
        stdin=subprocess.DEVNULL,
        pass_fds=child.descriptors,
        env={**_clean_environment(), **child.environment},
        start_new_session=True,
    )


def _clean_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PYTHONPATH", "PYTHONDONTWRITEBYTECODE") if name in os.environ}
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", **kept}
