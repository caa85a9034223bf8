import dataclasses
import re
from collections.abc import Iterator

import pytest

from hardening.headers import (
    DOWNLOAD_CSP,
    LANDING_CSP,
    REVIEWER_CSP,
    SOURCE_CSP,
    AnswerError,
    HeaderPolicy,
    Refusal,
    SecureResponses,
    attachment_headers,
    refuse,
    strict_headers,
)
from tests.hardening.site import HOST, POLICY, Answer, Client, Site, ask, folder, request, running

FORM = "Content-Type: multipart/form-data; boundary=b"
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; sandbox allow-forms allow-same-origin"
)
# What a crawl of a whole site meets: pages, style, and every kind of error.
REQUESTS = {
    "page": request(),
    "head": request("HEAD"),
    "style": request("GET", "/style.css"),
    "not found": request("GET", "/nothing"),
    "wrong method of a route": request("POST", "/"),
    "method": request("PUT"),
    "too large": request("POST", "/send", FORM, body=b"").replace(b"Length: 0", b"Length: 99999999999"),
    "not a form": request("POST", "/send", "Content-Type: text/plain", body=b"x"),
    "refused form": request("POST", "/send", FORM, body=b"x"),
    "foreign host": request(host="evil.example"),
    "proxy": request("GET", "/", "Via: x"),
    "foreign site": request("POST", "/send", "Sec-Fetch-Site: cross-site", FORM, body=b"x"),
    "broken": request("GET", "/broken"),
    "no request": b"nonsense\r\n\r\n",
    "long head": request("GET", "/", "X: " + "x" * 9000),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with folder() as path, running(Site(path / "s")) as site:
        yield site


def answers(site: Site) -> dict[str, Answer]:
    return {name: ask(site, raw, bodiless=name == "head") for name, raw in REQUESTS.items()}


@pytest.mark.check("A1", "A3", "A5", "A6", "A18")
def test_every_response_carries_each_strict_header_once(site: Site) -> None:
    exact = {
        "content-security-policy": CSP,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-robots-tag": "noindex, noarchive",
    }

    for name, answer in answers(site).items():
        assert {key: answer.every(key) for key in exact} == {key: [value] for key, value in exact.items()}, name


def test_the_crawl_meets_every_kind_of_status(site: Site) -> None:
    statuses = {name: answer.status for name, answer in answers(site).items()}

    assert statuses == {
        "page": 200, "head": 200, "style": 200, "not found": 404, "wrong method of a route": 405, "method": 405,
        "too large": 413, "not a form": 415, "refused form": 400, "foreign host": 400, "proxy": 403,
        "foreign site": 403, "broken": 500, "no request": 400, "long head": 431,
    }  # fmt: skip


@pytest.mark.check("A1", "A2")
def test_the_policies_are_exact() -> None:
    assert SOURCE_CSP == CSP
    assert REVIEWER_CSP == CSP + " allow-downloads"
    assert LANDING_CSP + "; sandbox allow-forms allow-same-origin" == CSP
    assert DOWNLOAD_CSP == "default-src 'none'; sandbox"


@pytest.mark.check("A4")
def test_the_permissions_policy_is_a_dictionary_that_denies(site: Site) -> None:
    [value] = ask(site, request()).every("permissions-policy")

    members = dict(member.split("=", 1) for member in value.split(", "))
    assert all(re.fullmatch(r"[a-z-]+", name) for name in members)

    assert set(members) >= {
        "camera", "display-capture", "fullscreen", "geolocation", "microphone", "payment", "usb", "serial",
    }  # fmt: skip
    assert set(members.values()) == {"()"}


@pytest.mark.check("A9", "A10")
def test_nothing_tells_clock_software_or_former_visits(site: Site) -> None:
    told = {
        "date", "server", "x-powered-by", "via", "alt-svc", "onion-location", "strict-transport-security", "etag",
        "last-modified", "accept-ranges", "age",
    }  # fmt: skip

    for name, answer in {**answers(site), "leaky": ask(site, request("GET", "/leaky"))}.items():
        assert not told & {key for key, _ in answer.headers}, name
        assert b"leak" not in answer.raw


@pytest.mark.check("A2", "A10", "A18")
def test_the_resumable_download_alone_keeps_its_tag(site: Site) -> None:
    answer = ask(site, request("GET", "/bags/1"))

    assert answer.every("etag") == ['"abc"']
    assert answer.every("accept-ranges") == ["bytes"]
    assert answer.every("content-security-policy") == [DOWNLOAD_CSP]
    assert answer.every("content-type") == ["application/octet-stream"]
    assert answer.every("content-disposition") == ['attachment; filename="bag-1.tar"']
    assert not answer.every("last-modified")
    assert b"resumable" not in answer.raw


@pytest.mark.check("A18")
@pytest.mark.parametrize("name", ["", "a b", 'a"b', "a\r\nb", "ä.tar", ".hidden", "a/b", "x" * 101])
def test_a_download_is_named_by_the_server_in_plain_ascii(name: str) -> None:
    with pytest.raises(AnswerError):
        attachment_headers(name)


@pytest.mark.check("A18")
def test_pages_are_utf8_html(site: Site) -> None:
    for name in ("page", "head", "method", "foreign host", "proxy", "broken", "no request"):
        assert answers(site)[name].every("content-type") == ["text/html; charset=utf-8"], name


HOSTILE_HOSTS = [
    "evil.example", "drop.onion.evil.example", "evil.example/drop.onion", "drop.onion:8080", "drop.onion@evil.example",
    "evil.example#drop.onion", "evil.example?drop.onion", "drop.onion.", "xdrop.onion", "127.0.0.1", "localhost",
    "[::1]", "drop.onion/", "drop.onion\\evil", "drop.onion,evil.example", "drop.onion evil.example",
    "<script>evil</script>", "drop%2eonion", "drop.onion:80@evil", "\u202edrop.onion",
]  # fmt: skip


@pytest.mark.check("A8")
@pytest.mark.parametrize("host", HOSTILE_HOSTS)
def test_a_foreign_host_is_refused_and_not_echoed(site: Site, host: str) -> None:
    answer = ask(site, request(host=host))

    assert answer.status in {400, 403}
    assert host.encode() not in answer.raw + answer.body
    assert b"evil" not in answer.raw + answer.body


@pytest.mark.check("A8")
def test_twenty_hosts_are_tried_and_case_is_forgiven(site: Site) -> None:
    assert len(HOSTILE_HOSTS) == 20
    assert ask(site, request(host=HOST.upper())).status == 200


@pytest.mark.check("A8")
@pytest.mark.parametrize("host", [b"", b"Host: drop.onion\r\nHost: drop.onion\r\n", b"Host:\r\n"])
def test_no_host_or_two_is_refused(site: Site, host: bytes) -> None:
    assert ask(site, b"GET / HTTP/1.1\r\n" + host + b"\r\n").status == 400


@pytest.mark.check("A12")
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "*", "gzip;q=1.0, identity;q=0"])
def test_nothing_is_compressed(site: Site, encoding: str) -> None:
    answer = ask(site, request("GET", "/", f"Accept-Encoding: {encoding}"))

    assert answer.status == 200
    assert not answer.every("content-encoding")


@pytest.mark.check("A12")
def test_a_compressed_answer_does_not_leave(site: Site) -> None:
    assert ask(site, request("GET", "/squeezed")).status == 500


@pytest.mark.check("A13")
@pytest.mark.parametrize("said", ["a%0d%0aX-Added:%201", "a%0aX-Added:%201", "a%0dX-Added:%201", "a%00b", "a%1bb"])
def test_no_input_adds_a_header(site: Site, said: str) -> None:
    answer = ask(site, request("GET", f"/header?say={said}"))

    assert answer.status == 500
    assert not answer.every("x-added")
    assert answer.every("content-security-policy") == [CSP]


METHODS = ["TRACE", "CONNECT", "PUT", "DELETE", "PATCH", "OPTIONS", "PRI", "get", "head", "post", "BREW", "PROPFIND"]


@pytest.mark.check("A16")
def test_every_other_method_gets_the_same_answer(site: Site) -> None:
    found = {method: ask(site, request(method)) for method in METHODS}

    assert {answer.status for answer in found.values()} == {405}
    assert len({answer.body for answer in found.values()}) == 1
    assert {tuple(answer.every("allow")) for answer in found.values()} == {("GET, HEAD, POST",)}


@pytest.mark.check("A16")
def test_odd_targets_of_refused_methods_change_nothing(site: Site) -> None:
    assert ask(site, request("CONNECT", f"{HOST}:443")).status == 405
    assert ask(site, request("OPTIONS", "*")).status == 405
    assert ask(site, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").body == ask(site, request("PUT")).body


@pytest.mark.check("A17")
@pytest.mark.parametrize("path", ["/", "/style.css", "/nothing", "/bags/1", "/broken"])
def test_head_is_get_without_its_body(site: Site, path: str) -> None:
    with Client(site) as client:
        get = client.send(request("GET", path)).answer()
        head = client.send(request("HEAD", path)).answer(bodiless=True)
        # The next answer begins where a body would have stood.
        again = client.send(request("GET", path)).answer()

    assert head.raw == get.raw == again.raw


@pytest.mark.check("B6")
@pytest.mark.parametrize(
    "sign",
    ["X-tor2web: 1", "X-Tor2web-Mode: x", "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Host: x", "x-forwarded-proto: https",
     "Via: 1.1 gate", "Forwarded: for=1.2.3.4", "X-Real-IP: 1.2.3.4"],
)  # fmt: skip
def test_a_proxy_gets_a_warning_and_no_form(site: Site, sign: str) -> None:
    site.paths.clear()

    answer = ask(site, request("GET", "/", sign))

    assert answer.status == 403
    assert b"form" not in answer.body
    assert site.paths == []


@pytest.mark.check("B6")
def test_a_gateway_is_known_by_the_domain_behind_ours(site: Site) -> None:
    assert ask(site, request(host="drop.onion.gate.example")).status == 403


@pytest.mark.check("B6")
def test_the_warning_is_the_apps_own_page() -> None:
    policy = dataclasses.replace(POLICY, page=lambda refusal: refusal.name.encode())
    with folder() as path, running(Site(path / "s"), policy=policy) as site:
        assert ask(site, request("GET", "/", "Via: x")).body == b"PROXY"
        assert ask(site, request(host="x")).body == b"HOST"
        assert ask(site, request("PUT")).body == b"METHOD"
        assert ask(site, request("GET", "/broken")).body == b"BROKEN"


def test_a_drop_on_loopback_may_stand_behind_a_proxy() -> None:
    policy = HeaderPolicy(csp=SOURCE_CSP, hosts=frozenset({"127.0.0.1:1"}), refuse_proxies=False)

    assert refuse("GET", [(b"host", b"127.0.0.1:1"), (b"via", b"x")], policy) is None
    assert refuse("GET", [(b"host", b"127.0.0.1:2"), (b"via", b"x")], policy) is Refusal.HOST


@pytest.mark.check("C9")
@pytest.mark.parametrize(
    "headers",
    [["Sec-Fetch-Site: cross-site"], ["Sec-Fetch-Site: same-site"], ["Origin: http://evil.example"],
     ["Origin: https://drop.onion"], ["Origin: null", "Sec-Fetch-Site: cross-site"], ["Origin:"],
     ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"]],
)  # fmt: skip
def test_a_post_from_elsewhere_is_refused(site: Site, headers: list[str]) -> None:
    site.kept.clear()
    form = "Content-Type: application/x-www-form-urlencoded"

    answer = ask(site, request("POST", "/small", form, *headers, body=b"message=x"))

    assert answer.status == 403
    assert site.kept == []


@pytest.mark.check("C9", "A6")
@pytest.mark.parametrize(
    "headers",
    [[], ["Origin: null"], ["Origin: http://drop.onion"], ["Sec-Fetch-Site: same-origin"], ["Sec-Fetch-Site: none"],
     ["Origin: null", "Sec-Fetch-Site: same-origin"]],
)  # fmt: skip
def test_a_post_from_our_own_page_passes(site: Site, headers: list[str]) -> None:
    form = "Content-Type: application/x-www-form-urlencoded"

    assert ask(site, request("POST", "/small", form, *headers, body=b"message=x")).status == 200


@pytest.mark.check("C9")
def test_a_link_from_elsewhere_opens_a_page_but_nothing_embeds_it(site: Site) -> None:
    """Somebody must be able to come here from a newspaper's page."""
    navigation = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"]
    frame = [*navigation[:2], "Sec-Fetch-Dest: iframe"]
    image = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"]

    assert ask(site, request("GET", "/", *navigation)).status == 200
    assert ask(site, request("GET", "/", *frame)).status == 403
    assert ask(site, request("GET", "/", *image)).status == 403


@pytest.mark.check("A14")
def test_a_fault_shows_a_fixed_page_and_logs_no_message(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    answer = ask(site, request("GET", "/broken"))

    assert answer.status == 500
    assert b"home" not in answer.body
    assert b"the-message" not in answer.body
    assert "the-message" not in caplog.text


def test_an_answer_that_breaks_off_ends_the_connection(site: Site) -> None:
    """A short page must not look like a whole one."""
    with Client(site) as client:
        client.send(request("GET", "/late"))
        client.closed()

    assert not client.buffer.endswith(b"0\r\n\r\n")


def test_only_http_is_spoken() -> None:
    async def app(*_arguments: object) -> None:
        """Never asked."""

    coroutine = SecureResponses(app, POLICY)({"type": "websocket"}, app, app)  # type: ignore[arg-type]

    with pytest.raises(AnswerError):
        coroutine.send(None)


def test_header_names_are_stripped_whatever_their_case() -> None:
    kept = strict_headers([(b"SERVER", b"x"), (b"ETag", b"x"), (b"Set-Cookie", b"a"), (b"Set-Cookie", b"b")], "x")

    assert kept[:2] == [(b"set-cookie", b"a"), (b"set-cookie", b"b")]
    assert {b"server", b"etag"}.isdisjoint(name for name, _ in kept)
