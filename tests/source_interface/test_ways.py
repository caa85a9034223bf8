"""Which way somebody came, and with which browser, is known to nobody afterwards: no store, no log, no file."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from keys.codename import new
from keys.gpg import Gpg
from keys.keyset_trust import SignedKeyset
from tests.journalist_interface.browser import Browser
from tests.journalist_interface.office import office as running_office
from tests.source_interface.house import FIRST_FORM, HOST, Answer, House, form_body, read_answer, small_form
from tests.stores import Stores, sqlite_url

CIRCUIT = 0xC0FFEE42
LINE = b"PROXY TCP6 fc00:dead:beef:4dad::c0ff:ee42 2001:db8::77 45678 80\r\n"
SAID = ("User-Agent: Mozilla/5.0 (canary-7f31c2)", "Accept-Language: canary-lang-9d41", "DNT: 1")
# However it might be written down.
NEEDLES = [b"c0ff:ee42", b"c0ffee42", b"C0FFEE42", str(CIRCUIT).encode(), b"fc00:dead:beef", b"2001:db8::77", b"45678 "]
NEEDLES += [b"canary-7f31c2", b"canary-lang-9d41", b"Mozilla"]


def through_tor(house: House, request: bytes) -> Answer:
    """Send a request as tor would, with the words that a browser says of itself."""
    head, _, rest = request.partition(b"\r\n")
    with house.connection(path=house.tor_socket) as connection:
        connection.sendall(LINE + head + b"\r\n" + "\r\n".join(SAID).encode() + b"\r\n" + rest)
        return read_answer(connection)


def found(folder: Path, log: str) -> list[tuple[str, bytes]]:
    written = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_socket()}
    assert len(written) > 2
    return [
        (name, needle)
        for name, content in (*written.items(), ("log", log.encode()))
        for needle in NEEDLES
        if needle in content
    ]


@pytest.mark.check("D1")
def test_nothing_keeps_the_circuit_or_the_browser_of_a_source(
    make_house: Callable[..., House], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    house = make_house(proxied=True)

    begun = through_tor(house, small_form("/begin", FIRST_FORM))
    cookie = "Cookie: " + begun.every("set-cookie")[0].partition(";")[0]
    page = through_tor(house, f"GET /send HTTP/1.1\r\nHost: {HOST}\r\n{cookie}\r\n\r\n".encode()).body
    once = page.partition(b'name="once" value="')[2].partition(b'"')[0]
    body = form_body("b0", [("once", None, once), ("message", None, b"m"), ("files", "a", bytes(2 * 1024 * 1024))])
    lines = ["POST /send HTTP/1.1", f"Host: {HOST}", cookie, "Content-Type: multipart/form-data; boundary=b0"]
    sent = through_tor(house, "\r\n".join([*lines, f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n" + body)
    guess = "+".join(new(lambda limit: limit // 3).words()).encode()
    guessed = through_tor(house, small_form("/login", FIRST_FORM + b"&codename=" + guess))
    house.fault = RuntimeError("a fault, so that something is logged")
    broken = through_tor(house, f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())

    assert [one.status for one in (begun, sent, guessed, broken)] == [303, 303, 303, 500]
    assert "a request failed" in caplog.text
    assert found(house.root, caplog.text) == []


@pytest.mark.check("D1")
def test_nothing_keeps_the_circuit_or_the_browser_of_a_reviewer(
    tmp_path: Path, signed_keyset: SignedKeyset, public_gpg: Gpg, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (tmp_path / "stores").mkdir(mode=0o700)
    files = Stores(lambda name: sqlite_url(tmp_path / "stores", name))

    with running_office(files, (signed_keyset, public_gpg)) as office:
        olena = office.hire()
        browser = Browser(office.tor_socket, headers=("Sec-Fetch-Site: same-origin", *SAID), circuit=CIRCUIT)
        refused = office.try_in("Olena", "wrong", "1", browser)
        office.sign_in(olena, browser)
        seen = [browser.get(path).status for path in ("/collections", "/audit", "/nothing")]
        lies_there = found(office.folder, caplog.text) + found(tmp_path / "stores", caplog.text)
    files.close()

    assert (refused.status, seen) == (403, [200, 200, 404])
    assert lies_there == []
