"""Claims 7 and 8: a page of questions is there at once, and the way of somebody to whom it happened costs little."""

import re
import time
from collections.abc import Mapping

from benchmarks.drop import Source, serving
from benchmarks.figures import Figure, Size, median
from benchmarks.visitor import Visitor
from svidok.place import Place

_PAGE_MILLISECONDS = 30
_PATH_SECONDS = 0.7
_TOKENS = re.compile(rb'<input type="hidden" name="(token|once)" value="([^"]*)">')
_LANGUAGES = ("", "/uk", "/fr", "/ar")
# Short, as most are: who, how things are, what and when and where, help, permissions.
_SHORT_PATH: tuple[Mapping[str, str], ...] = (
    {"r1": "victim"},
    {"u1": "no", "u2": "d0_3"},
    {"w1": "rape", "t1.y": "2022", "p1.country": "UA", "p1.region": "UA-14"},
    {"n1": "health"},
    {"c2": "yes"},
)


def measure_page(place: Place, size: Size) -> list[Figure]:
    """Open every page that a source can come to, in every language."""
    took: list[float] = []
    with serving(place) as source, Visitor(source.socket) as visitor:
        visitor.begin("report")
        _answer(visitor, "/report/1", {"r1": "victim"})
        for _ in range(size.pages):
            for language in _LANGUAGES:
                for number in (1, 2, 3):
                    started = time.perf_counter()
                    visitor.ask("GET", f"{language}/report/{number}")
                    took.append((time.perf_counter() - started) * 1000)
    note = f"{median(took):.1f} ms in the middle, of {len(took)}"
    return [Figure("a page of questions, 95 of 100", _percentile(took, 95), "ms", _PAGE_MILLISECONDS, note)]


def measure_path(place: Place, size: Size) -> list[Figure]:
    """Begin, answer, look through it and send, again and again."""
    own: list[float] = []
    every: list[float] = []
    with serving(place) as source:
        for _ in range(size.derivations):
            before, before_all = _own(source), source.cpu_seconds()
            _walk(source)
            own.append(_own(source) - before)
            every.append(source.cpu_seconds() - before_all)
    note = f"in the middle of {len(own)}; {median(every):.2f} s with its gpgs"
    return [Figure("the short path, in CPU time of the process", median(own), "s", _PATH_SECONDS, note)]


def _walk(source: Source) -> None:
    with Visitor(source.socket) as visitor:
        visitor.ask("GET", "/")
        visitor.begin("report")
        path = "/report/1"
        for answers in _SHORT_PATH:
            visitor.ask("GET", path)
            path = _answer(visitor, path, answers)
        page = visitor.ask("GET", path).body
        once = dict(_TOKENS.findall(page))[b"once"].decode()
        visitor.ask("POST", "/report/send", f"once={once}".encode(), "application/x-www-form-urlencoded")
        visitor.ask("GET", "/codename")


def _answer(visitor: Visitor, path: str, answers: Mapping[str, str]) -> str:
    """Answer a page as a browser does, and say where that leads."""
    tokens = {name.decode(): text.decode() for name, text in _TOKENS.findall(visitor.ask("GET", path).body)}
    return visitor.answer(path, {**tokens, **answers, "do": "next"})


def _own(source: Source) -> float:
    times = source.process.cpu_times()
    return times.user + times.system


def _percentile(values: list[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]
