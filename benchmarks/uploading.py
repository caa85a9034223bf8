"""Claim 3: an upload takes little longer than gpg alone, and writes little more than it sends."""

import os
import subprocess
import threading
import time
from pathlib import Path
from typing import BinaryIO

import psutil

from benchmarks.drop import Source, serving
from benchmarks.figures import Figure, Size, median, middle_ratio
from benchmarks.visitor import Visitor
from settings.model import MIB
from svidok.place import Place

_SPEED_BOUND = 0.6
_WRITTEN_BOUND = 1.05


def measure(place: Place, size: Size) -> list[Figure]:
    """Upload random bytes, and have gpg seal the same file with the same options, in turns."""
    figures: list[Figure] = []
    with serving(place) as source, Visitor(source.socket) as visitor:
        visitor.begin()
        for size_bytes, rounds in size.uploads:
            path = place.root / "random.bin"
            _write_random(path, size_bytes)
            with path.open("rb") as file:
                figures += _compare(place, source, visitor, file, rounds)
            path.unlink()
    return figures


def _compare(place: Place, source: Source, visitor: Visitor, file: BinaryIO, rounds: int) -> list[Figure]:
    size_bytes = os.fstat(file.fileno()).st_size
    command = _overheard(source, visitor, file)
    ours: list[float] = []
    alone: list[float] = []
    written: list[float] = []
    used = source.cpu_seconds()
    for _ in range(rounds):
        alone.append(_gpg(command, file, place.root / "alone.gpg"))
        before = _written(source, place)
        ours.append(_upload(visitor, file))
        written.append(_written(source, place) - before)
        _forget(place)
    used = (source.cpu_seconds() - used) / rounds
    mib = size_bytes / MIB
    note = f"{mib / median(ours):.0f} MiB/s against {mib / median(alone):.0f} MiB/s; {used:.2f} s of CPU in all"
    how = "by /proc/PID/io" if _sees_io(source) else "by what the inbox occupies"
    return [
        Figure(f"an upload of {mib:.0f} MiB, speed against gpg alone", middle_ratio(alone, ours), "x",
               _SPEED_BOUND, note, at_least=True),
        Figure(f"an upload of {mib:.0f} MiB, bytes written", median(written) / size_bytes, "x", _WRITTEN_BOUND, how),
    ]  # fmt: skip


def _upload(visitor: Visitor, file: BinaryIO) -> float:
    form = visitor.form()
    file.seek(0)
    started = time.perf_counter()
    visitor.send(form, b"This is the recording.", file)
    return time.perf_counter() - started


def _forget(place: Place) -> None:
    """Free what was stored, as gpg's own output is: else one side would always write to memory never used before.

    Each part keeps its size: the next process to start would refuse an inbox that has lost some.
    """
    for path in place.inbox.glob("objects/*/*/*.gpg"):
        size_bytes = path.stat().st_size
        os.truncate(path, 0)
        os.truncate(path, size_bytes)


def _gpg(command: list[str], file: BinaryIO, output: Path) -> float:
    """Seal the same bytes to a file on the same disk; unlike an upload it need not be durable at the end."""
    file.seek(0)
    started = time.perf_counter()
    with output.open("wb") as sealed:
        subprocess.run(command, stdin=file, stdout=sealed, stderr=subprocess.DEVNULL, check=True)
    took = time.perf_counter() - started
    output.unlink()
    return took


def _overheard(source: Source, visitor: Visitor, file: BinaryIO) -> list[str]:
    """Learn from a running upload with which words the server starts gpg: no list here could grow old."""
    heard: list[list[str]] = []
    ended = threading.Event()

    def listen() -> None:
        while not ended.is_set() and not heard:
            for child in source.process.children():
                try:
                    words = child.cmdline()
                except psutil.NoSuchProcess:
                    continue
                if "--encrypt" in words:
                    heard.append(words)
            ended.wait(0.001)

    listener = threading.Thread(target=listen)
    listener.start()
    _upload(visitor, file)
    ended.set()
    listener.join()
    if not heard:
        raise LookupError("no gpg was seen during an upload")
    # Gpg overwrites the exclamation mark behind the frozen time in its own arguments, which leaves an empty one.
    words = [word for word in heard[0] if word]
    words[words.index("--faked-system-time") + 1] += "!"
    # Its status pipe is the one thing that we do not have.
    words[words.index("--status-fd") + 1] = "2"
    return words


def _written(source: Source, place: Place) -> int:
    """Count what was handed to the disk: by the process and its gpgs, where the kernel tells us."""
    if _sees_io(source):
        lines = (source.proc / "io").read_text("ascii").splitlines()
        return int(dict(line.split(": ") for line in lines)["write_bytes"])
    return sum(path.lstat().st_blocks * 512 for path in place.inbox.rglob("*"))


def _sees_io(source: Source) -> bool:
    """Say whether we may: only root may look into a process that refuses to be looked into."""
    return os.access(source.proc / "io", os.R_OK)


def _write_random(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        for _ in range(0, size_bytes, MIB):
            file.write(os.urandom(MIB))
