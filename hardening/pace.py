"""Let costly work through at a bearable pace, and fairly when many ask at once.

Nothing here knows a person: a key is a session or a number that tor gave a circuit, it lives only
while its work waits, and is never written anywhere (D1).
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Generator, Hashable
from contextlib import asynccontextmanager, contextmanager

from hardening.clock import Clock
from hardening.errors import HardeningError


class BusyError(HardeningError):
    """Too many wait already; the answer is 503 with `Retry-After`."""


class Bucket:
    """A token bucket: so much a second in the long run, so much at once."""

    def __init__(self, rate: float, burst: float, clock: Clock) -> None:
        """Begin full.

        Args:
            rate: How much comes back each second.
            burst: How much the bucket holds.
            clock: Fills the bucket.
        """
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._level = burst
        self._filled_at = clock.monotonic()

    def take(self, amount: float = 1) -> bool:
        """Take *amount* if it is there; otherwise take nothing and give `False`."""
        self._fill()
        if self._level < amount:
            return False
        self._level -= amount
        return True

    def ready_in(self, amount: float = 1) -> float:
        """Tell after how many seconds *amount* will be there, if nobody else takes any."""
        self._fill()
        return max(0.0, (amount - self._level) / self._rate)

    def _fill(self) -> None:
        now = self._clock.monotonic()
        self._level = min(self._burst, self._level + (now - self._filled_at) * self._rate)
        self._filled_at = now


class Gate:
    """So many run, so many wait, the rest is told at once to come again (D2).

    Those who wait are let in round by round, one for each key, and when no place is left, the key
    that holds the most places gives one up to a key that holds fewer. So one circuit that asks a
    hundred times a second delays a person on another circuit by one turn (D3).
    """

    def __init__(self, running: int, waiting: int, per_key: int | None = None) -> None:
        """Begin open.

        Args:
            running: How many may be inside at the same time.
            waiting: How many may wait outside, of all keys together.
            per_key: How many of one key may be inside or wait, if that is limited.
        """
        self._free = running
        self._waiting_limit = waiting
        self._waiting = 0
        self._per_key = per_key
        self._of: Counter[Hashable] = Counter()
        # The keys in the order of their next turn; no queue is ever empty.
        self._queues: dict[Hashable, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, key: Hashable = None) -> AsyncGenerator[None]:
        """Wait for a turn and hold it for as long as the block runs.

        Args:
            key: Who asks; all who have no key share one.

        Raises:
            BusyError: There is no place to wait, or it was given to a key that held fewer, or this key has all that it
                may have.
        """
        with self._counted(key):
            if self._free:
                self._free -= 1
            else:
                await self._wait(key)
            try:
                yield
            finally:
                self._pass_on()

    @contextmanager
    def _counted(self, key: Hashable) -> Generator[None]:
        if self._of[key] == self._per_key:
            raise BusyError("one key may not have so many places")
        self._of[key] += 1
        try:
            yield
        finally:
            self._of[key] -= 1
            if not self._of[key]:
                # A counter keeps zeros, and nothing is to remember who was here.
                del self._of[key]

    async def _wait(self, key: Hashable) -> None:
        if self._waiting >= self._waiting_limit:
            self._give_up_a_place_to(key)
        place = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(place)
        self._waiting += 1
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                # The turn came in the same moment as the cancellation: it must not be lost.
                self._pass_on()
            elif place in self._queues.get(key, ()):
                self._leave(key, place)
            raise

    def _pass_on(self) -> None:
        """Give the turn to the first of the next key, who then queues up behind the others."""
        if not self._queues:
            self._free += 1
            return
        key = next(iter(self._queues))
        place = self._queues[key][0]
        self._leave(key, place)
        if key in self._queues:
            self._queues[key] = self._queues.pop(key)
        place.set_result(None)

    def _give_up_a_place_to(self, key: Hashable) -> None:
        longest = max(self._queues, key=lambda other: len(self._queues[other]), default=key)
        if len(self._queues.get(longest, ())) <= len(self._queues.get(key, ())) + 1:
            raise BusyError("too many wait already")
        place = self._queues[longest][-1]
        self._leave(longest, place)
        place.set_exception(BusyError("somebody who waits less often got this place"))

    def _leave(self, key: Hashable, place: asyncio.Future[None]) -> None:
        self._queues[key].remove(place)
        self._waiting -= 1
        if not self._queues[key]:
            del self._queues[key]
