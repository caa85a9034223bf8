"""What the source interface does by itself: destroy what sources withdrew, forget what nobody needs any more.

That is: which replies were deleted, which of today's rows came first, and what requests have left in memory.
"""

import asyncio
import gc
import logging
from datetime import date

from hardening.clock import today
from hardening.database_errors import DatabaseError
from source_interface.arriving import Arrivals
from source_interface.parts import SourceParts

_logger = logging.getLogger(__name__)

_EVERY_SECONDS = 600.0
# F10 allows a minute.
_FREED_SECONDS = 5.0


class House:
    """What has to be done again and again."""

    def __init__(self, parts: SourceParts, arrivals: Arrivals) -> None:
        self._parts = parts
        self._arrivals = arrivals
        # The start has laid the rows anew (`Inbox.sweep`).
        self._tidied_on: date = today(parts.clock)
        self._destroyed_on: date | None = None

    async def live(self) -> None:
        """Keep house until cancelled; what goes wrong is tried again the next time."""
        async with asyncio.TaskGroup() as together:
            together.create_task(self._tidy())
            together.create_task(self._free())

    async def _free(self) -> None:
        """Free what points to itself, again and again.

        An error holds the functions that it came through, and they what they were given: pieces of a report that broke
        off, or met a fault of ours. What is in a circle with its error would lie there until Python happens to look.
        """
        while True:
            await asyncio.sleep(_FREED_SECONDS)
            self._arrivals.forget_old()
            gc.collect()

    async def _tidy(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.once)
            except (DatabaseError, OSError) as error:
                _logger.warning("keeping house will be tried again: %s", type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS)

    def once(self) -> None:
        """Forget the marks of replies that are destroyed by now.

        At the start and once a day, destroy what was withdrawn and not taken back; once a day, forget the order of
        rows (K3).

        Raises:
            DatabaseError: A store was busy; nothing is lost by it.
            OSError: A withdrawn file could not be destroyed; the next start will do it.
        """
        marked = self._parts.inbox.all_deletions()
        if gone := marked - self._parts.outbox.existing(marked):
            self._parts.inbox.forget_deletions(sorted(gone))
        day = today(self._parts.clock)
        if day != self._destroyed_on:
            self._parts.inbox.destroy_withdrawn()
            self._destroyed_on = day
        if day != self._tidied_on:
            self._parts.inbox.forget_order()
            self._tidied_on = day
