"""What the source interface does by itself: forget which replies were deleted, and which of today's rows came first."""

import asyncio
import logging
from datetime import date

from hardening.clock import today
from hardening.database_errors import DatabaseError
from source_interface.parts import SourceParts

_logger = logging.getLogger(__name__)

_EVERY_SECONDS = 600.0


class House:
    """What has to be done again and again."""

    def __init__(self, parts: SourceParts) -> None:
        self._parts = parts
        # The start has laid the rows anew (`Inbox.sweep`).
        self._tidied_on: date = today(parts.clock)

    async def live(self) -> None:
        """Keep house until cancelled; what goes wrong is tried again the next time."""
        while True:
            try:
                await asyncio.to_thread(self.once)
            except DatabaseError as error:
                _logger.warning("keeping house will be tried again: %s", type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS)

    def once(self) -> None:
        """Forget the marks of replies that are destroyed by now; once a day, forget the order of rows (K3).

        Raises:
            DatabaseError: A store was busy; nothing is lost by it.
        """
        marked = self._parts.inbox.all_deletions()
        if gone := marked - self._parts.outbox.existing(marked):
            self._parts.inbox.forget_deletions(sorted(gone))
        day = today(self._parts.clock)
        if day != self._tidied_on:
            self._parts.inbox.forget_order()
            self._tidied_on = day
