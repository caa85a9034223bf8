"""A new drop: everything in it belongs to the one who works with it, and nothing that was there is touched."""

import grp
import os
import pwd
from pathlib import Path

import pytest

from ledger.note import VerifierKey
from onion.service import OnionAddress
from settings import load
from svidok.drop import PEPPER_BYTES
from svidok.identity import Identity
from svidok.isolation import GROUPS, KEEPER, REVIEWER, SOURCE
from svidok.place import Place
from tests.svidok.console import Console, Program, members, owner, tree

AS_ROOT = os.geteuid() == 0

# Who works with each part and with all that lies in it, and who may read it beside her.
OWNERS = {
    ".": ("root", "root", 0o755),
    "svidok.toml": ("root", "root", 0o644),
    "public": (KEEPER, KEEPER, 0o755),
    "public/drop.json": ("root", "root", 0o644),
    "keyset": ("root", "root", 0o755),
    "approvals": ("root", "root", 0o755),
    "help": ("root", "root", 0o755),
    "run": ("root", "svidok", 0o750),
    "source": (SOURCE, SOURCE, 0o700),
    "source/pepper": (SOURCE, SOURCE, 0o600),
    "source/gnupg": (SOURCE, SOURCE, 0o700),
    "source/recipients": (SOURCE, SOURCE, 0o700),
    "inbox": (SOURCE, "svidok-inbox", 0o2750),
    "inbox/inbox.db": (SOURCE, "svidok-inbox", 0o640),
    "inbox/objects": (SOURCE, "svidok-inbox", 0o2750),
    "inbox/incoming": (SOURCE, "svidok-inbox", 0o2750),
    "outbox": (REVIEWER, "svidok-outbox", 0o2750),
    "outbox/outbox.db": (REVIEWER, "svidok-outbox", 0o640),
    "reviewers": (REVIEWER, REVIEWER, 0o700),
    "reviewers/reviewers.db": (REVIEWER, REVIEWER, 0o600),
    "reviewers/gnupg": (REVIEWER, REVIEWER, 0o700),
    "reviewers/returns": (REVIEWER, REVIEWER, 0o700),
    "keeper": (KEEPER, KEEPER, 0o700),
    "keeper/log.key": (KEEPER, KEEPER, 0o600),
    "keeper/onion": (KEEPER, KEEPER, 0o700),
    "keeper/onion/source": (KEEPER, KEEPER, 0o700),
    "keeper/onion/source/hostname": (KEEPER, KEEPER, 0o600),
    "keeper/onion/source/hs_ed25519_public_key": (KEEPER, KEEPER, 0o600),
    "keeper/onion/source/hs_ed25519_secret_key": (KEEPER, KEEPER, 0o600),
    "keeper/onion/reviewer": (KEEPER, KEEPER, 0o700),
    "keeper/onion/reviewer/hostname": (KEEPER, KEEPER, 0o600),
    "keeper/onion/reviewer/hs_ed25519_public_key": (KEEPER, KEEPER, 0o600),
    "keeper/onion/reviewer/hs_ed25519_secret_key": (KEEPER, KEEPER, 0o600),
    "keeper/onion/reviewer/authorized_clients": (KEEPER, KEEPER, 0o700),
    "keeper/onion/reviewer/authorized_clients/placeholder.auth": (KEEPER, KEEPER, 0o600),
}
# With one user for all, only what anybody may read is open.
OPEN = {"svidok.toml", "public/drop.json", "keyset", "approvals", "help"}


def expected(name: str) -> tuple[str, str, int]:
    if AS_ROOT:
        return OWNERS[name]
    user, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    return user, group, OWNERS[name][2] & (0o777 if name in {".", *OPEN} else 0o700)


@pytest.mark.check("P8", "P9", "G13", "M13", "C15")
def test_each_part_belongs_to_the_one_who_works_with_it(fresh_drop: Path) -> None:
    paths = [fresh_drop, *fresh_drop.rglob("*")]
    found = {str(path.relative_to(fresh_drop)): owner(path) for path in paths}

    assert found == {name: expected(name) for name in OWNERS}


@pytest.mark.check("P8", "P9")
def test_the_groups_hold_whom_they_should_and_nobody_else(fresh_drop: Path) -> None:
    """Without root there is nothing to hold: no group may have been made."""
    for group, wanted in GROUPS.items():
        assert members(group) in ({frozenset(wanted)} if AS_ROOT else {frozenset(wanted), None})
    for user in (SOURCE, REVIEWER, KEEPER):
        assert members(user) in ({frozenset()} if AS_ROOT else {frozenset(), None})


@pytest.mark.check("M2", "P9", "C15")
def test_every_secret_is_its_own(fresh_drop: Path, console: Console, short: Path) -> None:
    _ = console("init", short / "another").done

    first, second = Place(fresh_drop), Place(short / "another")
    addresses = {
        OnionAddress.parse(address)
        for place in (first, second)
        for address in (Identity.read(place.identity).source_address, Identity.read(place.identity).reviewer_address)
    }
    assert len(addresses) == 4
    assert len(first.pepper.read_bytes()) == PEPPER_BYTES
    assert first.pepper.read_bytes() != second.pepper.read_bytes()
    assert first.log_key.read_bytes() != second.log_key.read_bytes()


@pytest.mark.check("L2")
def test_it_says_the_addresses_and_no_secret(svidok: Program, short: Path) -> None:
    said = svidok("init", short / "said", "--name", "Прихисток", "--evaluation")

    place = Place(short / "said")
    identity = Identity.read(place.identity)
    assert f"http://{identity.source_address}" in said.done
    assert f"http://{identity.reviewer_address}" in said.done
    assert identity.evaluation
    assert (load(place.settings).drop.name, load(place.settings).drop.evaluation) == ("Прихисток", True)
    for secret in (place.pepper, place.log_key):
        assert secret.read_bytes().hex() not in said.out + said.err
    assert isinstance(identity.log, VerifierKey)


def test_a_folder_that_is_used_is_not_touched(console: Console, short: Path, fresh_drop: Path) -> None:
    before = tree(fresh_drop)
    (short / "plain").write_text("a file")
    (short / "full").mkdir()
    (short / "full" / "something").write_text("there")

    for folder in (fresh_drop, short / "plain", short / "full"):
        assert console("init", folder).refusal == f"{folder} exists and is not an empty folder; nothing was touched"

    assert tree(fresh_drop) == before
    assert tree(short / "full") == {"something": b"there"}
    assert (short / "plain").read_text() == "a file"


def test_an_empty_folder_is_taken(console: Console, short: Path) -> None:
    (short / "empty").mkdir(mode=0o700)

    _ = console("init", short / "empty").done

    assert Place(short / "empty").identity.exists()


def test_a_path_that_tors_sockets_could_not_have_is_refused(console: Console, short: Path) -> None:
    folder = short / ("long" * 20)

    assert "too long: tor's sockets need paths of at most 107 bytes" in console("init", folder).refusal
    assert not folder.exists()


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "\x1b[31mred", "turned\u202eround"])
def test_a_name_that_cannot_be_read_is_refused(name: str, console: Console, short: Path) -> None:
    assert console("init", short / "unnamed", "--name", name).refusal == "the name is one line of visible characters"
    assert not (short / "unnamed").exists()


def test_another_folder_is_no_drop(console: Console, tmp_path: Path) -> None:
    assert "is not the folder of a drop" in console("status", tmp_path).refusal


def test_a_drop_that_lost_its_identity_is_not_told_to_be_made_anew(console: Console, bare_drop: Place) -> None:
    bare_drop.identity.unlink()

    refused = console("status", bare_drop.root).refusal

    assert refused == f"{bare_drop.identity} is missing, which says who this drop is: restore it from a backup"


def test_what_comes_next_is_said_in_its_order(console: Console, short: Path) -> None:
    said = console("init", short / "next").done

    steps = ("keys ceremony", "keys import", "form install", "i18n install", "reviewers add", "doctor", "run")
    places = [said.index(f"svidok {step}") for step in steps]
    assert places == sorted(places)


def test_settings_that_cannot_be_meant_are_told_with_their_file(console: Console, bare_drop: Place) -> None:
    bare_drop.settings.write_text("[drop]\nevaluation = 1\n")

    assert console("status", bare_drop.root).refusal == f"{bare_drop.settings}: drop.evaluation is a bool, not 1"


@pytest.mark.parametrize(
    ("words", "days"),
    [((), 0), (("--reply-days", "30"), 30), (("--evaluation",), 14), (("--evaluation", "--reply-days", "0"), 0)],
)
def test_how_soon_we_try_to_answer_is_said_when_asked_for(
    words: tuple[str, ...], days: int, console: Console, short: Path, tmp_path: Path
) -> None:
    folder = short / f"days-{tmp_path.name[-24:]}"

    _ = console("init", folder, *words).done

    assert load(Place(folder).settings).drop.reply_days == days


def test_days_that_nobody_can_mean_are_refused(console: Console, short: Path) -> None:
    said = console("init", short / "never", "--reply-days", "1000")

    assert said.refusal == "drop.reply_days is at most 365, not 1000"
    assert not (short / "never").exists()
