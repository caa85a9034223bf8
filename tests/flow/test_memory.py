"""What a source sends passes through the memory of the real process, needs little of it, and leaves nothing there."""

import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from benchmarks.drop import Source, serving
from benchmarks.visitor import RefusedError, Visitor
from hardening.process import SCRUBBING
from settings.model import MIB
from svidok.place import Place
from tests.flow.processes import begin_new_peak, hits, hollow_file, marked_file, resident_bytes
from tests.trial import running
from tests.trial_fixtures import MakeTwin

_SECONDS = 60
_SETTLED_SECONDS = 2
_AT_ONCE = 8


@pytest.mark.check("F10")
def test_memory_forgets_a_report_and_would_not_without_the_environment(place: Place, tmp_path: Path) -> None:
    """64 MiB of marked lines and a marked text; the second process is the positive control."""
    assert _left_after_a_report(place, SCRUBBING, tmp_path / "scrubbed", _SECONDS) == 0
    assert _left_after_a_report(place, {}, tmp_path / "control", _SETTLED_SECONDS) > 0


@pytest.mark.check("F10", "F11")
@pytest.mark.parametrize("what", ["fault", "gone"])
def test_memory_forgets_a_report_that_was_never_taken_in(what: str, place: Place, tmp_path: Path) -> None:
    """An error holds every function that it came through, and what that held: a fault of ours, or a sender who goes."""
    line, word = secrets.token_hex(16).encode(), secrets.token_hex(16).encode()
    path = marked_file(tmp_path / "report", line, 4 * MIB)
    incoming, away = place.inbox / "incoming", place.inbox / "away"
    with serving(place) as source, _begun(source) as visitor, path.open("rb") as file:
        form = visitor.form()
        if what == "fault":
            incoming.rename(away)
            # The answer may be there before all was sent; then the connection ends.
            with pytest.raises((RefusedError, ConnectionError)):
                visitor.send(form, word + b" came at night.", file)
            away.rename(incoming)
        else:
            visitor.send_half(form, word + b" came at night.", file)
        visitor.connect_anew()
        visitor.ask("GET", "/inbox")

        assert until_none(lambda: hits(source.proc, line) + hits(source.proc, word)) == 0
        assert until_none(lambda: len(source.process.children())) == 0
        assert hits(source.proc, b"svidok session 1") > 0


def until_none(count: Callable[[], int], seconds: float = _SECONDS) -> int:
    """Count until there is none, for as long as F10 allows."""
    end = time.monotonic() + seconds
    while (left := count()) and time.monotonic() < end:
        time.sleep(1)
    return left


@pytest.mark.full
@pytest.mark.check("F10")
def test_a_minute_later_no_process_of_the_drop_knows_anything_of_it(twin: MakeTwin, tmp_path: Path) -> None:
    line, word = secrets.token_hex(16).encode(), secrets.token_hex(16).encode()
    path = marked_file(tmp_path / "report", line, 64 * MIB)
    with running(twin("memory"), "--tor", "off") as drop:
        drop.hear("Ctrl-C stops everything")
        with Visitor(drop.place.source_socket) as visitor, path.open("rb") as file:
            visitor.begin()
            visitor.send(visitor.form(), word + b" came at night.", file)
        time.sleep(_SECONDS)
        family = drop.family()

        assert {"keeper", "source", "journalist"} <= {part for one in family for part in one.cmdline()}
        for one in family:
            proc = Path("/proc", str(one.pid))
            # What is certainly there is found, in every one of them: so the search works.
            assert hits(proc, b"svidok") > 0
            assert (hits(proc, line), hits(proc, word)) == (0, 0), one.cmdline()


@pytest.mark.check("D13")
@pytest.mark.parametrize("size_bytes", [48 * MIB, pytest.param(500 * MIB, marks=pytest.mark.full)])
def test_large_uploads_at_once_share_a_little_memory(place: Place, tmp_path: Path, size_bytes: int) -> None:
    path = hollow_file(tmp_path / "large", size_bytes)

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


def _left_after_a_report(place: Place, environment: Mapping[str, str], path: Path, seconds: float) -> int:
    """Tell how often lines of a file and words of a text are still found *seconds* after it all was answered."""
    line, word = secrets.token_hex(16).encode(), secrets.token_hex(16).encode()
    marked_file(path, line, 64 * MIB)
    with serving(place, environment) as source, _begun(source) as visitor, path.open("rb") as file:
        visitor.send(visitor.form(), word + b" came at night.", file)
        visitor.ask("GET", "/inbox")
        left = until_none(lambda: hits(source.proc, line) + hits(source.proc, word), seconds)
        assert until_none(lambda: len(source.process.children())) == 0
        # What is certainly there is found: so the search works.
        assert hits(source.proc, b"svidok session 1") > 0
        return left


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
