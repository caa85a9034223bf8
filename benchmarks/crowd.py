"""Claim 5: sixteen sources at once get forty submissions a second done, and no error."""

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.drop import Source, serving
from benchmarks.figures import Figure, Size
from benchmarks.visitor import RefusedError, Visitor
from svidok.place import Place

_RATE = 40.0
_MESSAGE = b"I have more to tell.".ljust(300, b".")


def measure(place: Place, size: Size) -> list[Figure]:
    """Have each source open the form and send, again and again; all begin to send at the same moment."""
    with serving(place) as source, ExitStack() as ends:
        visitors = [ends.enter_context(_begun(source)) for _ in range(size.sources)]
        used = source.cpu_seconds()
        seconds, errors = _all_at_once(visitors, size.each)
        used = (source.cpu_seconds() - used) * 1000 / (size.sources * size.each)
    done = size.sources * size.each - len(errors)
    note = f"{done} in {seconds:.1f} s, each with its form's page; {used:.0f} ms of CPU each"
    return [
        Figure(f"{size.sources} sources at once", done / seconds, "a second", _RATE, note, at_least=True),
        Figure(f"{size.sources} sources at once, errors", len(errors), "", 0, "; ".join(sorted(set(errors)))),
    ]


def _begun(source: Source) -> Visitor:
    visitor = Visitor(source.socket)
    visitor.begin()
    visitor.send(visitor.form(), _MESSAGE)
    return visitor


def _all_at_once(visitors: Sequence[Visitor], each: int) -> tuple[float, list[str]]:
    errors: list[str] = []
    together = threading.Barrier(len(visitors) + 1)

    def visit(visitor: Visitor) -> None:
        visitor.connect_anew()
        together.wait()
        for _ in range(each):
            try:
                visitor.send(visitor.form(), _MESSAGE)
            except (OSError, RefusedError) as error:
                errors.append(str(error))

    threads = [threading.Thread(target=visit, args=(visitor,)) for visitor in visitors]
    for thread in threads:
        thread.start()
    together.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started, errors
