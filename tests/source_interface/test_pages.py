"""What holds for every page, in every language, whoever asks: the same headers, the same size, nothing active."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import tinycss2  # type: ignore[import-untyped]

from hardening.clock import Clock
from hardening.headers import LANDING_CSP, SOURCE_CSP, UPLOAD_CSP
from hardening.sessions import Session, SessionLimits, Sessions
from source_interface.app import ADDRESSES, UNTRANSLATED, Open, Visiting, guided
from source_interface.help_entries import shipped
from source_interface.languages import languages
from source_interface.pages import PAGE_BYTES, TITLE, environment
from source_interface.parts import PublicFacts, SourceLimits
from tests.browserlike import Browser, Chosen, parsed
from tests.clock import FakeClock
from tests.source_interface.house import Answer, House, Keyring, short_folder
from tests.source_interface.reports import DRAFT, told_with_a_file

# With one page about a file, where a drop has as many as there may be files.
EVERYTHING = ADDRESSES | guided(DRAFT.form, SourceLimits(source_items_per_day=1))
PREFIXES = [language.prefix for language in languages()]
HELP_PAGES = [f"/help/{country}" for country in shipped()]
OPEN_PAGES = [path for path, address in EVERYTHING.items() if isinstance(address, Open) and address.get] + HELP_PAGES
VISIT_PAGES = [path for path, address in EVERYTHING.items() if isinstance(address, Visiting) and address.get]
POSTS = [path for path, address in EVERYTHING.items() if address.post]
EVERY_PATH = [prefix + path for prefix in PREFIXES for path in [*EVERYTHING, *HELP_PAGES]] + [
    *UNTRANSLATED,
    "/no-such-page",
]
ACTIVE = {
    *("script", "iframe", "object", "embed", "applet", "audio", "video", "canvas", "svg", "math", "portal"),
    *("frame", "frameset", "noscript", "base", "template", "source", "track", "img", "picture", "style"),
}
# Every page has the policy of all but these: the first page's has no sandbox, that of upload pages lets a tab open.
OWN_CSP = {f"{prefix}/": LANDING_CSP for prefix in PREFIXES} | {
    f"{prefix}{path}": UPLOAD_CSP for prefix in PREFIXES for path in ("/send", "/report/files")
}
MARKUP = ['<img src=x onerror="1">', "{{7*7}}", '"><svg/onload=1>', "</title><script>1</script>", "%(name)s"]


@pytest.fixture(scope="module")
def house(keyring: Keyring) -> Iterator[House]:
    """Nothing here changes the house, so one is enough."""
    with ExitStack() as ends:
        made = House(ends.enter_context(short_folder()), keyring, FakeClock(), questionnaire=DRAFT)
        yield ends.enter_context(made.living())


@pytest.fixture(scope="module")
def visitor(house: House) -> Browser:
    """Somebody who has sent a report, a message and a file, and still sees her codename."""
    browser = told_with_a_file(house)
    browser.open("/send")
    browser.press("Send now", message="One.", files=[Chosen.of("a.txt", b"a")])
    return browser


def every_answer(house: House) -> Iterator[tuple[str, Answer]]:
    for path in EVERY_PATH:
        for method in ("GET", "HEAD", "POST", "PUT"):
            headers = ["Content-Length: 0"] if method in {"POST", "PUT"} else []
            yield f"{method} {path}", house.get(path, *headers, method=method)


@pytest.mark.check("A1", "A3", "A5", "A6", "A9", "A10")
def test_every_answer_has_the_strict_headers_and_no_others(house: House) -> None:
    forbidden = {"date", "server", "x-powered-by", "via", "alt-svc", "etag", "last-modified", "accept-ranges", "age"}
    exact = {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
    }
    for what, answer in every_answer(house):
        assert answer.every("content-security-policy") == [OWN_CSP.get(what.partition(" ")[2], SOURCE_CSP)], what
        assert {name: answer.every(name) for name in exact} == {name: [value] for name, value in exact.items()}, what
        names = [name for name, _ in answer.headers]
        assert not forbidden & set(names), what
        assert len(names) == len(set(names)), what


@pytest.mark.check("A16")
def test_other_methods_get_one_answer(house: House) -> None:
    bodies = {
        _unpadded(house.get("/", method=method).body) for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE")
    }

    assert len(bodies) == 1
    assert house.get("/begin").status == 405
    assert house.get("/", "Content-Length: 0", method="POST").status == 405


@pytest.mark.check("A17", "C7")
def test_head_says_what_get_says_and_does_nothing(house: House, visitor: Browser) -> None:
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    for path in [*OPEN_PAGES, *VISIT_PAGES]:
        head = house.get(path, f"Cookie: {cookie}", method="HEAD")
        if path == "/exit":
            assert house.get("/inbox", f"Cookie: {cookie}").status == 200
            continue
        got = house.get(path, f"Cookie: {cookie}")
        assert (head.status, head.headers) == (got.status, got.headers), path
        assert head.body == b"", path


@pytest.mark.check("C7")
def test_getting_every_page_changes_no_store(house: House, visitor: Browser) -> None:
    before = _stored(house)

    for path in [*OPEN_PAGES, *VISIT_PAGES, "/no-such-page"]:
        if path != "/exit":
            house.get(path, f"Cookie: __Host-visit={visitor.cookies['__Host-visit']}")

    assert _stored(house) == before


@pytest.mark.check("A18")
def test_robots_are_asked_to_stay_away_and_types_are_exact(house: House) -> None:
    assert house.get("/robots.txt").body == b"User-agent: *\nDisallow: /\n"
    for _, answer in every_answer(house):
        assert answer.every("x-robots-tag") == ["noindex, noarchive"]
    for prefix in PREFIXES:
        assert house.get(f"{prefix}/").every("content-type") == ["text/html; charset=utf-8"]
    assert house.get("/style.css").every("content-type") == ["text/css; charset=utf-8"]


@pytest.mark.check("A15")
@pytest.mark.parametrize(
    "path",
    [
        *("/static/style.css", "/../app.py", "/%2e%2e/app.py", "//etc/passwd", "/etc/passwd", "/templates/layout.html"),
        *(
            "/style.css/",
            "/style.css%00",
            "/.git/config",
            "/keys/",
            "/keys/../style.css",
            "/uk",
            "/uk/style.css",
            "/en/",
        ),
    ],
)
def test_only_what_is_listed_exists(house: House, path: str) -> None:
    answer = house.get(path)

    assert answer.status in {400, 404}
    assert b"root:" not in answer.body
    assert len(answer.body) == PAGE_BYTES


@pytest.mark.check("B1", "B2", "B8")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_no_page_holds_anything_active_or_foreign(house: House, visitor: Browser, prefix: str) -> None:
    cookie = f"Cookie: __Host-visit={visitor.cookies['__Host-visit']}"
    for path in [*OPEN_PAGES, *VISIT_PAGES, "/no-such-page"]:
        if path == "/exit":
            continue
        tree = parsed(house.get(prefix + path, cookie).body)
        fetched = []
        for element in tree.iter():
            assert element.tag not in ACTIVE, (path, element.tag)
            for name, value in element.attrib.items():
                assert not name.startswith("on"), (path, name)
                assert name not in {"style", "srcset", "ping", "background", "formaction", "manifest"}, (path, name)
                if name in {"href", "src", "action"}:
                    assert not urlsplit(value).scheme, (path, value)
                    assert not urlsplit(value).netloc, (path, value)
                    assert "?" not in value, (path, value)
            if element.tag == "link" or element.get("src"):
                fetched.append(element.get("href"))
        assert fetched == ["/style.css"], path


@pytest.mark.check("B2", "A11")
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "path", ["//evil.example/", "/%2fevil.example/", "/\\evil.example/", "/%5Cevil.example", "//evil.example:80/send"]
)
def test_no_address_that_somebody_invents_becomes_a_link(house: House, prefix: str, path: str) -> None:
    """A browser reads `//name` and `/\\name` as another site; the links to other languages repeat the path."""
    answer = house.get(prefix + path)

    assert answer.status == 404
    assert b"evil" not in answer.body
    assert all("evil" not in (one.get("href") or "") for one in parsed(answer.body).iter())


@pytest.mark.check("B1")
def test_the_style_sheet_fetches_nothing() -> None:
    css = files("source_interface").joinpath("static", "style.css").read_text("utf-8")
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)

    assert not [rule for rule in rules if rule.type == "error"]
    assert {rule.at_keyword for rule in rules if rule.type == "at-rule"} == {"media"}
    assert "url(" not in css
    assert "expression(" not in css


@pytest.mark.check("B5", "B9")
@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_page_has_one_title_and_one_size(house: House, visitor: Browser, prefix: str) -> None:
    for path in [*OPEN_PAGES, *VISIT_PAGES, "/no-such-page"]:
        for cookie in ("Cookie: a=b", f"Cookie: __Host-visit={visitor.cookies['__Host-visit']}"):
            answer = house.get(prefix + path, cookie) if path != "/exit" else house.get(f"{prefix}/blank")
            if answer.status == 303:
                continue
            assert len(answer.body) == PAGE_BYTES, path
            assert re.findall(rb"<title>(.*?)</title>", answer.body) == [TITLE.encode()], path


@pytest.mark.check("B9")
def test_padding_is_a_random_comment(house: House) -> None:
    first, second = house.get("/").body, house.get("/").body

    assert re.search(rb"<!--[0-9a-f]+-->\n\Z", first)
    assert first != second
    assert _unpadded(first) == _unpadded(second)


@pytest.mark.check("B11", "K6")
def test_nothing_that_a_browser_says_of_itself_changes_a_page(house: House) -> None:
    sets: list[list[str]] = [
        [],
        ["User-Agent: Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"],
        ["Accept-Language: uk,ar;q=0.5"],
        ["DNT: 1", "Sec-GPC: 1"],
        ["Sec-CH-UA-Mobile: ?1", "Sec-CH-Viewport-Width: 320"],
        ["Accept-Encoding: gzip, br", "Save-Data: on"],
    ]
    for path in OPEN_PAGES:
        assert len({_unpadded(house.get(path, *headers).body) for headers in sets}) == 1, path


@pytest.mark.check("A11")
def test_templates_escape_everything() -> None:
    assert environment().autoescape is True
    for template in files("source_interface").joinpath("templates").iterdir():
        text = template.read_text("utf-8")
        assert "|safe" not in text.replace(" ", "")
        assert "autoescape" not in text


@pytest.mark.check("A11", "A13")
@pytest.mark.parametrize("markup", MARKUP)
def test_markup_comes_back_as_text(house: House, markup: str) -> None:
    browser = house.begun()
    innocent = browser.press("Send now", message="a " * 60_000)
    hostile = browser.press("Send now", message=markup + "a " * 60_000)

    assert [element.tag for element in hostile.tree.iter()] == [element.tag for element in innocent.tree.iter()]
    assert (hostile.first("textarea").text or "").lstrip("\n").startswith(markup)
    slip = house.browser()
    slip.open("/login")
    page = slip.press("Open my inbox", codename=markup)
    assert page.first("textarea").text == markup


@pytest.mark.check("A11")
def test_a_file_name_with_markup_is_shown_as_text(house: House) -> None:
    browser = house.begun()

    page = browser.press("Send now", message="x", files=[Chosen.of(name, b"") for name in MARKUP])

    shown = [" ".join("".join(item.itertext()).split()) for item in page.tree.iter("li")]
    # Browsers write a quotation mark in a file name as %22.
    assert {name.replace('"', "%22") for name in MARKUP} <= set(shown)


@pytest.mark.check("A11")
@pytest.mark.parametrize("markup", MARKUP)
def test_what_an_organisation_and_its_reviewers_say_is_shown_as_text(
    make_house: Callable[..., House], markup: str
) -> None:
    shapes: list[list[list[object]]] = []
    for said in ("harmless", markup):
        files = {"statement.txt": b"x", f"{said}.txt": said.encode()}
        house = make_house(facts=PublicFacts(name=said, onion_address=said, evaluation=True, files=files))
        browser, codename = house.sender()
        house.reply(codename, said)
        pages = [browser.open(path) for path in ("/inbox", "/", "/keys")]
        shapes.append([[element.tag for element in page.tree.iter()] for page in pages])

        assert all(" ".join(said.split()) in page.text for page in pages)

    assert shapes[0] == shapes[1]


@pytest.mark.check("C24")
def test_browsers_are_not_invited_to_keep_the_codename(house: House) -> None:
    browser = house.browser()

    field = browser.open("/login").first("textarea", "secret")

    assert field.get("autocomplete") == "off"
    assert field.get("spellcheck") == "false"
    assert b"password" not in browser.page.body.split(b"<!--")[0]


@pytest.mark.check("A14")
def test_every_page_that_asks_for_a_visit_shows_the_same_when_that_breaks(make_house: Callable[..., House]) -> None:
    """The pages that ask nothing of anybody cannot fail in this way."""
    house = make_house(questionnaire=DRAFT, change=lambda parts: replace(parts, sessions=Broken(parts.clock)))
    asked = [("GET", path) for path in (*VISIT_PAGES, "/exit")]
    asked += [("POST", path) for path in POSTS if isinstance(EVERYTHING[path], Visiting)]

    answers = {
        f"{method} {prefix}{path}": house.get(
            prefix + path, *(["Content-Length: 0"] if method == "POST" else []), "Cookie: __Host-visit=x", method=method
        )
        for prefix in PREFIXES
        for method, path in asked
    }

    assert len(answers) == 4 * 34
    assert {what: answer.status for what, answer in answers.items()} == dict.fromkeys(answers, 500)
    for answer in answers.values():
        assert len(answer.body) == PAGE_BYTES
        for secret in (b"Traceback", b"leak", b"/home", b".py", b"SELECT", b"nobody else"):
            assert secret not in _unpadded(answer.body)


class Broken(Sessions):
    """Sessions that no request may open, with a fault that says too much."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, SessionLimits(per_owner=3), "visit")

    def open(self, untrusted_cookie: str | None) -> Session | None:
        raise RuntimeError(f"leak in /home/somebody/app.py: SELECT {untrusted_cookie}: nobody else may read it")


@pytest.mark.check("A13")
@pytest.mark.parametrize(
    "said",
    ["%0d%0aX-Evil:%201", "%0aX-Evil:%201", "%0dX-Evil:1", "%00", "%0d%0a%0d%0a<b>", "%E5%98%8A%E5%98%8DX-Evil:1"],
)
def test_nothing_that_is_asked_for_reaches_a_header(house: House, visitor: Browser, said: str) -> None:
    cookie = visitor.cookies["__Host-visit"]
    answers = [
        house.get(f"{path}{said}", f"Cookie: __Host-visit={cookie}")
        for path in ("/", "/uk/", "/uk", "/inbox", "/uk/inbox?x=", "/keys/", "/codename/retype?", "/exit?")
    ]
    answers += [house.get("/exit", f"Cookie: __Host-visit={said}"), house.get(f"/uk/exit?{said}")]

    for answer in answers:
        assert answer.status in {200, 303, 400, 403, 404}
        assert not {name for name, _ in answer.headers} & {"x-evil", "<b>"}
        assert not [value for _, value in answer.headers if "vil" in value]


@pytest.mark.check("A14", "F11", "L2")
@pytest.mark.parametrize("path", ["/", "/keys", "/begin", "/send", "/inbox"])
def test_a_fault_of_ours_is_a_page_that_tells_nothing(
    make_house: Callable[[], House], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    house = make_house()
    browser = house.begun()
    browser.press("Send now", message="Something that nobody else may read.")
    house.fault = RuntimeError(f"fault in {Path(__file__)}: Something that nobody else may read")
    for name in ("inbox.db", "outbox.db"):
        (house.root / name).write_bytes(b"no database " * 1000)

    length = ["Content-Length: 0"] if path in POSTS and path == "/begin" else []
    cookie = f"Cookie: __Host-visit={browser.cookies['__Host-visit']}" if path != "/begin" else "Cookie: a=b"
    answer = house.get(path, cookie, *length, method="POST" if length else "GET")

    assert answer.status == 500
    assert len(answer.body) == PAGE_BYTES
    for secret in (b"Traceback", b"/home", b".py", b"SELECT", b"sqlite", b"fault in", str(house.root).encode()):
        assert secret not in _unpadded(answer.body)
    assert "nobody else" not in caplog.text
    assert not hasattr(sys, "last_value")


def _unpadded(body: bytes) -> bytes:
    return re.sub(rb"<!--[0-9a-f]+-->\n\Z", b"", body)


def _stored(house: House) -> dict[str, bytes]:
    return {
        str(path.relative_to(house.root)): path.read_bytes()
        for path in sorted(house.root.rglob("*"))
        if path.is_file() and not path.is_socket()
    }
