"""Claim 4: the web process needs no more memory for a large upload than for a small one."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.drop import Source, serving
from benchmarks.figures import Figure, Size
from benchmarks.visitor import Visitor
from settings.model import GIB, MIB
from svidok.place import Place

_BOUND_MIB = 32.0
_LOOK_SECONDS = 0.002
# Tells the kernel to begin a new peak (proc(5)).
_NEW_PEAK = "5"


def measure(place: Place, size: Size) -> list[Figure]:
    """Upload little and much into a process that has served a submission already, and watch its peak."""
    figures: list[Figure] = []
    with serving(place) as source, Visitor(source.socket) as visitor:
        visitor.begin()
        visitor.send(visitor.form(), b"Hello.")
        for size_bytes in (size.small_bytes, size.large_bytes):
            grown, how = _growth(source, visitor, size_bytes, place.root / "zeros.bin")
            name = f"{size_bytes // GIB} GiB" if size_bytes >= GIB else f"{size_bytes // MIB} MiB"
            figures.append(Figure(f"memory during an upload of {name}, growth", grown / MIB, "MiB", _BOUND_MIB, how))
    return figures


def _growth(source: Source, visitor: Visitor, size_bytes: int, path: Path) -> tuple[int, str]:
    with path.open("wb") as file:
        # A file that occupies nothing: what it holds does not matter here.
        file.truncate(size_bytes)
    form = visitor.form()
    before = _resident(source, "VmRSS")
    with path.open("rb") as file, _peak(source) as peak:
        visitor.send(form, b"This is the recording.", file)
    path.unlink()
    highest, how = peak[0]
    return highest - before, f"{before // MIB} MiB before, {highest // MIB} MiB at its peak, {how}"


@contextmanager
def _peak(source: Source) -> Generator[list[tuple[int, str]]]:
    """Find the peak in the block: by the kernel's own mark where we may reset it, by looking often where not."""
    found: list[tuple[int, str]] = []
    try:
        (source.proc / "clear_refs").write_text(_NEW_PEAK, "ascii")
    except PermissionError:
        looks: list[int] = []
        ended = threading.Event()
        watcher = threading.Thread(target=_watch, args=(source, looks, ended))
        watcher.start()
        try:
            yield found
        finally:
            ended.set()
            watcher.join()
            found.append((max(looks), "looked at every 2 ms"))
    else:
        yield found
        found.append((_resident(source, "VmHWM"), "by VmHWM"))


def _watch(source: Source, looks: list[int], ended: threading.Event) -> None:
    while True:
        looks.append(_resident(source, "VmRSS"))
        if ended.wait(_LOOK_SECONDS):
            return


def _resident(source: Source, name: str) -> int:
    lines = (source.proc / "status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
