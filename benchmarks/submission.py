"""Claim 1: with a session in hand, a submission of 300 bytes is durable within 60 ms."""

import time

from benchmarks.drop import serving
from benchmarks.figures import Figure, Size, median
from benchmarks.visitor import Visitor
from svidok.place import Place

_BOUND_MS = 60.0
_MESSAGE = b"They came at night. I saw three cars.\r\n".ljust(300, b".")
_WARMING = 5


def measure(place: Place, size: Size) -> list[Figure]:
    """Send one message after the other; the time runs from the first byte of the POST to the last of its 303."""
    took: list[float] = []
    with serving(place) as source, Visitor(source.socket) as visitor:
        visitor.begin()
        for _ in range(_WARMING):
            visitor.send(visitor.form(), _MESSAGE)
        used = source.cpu_seconds()
        for _ in range(size.submissions):
            form = visitor.form()
            started = time.perf_counter()
            visitor.send(form, _MESSAGE)
            took.append((time.perf_counter() - started) * 1000)
        used = (source.cpu_seconds() - used) * 1000 / size.submissions
    note = f"best {min(took):.0f}, worst {max(took):.0f}; {used:.0f} ms of CPU with both gpgs and the form's page"
    return [Figure("a submission of 300 bytes, POST to 303", median(took), "ms", _BOUND_MS, note)]
