"""Desks of both reviewers; making one takes gpg a while, so each test gets a copy of one that was made once."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hardening.files import private_folder
from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from keys.recipients import Recipients
from tests.clock import FakeClock
from tests.drop import Drop
from tests.keyring import Reviewer, joined_by, make_reviewer
from tests.ledger.signers import LOG
from workstation.adoption import adopt
from workstation.desk import Desk, open_desk
from workstation.founding import Founding, found_desk

Sit = Callable[[Reviewer], Desk]


def found(reviewer: Reviewer, signed: SignedKeyset, root: Path, clock: FakeClock) -> None:
    """Make the reviewer's desk in *root*."""
    private_folder(root)
    adopt(reviewer.gpg.home, reviewer.fingerprint, private_folder(root / "gnupg"))
    founding = Founding(reviewer.fingerprint, LOG.key, (signed,), tuple(signed.signatures))
    found_desk(root, founding, reviewer.passphrase, clock).close()


@pytest.fixture(scope="session")
def template_desks(
    reviewers: tuple[Reviewer, Reviewer], signed_keyset: SignedKeyset, gpg_homes: Path
) -> dict[str, Path]:
    desks: dict[str, Path] = {}
    for reviewer in reviewers:
        desks[reviewer.name] = gpg_homes / f"desk-{reviewer.name}"
        found(reviewer, signed_keyset, desks[reviewer.name], FakeClock())
    return desks


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder whose path leaves room for an agent's socket."""
    folder = Path(tempfile.mkdtemp(prefix="sv", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sit(template_desks: dict[str, Path], short_path: Path, clock: FakeClock) -> Iterator[Sit]:
    """Give a reviewer a desk of her own and open it; it is closed at the end."""
    opened: list[Desk] = []

    def take_place(reviewer: Reviewer) -> Desk:
        root = short_path / reviewer.name
        if not root.exists():
            shutil.copytree(template_desks[reviewer.name], root)
        opened.append(open_desk(root, lambda: reviewer.passphrase, clock))
        return opened[-1]

    yield take_place
    for desk in opened:
        desk.close()


@pytest.fixture
def amber(reviewers: tuple[Reviewer, Reviewer]) -> Reviewer:
    return reviewers[0]


@pytest.fixture
def birch(reviewers: tuple[Reviewer, Reviewer]) -> Reviewer:
    return reviewers[1]


@pytest.fixture
def desk(sit: Sit, amber: Reviewer) -> Desk:
    return sit(amber)


@pytest.fixture
def drop(tmp_path: Path, signed_keyset: SignedKeyset, recipients: Recipients, public_gpg: Gpg) -> Drop:
    return Drop(private_folder(tmp_path / "drop"), signed_keyset.keyset, recipients, public_gpg)


@pytest.fixture(scope="session")
def stranger(gpg_homes: Path) -> Reviewer:
    """Somebody who is in no keyset."""
    return make_reviewer("outsider", gpg_homes)


@pytest.fixture(scope="session")
def joined(recipients: Recipients, stranger: Reviewer, public_gpg: Gpg, gpg_homes: Path) -> Recipients:
    """The recipients, and the stranger as the last."""
    return joined_by(recipients, stranger.certificate, gpg_homes / "stranger.kbx", public_gpg)
