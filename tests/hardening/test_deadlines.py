import dataclasses

import pytest

from hardening.deadlines import Deadlines, Phase, ServingLimits, Wire

FREE = Wire(paused=False, unsent_bytes=0, crowded=False)
CROWDED = dataclasses.replace(FREE, crowded=True)
LIMITS = ServingLimits()


def cut_at(deadlines: Deadlines, now: float, wire: Wire, *, step: int = 0, pace_seconds: float = 1.0) -> float:
    """Look whenever asked to, sending *step* bytes every *pace_seconds*; when the connection is cut."""
    begin = next_bytes = now
    while now - begin < 100 * 3600:
        if step and now >= next_bytes:
            deadlines.came(step, now)
            next_bytes = now + pace_seconds
        wait = deadlines.look(now, wire)
        if wait is None:
            return now - begin
        now += min(wait, max(next_bytes - now, 0.001)) if step else wait
    return float("inf")


def uploading(*, trusted: bool = False) -> Deadlines:
    deadlines = Deadlines(LIMITS, 0)
    deadlines.enter(Phase.BODY, 0)
    deadlines.trusted = trusted
    return deadlines


@pytest.mark.check("D4")
@pytest.mark.parametrize("wire", [FREE, CROWDED])
@pytest.mark.parametrize("step", [0, 1])
def test_a_head_has_ten_seconds_and_dripping_does_not_help(wire: Wire, step: int) -> None:
    assert 9 < cut_at(Deadlines(LIMITS, 100), 100, wire, step=step) <= 10


@pytest.mark.check("D7")
def test_an_idle_connection_has_fifteen_seconds() -> None:
    deadlines = Deadlines(LIMITS, 0)
    deadlines.enter(Phase.IDLE, 50)

    assert 14 < cut_at(deadlines, 50, FREE) <= 15


@pytest.mark.check("D7")
@pytest.mark.parametrize("phase", list(Phase))
def test_an_unread_response_has_a_minute(phase: Phase) -> None:
    deadlines = Deadlines(LIMITS, 0)
    deadlines.enter(phase, 50)
    deadlines.look(50, FREE)

    assert cut_at(deadlines, 50, dataclasses.replace(FREE, unsent_bytes=9)) <= 60


def test_a_slow_reader_is_waited_for() -> None:
    deadlines = Deadlines(LIMITS, 0)
    deadlines.enter(Phase.ANSWER, 0)

    looks = [deadlines.look(50.0 * turn, dataclasses.replace(FREE, unsent_bytes=9000 - turn)) for turn in range(100)]

    assert None not in looks
    deadlines.taken(5000)
    assert deadlines.look(5050, dataclasses.replace(FREE, unsent_bytes=9000)) is not None


def test_our_own_work_has_no_deadline() -> None:
    deadlines = Deadlines(LIMITS, 0)
    deadlines.enter(Phase.ANSWER, 0)

    assert cut_at(deadlines, 0, CROWDED) == float("inf")


@pytest.mark.check("D5")
def test_in_a_crowd_a_stalled_upload_has_two_minutes() -> None:
    assert cut_at(uploading(), 0, CROWDED) == 120


@pytest.mark.check("D5")
@pytest.mark.parametrize(
    ("bytes_a_second", "cut"), [(1, (300, 306)), (1000, (300, 306)), (1030, (10800, 10800)), (10**6, (10800, 10800))]
)
def test_in_a_crowd_an_upload_keeps_pace_and_ends_after_three_hours(bytes_a_second: int, cut: tuple[int, int]) -> None:
    assert cut[0] <= cut_at(uploading(), 0, CROWDED, step=bytes_a_second) <= cut[1]


@pytest.mark.check("D5")
@pytest.mark.parametrize(("trusted", "wire"), [(False, FREE), (True, FREE), (True, CROWDED)])
def test_an_upload_that_progresses_is_never_cut(trusted: bool, wire: Wire) -> None:
    """A telephone behind a Snowflake bridge: a little, and then nothing for three minutes, for days."""
    assert cut_at(uploading(trusted=trusted), 0, wire, step=5000, pace_seconds=180) == float("inf")


def test_even_a_trusted_upload_does_not_stand_still_for_ever() -> None:
    assert cut_at(uploading(trusted=True), 0, FREE) == 600


def test_time_in_which_we_do_not_read_is_not_held_against_the_client() -> None:
    deadlines = uploading()

    assert cut_at(deadlines, 0, dataclasses.replace(CROWDED, paused=True)) == float("inf")
    # Not 120: the pause is known to have lasted until the last look.
    assert cut_at(deadlines, 100 * 3600, CROWDED) >= 115


def test_trust_ends_with_the_upload() -> None:
    deadlines = uploading(trusted=True)

    deadlines.enter(Phase.IDLE, 1)
    deadlines.enter(Phase.BODY, 2)

    assert not deadlines.trusted
