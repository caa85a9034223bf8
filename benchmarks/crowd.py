"""Claim 5: sixteen sources at once get forty submissions a second done, and no error."""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.drop import Source, serving
from benchmarks.figures import Figure, Size
from benchmarks.visitor import RefusedError, Visitor
from svidok.place import Place

_RATE = 40.0
_MESSAGE = b"I have more to tell.".ljust(300, b".")


def measure(place: Place, size: Size) -> list[Figure]:
    """Have each source send one form after the other; all begin at the same moment.

    A submission is from POST to 303, as in the first claim: the forms are in hand. What it is when each source opens
    the page before she sends is told, too.
    """
    with serving(place) as source, ExitStack() as ends:
        visitors = [ends.enter_context(_begun(source)) for _ in range(size.sources)]
        in_hand = _crowd(source, visitors, size.each, before=size.each)
        opened = _crowd(source, visitors, size.each, before=0)
    many = f"{size.sources} sources at once"
    with_pages = f"{opened.rate:.1f} a second when each opens the form's page before it"
    errors = in_hand.errors + opened.errors
    return [
        Figure(many, in_hand.rate, "a second", _RATE, f"{in_hand.note}; {with_pages}", at_least=True),
        Figure(f"{many}, errors", len(errors), "", 0, "; ".join(sorted(set(errors)))),
    ]


@dataclass(frozen=True, slots=True)
class _Outcome:
    done: int
    seconds: float
    cpu_ms: float
    errors: list[str]

    @property
    def rate(self) -> float:
        return self.done / self.seconds

    @property
    def note(self) -> str:
        return f"{self.done} in {self.seconds:.1f} s; {self.cpu_ms:.0f} ms of CPU each"


def _crowd(source: Source, visitors: Sequence[Visitor], each: int, before: int) -> _Outcome:
    wanted = len(visitors) * each
    together = threading.Barrier(len(visitors) + 1)
    errors: list[str] = []
    threads = [threading.Thread(target=_visit, args=(visitor, before, each, together, errors)) for visitor in visitors]
    for thread in threads:
        thread.start()
    together.wait()
    started, used = time.perf_counter(), source.cpu_seconds()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    return _Outcome(wanted - len(errors), seconds, (source.cpu_seconds() - used) * 1000 / wanted, errors)


def _begun(source: Source) -> Visitor:
    visitor = Visitor(source.socket)
    visitor.begin()
    visitor.send(visitor.form(), _MESSAGE)
    return visitor


def _visit(visitor: Visitor, before: int, each: int, together: threading.Barrier, errors: list[str]) -> None:
    """Send *each* forms, the first *before* of which were opened before all begin."""
    forms = [visitor.form() for _ in range(before)]
    visitor.connect_anew()
    together.wait()
    for _ in range(each):
        try:
            visitor.send(forms.pop() if forms else visitor.form(), _MESSAGE)
        except (OSError, RefusedError) as error:
            errors.append(str(error))
