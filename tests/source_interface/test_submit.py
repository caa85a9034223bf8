"""A sending arrives whole or not at all, and its page says which, what was kept, and what to do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from hardening.database import open_to_write
from hardening.files import Room
from source_interface.parts import SourceLimits
from tests.browserlike import Browser, Chosen
from tests.source_interface.house import House, form_body, read_answer, shown_codename, until
from vault.errors import SourceExistsError
from vault.inbox import Inbox
from vault.records import Source
from vault.tables import INBOX

MakeHouse = Callable[..., House]
MIB = 1024 * 1024
TEXT = "What I saw on Monday.\nІ це також.\n  Two spaces, and a tab:\t!"


def typed(browser: Browser) -> str:
    return (browser.page.first("textarea").text or "").removeprefix("\n")


@pytest.mark.check("E14")
@pytest.mark.parametrize("message", ["", " \n\t  \r\n"])
def test_nothing_to_send_is_said_and_nothing_is_made(house: House, message: str) -> None:
    browser = house.begun()

    page = browser.press("Send now", message=message)

    assert page.status == 400
    assert "There was nothing to send" in page.text
    assert house.nothing_kept()


@pytest.mark.check("E14")
def test_a_bodiless_post_makes_nothing(house: House) -> None:
    browser = house.begun()
    cookie = f"Cookie: __Host-visit={browser.cookies['__Host-visit']}"

    for headers in (["Content-Length: 0"], ["Content-Length: 0", "Content-Type: multipart/form-data; boundary=b"]):
        assert house.get("/send", cookie, *headers, method="POST").status in {400, 403, 415}

    assert house.nothing_kept()


def test_an_empty_file_beside_a_good_one_is_named_and_the_good_one_kept(house: House) -> None:
    browser = house.begun()

    page = browser.press("Send now", files=[Chosen.of("лист.pdf", b""), Chosen.of("good.txt", b"good")])

    assert page.path == "/codename"
    assert "1 file was kept" in page.text
    assert "zero bytes" in page.text
    assert "лист.pdf" in page.text
    assert "good.txt" not in page.text
    assert [one.content for one in house.everything()] == [b"good"]


def test_an_empty_file_alone_is_explained(house: House) -> None:
    browser = house.begun()

    page = browser.press("Send now", files=[Chosen.of("letter.pdf", b"")])

    assert page.status == 400
    assert "A file of zero bytes holds nothing" in page.text
    assert house.nothing_kept()


@pytest.mark.check("E5")
def test_eleven_files_are_refused_with_the_text_given_back(house: House) -> None:
    browser = house.begun()

    page = browser.press("Send now", message=TEXT, files=[Chosen.of(f"{n}.txt", b"x" * n) for n in range(1, 12)])

    assert page.status == 400
    assert "more than 10 files" in page.text
    assert "Files have to be chosen again" in page.text
    assert typed(browser) == TEXT
    assert house.nothing_kept()


@pytest.mark.check("E8")
def test_the_longest_message_is_kept_and_one_character_more_given_back(house: House) -> None:
    longest = "ї" * 99_998 + "\nx"
    browser = house.begun()

    page = browser.press("Send now", message=f"{longest}y")
    assert page.status == 400
    assert "longer than 100000 characters" in page.text
    assert typed(browser) == f"{longest}y"
    assert house.nothing_kept()

    assert browser.press("Send now", message=longest).path == "/codename"
    (kept,) = house.everything()
    assert kept.content.decode() == longest.replace("\n", "\r\n")


@pytest.mark.check("E1", "J3")
def test_a_body_without_its_last_boundary_is_no_sending(house: House) -> None:
    browser = house.begun()
    form = browser.page.form("Send now")
    once = form.controls["once"].encode()
    body = form_body(
        "b0", [("once", None, once), ("message", None, TEXT.encode()), ("files", "a", b"aaaa")], closed=False
    )

    answer = house.ask(_post(browser, body))

    assert answer.status == 400
    assert b"Nothing was sent yet" in answer.body
    assert "І це також".encode() in answer.body
    assert house.nothing_kept()


@pytest.mark.check("E6", "D10")
def test_too_much_is_refused_with_the_text_given_back(make_house: MakeHouse) -> None:
    house = make_house(limits=SourceLimits(post_bytes=1_000_000))
    browser = house.begun()

    page = browser.press("Send now", message=TEXT, files=[Chosen.of("big", bytes(1_100_000))])

    assert page.status == 413
    assert typed(browser) == TEXT
    assert house.nothing_kept()


@pytest.mark.check("E6")
def test_too_much_that_was_not_announced_is_noticed_as_it_comes(make_house: MakeHouse) -> None:
    house = make_house(limits=SourceLimits(post_bytes=1_000_000))
    browser = house.begun()
    once = browser.page.form("Send now").controls["once"].encode()
    body = form_body("b0", [("once", None, once), ("message", None, b"m"), ("files", "big", bytes(1_200_000))])
    pieces = [body[start : start + 65536] for start in range(0, len(body), 65536)]
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"

    answer = house.ask(_post(browser, chunked, length="Transfer-Encoding: chunked"))

    assert answer.status == 413
    assert house.nothing_kept()


@pytest.mark.check("D10")
def test_a_source_has_a_share_of_a_day(make_house: MakeHouse) -> None:
    house = make_house(limits=SourceLimits(source_items_per_day=3))
    browser = house.begun()
    browser.press("Send now", message="one", files=[Chosen.of("a", b"a")])
    browser.open("/send")

    page = browser.press("Send now", message=TEXT, files=[Chosen.of("b", b"b")])
    assert page.status == 413
    assert "come back tomorrow" in page.text
    assert typed(browser) == TEXT
    assert len(house.everything()) == 2

    assert browser.press("Send now", message="three").path == "/codename"
    house.clock.advance(timedelta(hours=13).total_seconds())
    again = house.browser()
    again.open("/login")
    again.press("Open my inbox", codename=shown_codename(browser.page))
    again.open("/send")
    assert again.press("Send now", message="a new day").path == "/sent"


@pytest.mark.check("D10")
def test_the_bytes_of_a_day_are_counted_as_they_lie_on_disk(make_house: MakeHouse) -> None:
    house = make_house(limits=SourceLimits(source_bytes_per_day=300_000))
    browser = house.begun()

    page = browser.press("Send now", message="m", files=[Chosen.of("a", bytes(250_000))])

    assert page.status == 413
    assert house.nothing_kept()


@pytest.mark.check("D10")
def test_a_full_disk_is_said_and_passes_by_itself(house: House) -> None:
    browser = house.begun()
    house.room = lambda: Room(free_bytes=5 * 10**9, free_fraction=0.05)

    page = browser.press("Send now", message=TEXT)
    assert page.status == 507
    assert "no room left" in page.text
    assert typed(browser) == TEXT
    late = house.browser()
    late.open("/")
    assert late.press("Begin").status == 507
    assert house.nothing_kept()

    house.room = lambda: Room(free_bytes=5 * 10**10, free_fraction=0.5)
    assert browser.press("Send now").path == "/codename"


@pytest.mark.check("D10")
@pytest.mark.parametrize("announced", [True, False])
def test_a_disk_that_fills_while_a_file_arrives_stops_it(house: House, *, announced: bool) -> None:
    """What was asked for at the beginning says little of what many at once take together."""
    browser = house.begun()
    body = _form_of(browser, b"f" * 4 * MIB)
    half = len(body) // 2

    with house.connection() as connection:
        if announced:
            connection.sendall(_post(browser, b"", length=f"Content-Length: {len(body)}") + body[:half])
        else:
            connection.sendall(_post(browser, b"%x\r\n" % len(body), "Transfer-Encoding: chunked") + body[:half])
        until(lambda: any((house.root / "incoming").iterdir()))
        house.room = lambda: Room(free_bytes=5 * 10**9, free_fraction=0.05)
        connection.sendall(body[half:] + (b"" if announced else b"\r\n0\r\n\r\n"))
        answer = read_answer(connection)

    assert answer.status == 507
    assert b"no room left" in answer.body
    assert "І це також".encode() in answer.body
    assert house.nothing_kept()


@pytest.mark.check("D10")
def test_a_share_is_not_larger_for_whoever_sends_two_at_once(make_house: MakeHouse) -> None:
    house = make_house(limits=SourceLimits(source_bytes_per_day=6 * MIB))
    browser = house.begun()
    bodies = [_form_of(browser, b"a" * 4 * MIB), _form_of(browser, b"b" * 4 * MIB)]

    with house.connection() as one, house.connection() as other:
        for connection, body in zip((one, other), bodies, strict=True):
            connection.sendall(_post(browser, b"", length=f"Content-Length: {len(body)}") + body[: 3 * MIB])
        until(lambda: len(list((house.root / "incoming").iterdir())) == 2)
        answers = []
        for connection, body in zip((one, other), bodies, strict=True):
            connection.sendall(body[3 * MIB :])
            answers.append(read_answer(connection))

    assert [answer.status for answer in answers] == [303, 413]
    assert b"come back tomorrow" in answers[1].body
    assert "І це також".encode() in answers[1].body
    assert [sorted(part.kind for part in one.parts) for one in house.submissions()] == [["file", "manifest", "message"]]


@pytest.mark.check("D10")
def test_the_shares_are_those_of_the_catalogue() -> None:
    limits = SourceLimits()

    assert (limits.source_bytes_per_day, limits.source_items_per_day) == (2 << 30, 100)
    assert (limits.post_bytes, limits.files_per_post, limits.disk_floor_percent) == (524_288_000, 10, 10)


@pytest.mark.check("D10")
@pytest.mark.full
def test_a_hundred_items_are_kept_in_a_day_and_no_more(house: House) -> None:
    browser = house.begun()
    for post in range(10):
        browser.open("/send")
        browser.press("Send now", files=[Chosen.of(f"{post}-{n}", b"x") for n in range(10)])
    browser.open("/send")

    page = browser.press("Send now", message=TEXT)

    assert page.status == 413
    assert typed(browser) == TEXT
    assert len([part for one in house.submissions() for part in one.parts if part.kind == "file"]) == 100


@pytest.mark.check("E15")
def test_files_are_refused_while_only_text_is_taken(make_house: MakeHouse) -> None:
    open_house = make_house()
    form = open_house.begun().page.form("Send now")
    house = make_house(limits=SourceLimits(uploads=False))
    browser = house.begun()
    assert not browser.page.form("Send now").file_controls
    forged = replace(form, controls=browser.page.form("Send now").controls)

    page = browser.submit(forged, {"message": TEXT}, [Chosen.of("a", b"a")])

    assert page.status == 403
    assert typed(browser) == TEXT
    assert house.nothing_kept()
    assert browser.press("Send now").path == "/codename"


@pytest.mark.check("T8")
def test_the_same_form_twice_is_one_sending_with_one_answer(house: House) -> None:
    browser = house.begun()
    form = browser.page.form("Send now")

    first = browser.submit(form, {"message": "once"}, [Chosen.of("a", b"a")])
    second = browser.submit(form, {"message": "once"}, [Chosen.of("a", b"a")])

    assert first.path == second.path == "/codename"
    assert shown_codename(first) == shown_codename(second)
    assert len(house.submissions()) == 1


@pytest.mark.check("T8")
def test_a_form_whose_sending_failed_can_be_sent_again(house: House) -> None:
    browser = house.begun()
    form = browser.page.form("Send now")
    browser.submit(form, {"message": "x" * 100_001})

    page = browser.submit(form, {"message": "short"})

    assert page.path == "/codename"


@pytest.mark.check("C11")
@pytest.mark.parametrize("abandoned", [5, pytest.param(100, marks=pytest.mark.full)])
def test_whoever_begins_and_leaves_has_left_nothing(house: House, abandoned: int) -> None:
    before = {path: path.read_bytes() for path in house.root.rglob("*") if path.is_file()}

    for _ in range(abandoned):
        browser = house.begun()
        assert browser.open("/codename").path == "/send"
        assert browser.open("/codename/retype").path == "/send"

    assert house.nothing_kept()
    assert {path: path.read_bytes() for path in house.root.rglob("*") if path.is_file()} == before


@pytest.mark.check("C13")
@pytest.mark.parametrize(("taken", "status"), [(0, 303), (1, 303), (3, 303), (4, 500)])
def test_a_codename_that_is_taken_is_drawn_anew(make_house: MakeHouse, taken: int, status: int) -> None:
    """Nobody will ever see it. Four times in a row it is our own fault, and a page says so."""
    house = make_house(change=lambda parts: replace(parts, inbox=Crowded(parts.inbox, taken)))
    browser = house.browser()
    browser.open("/")

    page = browser.press("Begin")

    assert page.path == ("/send" if status == 303 else "/begin")
    assert page.status == (200 if status == 303 else 500)
    if status == 303:
        assert browser.press("Send now", message="x").path == "/codename"
    else:
        assert browser.cookies == {}


class Crowded(Inbox):
    """An inbox in which the first codenames that are drawn lead to somebody already."""

    def __init__(self, inbox: Inbox, taken: int) -> None:
        self.__dict__ |= vars(inbox)
        self._taken = taken

    def new_source(self, lookup_id: bytes, public_key: bytes) -> Source:
        self._taken -= 1
        if self._taken >= 0:
            raise SourceExistsError("the lookup id is in use")
        return super().new_source(lookup_id, public_key)


def test_two_first_sendings_of_one_visit_are_one_source(house: House) -> None:
    browser = house.begun()
    other = house.browser()
    other.cookies = browser.cookies
    other.open("/send")

    browser.press("Send now", message="one")
    page = other.press("Send now", message="two")

    assert page.path == "/codename"
    assert len(house.reader.newest()) == 1
    assert len(house.submissions()) == 2


@pytest.mark.check("C10")
def test_a_codename_in_the_message_is_kept_out_and_told_kindly(house: House) -> None:
    browser = house.begun()
    codename = shown_codename(browser.press("Send now", message="first"))
    browser.open("/send")

    page = browser.press("Send now", message=f"Remember: {codename.upper()}. Yours.")

    assert page.status == 400
    assert "Your message held a codename" in page.text
    assert typed(browser) == "Remember: …. Yours."
    assert codename not in page.body.decode()
    assert len(house.submissions()) == 1


def test_files_beside_a_codename_are_kept(house: House) -> None:
    browser = house.begun()
    codename = shown_codename(browser.press("Send now", message="first"))
    browser.open("/send")

    page = browser.press("Send now", message=codename, files=[Chosen.of("a", b"kept")])

    assert "1 file was kept" in page.text
    assert "What was not kept" in page.text
    assert "write it again without those words" in page.text
    assert {one.content for one in house.everything()} == {b"first", b"kept"}


@pytest.mark.check("G16")
def test_what_the_source_encrypted_herself_is_taken_as_it_is_and_marked(house: House) -> None:
    armored = "-----BEGIN PGP MESSAGE-----\n\nhQEMA0vwS8PRYwWhAQf/ZmFrZQ==\n=abcd\n-----END PGP MESSAGE-----\n"
    with house.reader.open_part(_first_part(house)) as part:
        binary = part.read()
    browser = house.begun()

    page = browser.press("Send now", message=armored, files=[Chosen.of("report.gpg", binary)])

    assert "already encrypted" in page.text
    found = {one.trailer.kind: one for one in house.everything() if one.trailer.preencrypted}
    assert found["message"].content.decode().replace("\r\n", "\n") == armored
    assert found["file"].content == binary


@pytest.mark.check("G6")
def test_below_the_quorum_nobody_new_may_begin_but_help_and_inbox_stay_open(house: House) -> None:
    _, codename = house.sender()
    house.desk = None

    browser = house.browser()
    assert "Closed for new reports" in browser.open("/").text
    assert all("Begin" not in form.buttons for form in browser.page.forms)
    answer = house.get("/begin", "Content-Length: 0", method="POST")
    assert answer.status == 503
    assert answer.every("retry-after")
    for path in ("/safety", "/limits", "/keys", "/login"):
        assert browser.open(path).status == 200
    assert browser.press("Open my inbox", codename=codename).status == 200
    assert browser.open("/send").status == 503


@pytest.mark.check("G6")
def test_a_begun_report_still_seals_to_the_keyset_it_began_with(house: House) -> None:
    house.clock.advance(timedelta(hours=11, minutes=50).total_seconds())
    browser = house.begun()
    house.desk = None
    # Past midnight, too: gpg is told the day on which the keys were chosen.
    house.clock.advance(timedelta(minutes=20).total_seconds())

    page = browser.press("Send now", message="in time")

    assert page.path == "/codename"
    assert {one.content for one in house.everything(0) + house.everything(1)} == {b"in time"}


def test_a_visit_that_ended_gives_the_text_back(house: House) -> None:
    browser = house.begun()
    form = browser.page.form("Send now")
    house.clock.advance(31 * 60)

    page = browser.submit(form, {"message": TEXT}, [Chosen.of("a", b"a")])

    assert page.status == 403
    assert "Your visit had ended" in page.text
    assert typed(browser) == TEXT
    assert house.nothing_kept()


@pytest.mark.check("C8")
@pytest.mark.parametrize("spoil", [lambda _: "", lambda t: t[:-1], lambda t: t + t, str.swapcase, lambda _: "0" * 75])
def test_a_sending_without_its_own_token_is_refused(house: House, spoil: Callable[[str], str]) -> None:
    browser = house.begun()
    form = browser.page.form("Send now")

    page = browser.submit(form, {"once": spoil(form.controls["once"]), "message": TEXT})

    assert page.status == 403
    assert house.nothing_kept()


@pytest.mark.check("C8")
def test_a_token_of_another_visit_is_refused(house: House) -> None:
    stranger, browser = house.begun(), house.begun()

    page = browser.submit(stranger.page.form("Send now"), {"message": TEXT})

    assert page.status == 403
    assert house.nothing_kept()


@pytest.mark.check("G1")
def test_a_locked_store_is_waited_for_and_then_said(house: House) -> None:
    browser = house.begun()
    other = open_to_write(house.urls["inbox"], INBOX)
    with other.writing():
        page = browser.press("Send now", message=TEXT)
    other.close()

    assert page.status == 503
    assert typed(browser) == TEXT
    assert house.nothing_kept()
    assert browser.press("Send now").path == "/codename"


def _form_of(browser: Browser, content: bytes) -> bytes:
    """Write the form as a browser does, with a token of its own."""
    once = browser.open("/send").form("Send now").controls["once"].encode()
    return form_body("b0", [("once", None, once), ("message", None, TEXT.encode()), ("files", "a", content)])


def _first_part(house: House) -> str:
    house.begun().press("Send now", message="before")
    return next(part.part_id for part in house.submissions()[0].parts if part.kind == "message")


def _post(browser: Browser, body: bytes, length: str = "") -> bytes:
    lines = [
        "POST /send HTTP/1.1",
        "Host: abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx.onion",
        f"Cookie: __Host-visit={browser.cookies['__Host-visit']}",
        "Content-Type: multipart/form-data; boundary=b0",
        length or f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
