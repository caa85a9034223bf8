"""Accounts from the server's shell, while the drop does not run: who comes in, who is out, and whose the files stay."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from hardening.clock import SystemClock
from hardening.database import open_to_write
from keys.argon import FLOOR
from keys.password import Passwords
from onion.client_auth import AuthorizedClients, client_pair
from reviewers.accounts import Accounts
from reviewers.audit import CONSOLE, AuditLog
from reviewers.guard import SignInGuard
from reviewers.tables import REVIEWERS
from svidok.identity import Identity
from svidok.place import Place
from tests.svidok.console import Console, Program, owner, tree

NAMES = ("Olena", "Петро", "O'Neil", "María José")


@pytest.fixture
def public_key() -> str:
    return client_pair().public


def clients(place: Place) -> AuthorizedClients:
    return AuthorizedClients.prepare(place.onion / "reviewer")


def owners(place: Place) -> dict[str, tuple[str, str, int]]:
    folders = (place.reviewers, place.keeper)
    return {str(path): owner(path) for folder in folders for path in (folder, *folder.rglob("*"))}


@pytest.mark.check("L2", "P11")
def test_an_account_is_made_and_its_secrets_are_shown_once(console: Console, bare_drop: Place, public_key: str) -> None:
    said = console("reviewers", "add", bare_drop.root, "Olena", "--client-key", public_key, "--admin")

    lines = {line.split()[0]: line.split()[-1] for line in said.done.splitlines()[1:]}
    password = said.out.partition("password")[2].splitlines()[0].strip()
    assert lines["name"] == "Olena"
    assert lines["address"] == f"http://{Identity.read(bare_drop.identity).reviewer_address}"
    console.everything = ""
    _ = console("reviewers", "list", bare_drop.root).done
    _ = console("reviewers", "list", bare_drop.root, "--json").done
    _ = console("status", bare_drop.root)
    for secret in (password, lines["totp"], public_key):
        assert secret not in console.everything
    content = b"".join(data for data in tree(bare_drop.reviewers).values() if data)
    assert password.encode() not in content


def test_programs_get_the_same_as_json(console: Console, bare_drop: Place) -> None:
    for name in NAMES:
        said = console("reviewers", "add", bare_drop.root, name, "--client-key", client_pair().public, "--json")
        assert set(json.loads(said.done)) == {"name", "password", "totp_secret", "address"}
        assert json.loads(said.done)["name"] == name

    listed = json.loads(console("reviewers", "list", bare_drop.root, "--json").done)

    assert {one["name"] for one in listed} == set(NAMES)
    assert all(one == {"name": one["name"], "admin": False, "disabled": False} for one in listed)


@pytest.mark.check("P8", "P9", "M8")
def test_her_key_opens_the_door_and_the_files_stay_whose_they_were(
    svidok: Program, bare_drop: Place, public_key: str
) -> None:
    """Root writes them; the keeper and the reviewers' process must go on."""
    before = owners(bare_drop)

    for name, words in (("Olena", ["--admin"]), ("Petro", [])):
        key = public_key if name == "Olena" else client_pair().public
        _ = svidok("reviewers", "add", bare_drop.root, name, "--client-key", key, *words).done

    assert len(clients(bare_drop).names()) == 2
    _ = svidok("reviewers", "disable", bare_drop.root, "Petro").done
    clients(bare_drop).verify()
    (only,) = clients(bare_drop).names()
    after = owners(bare_drop)
    assert {path: after[path] for path in before} == before
    new = set(after) - set(before)
    assert new == {str(bare_drop.onion / "reviewer" / "authorized_clients" / f"{only}.auth")}
    assert {after[path] for path in new} == {(*after[str(bare_drop.log_key)][:2], 0o600)}


@pytest.mark.check("P7", "M9")
def test_whoever_is_disabled_is_out_for_good(console: Console, bare_drop: Place, public_key: str) -> None:
    _ = console("reviewers", "add", bare_drop.root, "Olena", "--client-key", client_pair().public, "--admin").done
    _ = console("reviewers", "add", bare_drop.root, "Petro", "--client-key", public_key).done

    said = console("reviewers", "disable", bare_drop.root, "petro")

    assert said.done == "Petro is shut out\n"
    assert len(clients(bare_drop).names()) == 1
    listed = console("reviewers", "list", bare_drop.root).done
    assert [line.split() for line in listed.splitlines()] == [["Olena", "admin"], ["Petro", "disabled"]]
    assert console("reviewers", "disable", bare_drop.root, "petro").done == "Petro is shut out\n"


@pytest.mark.check("L3", "P6")
def test_the_audit_says_that_it_was_the_console(console: Console, bare_drop: Place, public_key: str) -> None:
    _ = console("reviewers", "add", bare_drop.root, "Olena", "--client-key", client_pair().public, "--admin").done
    _ = console("reviewers", "add", bare_drop.root, "Petro", "--client-key", public_key).done
    _ = console("reviewers", "disable", bare_drop.root, "Petro").done

    with closing(open_to_write(bare_drop.database("reviewers", ""), REVIEWERS)) as database:
        audit = AuditLog(database, SystemClock())
        assert sorted(line.what for line in audit.lines()) == ["added", "added", "disabled"]
        assert {line.who for line in audit.lines()} == {CONSOLE}
        assert audit.verify() is None
        accounts = Accounts(database, Passwords(FLOOR), SignInGuard(SystemClock()), SystemClock())
        assert {one.display_name for one in accounts.all()} == {"Olena", "Petro"}


@pytest.mark.check("P4", "P10")
def test_what_cannot_be_an_account_is_refused_and_changes_nothing(
    console: Console, bare_drop: Place, public_key: str
) -> None:
    _ = console("reviewers", "add", bare_drop.root, "Olena", "--client-key", public_key, "--admin").done
    before = tree(bare_drop.root)
    other = client_pair().public

    for name, key, says in (
        ("Olena", other, "name looks the same"),
        ("OLENA", other, "name looks the same"),
        ("", other, "name"),
        ("a\u202eb", other, "name"),
        ("x" * 100, other, "name"),
        ("Petro", public_key, "belongs to another reviewer"),
        ("Petro", "short", "a client key has 52 characters, not 5"),
        ("Petro", other.lower(), "a client key consists of base32 characters in upper case"),
        ("Petro", "A" * 52, "a point of small order"),
    ):
        assert says in console("reviewers", "add", bare_drop.root, name, "--client-key", key).refusal, name

    assert console("reviewers", "disable", bare_drop.root, "nobody").refusal == "no account has this name"
    assert "the last account that can manage" in console("reviewers", "disable", bare_drop.root, "Olena").refusal
    assert tree(bare_drop.root) == before


@pytest.mark.check("M8", "L2")
def test_a_client_key_is_made_and_only_its_public_half_is_said(
    console: Console, fresh_drop: Path, tmp_path: Path
) -> None:
    address = Identity.read(Place(fresh_drop).identity).reviewer_address
    out = tmp_path / "reviewer.auth_private"

    said = console("reviewers", "client-key", address, out)

    label, kind, curve, private = out.read_text("ascii").strip().split(":")
    assert (label, kind, curve) == (address.removesuffix(".onion"), "descriptor", "x25519")
    assert out.stat().st_mode & 0o777 == 0o600
    assert private not in said.done
    assert len(said.done.split()[0]) == 52
    before = out.read_bytes()
    assert console("reviewers", "client-key", address, out).refusal == f"{out} exists; nothing was touched"
    assert out.read_bytes() == before


def test_a_store_that_is_gone_is_told_and_not_made_anew(console: Console, bare_drop: Place) -> None:
    (bare_drop.reviewers / "reviewers.db").unlink()

    assert "there is no store at reviewers.db" in console("reviewers", "list", bare_drop.root).refusal
    assert not (bare_drop.reviewers / "reviewers.db").exists()
