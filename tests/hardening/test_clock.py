"""Time comes from one place and is never finer than it has to be."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from hardening.clock import SystemClock, today
from tests.clock import FakeClock


def test_the_system_clock_speaks_utc_and_never_goes_back() -> None:
    clock = SystemClock()

    first, second = clock.monotonic(), clock.monotonic()

    assert clock.now().utcoffset() == timedelta(0)
    assert first <= second


@pytest.mark.check("K1")
def test_today_is_the_utc_day_wherever_the_clock_stands() -> None:
    kyiv = timezone(timedelta(hours=2))
    clock = FakeClock(datetime(2026, 3, 5, 1, 30, tzinfo=kyiv))

    assert today(clock) == date(2026, 3, 4)


def test_the_fake_clock_moves_only_when_told_to() -> None:
    clock = FakeClock(datetime(2026, 3, 4, tzinfo=UTC))
    before = clock.monotonic()

    clock.advance(90)

    assert clock.now() == datetime(2026, 3, 4, 0, 1, 30, tzinfo=UTC)
    assert clock.monotonic() - before == 90
