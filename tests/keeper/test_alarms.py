"""Alarms speak up in time, and say nothing about sources."""

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from hardening.files import Room
from keeper.alarm_file import Alarm, read, write
from keeper.alarms import Seen, Thresholds, alarms
from keeper.tors import Service, State
from keys.keyset_trust import SignedKeyset

DAY = date(2026, 11, 23)
THRESHOLDS = Thresholds(unfetched_days=7, disk_percent=20)


def calm(signed_keyset: SignedKeyset) -> Seen:
    return Seen(
        day=signed_keyset.keyset.created,
        keyset=signed_keyset.keyset,
        last_collected=None,
        oldest_waiting=None,
        room=Room(10**12, 0.9),
        services={Service.SOURCE: State.READY},
        clock_trusted=True,
    )


def kinds(seen: Seen) -> list[str]:
    return [alarm.kind for alarm in alarms(seen, THRESHOLDS)]


def test_a_healthy_drop_is_silent(signed_keyset: SignedKeyset) -> None:
    assert kinds(calm(signed_keyset)) == []


@pytest.mark.check("G6", "G9")
def test_keys_are_called_in_time(signed_keyset: SignedKeyset) -> None:
    seen = calm(signed_keyset)
    end = min(key.not_after for key in signed_keyset.keyset.recipients)

    assert kinds(replace(seen, day=end - timedelta(days=61))) == []
    assert "expiry" in kinds(replace(seen, day=end - timedelta(days=60)))
    assert {"quorum", "expiry"} <= set(kinds(replace(seen, day=end + timedelta(days=5))))
    assert kinds(replace(seen, keyset=None)) == ["keyset"]


def test_a_full_disk_a_dead_service_and_a_wrong_clock_are_called(signed_keyset: SignedKeyset) -> None:
    seen = replace(calm(signed_keyset), room=Room(1, 0.1), services={Service.SOURCE: State.DOWN}, clock_trusted=False)

    assert kinds(seen) == ["clock", "disk", "service"]


@pytest.mark.check("M14")
def test_a_service_that_nobody_reaches_from_outside_is_called(signed_keyset: SignedKeyset) -> None:
    assert kinds(replace(calm(signed_keyset), source_unreachable=True)) == ["unreachable"]


def test_reports_that_nobody_fetches_are_called_after_the_days_set(signed_keyset: SignedKeyset) -> None:
    seen = calm(signed_keyset)
    day = seen.day

    assert kinds(replace(seen, oldest_waiting=day - timedelta(days=6))) == []
    assert kinds(replace(seen, oldest_waiting=day - timedelta(days=7))) == ["unfetched"]
    fetched = replace(seen, oldest_waiting=day - timedelta(days=20), last_collected=day - timedelta(days=6))
    assert kinds(fetched) == []
    assert kinds(replace(fetched, last_collected=day - timedelta(days=7))) == ["unfetched"]


def test_alarms_are_read_as_they_were_written(tmp_path: Path) -> None:
    found = (Alarm("disk", "5 % of the disk is free"),)

    write(found, DAY, tmp_path / "alarms.json")

    assert read(tmp_path / "alarms.json") == found
    assert read(tmp_path / "nothing.json") == ()
