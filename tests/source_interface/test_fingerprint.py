"""Who sees only how much passes cannot tell which page a source reads, and no page tells her browser from another."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil, dist

import pytest

from source_interface.languages import languages
from source_interface.pages import LONG_PAGE_BYTES, PAGE_BYTES
from tests.browserlike import Browser, parsed
from tests.clock import FakeClock
from tests.source_interface.house import HOST, House, Keyring, short_folder, shown_codename
from tests.source_interface.reports import DRAFT, fetched, inside, told, told_with_a_file
from tests.source_interface.test_pages import OPEN_PAGES, VISIT_PAGES

MakeHouse = Callable[..., House]
# What Tor Browser 15 says with every page that it asks for, whoever uses it.
_TOR_BROWSER = (
    f"Host: {HOST}",
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Sec-GPC: 1",
    "Connection: close",
    "Upgrade-Insecure-Requests: 1",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-User: ?1",
    "Priority: u=0, i",
)
# So many bytes of a stream travel in one cell of Tor (tor-spec, "Relay cells"); nobody outside sees smaller pieces.
_CELL_BYTES = 498
_COOKIE = "Cookie: __Host-visit="
_EIGHT = ("/", "/safety", "/help", "/help/ua", "/report/1", "/report/check", "/send", "/inbox")
_BROWSERS: Mapping[str, Sequence[str]] = {
    "none": [],
    "agent": ["User-Agent: Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"],
    "language": ["Accept-Language: uk,ar;q=0.5"],
    "asks": ["DNT: 1", "Sec-GPC: 1"],
    "device": ["Sec-CH-UA-Mobile: ?1", "Sec-CH-Viewport-Width: 320", "Sec-CH-Prefers-Color-Scheme: dark"],
    "saving": ["Accept-Encoding: gzip, br", "Save-Data: on"],
}


@dataclass(frozen=True, slots=True)
class Load:
    """One page as it is loaded, counted in cells."""

    page: str
    sent: int
    received: int
    requests: int

    @property
    def seen(self) -> tuple[int, int, int]:
        return self.sent, self.received, self.requests


@pytest.fixture(scope="module")
def house(keyring: Keyring) -> Iterator[House]:
    with ExitStack() as ends:
        made = House(ends.enter_context(short_folder()), keyring, FakeClock(), questionnaire=DRAFT)
        yield ends.enter_context(made.living())


@pytest.fixture(scope="module")
def visitor(house: House) -> Browser:
    return told_with_a_file(house)


# How much passes


@pytest.mark.check("B8", "B10")
@pytest.mark.parametrize("loads", [6, pytest.param(50, marks=pytest.mark.full)])
def test_how_much_passes_does_not_tell_which_page_it_was(house: House, visitor: Browser, loads: int) -> None:
    """The nearest neighbour's guess is no better than one by chance: 1 in 8."""
    cookie = _COOKIE + visitor.cookies["__Host-visit"]
    # What is open to everybody is read before a visit, too, without a cookie.
    seen = [
        _load(house, path, *([] if path in OPEN_PAGES and turn % 2 else [cookie]))
        for turn in range(loads)
        for path in _EIGHT
    ]

    assert {load.requests for load in seen} == {2}
    assert _guessed(seen) <= 1.5 / len(_EIGHT)
    # The positive control: without the padding the same guess is right four times as often.
    bare = [_load(house, path, cookie, padded=False) for _ in range(loads) for path in _EIGHT]
    assert _guessed(bare) > 4 / len(_EIGHT)


@pytest.mark.check("B8", "B9")
@pytest.mark.parametrize("prefix", [language.prefix for language in languages()])
def test_every_page_that_is_loaded_fetches_as_much(house: House, visitor: Browser, prefix: str) -> None:
    cookie = _COOKIE + visitor.cookies["__Host-visit"]
    for path in [*OPEN_PAGES, *VISIT_PAGES]:
        if path == "/exit":
            continue
        answer = house.get(prefix + path, cookie)
        if answer.status == 303:
            continue
        assert fetched(parsed(answer.body)) == ["/style.css"], path
        assert len(answer.body) == PAGE_BYTES, path


@pytest.mark.check("B9")
def test_an_inbox_of_a_report_has_one_size_with_none_one_and_five_replies(make_house: MakeHouse) -> None:
    house = make_house(questionnaire=DRAFT)
    browser = told(house)
    codename = shown_codename(browser.press("Send my report"))
    sizes = [len(browser.open("/inbox").body)]
    for number in range(5):
        house.reply(codename, f"Reply {number}. " + "Дякуємо. " * 60)
        sizes.append(len(browser.open("/inbox").body))

    assert sizes == [PAGE_BYTES] * 6


@pytest.mark.check("B9")
def test_only_a_page_that_gives_much_text_back_is_larger(make_house: MakeHouse) -> None:
    """The page on which it was written, what sums it up, a refused sending, an inbox with long replies: no other."""
    house = make_house(questionnaire=DRAFT)
    browser = told(house, 1)
    long = "ї" * 20_000
    wrong = browser.press("Continue", {"w2": long, "t1.y": "2099"})
    browser.press("Continue", {"t1.y": ""})
    larger = {"/report/2", "/report/check"}
    sizes = {path: len(browser.open(path).body) for path in (*larger, "/report/1", "/report/4", "/report/files", "/")}
    codename = shown_codename(browser.open("/report/check") and browser.press("Send my report"))
    for number in range(8):
        house.reply(codename, f"{number}" + "ї" * 4000)
    inbox = browser.open("/inbox")
    refused = house.begun().press("Send now", message=long * 6)

    assert len(wrong.body) == LONG_PAGE_BYTES
    assert {path for path, size in sizes.items() if size != PAGE_BYTES} == larger
    assert {sizes[path] for path in larger} == {LONG_PAGE_BYTES}
    assert len(inbox.body) > PAGE_BYTES
    assert len(inbox.body) & (len(inbox.body) - 1) == 0
    assert (refused.status, len(refused.body)) == (400, 8 * PAGE_BYTES)


# What a browser says of itself


@pytest.mark.check("B11", "K6")
@pytest.mark.parametrize("prefix", ["", "/ar"])
def test_nothing_that_a_browser_says_of_itself_changes_a_page_of_a_visit(
    house: House, visitor: Browser, prefix: str
) -> None:
    cookie = _COOKIE + visitor.cookies["__Host-visit"]
    for path in VISIT_PAGES:
        answers = [house.get(prefix + path, cookie, *said) for said in _BROWSERS.values()]
        assert len({(answer.status, _bare(answer.body)) for answer in answers}) == 1, path
        assert len({tuple(answer.headers) for answer in answers}) == 1, path


@pytest.mark.check("B11")
def test_the_language_is_what_was_chosen_and_not_what_a_browser_asks_for(house: House) -> None:
    begun = [house.begin(*said) for said in _BROWSERS.values()]

    assert {answer.status for answer in begun} == {303}
    assert {tuple(answer.every("location")) for answer in begun} == {("/send",)}
    assert {len(answer.body) for answer in begun} == {0}
    assert 'lang="uk"' in inside(house).press("Українська").body.decode()


def _load(house: House, path: str, *cookie: str, padded: bool = True) -> Load:
    """Load a page as a browser does, with all that it fetches."""
    sent, received, requests, waiting = 0, 0, 0, [path]
    while waiting:
        lines = [f"GET {waiting.pop()} HTTP/1.1", *_TOR_BROWSER, *cookie, "", ""]
        request = "\r\n".join(lines).encode()
        answer = _asked(house, request)
        assert answer.startswith(b"HTTP/1.1 200")
        body = answer.partition(b"\r\n\r\n")[2]
        waiting += [] if requests else fetched(parsed(body))
        sent += ceil(len(request) / _CELL_BYTES)
        received += ceil(len(answer if padded else _bare(answer)) / _CELL_BYTES)
        requests += 1
    return Load(path, sent, received, requests)


def _asked(house: House, request: bytes) -> bytes:
    with house.connection() as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def _guessed(loads: Sequence[Load]) -> float:
    """How often the load that is most alike was one of the same page; of several alike each counts its share."""
    right = 0.0
    for one in loads:
        others = [(dist(one.seen, other.seen), other.page) for other in loads if other is not one]
        nearest = min(distance for distance, _ in others)
        pages = [page for distance, page in others if distance == nearest]
        right += pages.count(one.page) / len(pages)
    return right / len(loads)


def _bare(body: bytes) -> bytes:
    """Take the padding off, and what stands in each form once."""
    unpadded = re.sub(rb"<!--[0-9a-f]+-->\n\Z", b"", body)
    return re.sub(rb'(name="(?:token|once)" value=")[^"]*', rb"\1", unpadded)
