import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casework.errors import EventError
from casework.events import MOST_EVENT_BYTES, Event, Kind, parse
from hardening.audit import START
from hardening.canonical import JSON

REVIEWER = "0123456789ABCDEF0123456789ABCDEF01234567"
VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "case-log" / "chain.json").read_text())

values: st.SearchStrategy[JSON] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def event(body: dict[str, JSON] | None = None) -> Event:
    return Event(REVIEWER, 0, START, date(2026, 3, 4), Kind.OPENED, body or {"submission": "5" * 32})


def edited(**changed: object) -> bytes:
    whole = json.loads(event().format()) | changed
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@settings(max_examples=60, deadline=None)
@given(
    index=st.integers(0, 2**53 - 1),
    previous=st.binary(min_size=32, max_size=32),
    day=st.dates(),
    kind=st.sampled_from(Kind),
    body=st.dictionaries(st.text(), values, max_size=4),
)
def test_what_is_written_is_read_the_same(
    index: int, previous: bytes, day: date, kind: Kind, body: dict[str, JSON]
) -> None:
    written = Event(REVIEWER, index, previous, day, kind, body)

    assert parse(written.format()) == written


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_bytes_that_are_no_event_are_refused_and_nothing_else_happens(untrusted: bytes) -> None:
    with pytest.raises(EventError):
        parse(untrusted)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(event().format()) - 1), st.integers(0, 7))
def test_a_flipped_bit_is_another_event_or_none(at: int, bit: int) -> None:
    flipped = bytearray(event().format())
    flipped[at] ^= 1 << bit

    try:
        read = parse(bytes(flipped))
    except EventError:
        return
    assert read != event()
    assert read.format() == bytes(flipped)


@pytest.mark.check("R5")
@pytest.mark.parametrize(
    "untrusted",
    [
        pytest.param(event().format() + b" ", id="a byte more"),
        pytest.param(event().format() + b"{}", id="something after it"),
        pytest.param(b"\xef\xbb\xbf" + event().format(), id="a byte order mark"),
        pytest.param(event().format().replace(b'"v":1', b'"v":1,"v":1'), id="a key twice"),
        pytest.param(event().format().replace(b'"v":1', b'"v":NaN'), id="no number"),
        pytest.param(event().format().replace(b'"v":1', b'"v":1.0'), id="a fraction"),
        pytest.param(event().format().replace(b'"index":0', b'"index":-0'), id="a signed zero"),
        pytest.param(event().format().replace(b":", b": "), id="a space"),
        pytest.param(b"[" * 100_000 + b"]" * 100_000, id="too deep"),
        pytest.param(edited(v=2), id="another version"),
        pytest.param(edited(v=True), id="true for a version"),
        pytest.param(edited(index=True), id="true for a place"),
        pytest.param(edited(index=-1), id="a place before the first"),
        pytest.param(edited(index="0"), id="a text for a place"),
        pytest.param(edited(type="svidok keyset"), id="another type"),
        pytest.param(edited(kind="destroyed"), id="a kind that is not known"),
        pytest.param(edited(more=1), id="a field more"),
        pytest.param(edited(body=[]), id="a body that is a list"),
        pytest.param(edited(day="2026-02-30"), id="no day"),
        pytest.param(edited(day="20260304"), id="a day in another form"),
        pytest.param(edited(previous="00" * 31), id="a short hash"),
        pytest.param(edited(previous="AA" * 32), id="a hash in capitals"),
        pytest.param(edited(previous=" ".join(["00"] * 32)), id="a hash with spaces"),
        pytest.param(edited(reviewer=REVIEWER.lower()), id="a fingerprint in small letters"),
        pytest.param(edited(reviewer=REVIEWER[:16]), id="a short key id"),
    ],
)
def test_another_form_is_refused(untrusted: bytes) -> None:
    with pytest.raises(EventError):
        parse(untrusted)


@pytest.mark.parametrize("body", [{"size": 1.5}, {"size": 2**53}, {"text": "\ud800"}])
def test_what_no_event_can_hold_is_not_written(body: dict[str, Any]) -> None:
    with pytest.raises(EventError, match="cannot stand in the case log"):
        event(body).format()


def test_an_event_that_could_not_be_read_again_is_not_written() -> None:
    with pytest.raises(EventError, match="at most"):
        event({"text": "x" * MOST_EVENT_BYTES}).format()


def test_an_event_follows_the_one_before_it() -> None:
    first = Event.following(None, REVIEWER, date(2026, 3, 4), (Kind.KEYSET, {}))
    second = Event.following(first, REVIEWER, date(2026, 3, 5), (Kind.OPENED, {}))

    assert (first.index, first.previous) == (0, START)
    assert (second.index, second.previous) == (1, first.hash())


def test_the_vectors_hold() -> None:
    before: Event | None = None
    for vector in VECTORS["events"]:
        found = parse(vector["event"].encode())
        assert found == Event.following(before, found.reviewer, found.day, (found.kind, found.body))
        assert found.hash().hex() == vector["hash"]
        before = found


@pytest.mark.parametrize("name", VECTORS["refused"])
def test_what_the_vectors_call_malformed_is_refused(name: str) -> None:
    with pytest.raises(EventError):
        parse(VECTORS["refused"][name].encode())
