"""Claim 2: to begin costs little more than its one Argon2id."""

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.drop import serving
from benchmarks.figures import Figure, Size, median, middle_ratio
from benchmarks.visitor import Visitor
from hardening.process import SCRUBBING
from svidok.place import Place

_BOUND = 1.3


def measure(place: Place, size: Size) -> list[Figure]:
    """Begin, and run Argon2id alone, in turns."""
    ours: list[float] = []
    alone: list[float] = []
    with serving(place) as source, _yardstick() as yardstick:
        _argon(yardstick)
        for _ in range(size.derivations):
            # Another order in each round, so that neither side always has the warmer machine.
            first, second = (ours, alone) if len(ours) % 2 else (alone, ours)
            for side in (first, second):
                side.append(_begin(source.socket) if side is ours else _argon(yardstick))
    note = f"{median(ours) * 1000:.0f} ms against {median(alone) * 1000:.0f} ms"
    return [Figure("to begin, against one Argon2id", middle_ratio(ours, alone), "x", _BOUND, note)]


def _begin(socket: Path) -> float:
    with Visitor(socket) as visitor:
        visitor.ask("GET", "/")
        started = time.perf_counter()
        visitor.begin()
        return time.perf_counter() - started


def _yardstick() -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.argon_alone"]
    environment = {**os.environ, **SCRUBBING}
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _argon(yardstick: "subprocess.Popen[str]") -> float:
    if yardstick.stdin is None or yardstick.stdout is None:
        raise TypeError("the yardstick has pipes")
    yardstick.stdin.write("\n")
    yardstick.stdin.flush()
    return float(yardstick.stdout.readline())
