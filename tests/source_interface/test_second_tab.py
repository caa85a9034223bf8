"""How far an upload is: for the visit that sends it and for nobody else, in rough numbers, and not for long."""

import logging
from collections.abc import Callable
from dataclasses import replace

import pytest

from hardening.sessions import SessionLimits, Sessions
from source_interface import second_tab
from source_interface.arriving import Arrivals, Arriving
from source_interface.parts import MIB, SourceLimits
from tests.browserlike import Browser, Chosen
from tests.clock import FakeClock
from tests.source_interface.house import HOST, Answer, House, form_body, read_answer, until
from tests.source_interface.reports import ASKED, inside

MakeHouse = Callable[..., House]
MINUTES = 60


def cookie(browser: Browser) -> str:
    return f"Cookie: __Host-visit={browser.cookies['__Host-visit']}"


def letter(browser: Browser, *files: bytes) -> bytes:
    once = browser.page.form("Send now").controls["once"].encode()
    parts = [("once", None, once), ("message", None, b"m"), *(("files", "a", content) for content in files)]
    return form_body("b0", parts)


def head(browser: Browser, size_bytes: int, path: str = "/send") -> bytes:
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}", cookie(browser), f"Content-Length: {size_bytes}"]
    return "\r\n".join([*lines, "Content-Type: multipart/form-data; boundary=b0"]).encode() + b"\r\n\r\n"


def ours(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged by us: others are kept silent where it is real (L1), and the test's own browser is not."""
    packages = ("hardening", "keys", "source_interface", "vault")
    return [record.getMessage() for record in caplog.records if record.name.startswith(packages)]


def told(house: House, browser: Browser) -> Answer:
    return house.get("/progress", cookie(browser))


def says(house: House, browser: Browser, words: str) -> Callable[[], bool]:
    return lambda: words.encode() in told(house, browser).body


def test_a_second_tab_follows_a_slow_upload_to_its_end(house: House) -> None:
    browser = house.begun()
    body = letter(browser, bytes(MIB // 2), bytes(9 * MIB))
    start = len(body) - 5 * MIB

    with house.connection() as connection:
        connection.sendall(head(browser, len(body)) + body[:start])
        until(says(house, browser, "About 4 of 10 MB have arrived."))
        until(says(house, browser, "1 file is here to its end."))
        running = told(house, browser)
        connection.sendall(body[start:])
        sent = read_answer(connection)
    after = told(house, browser)

    assert running.every("refresh") == ["10"]
    assert sent.status == 303
    assert b"All of it was kept and sealed." in after.body
    assert after.every("refresh") == []
    assert len(running.body) == len(after.body) == len(house.get("/help").body)


def test_the_tab_of_another_visit_shows_nothing(house: House) -> None:
    browser, other = house.begun(), house.begun()
    body = letter(browser, bytes(4 * MIB))

    with house.connection() as connection:
        connection.sendall(head(browser, len(body)) + body[: 3 * MIB])
        until(says(house, browser, "About 3 of 5 MB have arrived."))
        seen = told(house, other)
        stranger = house.get("/progress", "Cookie: __Host-visit=nobody")

    assert b"Nothing is on its way." in seen.body
    assert (seen.every("refresh"), stranger.every("refresh")) == ([], [])
    assert stranger.status == 403
    assert b"of 5 MB" not in seen.body + stranger.body


@pytest.mark.check("J3")
def test_an_upload_that_breaks_off_is_said_to_have_failed(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser = house.begun()
    body = letter(browser, bytes(4 * MIB))

    with house.connection() as connection:
        connection.sendall(head(browser, len(body)) + body[: 3 * MIB])
        until(says(house, browser, "It is on its way"))
    until(says(house, browser, "It did not arrive"))

    assert house.nothing_kept()
    assert told(house, browser).every("refresh") == []
    assert ours(caplog) == []


def test_an_upload_that_is_refused_has_failed_and_a_second_one_stands_before_it(make_house: MakeHouse) -> None:
    house = make_house(limits=SourceLimits(files_per_post=1))
    browser = house.begun()
    browser.press("Send now", message="m", files=[Chosen.of("a", b"a"), Chosen.of("b", b"b")])
    browser.press("Send now", message="m")

    page = browser.open("/progress")

    assert page.text.index("It has arrived") < page.text.index("It did not arrive")


def test_what_was_told_is_forgotten_some_minutes_after_the_end(house: House) -> None:
    browser = house.begun()
    browser.press("Send now", message="m")
    assert b"It has arrived" in told(house, browser).body

    house.clock.advance(5 * MINUTES)

    assert b"Nothing is on its way." in told(house, browser).body


@pytest.mark.check("F4", "L4")
def test_nothing_of_it_is_written_anywhere(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    browser = house.begun()
    body = letter(browser, bytes(4 * MIB))
    with house.connection() as connection:
        connection.sendall(head(browser, len(body)) + body[: 3 * MIB])
        until(says(house, browser, "About 3 of 5 MB"))
        before = {path for path in house.root.rglob("*") if path.is_file()}
        told(house, browser)

        assert {path for path in house.root.rglob("*") if path.is_file()} == before
    assert ours(caplog) == []


def test_a_second_tab_follows_the_files_of_a_report(make_house: MakeHouse) -> None:
    house = make_house(questionnaire=ASKED)
    browser = inside(house)
    browser.open("/report/files")
    once = browser.page.form("Send these files at once").controls["once"].encode()
    body = form_body("b0", [("once", None, once), ("files", "a", bytes(4 * MIB))])

    with house.connection() as connection:
        connection.sendall(head(browser, len(body), "/report/files") + body[: 3 * MIB])
        until(says(house, browser, "About 3 of 5 MB have arrived."))
        connection.sendall(body[3 * MIB :])
        assert read_answer(connection).status == 303
    assert b"All of it was kept and sealed." in told(house, browser).body


def test_the_form_says_how_long_the_visit_lasts_and_where_to_look(make_house: MakeHouse) -> None:
    limits = SessionLimits(per_owner=3, idle_seconds=20 * MINUTES, absolute_seconds=90 * MINUTES)
    house = make_house(
        change=lambda parts: replace(parts, sessions=Sessions(parts.clock, limits, "visit")), questionnaire=ASKED
    )

    for page in (house.begun().page, inside(house).open("/report/files")):
        assert "Your visit ends after 20 minutes without a click, and 90 minutes after it began." in page.text
        link = next(one for one in page.tree.iter("a") if one.get("href") == "/progress")
        assert (link.get("target"), link.get("rel")) == ("_blank", "noopener")


def test_where_no_files_are_taken_there_is_nothing_to_follow(make_house: MakeHouse) -> None:
    page = make_house(limits=SourceLimits(uploads=False)).begun().page

    assert "/progress" not in [target for _, target in page.links]


def test_less_than_a_megabyte_is_said_to_be_less(house: House) -> None:
    browser = house.begun()
    body = letter(browser, bytes(4 * MIB))

    with house.connection() as connection:
        connection.sendall(head(browser, len(body)) + body[:1000])

        until(says(house, browser, "Less than 1 of 5 MB has arrived."))


def test_where_nothing_was_announced_only_what_has_come_is_said(house: House) -> None:
    browser = house.begun()
    body = letter(browser, bytes(4 * MIB))
    unannounced = head(browser, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")

    with house.connection() as connection:
        connection.sendall(unannounced + b"%x\r\n" % len(body) + body[: 3 * MIB])

        until(says(house, browser, "About 3 MB have arrived."))


def test_what_is_all_here_is_being_sealed() -> None:
    assert second_tab.shown_of(Arriving(7 * MIB, 7 * MIB)) == ("sealing", 7, 7, 0)
    assert second_tab.shown_of(Arriving(7 * MIB, 7 * MIB - 1, 2)) == ("running", 6, 7, 2)


def test_no_visit_and_no_crowd_of_visits_fills_the_memory() -> None:
    clock = FakeClock()
    arrivals = Arrivals(clock)

    for number in range(1500):
        for size in range(6):
            with arrivals.told(b"%d" % number, Arriving(size)):
                pass

    assert [one.announced_bytes for one in arrivals.of(b"1499")] == [5, 4, 3, 2]
    assert arrivals.of(b"1") == ()
    assert sum(bool(arrivals.of(b"%d" % number)) for number in range(1500)) == 1024
    clock.advance(5 * MINUTES)
    arrivals.forget_old()
    assert arrivals.of(b"1499") == ()
