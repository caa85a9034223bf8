"""Both doors of a running drop, over its own private Tor network: whom they let in, and whom not."""

import json
import re
import secrets
import subprocess
from pathlib import Path

import pytest

from keys.keyset import SubmissionKey
from keys.keyset_store import load
from onion.client_auth import auth_private_line, client_pair
from onion.daemon import Running
from onion.lint import REVIEWER_RULES, SOURCE_RULES, findings
from onion.membership import Membership
from onion.service import OnionAddress
from tests.network.shell import reviewers
from tests.onion_socks import NO_KEY, SocksRefusedError, connect
from tests.trial import RunningDrop, joined, visiting, wait_reachable

pytestmark = pytest.mark.onion

LIMIT_SECONDS = 60


@pytest.mark.check("M2", "M8", "M14")
def test_each_site_is_reached_at_its_own_address(
    onion_drop: RunningDrop, source_tor: Running, reviewer_tor: Running
) -> None:
    addresses = (onion_drop.identity.source_address, onion_drop.identity.reviewer_address)
    assert all(re.fullmatch(r"[a-z2-7]{56}\.onion", address) for address in addresses)
    assert addresses[0] != addresses[1]

    with visiting(source_tor, addresses[0]) as browser:
        assert browser.open("/").status == 200
        assert "Tell us what happened" in browser.page.text
        assert "TEST" in browser.page.text
    with visiting(reviewer_tor, addresses[1]) as browser:
        assert browser.open("/").status == 200
        assert browser.page.heading == "Sign in"


@pytest.mark.check("B7")
def test_the_address_and_the_keys_are_offered_signed_and_gpg_alone_can_check_them(
    onion_drop: RunningDrop, source_tor: Running, short_folder: Path
) -> None:
    with visiting(source_tor, onion_drop.identity.source_address) as browser:
        shown = browser.open("/keys").text
        offered = [words for words, target in browser.page.links if target.startswith("/keys/")]
        for name in offered:
            (short_folder / name).write_bytes(browser.open(f"/keys/{name}").body)
    (statement,) = (name for name in offered if f"{name}.asc" in offered)
    signature = f"{statement}.asc"
    (certificates,) = set(offered) - {statement, signature}

    gpg = ["gpg", "--homedir", str(short_folder), "--no-autostart", "--batch", "--quiet"]
    subprocess.run([*gpg, "--import", str(short_folder / certificates)], check=True, capture_output=True)
    subprocess.run([*gpg, "--verify", signature, statement], check=True, capture_output=True, cwd=short_folder)

    text = (short_folder / statement).read_text()
    assert f"gpg --verify {signature} {statement}" in shown
    for fact in (onion_drop.identity.source_address, *(str(key.fingerprint) for key in recipients(onion_drop))):
        assert fact in "".join(text.split())
        assert fact in "".join(shown.split())


def recipients(drop: RunningDrop) -> tuple[SubmissionKey, ...]:
    return load(drop.place.keyset).keyset.recipients


@pytest.mark.check("M8", "C20")
def test_without_a_key_nobody_finds_the_reviewers(onion_drop: RunningDrop, source_tor: Running) -> None:
    with (
        pytest.raises(SocksRefusedError) as refused,
        connect(source_tor.socks_port, onion_drop.identity.reviewer_address),
    ):
        pass

    assert refused.value.code == NO_KEY


@pytest.mark.check("C20")
def test_behind_the_door_the_password_and_the_code_are_asked_for(
    onion_drop: RunningDrop, reviewer_tor: Running
) -> None:
    sign_in = onion_drop.authenticator.sign_in
    with visiting(reviewer_tor, onion_drop.identity.reviewer_address) as browser:
        browser.open("/")
        page = browser.press("Sign in", name=sign_in.name, password=sign_in.password, code="000000")

        assert "do not belong together" in page.text
        assert browser.cookies == {}


@pytest.mark.check("M9", "P7")
def test_a_reviewer_added_while_it_runs_comes_in_and_once_disabled_does_not(
    onion_drop: RunningDrop, reviewer_tor: Running, trial_folder: Path
) -> None:
    name = f"added-{secrets.token_hex(3)}"
    address = onion_drop.identity.reviewer_address
    pair = client_pair()
    made = json.loads(reviewers(onion_drop.place, "add", name, "--client-key", pair.public, "--json"))
    assert made["name"] == name

    line = auth_private_line(OnionAddress.parse(address), pair.private)
    with joined(onion_drop, trial_folder / "tor-added", line) as tor:
        wait_reachable(tor, address)
        with connect(tor.socks_port, address, "work", LIMIT_SECONDS) as stream:
            reviewers(onion_drop.place, "disable", name)
            assert stream.recv(1) == b""
        # On a circuit of its own, so that nothing that was open before helps.
        with pytest.raises((SocksRefusedError, TimeoutError)), connect(tor.socks_port, address, "after", 10):
            pass
    wait_reachable(reviewer_tor, address)


@pytest.mark.check("M3", "M4")
def test_the_tors_of_a_running_drop_run_by_the_rules(onion_drop: RunningDrop) -> None:
    network = Membership.read(onion_drop.place.network).torrc_lines()
    for service, rules in (("source", SOURCE_RULES), ("reviewer", REVIEWER_RULES)):
        torrc = onion_drop.place.tor(service) / "torrc"

        assert findings(torrc.read_text(), rules.on_network(network)) == ()


@pytest.mark.check("M13")
def test_the_keys_of_the_onions_are_closed_to_others(onion_drop: RunningDrop) -> None:
    for service in ("source", "reviewer"):
        folder = onion_drop.place.onion / service

        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "hs_ed25519_secret_key").stat().st_mode & 0o777 == 0o600
