from pathlib import Path

import pytest

from hardening.migrating import StoreExistsError
from tests.clock import FakeClock
from tests.stores import Stores, sqlite_url
from tests.vault.drop import Drop
from vault.making import make_inbox, make_outbox


def test_a_new_vault_serves(tmp_path: Path, clock: FakeClock) -> None:
    make_inbox(sqlite_url(tmp_path, "inbox"), tmp_path)
    make_outbox(sqlite_url(tmp_path, "outbox"))
    stores = Stores(lambda name: sqlite_url(tmp_path, name), made={"inbox", "outbox"})
    drop = Drop(stores, tmp_path, clock)

    assert drop.send(drop.source())
    stores.close()


@pytest.mark.check("J6")
def test_no_empty_store_is_put_beside_submissions_that_lost_theirs(file_drop: Drop) -> None:
    file_drop.send(file_drop.source())
    (file_drop.root / "inbox.db").unlink()

    with pytest.raises(StoreExistsError):
        make_inbox(sqlite_url(file_drop.root, "inbox"), file_drop.root)

    assert not (file_drop.root / "inbox.db").exists()
    assert len(file_drop.files()) == 1


def test_a_vault_is_made_once(tmp_path: Path) -> None:
    make_inbox(sqlite_url(tmp_path, "inbox"), tmp_path)
    make_outbox(sqlite_url(tmp_path, "outbox"))

    with pytest.raises(StoreExistsError):
        make_inbox(sqlite_url(tmp_path, "inbox"), tmp_path)
    with pytest.raises(StoreExistsError):
        make_outbox(sqlite_url(tmp_path, "outbox"))
