"""Do each minute what nobody asks for: destroy what sources deleted, learn what came, keep the keeper's list right."""

import asyncio
import logging
from datetime import date

from hardening.database_errors import DatabaseError
from hardening.files import destroy
from journalist_interface.errors import KeeperError
from journalist_interface.parts import Stores
from journalist_interface.site import Site
from reviewers.records import Notice, Reviewer

_EVERY_SECONDS = 60.0

_logger = logging.getLogger(__name__)


def learn(stores: Stores, day: date) -> None:
    """Mark as new what has arrived since the last time."""
    learn_since(stores, stores.marks.ask_from(day))


def learn_since(stores: Stores, day: date | None) -> None:
    """Mark as new what has arrived on *day* or later, or ever, and is not known yet."""
    arrived = stores.inbox.arrived_since(day)
    stores.marks.learn(Notice(one.submission_id, one.collection_id, one.day) for one in arrived)


class House:
    """What has to be done again and again for one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._stores = site.stores
        self._closed: frozenset[str] = frozenset()
        self._tidied_on: date | None = None

    async def live(self) -> None:
        """Keep house until cancelled; what goes wrong is tried again a minute later."""
        while True:
            await self.once()
            await asyncio.sleep(_EVERY_SECONDS)

    async def once(self) -> None:
        """Keep house once."""
        try:
            await asyncio.to_thread(self.sweep)
            await self.reconcile()
        except (DatabaseError, KeeperError, OSError) as error:
            _logger.warning("keeping house will be tried again: %s", type(error).__name__)

    def clear_work(self) -> None:
        """Destroy what uploads a former process left; call it when the process starts."""
        for leftover in list(self._site.parts.work.iterdir()):
            destroy(leftover)

    def sweep(self) -> None:
        """Destroy the replies that sources have deleted or left behind, and learn what came."""
        if deleted := self._stores.inbox.deleted_replies():
            self._stores.outbox.destroy_deleted(deleted)
        closed = self._stores.inbox.closed()
        if fresh := closed - self._closed:
            self._stores.outbox.destroy_closed(fresh)
        self._closed = closed
        day = self._site.today()
        # The first time all of the inbox is asked for, since a clock may have been wrong (`reviewers.marks`).
        learn_since(self._stores, self._stores.marks.ask_from(day) if self._tidied_on else None)
        if day != self._tidied_on:
            self._stores.selections.forget_expired()
            self._unlearn()
            self._stores.outbox.forget_order()
            self._tidied_on = day

    def _unlearn(self) -> None:
        """Forget what was destroyed; asked in this order, what comes meanwhile is not taken for it."""
        known = self._stores.marks.known()
        self._stores.marks.unlearn(
            known.difference(one.submission_id for one in self._stores.inbox.arrived_since(None))
        )

    async def reconcile(self) -> None:
        """Make the keeper's list of onion client keys that of the open accounts (P7).

        An account that was disabled while the keeper was away, or on the console, loses its way in here; and so does a
        key that was changed then.

        Raises:
            KeeperError: The keeper did not answer, or refused.
        """
        known = set((await self._site.ask_keeper("names")).split())
        reviewers = await asyncio.to_thread(self._stores.accounts.all)
        open_ids = {reviewer.reviewer_id for reviewer in reviewers if not reviewer.disabled}
        for name in sorted(known - open_ids):
            await self._site.ask_keeper(f"revoke {name}")
        for reviewer in reviewers:
            if reviewer.reviewer_id in open_ids:
                await self._let_in(reviewer, known)

    async def _let_in(self, reviewer: Reviewer, known: set[str]) -> None:
        """Let her in with the key of her account, and with no other: one that she lost may still be there."""
        named = f"{reviewer.reviewer_id} {reviewer.onion_key}"
        if reviewer.reviewer_id in known:
            if await self._site.ask_keeper(f"holds {named}") == "yes":
                return
            await self._site.ask_keeper(f"revoke {reviewer.reviewer_id}")
        await self._site.ask_keeper(f"authorize {named}")
