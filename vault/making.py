"""Make the vault's stores; only `svidok init` does it, and never over what an old drop left."""

from pathlib import Path

from hardening.migrating import StoreExistsError, create
from vault.objects import Shelves
from vault.tables import INBOX, OUTBOX


def make_inbox(url: str, root: Path) -> None:
    """Make an empty inbox; the caller gives store and folders to their users.

    Args:
        url: Of its store.
        root: Of its files; a folder that exists.

    Raises:
        StoreExistsError: There is a store, or there are submissions without one: those want a backup
            restored, not an empty store beside them (J6). Nothing was changed.
    """
    shelves = Shelves(root)
    if not shelves.empty():
        raise StoreExistsError("there are submissions without their store: restore it from a backup")
    create(url, INBOX)
    shelves.prepare()


def make_outbox(url: str) -> None:
    """Make an empty outbox.

    Raises:
        StoreExistsError: There is one; nothing was changed.
    """
    create(url, OUTBOX)
