"""What the stores hold of a report, and of whoever told it, says no more than its day and how large its parts are."""

import re
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing

import httpx
import pytest

from hardening.files import FROZEN_AT
from tests.browserlike import Browser, Chosen
from tests.source_interface.house import HOST, House, shown_codename
from tests.source_interface.reports import ASKED, told
from tests.source_interface.test_pages import OPEN_PAGES
from vault.records import PROGRESS_BYTES

MakeHouse = Callable[..., House]
HOUR, DAY = 3600, 86_400
# Every kind of text that a row may hold.
_TEXT = re.compile(
    r"[0-9a-f]{32}|[0-9A-F]{40}|[0-9a-f]{64}|[a-z-]+ [a-z-]+|message|file|report|manifest"
    r"|2026-03-0[4-9]|(inbox|outbox)_\d{4}"
)
_NUMBERS = {"sources.closed": {0, 1}, "collected.single": {1}}


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    return make_house(questionnaire=ASKED)


def values(house: House, store: str) -> Iterator[tuple[str, object]]:
    """Read every value of a store as SQLite has it, with the name of its column."""
    with closing(sqlite3.connect(house.root / f"{store}.db")) as raw:
        for (table,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            found = raw.execute(f"SELECT * FROM {table}")  # noqa: S608 - a name of ours
            names = [column[0] for column in found.description]
            for row in found.fetchall():
                yield from ((f"{table}.{name}", value) for name, value in zip(names, row, strict=True))


def whole_life(house: House) -> str:
    """Tell, send files, go on, change the permissions, read a reply, withdraw: each at another hour."""
    browser = told(house)
    codename = shown_codename(browser.press("Send my report"))
    browser.click("I have written it down")
    browser.press("Skip this: I am sure")
    house.clock.advance(HOUR / 4)
    browser.open("/report/files")
    browser.press("Send these files at once", files=[Chosen.of("a", b"a")])
    browser.open("/choices")
    browser.press("Send these choices", c2="no")
    house.reply(codename, "Answer.")
    browser.open("/inbox")
    browser.press("Delete for good")
    browser.open("/withdraw")
    browser.press("Withdraw everything now")
    return codename


@pytest.mark.check("K1", "K6")
def test_no_value_in_a_store_is_finer_than_a_day(house: House) -> None:
    whole_life(house)
    house.clock.advance(DAY + HOUR)
    told(house).press("Send my report")

    seen: set[str] = set()
    for store in ("inbox", "outbox"):
        for name, value in values(house, store):
            seen.add(name)
            if isinstance(value, str):
                assert _TEXT.fullmatch(value), (name, value)
            elif isinstance(value, bytes):
                assert len(value) in {32, PROGRESS_BYTES} or name == "replies.box", name
            elif name == "parts.size_bytes":
                assert value in {65_000, *range(64 * 1024, 80 * 1024)}, value
            else:
                assert value is None or value in _NUMBERS.get(name, {1}), (name, value)
    assert {"sources.progress", "sources.withdrawn_day", "sources.last_day", "submissions.day"} <= seen


@pytest.mark.check("K2")
def test_no_file_tells_when_a_report_came_or_was_withdrawn(house: House) -> None:
    whole_life(house)

    kept = [
        house.root / "inbox.db",
        *(house.root / "objects").rglob("*"),
        house.root / "objects",
        house.root / "incoming",
    ]
    assert len(kept) > 10
    assert {path.name: path.stat().st_mtime for path in kept} == {path.name: FROZEN_AT.timestamp() for path in kept}
    assert {path.stat().st_atime for path in kept if path.suffix == ".gpg"} == {FROZEN_AT.timestamp()}


@pytest.mark.check("K1", "G12")
def test_a_row_does_not_say_who_has_told_a_report(house: House) -> None:
    """Everybody has as much progress, and no byte of it is like another."""
    house.sender()
    told(house).press("Send my report")

    found = [value for name, value in values(house, "inbox") if name == "sources.progress"]
    assert [len(value) for value in found if isinstance(value, bytes)] == [PROGRESS_BYTES] * 2
    for value in found:
        assert isinstance(value, bytes)
        # Of 512 bytes that are drawn about 221 kinds are there.
        assert 180 < len(set(value)) < 256


@pytest.mark.check("K6", "D1")
def test_nothing_that_a_browser_says_of_itself_is_kept_with_a_report(house: House) -> None:
    mark = secrets.token_hex(16)
    said = (
        "user-agent",
        "accept-language",
        "referer",
        "sec-ch-ua-platform",
        "sec-ch-viewport-width",
        "dnt",
        "x-time-zone",
    )
    transport = httpx.HTTPTransport(uds=str(house.socket))
    headers = {name: f"{mark}-{name}" for name in said}
    with httpx.Client(transport=transport, base_url=f"http://{HOST}", headers=headers) as client:
        browser = Browser(client)
        browser.open("/")
        browser.press("Tell what happened, step by step")
        browser.press("Continue", r1="victim")
        browser.press("Send what I have so far", w2="Words.")
        assert browser.page.path == "/codename"

    assert len(house.everything()) == 4
    for path in house.root.rglob("*"):
        assert not path.is_file() or mark.encode() not in path.read_bytes(), path.name
    for opened in house.everything():
        assert mark.encode() not in opened.content
        assert mark not in repr(opened.trailer)
        assert b'"language":"en"' in opened.content


@pytest.mark.check("K7")
def test_that_a_source_came_back_and_what_she_read_is_not_kept(house: House) -> None:
    """No time of a login, no "read", nothing that says that somebody is there."""
    codename = shown_codename(told(house).press("Send my report"))
    house.reply(codename, "Answer.")
    before = [sorted(map(repr, values(house, store))) for store in ("inbox", "outbox")]

    house.clock.advance(2 * DAY)
    browser = house.browser()
    browser.open("/login")
    browser.press("Open my inbox", codename=codename)
    assert "Answer." in browser.page.text
    for path in ("/choices", "/withdraw", "/close", "/progress", "/send"):
        assert browser.open(path).status == 200
    browser.open("/inbox")
    browser.press("Go on with my report")
    browser.open("/report/1")
    browser.press("Continue", r1="victim")
    browser.open("/inbox")
    browser.press("Log out")

    assert [sorted(map(repr, values(house, store))) for store in ("inbox", "outbox")] == before


@pytest.mark.check("K7", "K8")
def test_no_open_page_tells_that_anything_has_come(house: House) -> None:
    def shown() -> dict[str, bytes]:
        return {path: re.sub(rb"<!--[0-9a-f]+-->", b"", house.get(path).body) for path in OPEN_PAGES}

    before = shown()
    whole_life(house)
    told(house).press("Send my report")

    assert shown() == before


@pytest.mark.check("C10")
def test_the_codename_of_a_report_is_shown_until_it_is_written_down_and_never_again(house: House) -> None:
    browser = told(house)
    codename = shown_codename(browser.press("Send my report"))
    browser.click("I have written it down")
    browser.press("Check it", codename=codename)

    words = codename.split()
    for address in (
        "/codename",
        "/inbox",
        "/sent",
        "/report/1",
        "/report/check",
        "/report/files",
        "/choices",
        "/send",
        "/close",
    ):
        page = browser.open(address)
        assert codename not in page.text
        assert sum(f" {word} " in f" {page.text} " for word in words) < 4, address
        assert codename not in repr(page.headers)
    assert not [asked for _, asked in browser.requests if words[0] in asked and words[1] in asked]
    assert all(codename not in value for value in browser.cookies.values())
    for path in house.root.rglob("*"):
        assert not path.is_file() or codename.encode() not in path.read_bytes()
    assert all(codename.encode() not in opened.content for opened in house.everything())
