"""What no browser sends is refused by every form of a guided report, as by the form for messages; nothing is kept."""

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.browserlike import Browser, Chosen
from tests.clock import FakeClock
from tests.source_interface.house import HOST, Answer, House, Keyring, form_body, short_folder, until
from tests.source_interface.reports import ASKED, told
from tests.source_interface.test_uploads import NAMES

_URLENCODED = "application/x-www-form-urlencoded"
# Where each form stands, and the words on its button.
_FORMS = {
    "/report/2": ("/report/2", "Continue"),
    "/report/send": ("/report/check", "Send my report"),
    "/report/files": ("/report/files", "Send these files at once"),
    "/report/files/1": ("/report/files/1", "Keep this"),
    "/choices": ("/choices", "Send these choices"),
}
_SMALL = [path for path in _FORMS if path != "/report/files"]
_TEXT = b'Content-Disposition: form-data; name="token"'
_FILE = b'Content-Disposition: form-data; name="files"; filename="a"'


@dataclass(frozen=True, slots=True)
class Teller:
    """Somebody before every form of a report, and how much of hers has been kept."""

    house: House
    browser: Browser
    kept: int

    def own(self, path: str) -> list[tuple[str, str | None, bytes]]:
        """Give the parts that the form at *path* always brings."""
        page, button = _FORMS[path]
        controls = self.browser.open(page).form(button).controls
        return [(name, None, controls[name].encode()) for name in ("token", "once") if name in controls]

    def head(self, path: str, media_type: str, size_bytes: int) -> bytes:
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: {HOST}",
            f"Cookie: __Host-visit={self.browser.cookies['__Host-visit']}",
            f"Content-Type: {media_type}",
            f"Content-Length: {size_bytes}",
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n"

    def post(self, path: str, media_type: str, body: bytes) -> Answer:
        return self.house.ask(self.head(path, media_type, len(body)) + body)

    def multipart(self, path: str, body: bytes) -> Answer:
        return self.post(path, "multipart/form-data; boundary=b0", body)

    def with_part(self, path: str, headers: Sequence[bytes], content: bytes = b"x") -> Answer:
        """Send the form whole, with one part more."""
        start = form_body("b0", self.own(path), closed=False)
        more = b"--b0\r\n%b\r\n\r\n%b\r\n--b0--\r\n" % (b"\r\n".join(headers), content)
        return self.multipart(path, start + more)

    def nothing_more(self) -> bool:
        return len(self.house.submissions()) == self.kept and not list((self.house.root / "incoming").iterdir())


@pytest.fixture(scope="module")
def teller(keyring: Keyring) -> Iterator[Teller]:
    """Nothing here is taken, so one is enough."""
    with ExitStack() as ends:
        made = House(ends.enter_context(short_folder()), keyring, FakeClock(), questionnaire=ASKED)
        house = ends.enter_context(made.living())
        browser = told(house)
        browser.press("Send my report")
        browser.open("/report/files")
        browser.press("Send these files at once", files=[Chosen.of("a.txt", b"a")])
        yield Teller(house, browser, len(house.submissions()))


@pytest.mark.check("E9")
@pytest.mark.parametrize("path", _FORMS)
@pytest.mark.parametrize(
    "more",
    [
        [b"X-%d: x" % number for number in range(8)],
        [b"X: " + b"x" * 4100],
        [b"no colon"],
        [b": no name"],
        [b"X: a\0b"],
        [b"X\0: a"],
        [b" folded: x"],
        [b"X: a\nb"],
    ],
)
def test_odd_headers_of_a_part_are_refused(teller: Teller, path: str, more: list[bytes]) -> None:
    disposition = _FILE if path == "/report/files" else b'Content-Disposition: form-data; name="do"'
    answer = teller.with_part(path, [disposition, *more], b"next")

    assert answer.status == 400
    assert teller.nothing_more()


@pytest.mark.check("E9")
@pytest.mark.parametrize("path", _FORMS)
def test_headers_that_never_end_are_refused_quickly(teller: Teller, path: str) -> None:
    start = form_body("b0", teller.own(path), closed=False)
    began = time.process_time()

    for body in (b"--b0\r\n" + _TEXT, b"--b0\r\n" + _TEXT + b"x" * 200_000):
        assert teller.multipart(path, start + body).status in {400, 413}

    # The pages that answer are written in this time, too.
    assert time.process_time() - began < 0.5
    assert teller.nothing_more()


@pytest.mark.check("E12")
@pytest.mark.parametrize("path", _FORMS)
@pytest.mark.parametrize(
    "headers",
    [
        [_TEXT, _TEXT],
        [_FILE, _FILE],
        [b'Content-Disposition: form-data; name="do"; name="token"'],
        [b'Content-Disposition: form-data; name="files"; filename="a"; filename="b"'],
        [b'Content-Disposition: form-data; name="unknown"'],
        [b'Content-Disposition: form-data; name="unknown"; filename="a"'],
        [b'Content-Disposition: attachment; name="do"'],
        [b"Content-Disposition: form-data"],
    ],
)
def test_parts_that_are_named_twice_or_not_ours_are_refused(teller: Teller, path: str, headers: list[bytes]) -> None:
    assert teller.with_part(path, headers).status == 400
    assert teller.nothing_more()


@pytest.mark.check("E1")
@pytest.mark.parametrize("path", _FORMS)
def test_a_form_without_its_end_is_refused(teller: Teller, path: str) -> None:
    more = [("files", "a", b"x" * 1000)] if path == "/report/files" else [("do", None, b"next")]

    answer = teller.multipart(path, form_body("b0", [*teller.own(path), *more], closed=False))

    assert answer.status == 400
    assert teller.nothing_more()


@pytest.mark.check("C11", "J3")
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_files_of_a_report_that_break_off_leave_nothing(teller: Teller, share: float) -> None:
    body = form_body("b0", [*teller.own("/report/files"), ("files", "a", bytes(4 * 1024 * 1024))])
    head = teller.head("/report/files", "multipart/form-data; boundary=b0", len(body))

    with teller.house.connection() as connection:
        connection.sendall(head + body[: int(len(body) * share)])
        if share > 0.1:
            until(lambda: any((teller.house.root / "incoming").iterdir()))

    until(teller.nothing_more, 5)


@pytest.mark.check("E12")
@pytest.mark.parametrize("path", _FORMS)
def test_what_a_form_brings_once_is_not_taken_twice(teller: Teller, path: str) -> None:
    for name, _, content in teller.own(path):
        head = f'Content-Disposition: form-data; name="{name}"'
        assert teller.with_part(path, [head.encode()], content).status == 400
    assert teller.nothing_more()


@pytest.mark.check("E11")
@pytest.mark.parametrize("path", _FORMS)
@pytest.mark.parametrize("plain", ["", '; filename="a.pdf"'])
def test_an_extended_file_name_is_refused(teller: Teller, path: str, plain: str) -> None:
    head = f"Content-Disposition: form-data; name=\"files\"{plain}; filename*=UTF-8''..%2f..%2fx"

    assert teller.with_part(path, [head.encode()]).status == 400
    assert teller.nothing_more()


@pytest.mark.check("E12")
@pytest.mark.parametrize("path", _SMALL)
@pytest.mark.parametrize("name", ["do", "token", "files", "w2"])
def test_a_file_where_none_is_asked_for_is_refused(teller: Teller, path: str, name: str) -> None:
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="a.txt"'

    assert teller.with_part(path, [disposition.encode()]).status == 400
    assert teller.nothing_more()


@pytest.mark.check("E7", "E18")
@pytest.mark.parametrize("path", _FORMS)
@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        (_URLENCODED, b"a;" * 60_000),
        (_URLENCODED, b"a;" * 500_000),
        (_URLENCODED, b"&".join([b"do=next"] * 300)),
        (_URLENCODED, b"do=next;token=x"),
        (_URLENCODED, b"unknown=x"),
        (_URLENCODED, b"do=%zz"),
        ("application/json", b'{"do": "next"}'),
        ("text/plain", b"do=next"),
    ],
)
def test_what_is_no_form_of_ours_is_refused_quickly(teller: Teller, path: str, media_type: str, body: bytes) -> None:
    began = time.process_time()

    answer = teller.post(path, media_type, body)

    # The form for files takes no other kind; a semicolon separates nothing, so the token is missing.
    known = media_type == _URLENCODED and path != "/report/files"
    assert answer.status in ({400, 403, 413} if known else {415})
    assert time.process_time() - began < 0.5
    assert teller.nothing_more()


@pytest.mark.check("E8")
def test_one_character_more_than_a_hundred_thousand_is_given_back(teller: Teller) -> None:
    text = "ї" * 100_001

    answer = teller.multipart("/report/2", form_body("b0", [*teller.own("/report/2"), ("w2", None, text.encode())]))

    assert answer.status == 400
    assert text.encode() in answer.body
    assert teller.nothing_more()


@pytest.mark.check("E10", "K1", "K2")
def test_names_of_files_of_a_report_are_kept_inside_and_nowhere_else(make_house: Callable[..., House]) -> None:
    house = make_house(questionnaire=ASKED)
    browser = told(house)
    mark = secrets.token_hex(8)
    for start in range(0, len(NAMES), 10):
        browser.open("/report/files")
        chosen = [Chosen.of(f"{mark}{name}", name.encode()) for name in NAMES[start : start + 10]]
        browser.press("Send these files at once", files=chosen)
    browser.open("/report/files/1")
    browser.press("Keep this", e3="yes")
    browser.open("/report/check")
    browser.press("Send my report")

    paths = [path for path in (house.root / "objects").rglob("*") if path.is_file()]
    # Messages, files, documents and manifests: all of one time, which is none.
    assert len({(path.stat().st_mtime_ns, path.stat().st_atime_ns) for path in paths}) == 1
    opened = house.everything()
    kept = {one.content.decode(): one.trailer.name for one in opened if one.trailer.kind == "file"}
    assert kept == {name: f"{mark}{name}".replace("\n", "%0A") for name in NAMES}
    assert {one.trailer.name for one in opened if one.trailer.kind != "file"} == {""}
    assert len(paths) == len(opened) + len(house.submissions())
    for path in paths:
        assert set(path.name) <= set("0123456789abcdef.gp")
        assert mark.encode() not in path.read_bytes()
