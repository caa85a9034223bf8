"""Sessions die on time, tell nothing at rest, and never cost anybody an upload."""

import base64
import hashlib
import json
import math
from collections.abc import Iterator

import pytest

from hardening.sessions import (
    NOBODY,
    SessionError,
    SessionGoneError,
    SessionLimits,
    Sessions,
    SessionStaleError,
    SessionTooLargeError,
)
from tests.clock import FakeClock

SOURCE = b"lookup id of a source"
SEED = b"seed of the source key: canary"
MINUTE = 60.0


@pytest.fixture
def sessions(clock: FakeClock) -> Sessions:
    return Sessions(clock, SessionLimits(per_owner=3), "place")


def reachable(thing: object, seen: set[int] | None = None) -> Iterator[bytes]:
    """Give every piece of bytes or text that can be reached from *thing*."""
    seen = set() if seen is None else seen
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, bytes):
        yield thing
    elif isinstance(thing, str):
        yield thing.encode()
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from reachable(key, seen)
            yield from reachable(value, seen)
    elif isinstance(thing, (list, tuple, set)):
        for member in thing:
            yield from reachable(member, seen)
    else:
        names = [*getattr(thing, "__dict__", {}), *getattr(type(thing), "__slots__", ())]
        for name in names:
            yield from reachable(getattr(thing, name), seen)


def test_what_was_kept_comes_back(sessions: Sessions) -> None:
    cookie = sessions.begin(SEED, SOURCE)

    session = sessions.open(cookie)

    assert session is not None
    assert (session.state, session.owner) == (SEED, SOURCE)


def test_what_is_saved_is_there_in_the_next_request(sessions: Sessions) -> None:
    cookie = sessions.begin(SEED, SOURCE)
    session = sessions.open(cookie)
    assert session is not None

    once = sessions.save(session, b"one answer")
    sessions.save(once, b"two answers")

    reopened = sessions.open(cookie)
    assert reopened is not None
    assert reopened.state == b"two answers"
    assert reopened.key == session.key


@pytest.mark.check("C1")
def test_the_cookie_header_has_each_attribute_and_no_other(sessions: Sessions) -> None:
    cookie = sessions.begin(SEED, SOURCE)

    header = sessions.set_cookie_header(cookie)

    pair, *attributes = header.split("; ")
    assert pair == f"__Host-place={cookie}"
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]
    assert len(pair) <= 256
    assert sessions.clear_cookie_header() == "__Host-place=; Path=/; Secure; HttpOnly; SameSite=Strict"
    assert sessions.open("") is None


@pytest.mark.check("C3")
def test_ten_thousand_ids_are_256_random_bits_each(clock: FakeClock) -> None:
    sessions = Sessions(clock, SessionLimits(per_owner=3, state_bytes=0), "place")

    tokens = [base64.urlsafe_b64decode(sessions.begin(b"").split(".")[0]) for _ in range(10_000)]

    assert {len(token) for token in tokens} == {32}
    assert len(set(tokens)) == 10_000
    # One chi-square over 256 bits with one degree of freedom each; by Wilson and Hilferty
    # 1e-6 lies at z = 4.75, so that this test is wrong once in a million runs and not once in a thousand.
    ones = [sum(token[bit // 8] >> bit % 8 & 1 for token in tokens) for bit in range(256)]
    chi_square = sum((count - 5_000) ** 2 / 2_500 for count in ones)
    z = ((chi_square / 256) ** (1 / 3) - (1 - 2 / (9 * 256))) / math.sqrt(2 / (9 * 256))
    assert abs(z) < 4.75


@pytest.mark.check("C3")
def test_a_cookie_holds_no_data(sessions: Sessions) -> None:
    """Starlette's own cookie session is readable base64: the trap that this avoids."""
    cookie = sessions.begin(json.dumps({"seed": SEED.decode()}).encode(), SOURCE)

    for piece in cookie.split("."):
        decoded = base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4))
        assert len(decoded) == 32
        assert SEED not in decoded
        assert not decoded.startswith(b'{"')
    assert len(sessions.begin(b"", b"")) == len(cookie)


@pytest.mark.check("C3", "F10")
def test_the_store_at_rest_knows_neither_token_nor_state_nor_owner(sessions: Sessions) -> None:
    """What an image of the memory shows between two requests."""
    cookie = sessions.begin(SEED, SOURCE)
    session = sessions.open(cookie)
    assert session is not None
    sessions.save(session, SEED * 1000)
    encoded = cookie.split(".")[0]
    token = base64.urlsafe_b64decode(encoded)

    at_rest = list(reachable(sessions))

    assert hashlib.sha256(token).digest() in at_rest
    for secret in (token, encoded.encode(), cookie.encode(), SEED, SOURCE, session.key, session.sealing_key):
        assert not any(secret in piece for piece in at_rest)


@pytest.mark.check("L2")
def test_a_printed_session_shows_nothing(sessions: Sessions) -> None:
    session = sessions.open(sessions.begin(SEED, SOURCE))

    assert repr(session) == "Session(version=0)"


@pytest.mark.parametrize(
    "untrusted",
    [None, "", ".", "a" * 200, "A" * 43 + "=." + "B" * 43, "\u0430.b", "a\x00b.c", "\udcff.x"],
)
def test_a_made_up_cookie_opens_nothing(sessions: Sessions, untrusted: str | None) -> None:
    sessions.begin(SEED, SOURCE)

    assert sessions.open(untrusted) is None


def test_a_cookie_changed_anywhere_opens_nothing(sessions: Sessions) -> None:
    cookie = sessions.begin(SEED, SOURCE)

    for position in range(len(cookie)):
        # The last character of a base64 number has spare bits; A and Q differ in a used one.
        other = "Q" if cookie[position] in "ABCD" else "A"
        assert sessions.open(cookie[:position] + other + cookie[position + 1 :]) is None


def test_a_cookie_of_another_store_opens_nothing(clock: FakeClock, sessions: Sessions) -> None:
    """The reviewers' cookies and the sources' cannot be mistaken, nor those from before a restart."""
    other = Sessions(clock, SessionLimits(per_owner=3), "place")

    assert sessions.open(other.begin(SEED, SOURCE)) is None


@pytest.mark.check("C4")
def test_a_renewed_session_has_another_id_and_the_old_one_is_dead(sessions: Sessions) -> None:
    old = sessions.begin(SEED, SOURCE)
    session = sessions.open(old)
    assert session is not None

    new = sessions.renew(session)

    reopened = sessions.open(new)
    assert new != old
    assert sessions.open(old) is None
    assert reopened is not None
    assert (reopened.state, reopened.owner) == (SEED, SOURCE)
    assert reopened.key != session.key
    with pytest.raises(SessionGoneError):
        sessions.save(session, b"late")


@pytest.mark.check("C4")
def test_renewing_does_not_make_a_session_younger(sessions: Sessions, clock: FakeClock) -> None:
    cookie = sessions.begin(SEED, SOURCE)
    for _ in range(5):
        clock.advance(20 * MINUTE)
        session = sessions.open(cookie)
        assert session is not None
        cookie = sessions.renew(session)

    clock.advance(20 * MINUTE)

    assert sessions.open(cookie) is None


@pytest.mark.check("C5")
def test_an_ended_session_is_gone_at_once(sessions: Sessions) -> None:
    cookie = sessions.begin(SEED, SOURCE)
    session = sessions.open(cookie)
    assert session is not None

    sessions.end(session)
    sessions.end(session)

    assert sessions.open(cookie) is None
    assert not sessions.touch(session)
    with pytest.raises(SessionGoneError):
        sessions.latest(session)


@pytest.mark.check("C5")
def test_all_sessions_of_an_owner_end_together_and_nobody_elses(sessions: Sessions) -> None:
    """A deleted source, a disabled reviewer."""
    hers = [sessions.begin(SEED, SOURCE) for _ in range(3)]
    other = sessions.begin(b"state", b"somebody else")

    assert sessions.end_owner(SOURCE) == 3

    assert [sessions.open(cookie) for cookie in hers] == [None] * 3
    assert sessions.open(other) is not None
    assert sessions.end_owner(SOURCE) == 0


@pytest.mark.check("C6")
def test_a_session_left_alone_for_thirty_minutes_is_over(sessions: Sessions, clock: FakeClock) -> None:
    left, used = sessions.begin(SEED, SOURCE), sessions.begin(SEED, SOURCE)

    clock.advance(29 * MINUTE)
    assert sessions.open(used) is not None
    clock.advance(2 * MINUTE)

    assert sessions.open(left) is None
    assert sessions.open(used) is not None


@pytest.mark.check("C6")
def test_a_session_in_steady_use_is_over_after_two_hours(sessions: Sessions, clock: FakeClock) -> None:
    cookie = sessions.begin(SEED, SOURCE)
    for _ in range(5):
        clock.advance(20 * MINUTE)
        assert sessions.open(cookie) is not None

    clock.advance(20 * MINUTE)

    assert sessions.open(cookie) is None


@pytest.mark.check("C6")
def test_an_upload_of_two_and_a_half_hours_that_began_in_time_is_kept(sessions: Sessions, clock: FakeClock) -> None:
    """And the page after it can be read: it is the one that says that the upload arrived."""
    cookie = sessions.begin(SEED, SOURCE)
    for _ in range(5):
        clock.advance(20 * MINUTE)
        sessions.open(cookie)
    clock.advance(19 * MINUTE)
    upload = sessions.open(cookie)
    assert upload is not None

    for _ in range(150):
        clock.advance(MINUTE)
        assert sessions.touch(upload)
        sessions.begin(b"another visitor")  # which sweeps what is idle
    sessions.save(sessions.latest(upload), b"arrived")

    after = sessions.open(cookie)
    assert after is not None
    assert after.state == b"arrived"


@pytest.mark.check("C6")
def test_after_the_long_upload_the_session_still_ends(sessions: Sessions, clock: FakeClock) -> None:
    cookie = sessions.begin(SEED, SOURCE)
    upload = sessions.open(cookie)
    assert upload is not None
    for _ in range(150):
        clock.advance(MINUTE)
        sessions.touch(upload)

    for _ in range(2):
        clock.advance(14 * MINUTE)
        assert sessions.open(cookie) is not None
    clock.advance(2 * MINUTE)

    assert sessions.open(cookie) is None


@pytest.mark.check("C22")
def test_a_fourth_session_of_a_source_ends_her_first(sessions: Sessions) -> None:
    cookies = [sessions.begin(SEED, SOURCE) for _ in range(3)]
    assert sessions.alive(SOURCE) == 3

    cookies.append(sessions.begin(SEED, SOURCE))

    assert [sessions.open(cookie) is not None for cookie in cookies] == [False, True, True, True]
    assert sessions.alive(SOURCE) == 3


@pytest.mark.check("C22")
def test_a_second_session_of_a_reviewer_ends_the_first(clock: FakeClock) -> None:
    sessions = Sessions(clock, SessionLimits(per_owner=1), "desk")
    first = sessions.begin(b"", b"reviewer")
    assert sessions.alive(b"reviewer") == 1

    second = sessions.begin(b"", b"reviewer")

    assert sessions.open(first) is None
    assert sessions.open(second) is not None


@pytest.mark.check("C22")
def test_visitors_who_have_not_signed_in_do_not_end_each_other(sessions: Sessions) -> None:
    cookies = [sessions.begin(b"", NOBODY) for _ in range(10)]

    assert all(sessions.open(cookie) for cookie in cookies)


def test_idle_sessions_are_not_counted_as_alive(sessions: Sessions, clock: FakeClock) -> None:
    sessions.begin(SEED, SOURCE)
    clock.advance(31 * MINUTE)

    assert sessions.alive(SOURCE) == 0


def test_two_requests_at_once_cannot_lose_each_others_answers(sessions: Sessions) -> None:
    """An upload runs in one tab for an hour while the questions are answered in another."""
    cookie = sessions.begin(b"start", SOURCE)
    upload, answers = sessions.open(cookie), sessions.open(cookie)
    assert upload is not None
    assert answers is not None
    sessions.save(answers, b"start, answers")

    with pytest.raises(SessionStaleError):
        sessions.save(upload, b"start, upload")
    fresh = sessions.latest(upload)
    sessions.save(fresh, fresh.state + b", upload")

    final = sessions.open(cookie)
    assert final is not None
    assert final.state == b"start, answers, upload"


def test_a_state_that_is_too_large_leaves_the_one_before(clock: FakeClock) -> None:
    sessions = Sessions(clock, SessionLimits(per_owner=3, state_bytes=100), "place")
    cookie = sessions.begin(b"a" * 100, SOURCE)
    session = sessions.open(cookie)
    assert session is not None

    with pytest.raises(SessionTooLargeError):
        sessions.save(session, b"b" * 101)
    with pytest.raises(SessionTooLargeError):
        sessions.begin(b"b" * 101, SOURCE)

    kept = sessions.open(cookie)
    assert kept is not None
    assert kept.state == b"a" * 100
    assert sessions.alive(SOURCE) == 1


def test_an_owner_with_an_endless_name_is_refused(sessions: Sessions) -> None:
    with pytest.raises(SessionError):
        sessions.begin(b"", b"x" * 256)


def test_when_memory_runs_short_the_one_idle_for_longest_goes_first(clock: FakeClock) -> None:
    limits = SessionLimits(per_owner=3, state_bytes=100_000, total_bytes=350_000)
    sessions = Sessions(clock, limits, "place")
    cookies = [sessions.begin(b"a" * 100_000, bytes([owner])) for owner in (1, 2, 3)]
    sessions.open(cookies[0])

    cookies.append(sessions.begin(b"a" * 100_000, b"4"))

    assert [sessions.open(cookie) is not None for cookie in cookies] == [True, False, True, True]


def test_a_session_that_grows_pushes_out_the_idle_and_not_itself(clock: FakeClock) -> None:
    limits = SessionLimits(per_owner=3, state_bytes=300_000, total_bytes=350_000)
    sessions = Sessions(clock, limits, "place")
    growing, idle = sessions.begin(b"", b"1"), sessions.begin(b"a" * 100_000, b"2")
    session = sessions.open(growing)
    assert session is not None

    sessions.save(session, b"a" * 300_000)

    assert sessions.open(idle) is None
    assert sessions.open(growing) is not None


def test_empty_sessions_are_bounded_too(clock: FakeClock) -> None:
    sessions = Sessions(clock, SessionLimits(per_owner=3, total_bytes=100_000), "place")

    for _ in range(1000):
        sessions.begin(b"")

    assert sessions.alive(NOBODY) < 60
