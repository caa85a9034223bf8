"""Let nobody try codes without end, and no code work twice (C21); and nobody shut a reviewer out by failing (C23).

A name's tries are counted for each circuit by itself, so that whoever fails on purpose makes himself wait and not her.
A new circuit costs little; so tries with the right password are counted a second time, for her account alone: only
who knows it can use them up, and nobody else has any use for a code.

All this lives in memory: the half minute in which a reviewer signed in is a time that no file may hold
(K1). A restart forgets the codes used before it; so whoever signed in on that day or the day before
waits, at most a minute, for a code that cannot have been used before the restart.
"""

import threading
from collections.abc import Hashable
from datetime import date, timedelta

from hardening.clock import Clock, today
from hardening.pace import Bucket
from keys.password import TOTP_SECONDS

TRIES = 5
TRIES_SECONDS = 60

# A code is taken one step early at most, so this many steps after the start are doubtful.
_DOUBTFUL_STEPS = 1
_NAMES_WATCHED = 4096


class SignInGuard:
    """What a process remembers of attempts to sign in.

    Args:
        clock: Of the process; the guard is made when the process starts.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tries: dict[Hashable, Bucket] = {}
        self._guesses: dict[str, Bucket] = {}
        self._used: dict[str, int] = {}
        self._started_on = today(clock)
        self._first_sure_step = int(clock.now().timestamp()) // TOTP_SECONDS + _DOUBTFUL_STEPS

    def may_try(self, name: str, circuit: int | None = None) -> bool:
        """Count a try for a name through a circuit, whether anybody has it or not; no to the sixth within a minute."""
        with self._lock:
            bucket = self._tries.pop((name, circuit), None) or self._bucket()
            # The one tried last goes to the end, so that a flood of names drops the oldest ones.
            self._tries[name, circuit] = bucket
            if len(self._tries) > _NAMES_WATCHED:
                del self._tries[next(iter(self._tries))]
            return bucket.take()

    def may_guess(self, reviewer_id: str) -> bool:
        """Count a code that came with the right password; say no to the sixth within a minute."""
        with self._lock:
            return self._guesses.setdefault(reviewer_id, self._bucket()).take()

    def last_step(self, reviewer_id: str, signed_in_day: date | None) -> int:
        """Return the step up to which this reviewer's codes are spent.

        Args:
            reviewer_id: Whose codes.
            signed_in_day: When she last signed in, as the store knows it.
        """
        with self._lock:
            used = self._used.get(reviewer_id)
        if used is not None:
            return used
        if signed_in_day is not None and signed_in_day >= self._started_on - timedelta(days=1):
            return self._first_sure_step
        return 0

    def spend(self, reviewer_id: str, step: int) -> bool:
        """Mark a code as used; of two who bring the same code at once, one is told no."""
        with self._lock:
            if step <= self._used.get(reviewer_id, 0):
                return False
            self._used[reviewer_id] = step
            return True

    def _bucket(self) -> Bucket:
        return Bucket(TRIES / TRIES_SECONDS, TRIES, self._clock)
