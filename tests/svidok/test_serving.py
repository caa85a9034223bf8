"""How the processes are put together: whom reports are sealed to now, and which names a site answers to."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from hardening.files import private_folder
from hardening.listeners import Listener, bind_loopback, bind_unix
from keys.gpg import Gpg
from keys.keyset_store import store
from keys.keyset_trust import SignedKeyset
from svidok.children import REFUSED
from svidok.place import Place
from svidok.serving.confine import hosts
from svidok.serving.source import CurrentDesk
from tests.clock import FakeClock
from tests.keyring import Reviewer
from tests.svidok.console import Program, running

ADDRESS = f"{'a' * 56}.onion"
YEAR_SECONDS = 366 * 86400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a keyset is installed."""
    return private_folder(tmp_path / "keyset") / "current"


@pytest.fixture
def desk(folder: Path, tmp_path: Path, clock: FakeClock, public_gpg: Gpg) -> CurrentDesk:
    return CurrentDesk(folder, private_folder(tmp_path / "recipients"), public_gpg, clock)


@pytest.mark.check("G6")
def test_without_a_keyset_it_is_closed_until_one_comes(
    desk: CurrentDesk, folder: Path, signed_keyset: SignedKeyset
) -> None:
    assert desk() is None

    store(signed_keyset, folder)

    found = desk()
    assert found is not None
    assert found.keyset == signed_keyset.keyset
    assert len(found.recipients.files) == 2


@pytest.mark.check("G6")
def test_a_withdrawal_closes_it_and_whoever_began_keeps_her_recipients(
    desk: CurrentDesk, folder: Path, signed_keyset: SignedKeyset, reviewers: tuple[Reviewer, ...]
) -> None:
    store(signed_keyset, folder)
    began = desk()
    keyset = signed_keyset.keyset

    store(SignedKeyset(keyset.without(reviewers[0].fingerprint, keyset.created), {}), folder)

    assert desk() is None
    assert began is not None
    assert all(file.exists() for file in began.recipients.files)
    one = replace(keyset.without(reviewers[0].fingerprint, keyset.created), quorum=1)
    store(SignedKeyset(one, {}), folder)
    now = desk()
    assert now is not None
    assert len(now.recipients.files) == 1
    assert now.recipients.keyset_hash == one.hash


@pytest.mark.check("G6")
def test_the_day_on_which_the_keys_end_closes_it(
    desk: CurrentDesk, folder: Path, signed_keyset: SignedKeyset, clock: FakeClock
) -> None:
    store(signed_keyset, folder)
    assert desk() is not None

    clock.advance(YEAR_SECONDS)

    assert desk() is None


def test_it_looks_at_the_keys_once_and_not_at_every_visit(
    desk: CurrentDesk, folder: Path, signed_keyset: SignedKeyset
) -> None:
    store(signed_keyset, folder)

    assert desk() is desk()


@pytest.mark.check("G6")
@pytest.mark.parametrize("content", [b"", b"{}", b"no keyset"])
def test_a_keyset_that_cannot_be_read_closes_it(
    content: bytes, desk: CurrentDesk, folder: Path, signed_keyset: SignedKeyset
) -> None:
    store(signed_keyset, folder)
    assert desk() is not None

    (folder / "keyset.json").write_bytes(content)

    assert desk() is None


@pytest.mark.check("G6", "J4")
def test_trouble_that_passes_closes_it_only_while_it_lasts(
    folder: Path, tmp_path: Path, clock: FakeClock, public_gpg: Gpg, signed_keyset: SignedKeyset
) -> None:
    """Gpg missing for a moment, or no room for the recipients' files."""
    store(signed_keyset, folder)
    recipients = private_folder(tmp_path / "recipients")
    program = tmp_path / "gpg"
    by_program = CurrentDesk(folder, recipients, replace(public_gpg, program=str(program)), clock)
    in_folder = CurrentDesk(folder, tmp_path / "none" / "recipients", public_gpg, clock)
    assert (by_program(), in_folder()) == (None, None)

    program.symlink_to("/usr/bin/gpg")
    (tmp_path / "none" / "recipients").mkdir(parents=True)

    assert by_program() is not None
    assert in_folder() is not None


@pytest.mark.check("G6")
def test_more_keys_than_the_quorum_seal_to_all_that_can_be_used(
    desk: CurrentDesk, folder: Path, signed_keyset: SignedKeyset, clock: FakeClock
) -> None:
    keyset = signed_keyset.keyset
    ending = replace(keyset.recipients[0], not_after=keyset.created + timedelta(days=10))
    later = replace(keyset, quorum=1, recipients=tuple(sorted((ending, keyset.recipients[1]))))
    store(SignedKeyset(later, {}), folder)
    first = desk()

    clock.advance(11 * 86400)

    second = desk()
    assert first is not None
    assert second is not None
    assert (len(first.recipients.files), len(second.recipients.files)) == (2, 1)


@pytest.fixture
def unix(tmp_path: Path) -> Iterator[socket.socket]:
    with bind_unix(private_folder(tmp_path / "run") / "socket") as bound:
        yield bound


@pytest.mark.check("A8")
def test_behind_tor_a_site_has_one_name(unix: socket.socket) -> None:
    assert hosts(ADDRESS, [Listener(unix, proxy_line=True)]) == {ADDRESS}


@pytest.mark.check("A8")
def test_the_bare_socket_and_the_ports_have_theirs(unix: socket.socket) -> None:
    with bind_loopback(0) as port:
        number = port.getsockname()[1]
        here = {ADDRESS, f"127.0.0.1:{number}", f"localhost:{number}"}

        assert hosts(ADDRESS, [Listener(unix)]) == {ADDRESS, "localhost"}
        assert hosts(ADDRESS, [Listener(unix), Listener(port)]) == here | {"localhost"}
        assert hosts(ADDRESS, [Listener(unix), Listener(port, proxy_line=True)]) == here | {"localhost"}
        assert hosts(ADDRESS, [Listener(unix, proxy_line=True), Listener(port)]) == here


def test_a_file_of_help_that_cannot_be_meant_keeps_the_sources_site_from_running(drop: Place, svidok: Program) -> None:
    (drop.helplines / "ua.toml").write_text('[[entry]]\nwhat = "police"\nnumber = "see below"\n', "utf-8")

    said = svidok.serve("source", drop)

    assert said.code == REFUSED
    assert "ua.toml: entry 1: number: a number has 2 to 32 digits" in said.err


def test_a_drops_own_file_of_help_is_what_sources_read(drop: Place, svidok: Program) -> None:
    """As the site's own user, who keeps to what she needs of the disk."""
    (drop.helplines / "ua.toml").write_text(
        '[[entry]]\nwhat = "police"\nnumber = "102 000"\nverified_by = "us"\n'
        "verified_on = 2026-01-01\nhide_after = 2999-01-01\n",
        "utf-8",
    )

    with running(svidok, drop.root, "--listen", "0", "0") as here:
        here.hear("Ctrl-C stops everything")
        site = f"127.0.0.1:{here.port('sources')}"
        with httpx.Client(base_url=f"http://{site}", timeout=30) as client:
            country, others = client.get("/help/ua").text, client.get("/help").text

    assert "102 000" in country
    assert ('href="/help/ua"' in others, 'href="/help/fr"' in others) == (True, False)
