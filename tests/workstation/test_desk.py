import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from casework.errors import EventError
from casework.events import Kind
from hardening.files import private_folder
from keys.errors import KeysError
from keys.gpg import Gpg
from keys.keyset_store import store
from keys.keyset_trust import SignedKeyset
from tests.clock import FakeClock
from tests.keyring import DAY, Reviewer, make_keyset, signed_by
from tests.ledger.signers import LOG, OTHER_LOG
from tests.workstation.conftest import Sit
from workstation.about import About, Layout
from workstation.adoption import adopt
from workstation.desk import Desk, open_desk, refuse_long_path
from workstation.errors import DeskError
from workstation.founding import Founding, found_desk


@pytest.fixture
def root(short_path: Path, amber: Reviewer) -> Path:
    """A folder in which only the reviewer's key lies."""
    root = private_folder(short_path / "new")
    adopt(amber.gpg.home, amber.fingerprint, private_folder(root / "gnupg"))
    return root


@pytest.fixture
def founding(amber: Reviewer, signed_keyset: SignedKeyset) -> Founding:
    return Founding(amber.fingerprint, LOG.key, (signed_keyset,), tuple(signed_keyset.signatures))


def agents_of(home: Path) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if "gpg-agent" in line and str(home) in line]


def test_a_new_desk_knows_whose_it_is_and_which_drop_it_serves(
    root: Path, founding: Founding, amber: Reviewer, clock: FakeClock
) -> None:
    found_desk(root, founding, amber.passphrase, clock).close()

    desk = open_desk(root, lambda: amber.passphrase, clock)

    assert desk.about == About(amber.fingerprint, LOG.key, founding.keysets[0].keyset.hash, agent_asks=False)
    assert desk.newest_keyset() == founding.keysets[0].keyset
    assert [signed.event.kind for signed in desk.log.events()] == [Kind.KEYSET]
    assert desk.verify_log().events == 1
    desk.close()
    assert agents_of(root / "gnupg") == []
    assert all(path.stat().st_mode & 0o077 == 0 for path in root.iterdir() if path.is_dir())


def test_a_desk_is_never_made_over_another(root: Path, founding: Founding, amber: Reviewer, clock: FakeClock) -> None:
    found_desk(root, founding, amber.passphrase, clock).close()
    before = (root / "casework.db").read_bytes()

    with pytest.raises(DeskError, match="nothing was touched"):
        found_desk(root, founding, "other", clock)

    assert (root / "casework.db").read_bytes() == before


Lie = Callable[[Founding, Reviewer], Founding]


@pytest.mark.parametrize(
    ("lie", "told"),
    [
        pytest.param(lambda honest, _: replace(honest, roots=()), "2 people must have signed", id="no roots"),
        pytest.param(lambda honest, _: replace(honest, roots=honest.roots[:1]), "2 people", id="one root"),
        pytest.param(lambda honest, _: replace(honest, keysets=()), "first keyset", id="no keyset"),
        pytest.param(
            lambda honest, stranger: replace(honest, roots=(*honest.roots, stranger.fingerprint)),
            "not among the keyset's signers",
            id="a root that is no signer",
        ),
        pytest.param(
            lambda honest, stranger: replace(honest, reviewer=stranger.fingerprint),
            "does not seal to this reviewer",
            id="another reviewer",
        ),
    ],
)
def test_a_desk_that_would_believe_the_wrong_people_is_not_made(
    root: Path, founding: Founding, stranger: Reviewer, lie: Lie, told: str
) -> None:
    with pytest.raises((DeskError, KeysError), match=told):
        found_desk(root, lie(founding, stranger), "passphrase", FakeClock())

    assert not Layout(root).about.exists()
    assert agents_of(root / "gnupg") == []


def test_a_keyset_of_another_drop_is_refused(
    root: Path, founding: Founding, reviewers: tuple[Reviewer, Reviewer], clock: FakeClock
) -> None:
    keyset = replace(founding.keysets[0].keyset, log=str(OTHER_LOG.key))

    with pytest.raises(DeskError, match="another drop"):
        found_desk(root, replace(founding, keysets=(signed_by(keyset, reviewers),)), "passphrase", clock)


def test_a_wrong_passphrase_makes_no_desk_and_the_right_one_makes_it_then(
    root: Path, founding: Founding, amber: Reviewer, clock: FakeClock
) -> None:
    """The key refuses to sign; the log that was made meanwhile has the wrong passphrase and must not be in the way."""
    with pytest.raises(KeysError):
        found_desk(root, founding, "wrong", clock)
    assert not Layout(root).about.exists()

    desk = found_desk(root, founding, amber.passphrase, clock)

    assert desk.verify_log().events == 1
    desk.close()


def test_what_somebody_puts_beside_a_desk_that_cannot_be_made_stays(root: Path, founding: Founding) -> None:
    class Busy(FakeClock):
        def now(self) -> datetime:
            (root / "notes.txt").write_text("mine")
            return super().now()

    with pytest.raises(KeysError):
        found_desk(root, founding, "wrong", Busy())

    assert (root / "notes.txt").read_text() == "mine"
    assert {path.name for path in root.iterdir()} == {"gnupg", "notes.txt"}


def test_a_log_whose_desk_was_lost_is_taken_up_and_never_thrown_away(
    root: Path, founding: Founding, amber: Reviewer, clock: FakeClock
) -> None:
    desk = found_desk(root, founding, amber.passphrase, clock)
    desk.record(Kind.OPENED, {"submission": "1" * 32, "source_key": "07" * 32})
    desk.close()
    Layout(root).about.unlink()

    again = found_desk(root, founding, amber.passphrase, clock)

    assert [signed.event.kind for signed in again.log.events()] == [Kind.KEYSET, Kind.OPENED]
    again.close()


def test_somebody_who_came_later_makes_her_desk_from_all_keysets(
    short_path: Path, reviewers: tuple[Reviewer, Reviewer], stranger: Reviewer, clock: FakeClock, public_gpg: Gpg
) -> None:
    first = signed_by(make_keyset(reviewers, public_gpg), reviewers)
    everybody = make_keyset((*reviewers, stranger), public_gpg)
    second = first.keyset.succeeded(DAY, everybody.recipients, everybody.signers)
    root = private_folder(short_path / "new")
    adopt(stranger.gpg.home, stranger.fingerprint, private_folder(root / "gnupg"))
    founding = Founding(stranger.fingerprint, LOG.key, (first, signed_by(second, reviewers)), tuple(first.signatures))

    desk = found_desk(root, founding, stranger.passphrase, clock)

    assert desk.newest_keyset() == second
    assert desk.verify_log().events == 2
    desk.close()


def test_a_wrong_passphrase_is_told_plainly(desk: Desk, clock: FakeClock) -> None:
    desk.close()

    with pytest.raises(DeskError, match="the passphrase does not open the case log"):
        open_desk(desk.layout.root, lambda: "wrong", clock)


def test_two_commands_at_one_desk_do_not_meet(desk: Desk, amber: Reviewer, clock: FakeClock) -> None:
    with pytest.raises(DeskError, match="another command is at work"):
        open_desk(desk.layout.root, lambda: amber.passphrase, clock)

    desk.close()
    open_desk(desk.layout.root, lambda: amber.passphrase, clock).close()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b'{"v":2}',
        b"x" * 5000,
        b'{"agent_asks":false,"keyset":"","log":"x","reviewer":"AB","v":1}',
    ],
)
def test_a_folder_that_is_no_desk_is_refused(short_path: Path, content: bytes, clock: FakeClock) -> None:
    with pytest.raises(DeskError):
        open_desk(short_path, lambda: "passphrase", clock)
    Layout(short_path).about.write_bytes(content)
    with pytest.raises(DeskError):
        open_desk(short_path, lambda: "passphrase", clock)


def test_the_next_keyset_is_taken_up_once(
    desk: Desk, reviewers: tuple[Reviewer, Reviewer], signed_keyset: SignedKeyset
) -> None:
    first = signed_keyset.keyset
    second = signed_by(first.succeeded(DAY, first.recipients, first.signers), reviewers)

    desk.learn_keyset(second)
    desk.learn_keyset(second)

    assert desk.newest_keyset() == second.keyset
    assert [signed.event.kind for signed in desk.log.events()] == [Kind.KEYSET, Kind.KEYSET]


def test_a_keyset_that_a_crash_left_unrecorded_is_recorded_by_the_same_command(
    desk: Desk, reviewers: tuple[Reviewer, Reviewer], signed_keyset: SignedKeyset
) -> None:
    first = signed_keyset.keyset
    second = signed_by(first.succeeded(DAY, first.recipients, first.signers), reviewers)
    store(second, desk.layout.keysets / second.keyset.hash)

    desk.learn_keyset(second)

    assert desk.cases().keysets == [first.hash, second.keyset.hash]


@pytest.mark.check("G7")
def test_a_keyset_that_one_signed_is_refused(desk: Desk, amber: Reviewer, signed_keyset: SignedKeyset) -> None:
    first = signed_keyset.keyset
    second = first.succeeded(DAY, first.recipients, first.signers)

    with pytest.raises(KeysError):
        desk.learn_keyset(signed_by(second, [amber]))

    assert desk.newest_keyset() == first
    assert len(list(desk.log.events())) == 1


@pytest.mark.check("L3")
def test_events_are_checked_on_their_own_day(desk: Desk, clock: FakeClock) -> None:
    """Two years later the key has ended; what it signed has not."""
    desk.record(Kind.OPENED, {"submission": "1" * 32, "source_key": "07" * 32})
    clock.advance(timedelta(days=730).total_seconds())

    assert desk.verify_log().events == 2
    with pytest.raises(KeysError):
        desk.record(Kind.OPENED, {"submission": "2" * 32, "source_key": "07" * 32})
    assert desk.verify_log().events == 2


@pytest.mark.check("L3")
def test_an_event_that_somebody_else_signed_is_named(desk: Desk, sit: Sit, birch: Reviewer) -> None:
    other = sit(birch)
    desk.log.append(
        str(desk.about.reviewer), other.sign, DAY, (Kind.OPENED, {"submission": "1" * 32, "source_key": "07" * 32})
    )

    with pytest.raises(EventError, match=f"event 1 of {desk.about.reviewer} is not signed by her"):
        desk.verify_log()


@pytest.mark.check("L3")
def test_an_event_whose_signature_is_of_another_event_is_named(desk: Desk) -> None:
    (first,) = desk.log.events()
    desk.log.append(
        str(desk.about.reviewer),
        lambda _body: first.signature,
        DAY,
        (Kind.OPENED, {"submission": "1" * 32, "source_key": "07" * 32}),
    )

    with pytest.raises(EventError, match="event 1 of"):
        desk.verify_log()


def test_no_agent_is_left_when_the_desk_is_closed(desk: Desk) -> None:
    desk.sign(b"something")
    assert agents_of(desk.layout.gnupg)

    desk.close()

    assert agents_of(desk.layout.gnupg) == []


def test_a_path_in_which_the_agent_could_not_be_reached_is_refused(short_path: Path) -> None:
    longest = short_path / ("x" * (80 - len(str(short_path)) - 1))
    refuse_long_path(longest)

    with pytest.raises(DeskError, match="at most 80 bytes"):
        refuse_long_path(longest.with_name(f"{longest.name}x"))


def test_in_the_longest_path_the_agent_is_reached(
    short_path: Path, founding: Founding, amber: Reviewer, clock: FakeClock
) -> None:
    root = private_folder(short_path / ("x" * (80 - len(str(short_path)) - 1)))
    shutil.copytree(amber.gpg.home, root / "gnupg", ignore=shutil.ignore_patterns("S.*"))

    desk = found_desk(root, founding, amber.passphrase, clock)

    assert desk.verify_log().events == 1
    desk.close()
