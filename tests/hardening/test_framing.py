import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardening.framing import FramingError, HeadLimits, RequestGate

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\n"
GOOD = {
    "no body": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "old, with host": b"GET / HTTP/1.0\r\nHost: a\r\n\r\n",
    "length": HEAD + b"Content-Length: 5\r\n\r\nhello",
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n",
    "case": b"GET / HTTP/1.1\r\nhOST:a\r\nTRANSFER-encoding: Chunked\r\n\r\n0\r\n\r\n",
}
BAD = {
    "bare line feed": b"GET / HTTP/1.1\nHost: a\n\n",
    "one bare line feed": b"GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
    "bare carriage return": b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
    "empty first line": b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "0.9": b"GET /\r\n",
    "0.9 bare": b"GET /\n",
    "1.0 without host": b"GET / HTTP/1.0\r\n\r\n",
    "1.1 without host": b"GET / HTTP/1.1\r\n\r\n",
    "2.0 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version": b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "folded": b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
    "folded first": b"GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "space before colon": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "no colon": b"GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n",
    "NUL": b"GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
    "absolute": b"GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "star": b"GET * HTTP/1.1\r\nHost: a\r\n\r\n",
    "two spaces": b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "space in target": b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "tab": b"GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n",
    "websocket": b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "h2c": b"GET / HTTP/1.1\r\nHost: a\r\nHTTP2-Settings: x\r\n\r\n",
    "both": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    "both turned": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
    "two codings": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "coding list": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "identity": HEAD + b"Transfer-Encoding: identity\r\n\r\n",
    "old and chunked": b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "chunk extension": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello",
    "long chunk extension": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;" + b"x" * 1_000_000,
    "bad chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "negative chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
    "chunk with 0x": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\n",
    "chunk size with space": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n",
    "huge chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n123456789\r\n",
    "empty chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\n\r\n",
    "bare chunk end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\nhello",
    "wrong chunk end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloXX",
    "trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
}


def through(gate: RequestGate, pieces: list[bytes]) -> bytes:
    """What a gate lets through of one request, cut into *pieces*."""
    passed = b""
    for piece in pieces:
        rest = piece
        while rest and not gate.complete:
            ready, rest = gate.take(rest)
            passed += ready
    return passed


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_a_clear_request_passes_unchanged_however_it_is_cut(name: str, size: int) -> None:
    gate, raw = RequestGate(HeadLimits()), GOOD[name]

    passed = through(gate, [raw[start : start + size] for start in range(0, len(raw), size)])

    assert passed == raw
    assert gate.complete


@pytest.mark.check("E20", "E21")
@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("size", [1, 1000])
def test_an_unclear_request_is_refused_however_it_is_cut(name: str, size: int) -> None:
    raw = BAD[name][:3000]

    with pytest.raises(FramingError) as caught:
        through(RequestGate(HeadLimits()), [raw[start : start + size] for start in range(0, len(raw), size)])

    assert caught.value.status == 400


@pytest.mark.check("D8")
@pytest.mark.parametrize(
    ("lines", "passes"),
    [
        ([b"X: " + b"x" * (8192 - 5)], True),
        ([b"X: " + b"x" * (8192 - 4)], False),
        ([b"X%d: y" % number for number in range(63)], True),
        ([b"X%d: y" % number for number in range(64)], False),
        ([b"X: " + b"x" * 8000] * 2, True),
        ([b"X: " + b"x" * 8000] * 3, False),
    ],
)
def test_a_head_is_bounded(lines: list[bytes], passes: bool) -> None:
    gate = RequestGate(HeadLimits())
    raw = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"\r\n".join(lines) + b"\r\n\r\n"

    if passes:
        assert through(gate, [raw]) == raw
        return
    with pytest.raises(FramingError) as caught:
        through(gate, [raw])
    assert caught.value.status == 431


@pytest.mark.check("D8")
def test_a_line_without_end_is_refused_before_it_is_kept() -> None:
    with pytest.raises(FramingError) as caught:
        through(RequestGate(HeadLimits()), [b"GET /" + b"x" * 70_000])

    assert caught.value.status == 431


def test_nothing_is_looked_at_behind_a_whole_request() -> None:
    gate = RequestGate(HeadLimits())
    ready, rest = gate.take(GOOD["no body"] + GOOD["length"])

    assert (ready, rest) == (GOOD["no body"], GOOD["length"])
    assert gate.take(rest) == (b"", rest)
    gate.next_request()
    assert gate.untouched
    assert through(gate, [rest]) == rest


@given(st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=8), st.sampled_from(sorted({**GOOD, **BAD})))
@settings(max_examples=300, deadline=None)
@pytest.mark.check("E20")
def test_the_verdict_does_not_depend_on_the_cuts(more: bytes, places: list[int], name: str) -> None:
    raw = {**GOOD, **BAD}[name][:400] + more
    edges = [0, *sorted(min(place, len(raw)) for place in places), len(raw)]

    def verdict(pieces: list[bytes]) -> object:
        gate = RequestGate(HeadLimits())
        try:
            return through(gate, pieces), gate.complete
        except FramingError as error:
            return error.status

    assert verdict([raw[a:b] for a, b in itertools.pairwise(edges)]) == verdict([raw])
