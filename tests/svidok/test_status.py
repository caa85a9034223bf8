"""How a drop is doing, for a person and for a program; 0 only if nothing needs a person."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hardening.canonical import canonical_json
from hardening.listeners import bind_unix
from keeper.alarm_file import Alarm, write
from svidok.identity import Identity
from svidok.place import Place
from svidok.running import is_running
from tests.questionnaire.tables import COMPILED
from tests.svidok.conftest import Held
from tests.svidok.console import Console

DAY = date(2026, 3, 4)
UP = {"source": "ready", "reviewer": "down", "client": "ready"}


@pytest.fixture
def held_socket(drop: Place) -> Iterator[socket.socket]:
    """What `svidok run` holds."""
    with bind_unix(drop.reviewer_broker) as bound:
        yield bound


def services(drop: Place, **states: str) -> None:
    """Leave what the keeper leaves of its tors."""
    drop.services.write_bytes(canonical_json({"v": 1, "bootstrap": 100, "services": {**UP, **states}}))


def private(drop: Place) -> None:
    """Leave what the keeper leaves of a private network; only that it is there counts here."""
    drop.network.write_bytes(b"{}")


def for_trying_out(drop: Place) -> None:
    replace(Identity.read(drop.identity), evaluation=True).write(drop.identity)


def test_a_drop_that_runs_and_is_open_needs_nobody(console: Console, drop: Place, held_socket: socket.socket) -> None:
    services(drop)
    identity = Identity.read(drop.identity)

    told, said = console("status", drop.root, "--json"), console("status", drop.root)

    assert json.loads(told.done) == {
        "name": "A name",
        "evaluation": False,
        "running": True,
        "open_for_reports": True,
        "network": "public",
        "languages": {
            "en": "served, but its words are not approved",
            "uk": "not served: not approved",
            "fr": "not served: not approved",
            "ar": "not served: not approved",
        },
        "source_address": identity.source_address,
        "reviewer_address": identity.reviewer_address,
        "services": UP,
        "form": "none: sources can send words and files alone",
        "alarms": [],
    }
    for line in (
        *("running            yes", "open for reports   yes", "network            public", "tor of source      ready"),
        "form               none: sources can send words and files alone",
    ):
        assert f"{line}\n" in said.done


@pytest.mark.parametrize(("service", "state"), [("source", "starting"), ("client", "down"), ("reviewer", "starting")])
def test_a_drop_whose_services_are_not_up_needs_a_person(
    console: Console, drop: Place, held_socket: socket.socket, service: str, state: str
) -> None:
    services(drop, **{service: state})

    said = console("status", drop.root)

    assert said.code == 1
    assert f"tor of {service:<11} {state}\n" in said.out


def test_a_drop_without_tor_needs_a_person(console: Console, drop: Place, held_socket: socket.socket) -> None:
    said = console("status", drop.root)

    assert said.code == 1
    assert "network            none: nobody outside this machine can reach it\n" in said.out


def test_a_real_drop_in_a_private_network_needs_a_person_and_one_for_trying_out_does_not(
    console: Console, drop: Place, held_socket: socket.socket
) -> None:
    services(drop)
    private(drop)

    real = console("status", drop.root)
    for_trying_out(drop)
    trying = console("status", drop.root)

    assert (real.code, trying.code) == (1, 0)
    for said in (real, trying):
        assert "network            private: nobody outside this machine can reach it\n" in said.out


def test_a_drop_that_does_not_run_is_not_open_and_has_no_services_and_no_alarms(console: Console, drop: Place) -> None:
    """A run that was killed leaves what its keeper said last."""
    services(drop)
    write([Alarm("service", "the tor of the source service does not run")], DAY, drop.alarms)

    told, said = console("status", drop.root, "--json"), console("status", drop.root)

    found = json.loads(told.out)
    assert told.code == said.code == 1
    assert (found["running"], found["open_for_reports"], found["network"]) == (False, False, "none")
    assert (found["services"], found["alarms"]) == ({}, [])
    assert "open for reports   no\n" in said.out
    for stale in ("tor of", "network", "alarm"):
        assert stale not in said.out


def test_an_alarm_that_an_import_has_mended_is_past(console: Console, drop: Place, held_socket: socket.socket) -> None:
    """The keeper looks once a minute, and whoever has just installed a keyset looks at once."""
    services(drop)
    write([Alarm("keyset", "no keyset is installed"), Alarm("clock", "the clock differs")], DAY, drop.alarms)

    found = json.loads(console("status", drop.root, "--json").out)

    assert [one["kind"] for one in found["alarms"]] == ["clock"]


def test_the_form_is_named_with_the_languages_in_which_it_is_asked(
    console: Console, drop: Place, held: Held, tmp_path: Path
) -> None:
    who = ("--gnupg", held.home("one"), "--signer", held.prints["one"], "--passphrase-file", held.passphrase)
    readers = ("--native", "Olena", "--survivor", "heron")
    for language in ("uk", "ar"):
        _ = console("form", "sign", COMPILED, tmp_path / "out", "--language", language, *readers, *who).done
    _ = console("form", "install", drop.root, tmp_path / "out").done

    approved = console("status", drop.root).out
    for path in (drop.forms / "approvals").iterdir():
        path.unlink()
    unapproved = console("status", drop.root).out
    (drop.forms / "form.json").write_bytes(b"{")
    damaged = console("status", drop.root).out

    assert "form               example 1 in ar, uk\n" in approved
    assert "form               none: example 1 is approved in no language\n" in unapproved
    assert "form               none: " in damaged


def test_in_a_drop_for_trying_out_the_form_is_a_draft(console: Console, drop: Place) -> None:
    for_trying_out(drop)

    told = json.loads(console("status", drop.root, "--json").out)

    assert told["form"].endswith(" in ar, en, fr, uk, as a draft")


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
        *("network", "alarms", "languages", "form"),
    }
