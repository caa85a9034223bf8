"""Whoever comes back finds replies and nothing she sent; whoever guesses finds an empty inbox, as fast and as large."""

import random
import secrets
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from math import sqrt

import pytest

from keys.argon import ArgonParameters
from keys.codename import new, parse
from source_interface.pages import PAGE_BYTES
from source_interface.parts import SourceLimits
from tests.browserlike import Browser, Page
from tests.source_interface.house import FIRST_FORM, HOST, Answer, House, shown_codename, small_form

MakeHouse = Callable[..., House]
_SLOW = ArgonParameters(memory_kib=128 * 1024, passes=9)
# A fiftieth of the real cost.
_QUICK = ArgonParameters(memory_kib=8 * 1024, passes=1)


def log_in(house: House, codename: str) -> Browser:
    browser = house.browser()
    browser.open("/login")
    browser.press("Open my inbox", codename=codename)
    return browser


def unknown_codename() -> str:
    return " ".join(new(secrets.randbelow).words())


@pytest.mark.parametrize(
    "change",
    [
        str.upper,
        str.title,
        lambda words: words.replace(" ", "   "),
        lambda words: f"\t{words}\n",
        lambda words: words.replace(" ", "\u00a0"),
        lambda words: "".join(chr(ord(letter) + 0xFEE0) if letter.isalpha() else letter for letter in words),
        lambda words: words.replace(" ", "-"),
        lambda words: " ".join(parse(words).digits()),
    ],
)
def test_a_codename_opens_the_inbox_however_it_was_pasted(house: House, change: Callable[[str], str]) -> None:
    _, codename = house.sender()

    page = log_in(house, change(codename)).page

    assert page.path == "/inbox"
    assert "4 March 2026" in page.text


@pytest.mark.check("C16")
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda words: " ".join(["wrongword", *words.split()[1:]]), "Word number 1 is not in our list"),
        (lambda words: " ".join(["abacus", *words.split()[1:]]), "the parts do not belong together"),
        (lambda words: " ".join(words.split()[:-1]), "This codename should have 8 words"),
        (lambda _: "1234 5678", "A codename has 32 digits"),
        (lambda words: words * 3, "much longer than a codename"),
        (lambda words: words * 200, "much longer than a codename"),
        (lambda _: "  ", "The field was empty"),
    ],
)
def test_a_slip_is_answered_at_once_with_what_was_typed(house: House, spoil: Callable[[str], str], says: str) -> None:
    _, codename = house.sender()
    typed = spoil(codename)
    browser = house.browser()
    browser.open("/login")

    page = browser.press("Open my inbox", codename=typed)

    assert page.status == 400
    assert says in page.text
    assert "Nothing was looked up" in page.text
    assert page.first("textarea").text == (typed if len(typed) <= 4096 and typed.strip() else None)
    assert browser.cookies == {}


@pytest.mark.check("C16")
def test_what_is_too_long_is_refused_before_any_hashing(make_house: MakeHouse) -> None:
    """Argon2 with these parameters takes a second: no answer that ran it could come so soon."""
    house = make_house(argon=_SLOW)
    browser = house.browser()
    browser.open("/login")

    # The server is a thread of this process: its CPU time does not tell how busy the machine is.
    began = time.process_time()
    browser.press("Open my inbox", codename="a" * 129)
    took = time.process_time() - began

    assert took < 0.2


@pytest.mark.check("C17", "B9")
def test_an_unknown_codename_meets_the_same_answers(house: House) -> None:
    _, known = house.sender()
    closing, empty = house.sender()
    closing.open("/close")
    closing.press("Close my inbox for good")

    answers = {
        name: _login_bytes(house, words)
        for name, words in (("known", known), ("closed", empty), ("unknown", unknown_codename()))
    }

    assert len({_shape(raw) for raw, _ in answers.values()}) == 1
    pages = {name: page for name, (_, page) in answers.items()}
    assert {len(page.body) for page in pages.values()} == {PAGE_BYTES}
    assert {page.status for page in pages.values()} == {200}
    assert pages["closed"].text == pages["unknown"].text


@pytest.mark.check("C18")
def test_right_and_wrong_codenames_take_the_same_time(make_house: MakeHouse) -> None:
    _compare_times(make_house(argon=_QUICK), 60, welch=4.5, milliseconds=4.0)


@pytest.mark.full
@pytest.mark.check("C18")
def test_right_and_wrong_codenames_take_the_same_time_in_full(make_house: MakeHouse) -> None:
    _compare_times(make_house(argon=_QUICK), 1000, welch=4.5, milliseconds=1.0)


@pytest.mark.check("C23")
@pytest.mark.parametrize("wrong", [30, pytest.param(1000, marks=pytest.mark.full)])
def test_wrong_codenames_lock_nobody_out(house: House, wrong: int) -> None:
    _, codename = house.sender()
    browser = house.browser()
    browser.open("/login")
    form = browser.page.form("Open my inbox")

    for _ in range(wrong):
        assert browser.submit(form, {"codename": unknown_codename()}).path == "/inbox"

    assert "4 March 2026" in log_in(house, codename).page.text


def test_an_unknown_codename_can_send_nothing_but_begin_anew(house: House) -> None:
    browser = log_in(house, unknown_codename())

    assert "There is nothing under this codename" in browser.page.text
    assert browser.open("/send").status == 403
    browser.open("/inbox")
    assert browser.press("Begin anew").path == "/send"
    assert browser.press("Send now", message="anew").path == "/codename"
    assert len(house.reader.newest()) == 1


@pytest.mark.check("C22")
def test_a_fourth_visit_ends_the_first_and_says_so(house: House) -> None:
    _, codename = house.sender()
    browsers = [log_in(house, codename) for _ in range(3)]

    fourth = log_in(house, codename)

    assert "The oldest visit has been ended" in fourth.page.text
    assert browsers[0].open("/inbox").status == 403
    assert browsers[1].open("/inbox").status == 200


@pytest.mark.check("C22")
def test_who_comes_back_in_the_same_window_is_not_told_that_somebody_else_did(house: House) -> None:
    """The visit that she leaves behind is not one of the three: nobody's was ended, and nobody else knows the words."""
    _, codename = house.sender()
    browsers = [log_in(house, codename) for _ in range(2)]
    again = log_in(house, codename)

    again.open("/login")
    page = again.press("Open my inbox", codename=codename)

    assert "somebody else knows your codename" not in page.text
    assert all(browser.open("/inbox").status == 200 for browser in browsers)


@pytest.mark.check("C4")
@pytest.mark.parametrize("way", ["come back", "begin anew"])
def test_a_new_visit_in_the_same_browser_ends_the_one_before(house: House, way: str) -> None:
    _, codename = house.sender()
    browser = log_in(house, codename if way == "come back" else unknown_codename())
    before = browser.cookies["__Host-visit"]

    if way == "come back":
        browser.open("/login")
        browser.press("Open my inbox", codename=codename)
    else:
        browser.press("Begin anew")

    assert browser.cookies["__Host-visit"] != before
    assert browser.open("/close").status == 200
    assert house.get("/close", f"Cookie: __Host-visit={before}").status == 403


@pytest.mark.check("C4")
def test_a_cookie_that_somebody_else_has_set_is_not_taken_up(house: House) -> None:
    _, codename = house.sender()
    stranger = house.begun().cookies["__Host-visit"]
    for planted in ("fixed", stranger):
        browser = house.browser()
        browser.open("/login")
        browser.cookies = {"__Host-visit": planted}
        browser.press("Open my inbox", codename=codename)

        assert browser.page.path == "/inbox"
        assert browser.cookies["__Host-visit"] != planted
        assert house.get("/inbox", f"Cookie: __Host-visit={planted}").status == 403


@pytest.mark.check("F12")
def test_replies_are_read_by_their_own_codename_alone(house: House) -> None:
    _, mine = house.sender()
    _, other = house.sender()
    house.reply(mine, "Only for you: <b>бережіть себе</b>")

    assert "Only for you: <b>бережіть себе</b>" in log_in(house, mine).page.text
    assert "Only for you" not in log_in(house, other).page.text
    assert b"Only for you" not in (house.root / "outbox.db").read_bytes()


@pytest.mark.check("B9")
def test_an_inbox_is_one_size_with_none_one_and_five_replies(house: House) -> None:
    _, codename = house.sender()
    sizes = [len(log_in(house, codename).page.body)]
    for number in range(5):
        house.reply(codename, f"Reply {number}. " + "Дякуємо. " * 60)
        sizes.append(len(log_in(house, codename).page.body))

    assert set(sizes) == {PAGE_BYTES}


def test_a_deleted_reply_never_comes_back(house: House) -> None:
    _, codename = house.sender()
    reply_id = house.reply(codename, "Read me once.")
    browser = log_in(house, codename)

    browser.press("Delete for good")

    assert "Read me once" not in browser.page.text
    assert "Read me once" not in log_in(house, codename).page.text
    assert house.reader.deleted_replies() == frozenset({reply_id})


def test_nobody_deletes_anothers_reply(house: House) -> None:
    _, victim = house.sender()
    _, attacker = house.sender()
    reply_id = house.reply(victim, "Stay.")
    house.reply(attacker, "Mine.")
    browser = log_in(house, attacker)
    form = browser.page.form("Delete for good")

    page = browser.submit(form, {"reply": reply_id})

    assert page.path == "/inbox"
    assert house.reader.deleted_replies() == frozenset()
    assert "Stay." in log_in(house, victim).page.text


@pytest.mark.check("C5", "A7")
def test_closing_ends_every_visit_and_logging_out_one(house: House) -> None:
    first, codename = house.sender()
    second = log_in(house, codename)
    third = log_in(house, codename)
    cookie = third.cookies["__Host-visit"]

    third.press("Log out")
    assert third.page.path == "/left"
    assert house.get("/inbox", f"Cookie: __Host-visit={cookie}").status == 403

    second.open("/close")
    second.press("Close my inbox for good")
    assert second.page.path == "/closed"
    assert first.open("/inbox").status == 403
    assert house.inbox.find(house.secrets(codename).lookup_id) is None
    assert len(house.submissions()) == 1


@pytest.mark.check("A7", "C7")
@pytest.mark.parametrize("path", ["/exit", "/logout", "/close"])
def test_every_way_out_has_the_browser_forget(house: House, path: str) -> None:
    browser, _ = house.sender()
    browser.open("/close")
    cookie = f"Cookie: __Host-visit={browser.cookies['__Host-visit']}"
    token = browser.page.form("Close my inbox for good").controls["token"]
    if path == "/exit":
        answer = house.get(path, cookie)
    else:
        body = f"token={token}".encode()
        lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}", cookie, f"Content-Length: {len(body)}"]
        answer = house.ask(
            "\r\n".join([*lines, "Content-Type: application/x-www-form-urlencoded"]).encode() + b"\r\n\r\n" + body
        )

    assert answer.status == 303
    assert answer.every("clear-site-data") == ['"cache", "cookies", "storage"']
    assert answer.every("set-cookie") == ["__Host-visit=; Path=/; Secure; HttpOnly; SameSite=Strict"]
    assert house.get("/inbox", cookie).status == 403


def test_the_way_out_is_first_on_every_page(house: House) -> None:
    browser, _ = house.sender()
    for path in ("/", "/safety", "/keys", "/login", "/inbox", "/send", "/close", "/no-such-page"):
        assert browser.open(path).links[0] == ("Leave quickly", "/exit"), path


@pytest.mark.check("C1", "C2")
def test_a_cookie_comes_when_it_is_needed_and_is_a_strict_one(house: House) -> None:
    for path in ("/", "/safety", "/limits", "/keys", "/login", "/left", "/style.css", "/uk/"):
        assert house.get(path).every("set-cookie") == []

    (cookie,) = house.begin().every("set-cookie")

    name_and_value, *attributes = cookie.split("; ")
    assert name_and_value.startswith("__Host-visit=")
    assert len(name_and_value) <= 256
    assert sorted(attributes) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]


@pytest.mark.check("C8")
@pytest.mark.parametrize(
    "path", ["/logout", "/close", "/codename/skip", "/inbox/delete", "/withdraw", "/withdraw/undo"]
)
@pytest.mark.parametrize("kind", ["missing", "stranger", "cut", "doubled", "swapped"])
def test_no_change_without_the_visits_own_token(house: House, path: str, kind: str) -> None:
    browser = house.begun()
    codename = shown_codename(browser.press("Send now", message="x"))
    house.reply(codename, "reply")
    browser.open("/inbox")
    token = browser.page.form("Log out").controls["token"]
    stranger = house.begun().page.form("Log out").controls["token"]
    forged = {
        "missing": "",
        "stranger": f"token={stranger}",
        "cut": f"token={token[:-1]}",
        "doubled": f"token={token}&token={token}",
        "swapped": f"token={token.swapcase()}",
    }[kind].encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        f"Cookie: __Host-visit={browser.cookies['__Host-visit']}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(forged)}",
    ]

    answer = house.ask("\r\n".join(lines).encode() + b"\r\n\r\n" + forged)

    assert answer.status in {400, 403}
    page = browser.open("/inbox")
    assert page.status == 200
    assert "You have not yet finished with your codename" in page.text
    assert "reply" in page.text


@pytest.mark.check("E7", "E18")
@pytest.mark.parametrize(
    ("media_type", "body", "status"),
    [
        ("application/x-www-form-urlencoded", FIRST_FORM + b"&codename=a;b=c", 400),
        ("application/x-www-form-urlencoded", b"a;" * 60_000, 400),
        ("application/x-www-form-urlencoded", b"&".join([b"codename=a"] * 60), 400),
        ("application/x-www-form-urlencoded", b"codename=a&other=b", 400),
        ("application/x-www-form-urlencoded", b"codename=a&codename=b", 400),
        ("application/json", b'{"codename": "a"}', 415),
        ("text/plain", b"codename=a", 415),
    ],
)
def test_what_is_not_the_login_form_is_refused_quickly(house: House, media_type: str, body: bytes, status: int) -> None:
    lines = ["POST /login HTTP/1.1", f"Host: {HOST}", f"Content-Type: {media_type}", f"Content-Length: {len(body)}"]

    began = time.process_time()
    answer = house.ask("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    assert answer.status == status
    assert time.process_time() - began < 1
    assert answer.every("set-cookie") == []


@pytest.mark.check("D2", "C14")
def test_too_many_codenames_at_once_are_asked_to_wait(make_house: MakeHouse) -> None:
    house = make_house(argon=_SLOW, limits=SourceLimits(derivations_at_once=1, derivations_waiting=1))
    answers: list[Answer] = []
    threads = [threading.Thread(target=lambda: answers.append(house.begin())) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answer.status for answer in answers) == [303, 303, 503, 503]
    for answer in answers:
        if answer.status == 503:
            assert answer.every("retry-after") == ["60"]
            assert b"Many people are here just now" in answer.body


@pytest.mark.check("C9")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (["Sec-Fetch-Site: cross-site"], 403),
        (["Origin: http://evil.example"], 403),
        (["Origin: null"], 303),
        (["Sec-Fetch-Site: same-origin"], 303),
        ([], 303),
    ],
)
def test_other_sites_cannot_begin_for_anybody(house: House, headers: list[str], status: int) -> None:
    assert house.begin(*headers).status == status


@pytest.mark.check("B6")
@pytest.mark.parametrize("prefix", ["", "/uk"])
@pytest.mark.parametrize(
    "changed",
    [
        'href="fake.onion.to"',
        'href="http://fake.onion.gate.example"',
        'href="/gate/fake.onion"',
        "",
        "fake.onion",
        None,
    ],
)
def test_a_gateway_that_rewrites_links_is_told_of_before_anything_is_typed(
    house: House, prefix: str, changed: str | None
) -> None:
    """It cannot know this field from a link; and whoever comes through it is warned, and gets no form."""
    browser, codename = house.sender()
    guest = house.browser()
    begin = guest.open(f"{prefix}/").forms[0]
    back = guest.open(f"{prefix}/login").forms[0]
    assert b"""<input type="hidden" name="direct" value='href="fake.onion"'>""" in guest.page.body
    assert begin.controls["direct"] == back.controls["direct"] == 'href="fake.onion"'
    given = {} if changed is None else {"direct": changed}

    pages = [
        guest.submit(replace(begin, controls=given), {}),
        guest.submit(replace(back, controls={**given, "codename": codename}), {}),
    ]

    # A form without a single field is no form at all.
    assert [page.status for page in pages] == [403 if given else 400, 403]
    assert pages[1].heading in {"Please do not use this page here", "Будь ласка, не користуйтеся цією сторінкою тут"}
    for page in pages:
        assert page.forms == []
        assert codename not in page.body.decode()
    assert guest.cookies == {}
    assert browser.open("/inbox").status == 200


@pytest.mark.check("C10")
def test_the_codename_is_shown_in_its_step_and_never_again(house: House) -> None:
    browser = house.begun()
    codename = shown_codename(browser.press("Send now", message="x"))
    assert shown_codename(browser.open("/codename")) == codename
    browser.click("I have written it down")

    wrong = browser.press("Check it", codename=unknown_codename())
    assert wrong.status == 400
    assert "not yours" in wrong.text
    slip = browser.press("Check it", codename="abacus")
    assert "8 words" in slip.text
    browser.click("Show me the codename again")
    assert shown_codename(browser.page) == codename
    browser.click("I have written it down")
    browser.press("Check it", codename=codename.upper())

    for path in ("/codename", "/codename/retype", "/inbox", "/send", "/sent"):
        page = browser.open(path)
        assert not any(word in page.body.decode().split("<!--")[0] for word in (codename, codename.split()[0] + "<"))
    assert all(codename.split()[0] not in path for _, path in browser.requests)


def _login_request(codename: str) -> bytes:
    return small_form("/login", FIRST_FORM + f"&codename={codename.replace(' ', '+')}".encode())


def _login_bytes(house: House, codename: str) -> tuple[list[tuple[str, str]], Page]:
    answer = house.ask(_login_request(codename))
    browser = log_in(house, codename)
    return [("status", str(answer.status)), *answer.headers], browser.page


def _shape(headers: list[tuple[str, str]]) -> tuple[tuple[str, str | int], ...]:
    return tuple((name, len(value) if name == "set-cookie" else value) for name, value in headers)


def _compare_times(house: House, rounds: int, *, welch: float, milliseconds: float) -> None:
    """Interleave the classes, drop the slowest tenth of each: those measured the machine.

    What tells a codename from none is the sign-in. Whoever has the right one sees what lies in the inbox, which takes a
    tenth of a millisecond to write: there the medians alone are compared. Without any Argon2id a row that is found
    takes a hundredth of a millisecond more than one that is not; a fiftieth part of the real cost hides that already.
    """
    _, known = house.sender()
    closing, closed = house.sender()
    closing.open("/close")
    closing.press("Close my inbox for good")
    signing_in: dict[str, list[float]] = {"right": [], "closed": [], "wrong": []}
    in_all: dict[str, list[float]] = {name: [] for name in signing_in}
    for _ in range(rounds):
        turns = [("right", known), ("closed", closed), ("wrong", unknown_codename())]
        random.shuffle(turns)
        for name, codename in turns:
            began = time.perf_counter()
            answer = house.ask(_login_request(codename))
            signing_in[name].append((time.perf_counter() - began) * 1000)
            cookie = answer.every("set-cookie")[0].partition(";")[0]
            assert house.get("/inbox", f"Cookie: {cookie}").status == 200
            in_all[name].append((time.perf_counter() - began) * 1000)
    quick = {name: sorted(found)[: len(found) * 9 // 10] for name, found in signing_in.items()}
    for other in ("closed", "wrong"):
        first, second = quick["right"], quick[other]
        spread = sqrt(statistics.variance(first) / len(first) + statistics.variance(second) / len(second))
        assert abs(statistics.mean(first) - statistics.mean(second)) / spread < welch
        assert abs(statistics.median(in_all["right"]) - statistics.median(in_all[other])) <= milliseconds
