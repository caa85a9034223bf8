"""Remember what one running tor tells about its start and its service's descriptors, and wait for it."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from onion.errors import BootstrapError, NotPublishedError, TorStoppedError
from onion.service import OnionAddress


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How far a tor has come on its way into the network, in tor's own words."""

    percent: int
    summary: str

    @property
    def done(self) -> bool:
        """Tell whether the network can be used."""
        return self.percent >= 100


@dataclass(slots=True)
class _Uploads:
    begun: int = 0
    accepted: int = 0
    failed: int = 0

    @property
    def settled(self) -> bool:
        """A directory that refuses is no obstacle: the descriptor lies at several, and tor tries again."""
        return self.accepted > 0 and self.accepted + self.failed >= self.begun


class Watch:
    """What was heard; the control connection's thread tells it, others wait for it. One condition guards all."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._bootstrap = Bootstrap(0, "starting")
        self._uploads: dict[str, _Uploads] = {}
        self._ended = False

    def hear_bootstrap(self, bootstrap: Bootstrap) -> None:
        """Take note of a step into the network."""
        with self._changed:
            self._bootstrap = bootstrap
            self._changed.notify_all()

    def hear_descriptor(self, action: str, label: str) -> None:
        """Take note of an upload; what tor fetches for others as a client is not remembered (D1)."""
        with self._changed:
            uploads = self._uploads.setdefault(label, _Uploads()) if action == "UPLOAD" else self._uploads.get(label)
            if uploads is None:
                return
            uploads.begun += action == "UPLOAD"
            uploads.accepted += action == "UPLOADED"
            uploads.failed += action == "FAILED"
            self._changed.notify_all()

    def hear_end(self) -> None:
        """Take note that tor can no longer be heard."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def forget_published(self, address: OnionAddress) -> None:
        """Let `wait_published` wait for uploads that begin after this moment."""
        with self._changed:
            self._uploads.pop(address.label, None)

    def published(self, address: OnionAddress) -> bool:
        """Tell whether the descriptor of *address* lies at a directory and nothing is under way."""
        with self._changed:
            return self._published(address)

    def wait_published(self, address: OnionAddress, limit_seconds: float) -> None:
        """Return when the descriptor of *address* was published.

        Raises:
            NotPublishedError: The time is over.
            TorStoppedError: Tor went away meanwhile.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._published(address), limit_seconds)
            if self._published(address):
                return
            if self._ended:
                raise TorStoppedError("tor stopped before it published the onion service")
        raise NotPublishedError(f"the onion service was not published within {limit_seconds:g} seconds")

    def wait_bootstrapped(self, limit_seconds: float, progress: Callable[[Bootstrap], None]) -> None:
        """Return when the network can be used; call *progress* with each step on the way, in this thread.

        Raises:
            BootstrapError: The time is over.
            TorStoppedError: Tor went away meanwhile.
        """
        end = time.monotonic() + limit_seconds
        told: Bootstrap | None = None
        while True:
            now, ended = self._step_after(told, end - time.monotonic())
            if now == told:
                break
            progress(now)
            if now.done:
                return
            told = now
        if ended:
            raise TorStoppedError("tor stopped before it reached the network")
        raise BootstrapError(f"tor came to {now.percent} % of its way into the network in {limit_seconds:g} seconds")

    def _step_after(self, told: Bootstrap | None, limit_seconds: float) -> tuple[Bootstrap, bool]:
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._bootstrap != told, limit_seconds)
            return self._bootstrap, self._ended

    def _published(self, address: OnionAddress) -> bool:
        uploads = self._uploads.get(address.label)
        return uploads is not None and uploads.settled
