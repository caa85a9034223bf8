"""How far each visit's sendings are, for a second tab to tell: numbers in memory, gone some minutes afterwards."""

from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from hardening.clock import Clock

_KEPT_SECONDS = 300.0
# A visit has more windows than that only to try us; the oldest is told no longer.
_PER_VISIT = 4
_VISITS = 1024


@dataclass(slots=True)
class Arriving:
    """How far one sending is; nothing of what it holds.

    Attributes:
        announced_bytes: What the browser said it would send; 0 if it said nothing.
        whole_files: How many files have arrived to their end.
        kept: None while it is on its way; then, whether it was kept.
        ended_at: By the clock that only runs forward.
    """

    announced_bytes: int = 0
    arrived_bytes: int = 0
    whole_files: int = 0
    kept: bool | None = None
    ended_at: float = 0.0

    async def counted(self, body: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """Give the body, and count it."""
        async for piece in body:
            self.arrived_bytes += len(piece)
            yield piece


class Arrivals:
    """What arrives just now, visit by visit; belongs to one event loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # In the order in which their last sending began, oldest first.
        self._of_visit: OrderedDict[bytes, deque[Arriving]] = OrderedDict()

    @contextmanager
    def told(self, visit: bytes, arriving: Arriving) -> Generator[None]:
        """Let *visit* see *arriving* from now on, and how this block ends."""
        self.forget_old()
        self._of_visit.setdefault(visit, deque(maxlen=_PER_VISIT)).append(arriving)
        self._of_visit.move_to_end(visit)
        while len(self._of_visit) > _VISITS:
            self._of_visit.popitem(last=False)
        try:
            yield
            arriving.kept = True
        finally:
            arriving.kept = bool(arriving.kept)
            arriving.ended_at = self._clock.monotonic()

    def of(self, visit: bytes) -> tuple[Arriving, ...]:
        """Give the sendings of *visit*, the latest first."""
        self.forget_old()
        return tuple(reversed(self._of_visit.get(visit, ())))

    def forget_old(self) -> None:
        """Forget what ended some minutes ago."""
        horizon = self._clock.monotonic() - _KEPT_SECONDS
        for visit, sendings in list(self._of_visit.items()):
            left = [one for one in sendings if one.kept is None or one.ended_at > horizon]
            if left:
                self._of_visit[visit] = deque(left, maxlen=_PER_VISIT)
            else:
                del self._of_visit[visit]
