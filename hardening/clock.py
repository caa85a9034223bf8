"""Tell the time in one place, so that everything else has it passed in."""

import time
from datetime import UTC, date, datetime
from typing import Protocol


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """Tell the wall time, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Tell seconds since an unnamed moment; never goes back, also when the wall clock is set."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Tell the wall time, aware and in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Tell seconds since the machine started, standby included."""
        # CLOCK_BOOTTIME and not CLOCK_MONOTONIC: a session must grow old while the machine sleeps.
        return time.clock_gettime(time.CLOCK_BOOTTIME)


def today(clock: Clock) -> date:
    """Tell the UTC day, the finest time that a server keeps (K1)."""
    return clock.now().astimezone(UTC).date()
