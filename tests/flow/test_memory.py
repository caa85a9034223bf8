"""What a source sends passes through the memory of the real process, needs little of it, and leaves nothing there."""

import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from benchmarks.drop import Source, serving
from benchmarks.visitor import Visitor
from hardening.process import SCRUBBING
from settings.model import MIB
from svidok.place import Place
from tests.flow.processes import begin_new_peak, hits, resident_bytes

_SETTLED_SECONDS = 2
_AT_ONCE = 8


@pytest.mark.check("F10")
def test_memory_forgets_a_report_and_would_not_without_the_environment(place: Place, tmp_path: Path) -> None:
    """64 MiB of marked lines and a marked text; the second process is the positive control."""
    assert _left_after_a_report(place, SCRUBBING, tmp_path / "scrubbed") == (0, 0)
    assert sum(_left_after_a_report(place, {}, tmp_path / "control")) > 0


@pytest.mark.check("D13")
@pytest.mark.parametrize("size_bytes", [48 * MIB, pytest.param(500 * MIB, marks=pytest.mark.full)])
def test_large_uploads_at_once_share_a_little_memory(place: Place, tmp_path: Path, size_bytes: int) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(size_bytes)

    with serving(place) as source, ExitStack() as ends:
        visitors = [ends.enter_context(_begun(source)) for _ in range(_AT_ONCE)]
        before = resident_bytes(source.proc, "VmRSS")
        begin_new_peak(source.proc)
        threads = [threading.Thread(target=_upload, args=(visitor, path)) for visitor in visitors]
        for thread in threads:
            thread.start()
        gpgs = 0
        while any(thread.is_alive() for thread in threads):
            gpgs = max(gpgs, _gpg_bytes(source))
            threads[0].join(0.02)
        peak = resident_bytes(source.proc, "VmHWM")

    assert gpgs > 0
    assert peak - before + gpgs <= 256 * MIB


def _left_after_a_report(place: Place, environment: Mapping[str, str], path: Path) -> tuple[int, int]:
    """Tell how often the lines of a file and the words of a text are found after it all was answered."""
    line, word = secrets.token_hex(16).encode(), secrets.token_hex(16).encode()
    path.write_bytes((line + b" was there, and so was I.\n") * (64 * MIB // 58))
    with serving(place, environment) as source, _begun(source) as visitor, path.open("rb") as file:
        visitor.send(visitor.form(), word + b" came at night.", file)
        visitor.ask("GET", "/inbox")
        time.sleep(_SETTLED_SECONDS)
        assert not source.process.children()
        # What is certainly there is found: so the search works.
        assert hits(source.proc, b"svidok session 1") > 0
        return hits(source.proc, line), hits(source.proc, word)


def _begun(source: Source) -> Visitor:
    visitor = Visitor(source.socket)
    visitor.begin()
    return visitor


def _upload(visitor: Visitor, path: Path) -> None:
    visitor.connect_anew()
    with path.open("rb") as file:
        visitor.send(visitor.form(), b"Large.", file)


def _gpg_bytes(source: Source) -> int:
    found = 0
    for child in source.process.children():
        try:
            found += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return found
