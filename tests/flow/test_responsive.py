"""Nobody waits because somebody else sends much."""

import threading
import time
from pathlib import Path

import pytest

from benchmarks.drop import Source, serving
from benchmarks.visitor import Visitor
from settings.model import MIB
from svidok.place import Place
from tests.flow.processes import hollow_file

_GAP_SECONDS = 0.25


@pytest.mark.check("D12")
@pytest.mark.parametrize("size_bytes", [96 * MIB, pytest.param(500 * MIB, marks=pytest.mark.full)])
def test_the_event_loop_beats_through_an_upload_gpg_and_argon2(place: Place, tmp_path: Path, size_bytes: int) -> None:
    path = hollow_file(tmp_path / "large", size_bytes)

    with serving(place) as source, Visitor(source.socket) as sender, Visitor(source.socket) as page:
        sender.begin()
        form = sender.form()
        ended = threading.Event()
        threads = [
            threading.Thread(target=_send, args=(sender, form, path, ended)),
            threading.Thread(target=_begin_again_and_again, args=(source, ended)),
        ]
        for thread in threads:
            thread.start()
        gaps: list[float] = []
        while not ended.is_set():
            gaps.append(_beat(source, page))
        for thread in threads:
            thread.join()

    assert len(gaps) > 10
    assert max(gaps) <= _GAP_SECONDS


def _beat(source: Source, page: Visitor) -> float:
    """Ask for the smallest page; the time in which the machine let neither side run is not the loop's."""
    started, kept = time.perf_counter(), _kept_waiting(source)
    page.ask("GET", "/robots.txt")
    return time.perf_counter() - started - (_kept_waiting(source) - kept)


def _kept_waiting(source: Source) -> float:
    """Tell how long the loop's thread and this one were ready to run and had no processor."""
    tasks = (source.proc / "task" / str(source.process.pid), Path("/proc/thread-self"))
    return sum(int((task / "schedstat").read_text("ascii").split()[1]) for task in tasks) / 1e9


def _send(sender: Visitor, form: tuple[str, bytes], path: Path, ended: threading.Event) -> None:
    try:
        with path.open("rb") as file:
            sender.send(form, b"m " * 40_000, file)
    finally:
        ended.set()


def _begin_again_and_again(source: Source, ended: threading.Event) -> None:
    while not ended.is_set():
        with Visitor(source.socket) as guest:
            guest.begin()
            guest.send(guest.form(), b"Hello.")
