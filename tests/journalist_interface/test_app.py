import hashlib
import logging
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
import tinycss2  # type: ignore[import-untyped]

from hardening.clock import Clock
from hardening.headers import DOWNLOAD_CSP, REVIEWER_CSP
from hardening.sessions import Session, SessionLimits, Sessions
from journalist_interface.app import ADDRESSES, Managing, Open, Reviewing
from journalist_interface.parts import ReviewerParts
from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from onion.client_auth import client_pair
from reviewers.tables import ReviewerRow
from tests.journalist_interface.browser import HOST, Answer, Browser, exchange
from tests.journalist_interface.office import Office
from tests.journalist_interface.office import office as running_office
from tests.stores import Stores, sqlite_url

NOBODYS = "0" * 32
MARKUP = ['<img src=x onerror="1">', "{{7*7}}", '"><svg/onload=1>', "</title><script>1</script>", "%(name)s"]
FORM = "application/x-www-form-urlencoded"
FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, noarchive",
}
NEVER = ("date", "server", "x-powered-by", "via", "alt-svc", "onion-location", "last-modified", "age", "location-x")


def addresses(office: Office, browser: Browser) -> dict[str, str]:
    """Every address with an id that exists."""
    source = office.drop.source()
    office.drop.send(source)
    browser.press(browser.get("/collections"), "Bag of all that is new to me")
    reviewer = next(one for one in office.stores.accounts.all() if one.display_name == "Olena")
    bag = office.stores.selections.of(reviewer.reviewer_id)[0][0]
    ids = {"/collections": source.collection_id, "/bags": bag, "/accounts": reviewer.reviewer_id}
    return {path: path.replace("{id}", ids.get(f"/{path.split('/')[1]}", "")) for path in ADDRESSES}


@pytest.mark.check("P3")
def test_every_address_says_who_may_use_it() -> None:
    """There is no fourth kind of address, and none without a kind: what is open to all is named here."""
    kinds = {path: type(address) for path, address in ADDRESSES.items()}

    assert {path for path, kind in kinds.items() if kind is Open} == {"/", "/sign-in", "/style.css", "/robots.txt"}
    assert {path for path, kind in kinds.items() if kind is Managing} == {
        path for path in ADDRESSES if path.startswith("/accounts")
    }
    assert set(kinds.values()) == {Open, Reviewing, Managing}
    assert all(address.get or address.post for address in ADDRESSES.values())


@pytest.mark.check("P1", "P2")
def test_who_may_do_what(office: Office) -> None:
    """The whole table: 404 and 403 look alike to those who may not, whether the thing exists or not."""
    admin = office.sign_in(office.hire(is_admin=True))
    paths = addresses(office, admin)
    other, stranger = office.sign_in(office.hire("Petro")), office.browser()
    missing = other.get("/nothing")
    assert missing.status == 404

    for path, address in ADDRESSES.items():
        if address.get is not None:
            assert admin.get(paths[path]).status == (303 if path == "/" else 200), path
            found = other.get(paths[path])
            theirs = isinstance(address, Managing) or path.startswith("/bags/{id}")
            assert found.status == (404 if theirs else 303 if path == "/" else 200), path
            if theirs:
                assert found.body == missing.body
            assert stranger.get(paths[path]).status == (200 if isinstance(address, Open) else 303), path
            nobodys = re.sub(r"[0-9a-f]{32}", NOBODYS, paths[path])
            if nobodys != paths[path]:
                assert admin.get(nobodys).body == missing.body
        if address.post is not None and not isinstance(address, Open):
            assert stranger.post(paths[path], b"token=x", FORM).status == 403
            refused = other.post(paths[path], b"token=x", FORM)
            assert refused.status in ({404} if isinstance(address, Managing) else {400, 403, 415}), path
    assert len(office.stores.accounts.all()) == 2


@pytest.mark.check("P1", "P10")
def test_braces_in_an_address_mean_nothing(office: Office) -> None:
    """The table writes ids as braces; whoever asks for the braces themselves once met a fault of ours."""
    browser = office.sign_in(office.hire(is_admin=True))
    missing = browser.get("/nothing")

    assert browser.get("/{").status == browser.get("/{}").status == 404
    for path in ADDRESSES:
        if "{id}" in path:
            for written in (path, path.replace("{", "%7B"), path.replace("{id}", "{id}" + NOBODYS)):
                answers = [browser.get(written), browser.post(written, b"", FORM)]
                assert {(answer.status, answer.body) for answer in answers} == {(404, missing.body)}, written


@pytest.mark.check("A2", "A3", "A5", "A6", "A9", "A10", "A12")
def test_every_answer_carries_the_headers(office: Office) -> None:
    browser = office.sign_in(office.hire(is_admin=True))
    paths = addresses(office, browser)
    answers: dict[str, Answer] = {}
    for path in [*paths.values(), "/nothing", "/collections?show=odd", "/collections?after=odd"]:
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS"):
            answers[f"{method} {path}"] = browser.ask(method, path, ("Accept-Encoding: gzip, br",))

    assert {answer.status for answer in answers.values()} >= {200, 303, 404, 405, 415}
    for what, answer in answers.items():
        download = "/download" in what
        assert answer.every("content-security-policy") == [DOWNLOAD_CSP if download else REVIEWER_CSP], what
        for name, value in FIXED.items():
            assert answer.every(name) == [value], (what, name)
        assert all(not answer.every(name) for name in NEVER), what
        assert answer.every("content-encoding") == []
        tagged = download and answer.status == 200
        assert bool(answer.every("etag")) is bool(answer.every("accept-ranges")) is tagged, what
    assert "allow-downloads" in REVIEWER_CSP


@pytest.mark.check("A18")
def test_types_are_exact_and_robots_stay_away(office: Office) -> None:
    browser = office.sign_in(office.hire(is_admin=True))

    for path in addresses(office, browser).values():
        answer = browser.get(path)
        if answer.status == 200 and "/download" not in path and path not in {"/style.css", "/robots.txt"}:
            assert answer.get("content-type") == "text/html; charset=utf-8"
    assert browser.get("/robots.txt").text == "User-agent: *\nDisallow: /\n"
    assert browser.get("/robots.txt").get("content-type") == "text/plain; charset=utf-8"
    assert browser.get("/style.css").get("content-type") == "text/css; charset=utf-8"


@pytest.mark.check("A16")
def test_only_three_methods_are_known(office: Office) -> None:
    browser = office.sign_in(office.hire())

    answers = [
        browser.ask(method, "/collections")
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get")
    ]

    assert {answer.status for answer in answers} <= {400, 405}
    assert len({answer.body for answer in answers}) == 1
    assert browser.post("/collections", b"", FORM).body == answers[0].body
    assert browser.get("/seen").status == 405


@pytest.mark.check("A17", "C7")
def test_looking_changes_nothing(office: Office) -> None:
    """All but the download, which is written into the audit log because it is one (P6)."""
    browser = office.sign_in(office.hire(is_admin=True))
    paths = [path for path in addresses(office, browser).values() if not path.endswith("/download")]
    browser.get("/collections")
    before = stored(office)

    for path in paths:
        fetched, headed = browser.get(path), browser.get(path, method="HEAD")
        assert headed.body == b""
        assert headed.status == fetched.status
        assert headed.headers == fetched.headers, path

    assert stored(office) == before


@pytest.mark.check("A17")
def test_asking_for_a_head_leaves_what_waits_to_be_said(office: Office) -> None:
    olena = office.hire()
    office.sign_in(olena)
    browser = office.sign_in(olena)

    headed = browser.get("/collections", method="HEAD")
    fetched = browser.get("/collections")

    assert headed.get("content-length") == fetched.get("content-length")
    assert "You were signed in elsewhere." in fetched.words
    assert "You were signed in elsewhere." not in browser.get("/collections").words


def stored(office: Office) -> dict[str, str]:
    """A hash of everything that lies on the disk."""
    kept = [office.folder, Path(str(office.drop.database.__dict__["_file"])).parent]
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for root in kept
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.mark.check("C8")
def test_a_form_without_its_own_token_does_nothing(office: Office) -> None:
    olena = office.hire(is_admin=True)
    browser, other = office.sign_in(olena), office.sign_in(office.hire("Petro"))
    source = office.drop.source()
    office.drop.send(source)
    page = f"/collections/{source.collection_id}"
    form = browser.get(page).form("Assign to me")
    token = form.field("token")
    foreign = other.get(page).form("Assign to me").field("token")
    purpose = browser.get(page).form("Mark all as seen").field("token")

    for bad in ("", foreign, token[:-1], token + token, token.swapcase(), purpose):
        assert browser.submit(form.filled(token=bad)).status == 403, bad
    assert browser.post(form.action, b"", FORM).status == 400
    twice = f"token={token}&token={token}".encode()
    assert browser.post(form.action, twice, FORM).status == 400
    assert office.stores.marks.assignees([source.collection_id]) == {}
    assert browser.submit(form).status == 303
    assert office.stores.marks.assignees([source.collection_id]) == {
        source.collection_id: frozenset({olena.reviewer.reviewer_id})
    }


@pytest.mark.check("C9")
def test_what_another_site_sends_is_turned_away(office: Office) -> None:
    browser = office.sign_in(office.hire())
    form = browser.get("/collections").form("Sign out")

    browser.headers = ("Sec-Fetch-Site: cross-site",)
    assert browser.submit(form).status == 403
    browser.headers = ()
    assert browser.ask("POST", "/sign-out", ("Origin: http://evil.onion", f"Content-Type: {FORM}"), b"").status == 403
    assert browser.submit(form).status == 303


@pytest.mark.check("A13")
def test_nothing_that_was_typed_reaches_a_header(office: Office) -> None:
    browser = office.sign_in(office.hire(is_admin=True))

    for path in ("/collections?q=%0d%0aX-Evil:%201", "/collections?after=%0d%0aX-Evil:%201", "/audit?before=%00"):
        assert browser.get(path).every("x-evil") == []
    seen = browser.get("/collections").form("Bag of all that is new to me")
    source = office.drop.source()
    office.drop.send(source)
    fields = f"token={seen.field('token')}&collection={source.collection_id}&back=%0d%0aX-Evil:1"
    answer = browser.post("/seen", fields.encode(), FORM)
    assert (answer.status, answer.get("location")) == (303, "/collections")
    assert answer.every("x-evil") == []


@pytest.mark.check("A14")
def test_a_fault_of_ours_tells_nothing(
    files: Stores, signed_keyset: SignedKeyset, public_gpg: Gpg, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("select secret from /home/somebody/app.py")

    change: Callable[[ReviewerParts], ReviewerParts] = lambda parts: replace(parts, keyset=broken)  # noqa: E731
    with running_office(files, (signed_keyset, public_gpg), change=change) as office:
        browser = office.sign_in(office.hire())

        answer = browser.get("/keys")

    assert (answer.status, answer.heading) == (500, "Something went wrong on our side")
    for word in ("Traceback", "/home", ".py", "select", "RuntimeError", "starlette"):
        assert word not in answer.text
    assert answer.every("content-security-policy") == [REVIEWER_CSP]
    assert "secret" not in caplog.text


class Broken(Sessions):
    """Sessions that no request may open, with a fault that says too much."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, SessionLimits(per_owner=1), "desk")

    def open(self, untrusted_cookie: str | None) -> Session | None:
        raise RuntimeError(f"{untrusted_cookie} at /home/somebody/app.py")


@pytest.mark.check("A14")
def test_every_page_that_asks_who_is_there_shows_the_same_when_that_breaks(
    files: Stores, signed_keyset: SignedKeyset, public_gpg: Gpg
) -> None:
    change: Callable[[ReviewerParts], ReviewerParts] = lambda parts: replace(parts, sessions=Broken(parts.clock))  # noqa: E731
    with running_office(files, (signed_keyset, public_gpg), change=change) as office:
        browser = office.browser()
        browser.cookies["__Host-desk"] = "secret"
        paths = {path: path.replace("{id}", NOBODYS) for path in ADDRESSES}
        answers = [browser.get(paths[path]) for path, address in ADDRESSES.items() if _asks(address) and address.get]
        answers += [
            browser.post(paths[path], b"", FORM)
            for path, address in ADDRESSES.items()
            if not isinstance(address, Open) and address.post
        ]

    assert len(answers) == 20
    assert {answer.status for answer in answers} == {500}
    assert len({answer.body for answer in answers}) == 1
    for word in ("Traceback", "/home", ".py", "select", "secret", "RuntimeError"):
        assert word not in answers[0].text


def _asks(address: Open | Reviewing | Managing) -> bool:
    return not isinstance(address, Open) or address is ADDRESSES["/"]


@pytest.mark.check("A8", "B6")
def test_only_our_own_name_is_answered(office: Office) -> None:
    for host in ("evil.onion", f"{HOST}.evil", f"{HOST}:80", "", "127.0.0.1"):
        raw = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        answer = exchange(office.socket, raw)
        assert answer.status in {400, 403}
        assert b"evil" not in answer.body
    assert office.browser().get("/", "X-Forwarded-For: 1.2.3.4").status == 403


@pytest.mark.check("A11", "B1", "B2", "B5", "B8")
def test_pages_are_plain_and_alike(office: Office) -> None:
    """No script, no picture, no other origin, one style sheet, one title; what was typed comes back as text."""
    browser = office.sign_in(office.hire(is_admin=True))
    pages = [browser.get(path) for path in addresses(office, browser).values()]
    pages += [browser.get("/nothing"), browser.get("/collections?q=%3Cimg%20src%3Dx%3E%7B%7B7*7%7D%7D")]
    pages = [page for page in pages if page.every("content-type") == ["text/html; charset=utf-8"]]
    assert len(pages) >= 10

    banned = {"script", "iframe", "object", "embed", "audio", "video", "canvas", "svg", "math", "img", "base", "style"}
    for page in pages:
        elements = list(page.tree.iter())
        assert not banned & {str(one.tag) for one in elements}
        assert [one.get("href") for one in elements if one.tag == "link"] == ["/style.css"]
        assert [one.text for one in elements if one.tag == "title"] == ["Desk"]
        for one in elements:
            assert not [name for name in one.attrib if str(name).startswith("on")]
            for name in ("href", "action", "formaction", "src"):
                assert re.fullmatch(r"(/[^/].*|/|#main)?", one.get(name, "")), one.get(name)
    assert "7*7" in pages[-1].text
    assert "49" not in pages[-1].words
    css = browser.get("/style.css").text
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    assert {rule.at_keyword for rule in rules if rule.type == "at-rule"} == {"media"}
    assert not [rule for rule in rules if rule.type == "error"]
    assert not re.search(r"url\(|expression\(|image-set\(", css)


def shapes(pages: Iterable[Answer]) -> list[list[str]]:
    return [[str(one.tag) for one in page.tree.iter()] for page in pages]


@pytest.mark.check("A11")
@pytest.mark.parametrize("markup", MARKUP)
def test_markup_is_shown_as_text_wherever_anybody_could_put_it(
    tmp_path: Path, signed_keyset: SignedKeyset, public_gpg: Gpg, markup: str
) -> None:
    """Typed, or written into a store or an alarm past everything that would refuse it there."""

    def named(name: str) -> Callable[[ReviewerParts], ReviewerParts]:
        return lambda parts: replace(parts, facts=replace(parts.facts, name=name))

    seen: list[list[Answer]] = []
    for folder, said in (("one", "harmless"), ("other", markup)):
        (tmp_path / folder).mkdir(mode=0o700)
        files = Stores(partial(sqlite_url, tmp_path / folder))
        with running_office(files, (signed_keyset, public_gpg), change=named(said)) as office:
            olena = office.hire(is_admin=True)
            browser = office.sign_in(olena)
            collection_id = office.drop.source().collection_id
            pages = [office.browser().get("/")]
            with office.database.writing() as session:
                row = session.get_one(ReviewerRow, olena.reviewer.reviewer_id)
                row.display_name = said
            office.alarms.append(("keyset", said))
            pages += [browser.get(f"/collections?q={quote(said)}"), browser.get("/keys"), browser.get("/audit")]
            typed = browser.get("/accounts").form("Add").filled(name=said + "\u202e", onion_key=said)
            pages += [browser.submit(typed), browser.get("/accounts"), browser.get("/nothing")]
            office.stores.audit.append(olena.reviewer.reviewer_id, said, collection_id)
            pages.append(browser.get("/audit"))
        files.close()
        seen.append(pages)

    harmless, hostile = seen
    assert shapes(hostile) == shapes(harmless)
    assert all(" ".join(markup.split()) in page.words for page in hostile)
    assert hostile[1].form("Find").field("q") == markup
    assert hostile[4].form("Add").field("onion_key") == "".join(markup.split())


@pytest.mark.check("A15")
@pytest.mark.parametrize(
    "path",
    ["/static/style.css", "/../app.py", "/%2e%2e/app.py", "//etc/passwd", "/etc/passwd", "/templates/layout.html",
     "/style.css/", "/style.css%00", "/.git/config", "/static/", "/bags/../style.css"],
)  # fmt: skip
def test_only_what_is_listed_exists(office: Office, path: str) -> None:
    answer = office.browser().get(path)

    assert answer.status == 404
    assert answer.body == office.browser().get("/nothing").body


@pytest.mark.check("P9")
def test_the_interface_loads_nothing_that_opens_anything() -> None:
    """A process of its own, as the drop runs it: not the source's pages, not the workstation, no way to open a part."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, journalist_interface.app; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    ).stdout.split()

    assert "journalist_interface.app" in told
    banned = {"source_interface", "workstation", "casework", "keeper", "onion", "stem", "keys.opening", "httpx"}
    assert not banned.intersection(told, {name.partition(".")[0] for name in told})


@pytest.mark.check("L2", "L1", "F11")
def test_no_secret_is_ever_logged(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        olena = office.hire(is_admin=True)
        browser = office.sign_in(olena)
        office.try_in("Olena", "a wrong password", "123456")
        key = client_pair().public
        page = browser.submit(browser.get("/accounts").form("Add").filled(name="Maria", onion_key=key))
        browser.get("/collections?q=secretword")

    password, secret = ("".join(one.itertext()) for one in list(page.tree.iter("dd"))[:2])
    banned = [olena.password, olena.totp_secret, "a wrong password", password, secret, key, "secretword"]
    # pytest listens even to the logger that the server has switched off.
    told = "\n".join(record.getMessage() for record in caplog.records if record.name != "uvicorn.access")
    assert not logging.getLogger("uvicorn.access").propagate
    for word in (*banned, browser.cookies["__Host-desk"], "/collections"):
        assert word not in told, word


def test_templates_never_switch_escaping_off() -> None:
    folder = Path(__file__).parents[2] / "journalist_interface" / "templates"
    for template in folder.glob("*.html"):
        assert "|safe" not in template.read_text().replace(" ", "")
        assert "autoescape" not in template.read_text()
