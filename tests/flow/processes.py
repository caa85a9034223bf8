"""The real source process of a drop, and what can be seen of it from outside as root."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.drop import made
from svidok.place import Place

_WINDOW_BYTES = 16 * 1024 * 1024


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """A drop with generous limits, for processes that a test starts itself."""
    with made() as place:
        yield place


def hollow_file(path: Path, size_bytes: int) -> Path:
    """A file of zeros that takes no room."""
    with path.open("wb") as file:
        file.truncate(size_bytes)
    return path


def marked_file(path: Path, line: bytes, size_bytes: int) -> Path:
    """A report that says *line* again and again, in about so many bytes."""
    path.write_bytes((line + b" was there, and so was I.\n") * (size_bytes // 58))
    return path


def hits(proc: Path, needle: bytes) -> int:
    """Count *needle* in all memory that a process could have written it to."""
    found = 0
    with (proc / "mem").open("rb", buffering=0) as memory:
        for line in (proc / "maps").read_text("utf-8").splitlines():
            span, rights, *_ = line.split()
            if rights.startswith("rw") and "[v" not in line:
                start, end = (int(edge, 16) for edge in span.split("-"))
                found += _hits_between(memory.seek, memory.read, start, end, needle)
    return found


def resident_bytes(proc: Path, name: str) -> int:
    """Read one of the sizes that the kernel tells of a process: `VmRSS`, or `VmHWM` for its peak."""
    lines = (proc / "status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def begin_new_peak(proc: Path) -> None:
    """Let `VmHWM` begin anew (proc(5))."""
    (proc / "clear_refs").write_text("5", "ascii")


def _hits_between(seek: Callable[[int], int], read: Callable[[int], bytes], start: int, end: int, needle: bytes) -> int:
    found = 0
    kept = b""
    while start < end:
        seek(start)
        try:
            piece = read(min(end - start, _WINDOW_BYTES))
        except OSError:
            # Given back to the kernel meanwhile: nothing can be in it.
            return found
        window = kept + piece
        found += window.count(needle)
        # What straddles two windows is found once: the overlap is one byte shorter than the needle.
        kept = window[len(window) - len(needle) + 1 :]
        start += len(piece) or _WINDOW_BYTES
    return found
