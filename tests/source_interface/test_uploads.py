"""Files pass through memory into gpg, as many bytes as came, whatever they are called and whatever breaks."""

import gc
import logging
import os
import secrets
import select
import stat
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

import psutil
import pytest

from keys.argon import ArgonParameters
from keys.codename import new
from keys.gpg import Gpg
from source_interface.parts import SourceLimits
from tests.browserlike import Chosen
from tests.processes import name_of
from tests.source_interface.house import HOST, House, form_body, read_answer, until

MakeHouse = Callable[..., House]
MIB = 1024 * 1024
NAMES = [
    *("../../x", "..\\x", "/etc/x", "C:\\x", ".", "..", "x" * 300, "пам’ять.jpg", "صورة.png", "😀.gif"),
    *("\x1b[31mred", "a\u202egpj.exe", "-rf", "a;b=c", " spaced ", "line\nbreak"),
]


@pytest.mark.check("E10", "E11")
def test_names_are_kept_inside_and_nowhere_else(make_house: MakeHouse) -> None:
    house = make_house(limits=SourceLimits(files_per_post=50))
    browser = house.begun()

    browser.press("Send now", files=[Chosen.of(name, name.encode()) for name in NAMES])

    kept = {one.content.decode(): one.trailer.name for one in house.everything()}
    assert kept == {name: name.replace("\n", "%0A") for name in NAMES}
    for path in (house.root / "objects").rglob("*"):
        assert set(path.name) <= set("0123456789abcdef.gp")


@pytest.mark.check("E10", "E11", "E12")
@pytest.mark.parametrize(
    ("disposition", "status"),
    [
        (b'form-data; name="files"; filename="nul\x00"', 400),
        (b"form-data; name=\"files\"; filename*=UTF-8''..%2f..%2fx", 400),
        (b'form-data; name="files"; filename="plain"; filename*=UTF-8\'\'..%2fx', 400),
        (b'form-data; name="files"; name="message"; filename="a"', 400),
        (b'form-data; name="files"; filename="a"; filename="b"', 400),
        (b'form-data; name="other"; filename="a"', 400),
        (b'form-data; name="message"', 400),
        (b'form-data; name="files"; filename="\xff\xfe"', 303),
    ],
)
def test_dispositions_that_no_browser_writes_are_refused(house: House, disposition: bytes, status: int) -> None:
    browser = house.begun()
    once = browser.page.form("Send now").controls["once"].encode()
    start = form_body("b0", [("once", None, once), ("message", None, b"m")], closed=False)
    body = start + b"--b0\r\nContent-Disposition: %b\r\n\r\nx\r\n--b0--\r\n" % disposition

    answer = house.ask(_head(browser.cookies["__Host-visit"], len(body)) + body)

    assert answer.status == status
    assert house.nothing_kept() == (status == 400)
    if status == 303:
        assert "��" in {one.trailer.name for one in house.everything()}


@pytest.mark.check("E13")
@pytest.mark.parametrize("mebibytes", [3, pytest.param(20, marks=pytest.mark.full)])
@pytest.mark.parametrize("begins", [b"\r", b"\n", b"\r\n" * 1000])
def test_line_ends_in_files_are_bytes_like_others(house: House, begins: bytes, mebibytes: int) -> None:
    content = begins + bytes(mebibytes * MIB) if len(begins) == 1 else begins * (mebibytes * MIB // len(begins))

    house.begun().press("Send now", files=[Chosen.of("a", content)])

    assert [one.content for one in house.everything()] == [content]


@pytest.mark.check("E6")
@pytest.mark.full
def test_five_hundred_mebibytes_are_the_most_whatever_was_announced(house: House) -> None:
    browser = house.begun()
    once = browser.page.form("Send now").controls["once"].encode()
    start = form_body("b0", [("once", None, once), ("message", None, b"m"), ("files", "a", bytes(MIB))], closed=False)
    head = _head(browser.cookies["__Host-visit"], 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    sent = 0

    with house.connection(60) as connection:
        connection.sendall(head + b"%x\r\n%b\r\n" % (len(start[:-2]), start[:-2]))
        # A server that has heard enough hangs up; its answer is still to be read.
        with suppress(BrokenPipeError, ConnectionResetError):
            while sent < 510 and not select.select([connection], [], [], 0)[0]:
                connection.sendall(b"%x\r\n%b\r\n" % (MIB, bytes(MIB)))
                sent += 1
        answer = read_answer(connection)

    assert answer.status == 413
    assert 498 <= sent <= 503
    assert house.nothing_kept()


@pytest.mark.parametrize("size_bytes", [1, MIB - 1, MIB, MIB + 1, 5 * MIB])
def test_every_size_arrives_byte_for_byte(house: House, size_bytes: int) -> None:
    content = secrets.token_bytes(size_bytes)

    house.begun().press("Send now", files=[Chosen.of("a", content), Chosen.of("b", b"after")])

    assert {one.content for one in house.everything()} == {content, b"after"}


@pytest.mark.check("J3")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_sender_who_vanishes_leaves_nothing(house: House, share: float, caplog: pytest.LogCaptureFixture) -> None:
    """Not even a line in a log: that somebody's connection broke is nobody's business."""
    browser = house.begun()
    once = browser.page.form("Send now").controls["once"].encode()
    body = form_body("b0", [("once", None, once), ("message", None, b"m"), ("files", "a", bytes(4 * MIB))])

    with house.connection() as connection:
        connection.sendall(_head(browser.cookies["__Host-visit"], len(body)) + body[: int(len(body) * share)])
        if share > 0.1:
            until(lambda: any((house.root / "incoming").iterdir()))

    until(house.nothing_kept, 5)
    until(lambda: not _gpgs(), 5)
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.check("J3")
def test_a_sender_who_vanishes_after_the_last_byte_has_sent(house: House) -> None:
    browser = house.begun()
    once = browser.page.form("Send now").controls["once"].encode()
    body = form_body("b0", [("once", None, once), ("message", None, b"m"), ("files", "a", b"all of it")])

    with house.connection() as connection:
        connection.sendall(_head(browser.cookies["__Host-visit"], len(body)) + body)

    until(lambda: len(house.submissions()) == 1)
    assert {one.content for one in house.everything()} == {b"m", b"all of it"}


@pytest.mark.check("C5")
def test_leaving_in_another_tab_stops_an_upload(house: House) -> None:
    browser = house.begun()
    once = browser.page.form("Send now").controls["once"].encode()
    body = form_body("b0", [("once", None, once), ("message", None, b"m"), ("files", "a", bytes(4 * MIB))])

    with house.connection() as connection:
        connection.sendall(_head(browser.cookies["__Host-visit"], len(body)) + body[: 2 * MIB])
        until(lambda: any((house.root / "incoming").iterdir()))
        browser.open("/exit")
        connection.sendall(body[2 * MIB :])
        answer = read_answer(connection)

    assert answer.status == 403
    assert house.nothing_kept()


@pytest.mark.check("C6")
def test_an_upload_of_two_and_a_half_hours_that_began_in_time_arrives(house: House) -> None:
    """And the page that says so can be read; whoever only looks on would have been out after two."""
    browser = house.begun()
    once = browser.page.form("Send now").controls["once"].encode()
    content = secrets.token_bytes(3 * MIB)
    body = form_body("b0", [("once", None, once), ("message", None, b"m"), ("files", "a", content)])
    pieces = [body[start : start + len(body) // 6 + 1] for start in range(0, len(body), len(body) // 6 + 1)]
    house.clock.advance(25 * 60)

    with house.connection() as connection:
        connection.sendall(_head(browser.cookies["__Host-visit"], len(body)))
        for piece in pieces:
            connection.sendall(piece)
            # The session's last sign of life is this piece.
            until(lambda: {kept.seen_at for kept in house.sessions._kept.values()} == {house.clock.monotonic()})
            house.clock.advance(25 * 60 if piece != pieces[-1] else 0)
        answer = read_answer(connection)

    assert len(pieces) == 6
    assert (answer.status, answer.every("location")) == (303, ["/codename"])
    assert browser.open("/codename").status == 200
    assert {one.content for one in house.everything()} == {b"m", content}


@pytest.mark.check("G1", "J1")
@pytest.mark.parametrize(
    "behaviour",
    [
        "exit 2",
        "cat >/dev/null; exit 0",
        "cat >/dev/null; echo '[GNUPG:] END_ENCRYPTION' >&${status}; echo nonsense; exit 0",
        "head -c 10 >/dev/null; kill -9 $$",
    ],
)
@pytest.mark.parametrize("size_bytes", [10, 3 * MIB])
def test_a_gpg_that_fails_or_lies_keeps_nothing(
    make_house: MakeHouse, tmp_path: Path, behaviour: str, size_bytes: int
) -> None:
    fake = tmp_path / "gpg"
    fake.write_text(f"#!/bin/bash\nstatus=$(printf '%s\\n' \"$@\" | grep -A1 -- --status-fd | tail -1)\n{behaviour}\n")
    fake.chmod(0o700)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    house = make_house(gpg=Gpg(home, program=str(fake)))
    browser = house.begun()

    page = browser.press("Send now", message="my words", files=[Chosen.of("a", bytes(size_bytes))])

    assert page.status == 500
    assert "could not be sealed, so nothing was kept" in page.text
    assert "my words" in (page.first("textarea").text or "")
    assert house.nothing_kept()


@pytest.mark.check("G1")
def test_without_gpg_nothing_is_kept_and_the_text_comes_back(make_house: MakeHouse, tmp_path: Path) -> None:
    house = make_house(gpg=Gpg(tmp_path, program=str(tmp_path / "no-gpg")))

    page = house.begun().press("Send now", message="my words")

    assert page.status == 500
    assert house.nothing_kept()


@pytest.mark.check("F9")
def test_no_page_gives_back_what_was_sent(house: House) -> None:
    mark = secrets.token_hex(16)
    browser, _ = house.sender(message=f"words {mark}", files=[Chosen.of(f"{mark}.txt", mark.encode())])

    for path in ("/", "/send", "/sent", "/inbox", "/codename", "/close"):
        assert mark not in browser.open(path).body.decode()


def test_stored_files_are_private_and_tell_no_time(house: House) -> None:
    house.sender(files=[Chosen.of("a", b"a")])

    for path in (house.root / "objects").rglob("*.gpg"):
        found = path.stat()
        assert stat.S_IMODE(found.st_mode) & 0o007 == 0
        assert found.st_mtime == found.st_atime


@pytest.mark.check("D10")
def test_one_source_cannot_take_every_place_for_large_files(house: House) -> None:
    """Uploads that hardly move once held all 32 places, and everybody else's files over 1 MiB waited behind them."""
    browser = house.begun()
    bodies = []
    for _ in range(6):
        once = browser.open("/send").form("Send now").controls["once"].encode()
        bodies.append(form_body("b0", [("once", None, once), ("message", None, b"m"), ("files", "a", bytes(3 * MIB))]))

    with ExitStack() as ends:
        slow = [ends.enter_context(house.connection()) for _ in bodies]
        for number, (connection, body) in enumerate(zip(slow, bodies, strict=True), 1):
            connection.sendall(_head(browser.cookies["__Host-visit"], len(body)) + body[: 2 * MIB])
            until(partial(_has_folders, house, min(number, 4)))
        for connection, body in zip(slow[4:], bodies[4:], strict=True):
            connection.sendall(body[2 * MIB :])
        refused = [read_answer(connection) for connection in slow[4:]]
        assert [answer.status for answer in refused] == [503, 503]
        assert all(b">m</textarea>" in answer.body.replace(b"\n", b"") for answer in refused)

        other = house.begun()
        assert other.press("Send now", files=[Chosen.of("a", bytes(3 * MIB))]).path == "/codename"

        slow[0].sendall(bodies[0][2 * MIB :])
        assert read_answer(slow[0]).status == 303
        again = browser.open("/send").form("Send now")
        assert browser.submit(again, {}, [Chosen.of("a", bytes(3 * MIB))]).path == "/codename"


def _has_folders(house: House, number: int) -> bool:
    return len(list((house.root / "incoming").iterdir())) == number


@pytest.mark.check("D13")
def test_large_uploads_pass_through_a_little_memory(house: House) -> None:
    """One after another, 96 MiB each; `tests/flow/test_memory.py` has eight at once."""
    browsers = [house.begun() for _ in range(3)]
    browsers[0].press("Send now", files=[Chosen("warm", _zeros(8 * MIB), 8 * MIB)])
    process = psutil.Process(os.getpid())
    before = process.memory_info().rss
    peak = 0
    for browser in browsers:
        page = browser.open("/send") if browser.page.path != "/send" else browser.page
        form = page.form("Send now")
        browser.submit(form, {}, [Chosen("big", _zeros(96 * MIB), 96 * MIB)])
        peak = max(peak, process.memory_info().rss)

    assert peak - before < 64 * MIB
    assert len(house.submissions()) == 4


@pytest.mark.check("D12")
def test_the_event_loop_is_never_held_up(make_house: MakeHouse) -> None:
    """A slice: pages are asked for, one after another, while 64 MiB arrive, gpg runs and codenames are derived."""
    house = make_house(argon=ArgonParameters(memory_kib=32 * 1024, passes=3))
    sender, guest, page = house.begun(), house.browser(), house.browser()
    done = threading.Event()

    def send() -> None:
        sender.press("Send now", message="m " * 40_000, files=[Chosen("big", _zeros(64 * MIB), 64 * MIB)])
        done.set()

    def guess() -> None:
        while not done.is_set():
            guest.open("/login")
            guest.press("Open my inbox", codename=" ".join(new(secrets.randbelow).words()))

    threads = [threading.Thread(target=work) for work in (send, guess)]
    for thread in threads:
        thread.start()
    gaps: list[float] = []
    while not done.is_set():
        began = time.monotonic()
        page.open("/blank")
        gaps.append(time.monotonic() - began)
    for thread in threads:
        thread.join()

    # The test shares its interpreter with the server, so its own client is in these figures.
    assert sorted(gaps)[len(gaps) * 9 // 10] <= 0.25


def _zeros(size_bytes: int) -> BinaryIO:
    return cast("BinaryIO", _Zeros(size_bytes))


class _Zeros(RawIOBase):
    """A large file that takes no room."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        self._left = size_bytes

    def read(self, size: int = -1, /) -> bytes:
        taken = min(size, self._left)
        self._left -= taken
        return bytes(taken)


def _head(cookie: str, length: int) -> bytes:
    lines = [
        "POST /send HTTP/1.1",
        f"Host: {HOST}",
        f"Cookie: __Host-visit={cookie}",
        "Content-Type: multipart/form-data; boundary=b0",
        f"Content-Length: {length}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _gpgs() -> list[int]:
    return [child.pid for child in psutil.Process().children(recursive=True) if name_of(child) == "gpg"]
