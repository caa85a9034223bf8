"""Know whom to seal to: the keys of today for a visit that begins, the keys of its beginning for one that goes on."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import date

from hardening.clock import Clock, today
from source_interface.parts import Desk

# More changes of keys than there can be in the two hours that a visit lasts.
_REMEMBERED = 16


class Desks:
    """The desks of the last hours, so that a report that has begun is not lost by a change of keys (G6)."""

    def __init__(self, current: Callable[[], Desk | None], clock: Clock) -> None:
        self._current = current
        self._clock = clock
        self._known: OrderedDict[tuple[str, date], Desk] = OrderedDict()
        self._lock = threading.Lock()

    def open(self) -> Desk | None:
        """Return today's desk; None while new reports cannot begin."""
        desk = self._current()
        if desk is not None:
            with self._lock:
                self._known[desk.keyset.hash, today(self._clock)] = desk
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return desk

    def of(self, keyset_hash: str, day: date) -> Desk | None:
        """Return the desk with this keyset that was open on *day*."""
        with self._lock:
            return self._known.get((keyset_hash, day))
