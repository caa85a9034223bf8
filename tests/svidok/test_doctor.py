"""What is well with a drop, what needs somebody soon, what is wrong: each check meets a drop that has its fault."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from hardening.canonical import canonical_json
from hardening.clock import SystemClock, today
from hardening.listeners import bind_unix
from hardening.process import landlock_version, swap_in_use
from keeper.alarm_file import Alarm, write
from keys.keyset_store import load
from source_interface.help_entries import shipped
from svidok.checkup.checks import CHECKS, examine
from svidok.checkup.finding import Examined, Finding, Level
from svidok.checkup.of_the_drop import disk, helplines, keyset
from svidok.drop import open_drop
from svidok.identity import Identity
from svidok.place import Place
from tests.questionnaire.tables import COMPILED
from tests.svidok.conftest import Held
from tests.svidok.console import Console

# Keys count from the day on which they were made.
DAY = today(SystemClock())
ENTRY = '[[entry]]\nwhat = "police"\nnumber = "102"\n'
# What depends on the machine that the tests run on is looked at by tests of its own.
MACHINE = {"swap", "landlock", "versions", "tor", "disk", "secret keys"}


@pytest.fixture
def held_socket(drop: Place) -> Iterator[socket.socket]:
    """What `svidok run` holds."""
    with bind_unix(drop.reviewer_broker) as bound:
        yield bound


def findings(drop: Place) -> list[Finding]:
    return list(examine(Examined(*open_drop(drop.root), DAY)))


def of(drop: Place, check: str) -> list[tuple[Level, str]]:
    return [(one.level, one.text) for one in findings(drop) if one.check == check]


def examined(drop: Place, day: date) -> Examined:
    return Examined(*open_drop(drop.root), day)


def verified(hide_after: date) -> str:
    return f'{ENTRY}verified_by = "us"\nverified_on = 2026-01-01\nhide_after = {hide_after}\n'


def verify_all(drop: Place) -> None:
    for country in shipped():
        (drop.helplines / f"{country}.toml").write_text(verified(DAY + timedelta(days=31)), "utf-8")


def test_a_drop_that_runs_has_nothing_wrong(drop: Place, held_socket: socket.socket) -> None:
    verify_all(drop)
    services = {"source": "ready", "reviewer": "down", "client": "ready"}
    drop.services.write_bytes(canonical_json({"v": 1, "bootstrap": 100, "services": dict(services)}))

    found = [one for one in findings(drop) if one.check not in MACHINE]

    assert {one.check for one in found} | MACHINE == {check.name for check in CHECKS}
    # Without root no process has a user of its own, and that is said.
    alone = [] if os.geteuid() == 0 else ["owners"]
    # Nobody has approved a form yet, either.
    assert [one.check for one in found if one.level is not Level.WELL] == [*alone, "form"]


def test_the_worst_finding_is_the_exit_code_and_comes_first(
    console: Console, drop: Place, held_socket: socket.socket
) -> None:
    write([Alarm("service", "the tor of the source service does not run")], DAY, drop.alarms)

    told, said = console("doctor", drop.root, "--json"), console("doctor", drop.root)

    found = json.loads(told.out)
    assert (told.code, said.code, found["level"]) == (1, 1, "wrong")
    levels = [one["level"] for one in found["findings"]]
    assert levels == sorted(levels, key=["wrong", "soon", "well"].index)
    assert "wrong  alarms       the tor of the source service does not run\n" in said.out
    assert "soon   help " in said.out


@pytest.mark.parametrize(("level", "code"), [(Level.WELL, 0), (Level.SOON, 3), (Level.WRONG, 1)])
def test_programs_can_tell_the_three_apart(level: Level, code: int) -> None:
    assert level.value == code


def test_a_drop_that_does_not_run_needs_somebody(drop: Place) -> None:
    assert of(drop, "running") == [(Level.SOON, "the drop does not run")]


def test_a_service_that_is_not_up_is_named(drop: Place, held_socket: socket.socket) -> None:
    services = {"source": "starting", "reviewer": "down", "client": "ready"}
    drop.services.write_bytes(canonical_json({"v": 1, "bootstrap": 50, "services": dict(services)}))

    assert of(drop, "running") == [(Level.SOON, "the tor of the source service is starting")]


def test_a_drop_that_nobody_outside_this_machine_can_reach_is_told(drop: Place, held_socket: socket.socket) -> None:
    """One for trying out is meant to live in a private network."""
    without_tor = of(drop, "running")
    services = {"source": "ready", "reviewer": "down", "client": "ready"}
    drop.services.write_bytes(canonical_json({"v": 1, "bootstrap": 100, "services": dict(services)}))
    drop.network.write_bytes(b"{}")
    private = of(drop, "running")
    replace(Identity.read(drop.identity), evaluation=True).write(drop.identity)

    assert without_tor == [(Level.SOON, "no tor runs: nobody outside this machine can reach the drop")]
    assert private == [
        (Level.SOON, "its network is private: nobody outside this machine can reach it; svidok run --tor public")
    ]
    assert [level for level, _ in of(drop, "running")] == [Level.WELL]


def test_a_drop_without_a_form_that_somebody_approved_is_told_and_how_to_install_one(drop: Place) -> None:
    says = f"sources can send words and files alone; svidok form install {drop.root} FOLDER"
    without = of(drop, "form")
    drop.forms.mkdir()
    (drop.forms / "form.json").write_bytes(COMPILED.read_bytes())
    unapproved = of(drop, "form")
    replace(Identity.read(drop.identity), evaluation=True).write(drop.identity)

    assert without == [(Level.SOON, f"no form is installed: {says}")]
    assert unapproved == [(Level.SOON, f"nobody has approved example 1: {says}")]
    assert [level for level, _ in of(drop, "form")] == [Level.WELL]


@pytest.mark.parametrize(
    ("kind", "level"), [("unfetched", Level.SOON), ("clock", Level.WRONG), ("unreachable", Level.WRONG)]
)
def test_alarms_of_the_keeper_are_passed_on(drop: Place, held_socket: socket.socket, kind: str, level: Level) -> None:
    write([Alarm(kind, "something"), Alarm("expiry", "looked at without the keeper")], DAY, drop.alarms)

    assert of(drop, "alarms") == [(level, "something")]


def test_alarms_of_a_run_that_has_ended_are_not_told_as_of_now(drop: Place) -> None:
    write([Alarm("service", "something"), Alarm("keyset", "looked at without the keeper")], DAY, drop.alarms)

    assert of(drop, "alarms") == [(Level.SOON, "when the drop last ran: something")]


def test_alarms_that_cannot_be_read_are_wrong_and_stop_no_other_check(drop: Place) -> None:
    drop.alarms.write_bytes(b"{")

    assert [level for level, _ in of(drop, "alarms")] == [Level.WRONG]
    assert [level for level, _ in of(drop, "stores")] == [Level.WELL]


@pytest.mark.check("G6")
def test_without_a_keyset_it_is_closed(bare_drop: Place) -> None:
    assert of(bare_drop, "keyset") == [
        (Level.WRONG, "no keyset is installed: the drop is closed for new reports"),
    ]


@pytest.mark.check("G6")
def test_keys_that_end_are_told_before_and_when_too_few_are_left(drop: Place) -> None:
    end = min(key.not_after for key in load(drop.keyset).keyset.recipients)

    soon = list(keyset(examined(drop, end - timedelta(days=20))))
    late = list(keyset(examined(drop, end + timedelta(days=1))))

    assert soon
    assert {level for level, _ in soon} == {Level.SOON}
    assert all("expires in" in text for _, text in soon)
    assert late[0] == (Level.WRONG, "too few usable keys: the drop is closed for new reports")


@pytest.mark.check("J6")
def test_a_store_that_is_missing_or_damaged_is_wrong(drop: Place) -> None:
    (drop.outbox / "outbox.db").unlink()
    missing = of(drop, "stores")
    (drop.outbox / "outbox.db").write_bytes(b"no database " * 1000)

    assert [level for level, _ in (*missing, *of(drop, "stores"))] == [Level.WRONG, Level.WRONG]


@pytest.mark.check("P8", "P9")
def test_a_secret_that_others_may_read_is_wrong(drop: Place) -> None:
    faults: tuple[tuple[Path, Callable[[Path], object]], ...] = (
        (drop.pepper, lambda path: path.chmod(0o644)),
        (drop.keeper, lambda path: path.chmod(0o755)),
        (drop.log_key, lambda path: path.unlink()),
    )
    for path, spoil in faults:
        spoil(path)

    told = [text for level, text in of(drop, "owners") if level is Level.WRONG]

    assert told == [
        f"{drop.keeper} has another owner, group or mode than it was given",
        f"{drop.pepper} has another owner, group or mode than it was given",
        f"{drop.log_key} is missing",
    ]


@pytest.mark.check("P8")
def test_a_secret_of_another_user_is_wrong(drop: Place) -> None:
    """Only root gives files away, and only then does each process have a user of its own."""
    os.chown(drop.pepper, os.geteuid(), os.getegid())

    told = [text for level, text in of(drop, "owners") if level is Level.WRONG]

    wrong = f"{drop.pepper} has another owner, group or mode than it was given"
    assert told == ([wrong] if os.geteuid() == 0 else [])


@pytest.mark.check("M7")
def test_secret_keys_on_this_machine_are_wrong(drop: Place, held: Held) -> None:
    """The people's keys lie in scratch space, where a server must not have them."""
    ((level, text),) = of(drop, "secret keys")

    assert held.folder.exists()
    assert level is Level.WRONG
    assert text.endswith("holds a secret key of the keyset: it must never be on a server")


def test_this_machine_is_looked_at(drop: Place) -> None:
    """That a floor, swap and kernel are judged rightly is tested where they are judged."""
    found = {one.check: one for one in findings(drop)}

    assert found["versions"].level is found["tor"].level is Level.WELL
    assert (found["swap"].level is Level.WELL) == (not swap_in_use())
    assert (found["landlock"].level is Level.WELL) == (landlock_version() > 0)


def test_a_disk_that_fills_is_told_before_nothing_is_taken_in(drop: Place) -> None:
    def with_alarm_at(percent: int, floor: int) -> list[Level]:
        seen = examined(drop, DAY)
        limits = replace(seen.settings.limits, disk_floor_percent=floor)
        alarms = replace(seen.settings.alarms, disk_percent=percent)
        return [
            level for level, _ in disk(replace(seen, settings=replace(seen.settings, limits=limits, alarms=alarms)))
        ]

    assert (with_alarm_at(0, 0), with_alarm_at(101, 0), with_alarm_at(101, 100)) == ([], [Level.SOON], [Level.WRONG])


def test_numbers_that_nobody_has_verified_are_told(drop: Place) -> None:
    ((level, text),) = helplines(examined(drop, DAY))

    assert level is Level.SOON
    assert text.startswith(f"{len(shipped())} countries have only numbers that nobody has verified")
    assert text.endswith(" ua us xk")


def test_entries_that_hide_or_will_soon_are_named(drop: Place) -> None:
    verify_all(drop)
    entries = (ENTRY, verified(DAY - timedelta(days=1)), verified(DAY + timedelta(days=30)))
    (drop.helplines / "ua.toml").write_text("\n".join(entries), "utf-8")

    assert [text for _, text in helplines(examined(drop, DAY))] == [
        "help/ua.toml: entry 1 is verified by nobody",
        f"help/ua.toml: entry 2 was to be hidden after {DAY - timedelta(days=1)}: verify it again",
        f"help/ua.toml: entry 3 will be hidden after {DAY + timedelta(days=30)}: verify it again",
    ]


def test_a_file_of_help_that_cannot_be_meant_is_wrong(drop: Place) -> None:
    (drop.helplines / "ua.toml").write_text(f"{ENTRY}url = 'x'\n", "utf-8")

    assert of(drop, "help") == [(Level.WRONG, "ua.toml: entry 1: url: there is no such field")]


def test_in_a_drop_for_trying_out_unverified_numbers_and_secret_keys_are_meant(drop: Place) -> None:
    trying = examined(drop, DAY)
    trying = replace(trying, identity=replace(trying.identity, evaluation=True))

    found = {one.check: one.level for one in examine(trying)}

    assert (found["help"], found["secret keys"]) == (Level.WELL, Level.WELL)


@pytest.mark.check("L4")
def test_what_is_told_is_nothing_about_sources(console: Console, drop: Place) -> None:
    told = json.loads(console("doctor", drop.root, "--json").out)

    assert set(told) == {"level", "findings"}
    assert {one["check"] for one in told["findings"]} == {check.name for check in CHECKS}


def test_a_folder_that_is_no_drop_is_said(console: Console, tmp_path: Path) -> None:
    assert "is not the folder of a drop" in console("doctor", tmp_path).refusal
