"""How a drop is doing, for a person and for a program; 0 only if nothing needs a person."""

import json
import socket
from collections.abc import Iterator
from datetime import date

import pytest

from hardening.canonical import canonical_json
from hardening.listeners import bind_unix
from keeper.alarm_file import Alarm, write
from svidok.identity import Identity
from svidok.place import Place
from svidok.running import is_running
from tests.svidok.console import Console

DAY = date(2026, 3, 4)


@pytest.fixture
def held_socket(drop: Place) -> Iterator[socket.socket]:
    """What `svidok run` holds."""
    with bind_unix(drop.reviewer_broker) as bound:
        yield bound


def test_a_drop_that_runs_and_is_open_needs_nobody(console: Console, drop: Place, held_socket: socket.socket) -> None:
    services = {"source": "ready", "reviewer": "down", "client": "ready"}
    drop.services.write_bytes(canonical_json({"v": 1, "bootstrap": 100, "services": dict(services)}))
    identity = Identity.read(drop.identity)

    told, said = console("status", drop.root, "--json"), console("status", drop.root)

    assert json.loads(told.done) == {
        "name": "A name",
        "evaluation": False,
        "running": True,
        "open_for_reports": True,
        "languages": {
            "en": "served, but its words are not approved",
            "uk": "not served: not approved",
            "fr": "not served: not approved",
            "ar": "not served: not approved",
        },
        "source_address": identity.source_address,
        "reviewer_address": identity.reviewer_address,
        "services": services,
        "alarms": [],
    }
    for line in ("running            yes", "open for reports   yes", "tor of source      ready"):
        assert line in said.done


def test_alarms_need_a_person(console: Console, drop: Place, held_socket: socket.socket) -> None:
    write([Alarm("disk", "there is less room than set")], DAY, drop.alarms)

    said = console("status", drop.root, "--json")

    assert said.code == 1
    assert json.loads(said.out)["alarms"] == [{"kind": "disk", "text": "there is less room than set"}]
    assert "alarm              there is less room than set" in console("status", drop.root).out


@pytest.mark.check("G6")
def test_without_a_keyset_it_is_closed(console: Console, bare_drop: Place) -> None:
    said = console("status", bare_drop.root, "--json")

    assert said.code == 1
    assert (json.loads(said.out)["running"], json.loads(said.out)["open_for_reports"]) == (False, False)


@pytest.mark.check("J8")
def test_a_socket_that_a_killed_run_left_does_not_run(console: Console, drop: Place) -> None:
    bind_unix(drop.reviewer_broker).close()

    assert drop.reviewer_broker.exists()
    assert not is_running(drop)
    assert json.loads(console("status", drop.root, "--json").out)["running"] is False


def test_an_evaluation_drop_says_so(console: Console, short: object) -> None:
    _ = console("init", f"{short}/trying", "--evaluation", "--name", "Прихисток").done

    said = console("status", f"{short}/trying")

    assert said.out.startswith("Прихисток (evaluation: TEST)\n")
    assert json.loads(console("status", f"{short}/trying", "--json").out)["evaluation"] is True


@pytest.mark.check("L4")
def test_what_is_told_holds_nothing_about_sources(console: Console, drop: Place) -> None:
    told = json.loads(console("status", drop.root, "--json").out)

    assert set(told) == {
        *("name", "evaluation", "running", "open_for_reports", "source_address", "reviewer_address", "services"),
        "alarms",
        "languages",
    }
