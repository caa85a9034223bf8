"""A client that meets pages as a browser without scripts does: it reads them, fills in forms, presses buttons.

It sends what browsers send (HTML Standard, 4.10.21), so a test that passes here says what happens to a person.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast
from urllib.parse import quote_plus
from xml.etree.ElementTree import Element

import html5lib
import httpx

Typed: TypeAlias = str | Sequence[str]
"""What somebody types or chooses in one control; several boxes of a question are several texts."""

_CHUNK_BYTES = 256 * 1024
_REDIRECTS = 5


@dataclass(frozen=True, slots=True)
class Chosen:
    """A file that somebody chooses in a form."""

    name: str
    file: BinaryIO
    size_bytes: int
    media_type: str = "application/octet-stream"

    @classmethod
    def of(cls, name: str, content: bytes, media_type: str = "application/octet-stream") -> "Chosen":
        """Choose a file that is in memory."""
        return cls(name, BytesIO(content), len(content), media_type)


@dataclass(frozen=True, slots=True)
class Form:
    """A form as it stands on a page, with what its controls hold.

    Attributes:
        controls: What is typed, or hidden.
        chosen: What is chosen among the boxes and in the lists.
        choices: What can be chosen.
        named: What each button brings that brings anything, by its words.
    """

    action: str
    method: str
    multipart: bool
    controls: Mapping[str, str]
    chosen: Mapping[str, Sequence[str]]
    choices: Mapping[str, Sequence[str]]
    file_controls: Sequence[str]
    buttons: Sequence[str]
    named: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, read."""

    path: str
    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
    tree: Element = field(repr=False)

    @property
    def title(self) -> str:
        """What the window says."""
        return _text(next(self.tree.iter("title")))

    @property
    def text(self) -> str:
        """What a person reads, with single spaces."""
        return _text(next(self.tree.iter("body"), self.tree))

    @property
    def heading(self) -> str:
        """The page's first heading."""
        return _text(next(self.tree.iter("h1")))

    @property
    def links(self) -> list[tuple[str, str]]:
        """The words and the target of every link."""
        return [(_text(link), link.get("href", "")) for link in self.tree.iter("a")]

    @property
    def forms(self) -> list[Form]:
        """Every form, as it stands."""
        return [_form(element, self.path) for element in self.tree.iter("form")]

    def form(self, button: str) -> Form:
        """The form that has this button."""
        return next(form for form in self.forms if button in form.buttons)

    def first(self, tag: str, class_: str = "") -> Element:
        """Find the first element with this tag, and this class if one is named."""
        return next(one for one in self.tree.iter(tag) if class_ in one.get("class", "").split() or not class_)

    def every(self, name: str) -> list[str]:
        """Give the value of every header with this name."""
        return [value for key, value in self.headers if key.lower() == name]


class Browser:
    """One person's browser; forget it and the cookies are gone."""

    def __init__(self, client: httpx.Client) -> None:
        """Take *client*, which knows the way to one site; the caller closes it."""
        self._client = client
        self.cookies: dict[str, str] = {}
        self.page: Page = Page("", 0, (), b"", parsed(b""))
        self.requests: list[tuple[str, str]] = []

    def open(self, path: str) -> Page:
        """Open an address of the site."""
        return self._follow("GET", path, None, {})

    def click(self, text: str) -> Page:
        """Follow the link with this text."""
        return self.open(next(target for words, target in self.page.links if words == text))

    def begin(self) -> Page:
        """Go in through the door for words and files; a drop that asks no questions has no other."""
        doors = [button for form in self.page.forms for button in form.buttons]
        return self.press(next(door for door in ("Just send a message or files", "Begin") if door in doors))

    def press(
        self, button: str, typed: Mapping[str, Typed] | None = None, files: Sequence[Chosen] = (), **more: Typed
    ) -> Page:
        """Fill in the form that has this button, choose files in it, and press the button."""
        return self.submit(self.page.form(button), {**(typed or {}), **more}, files, button)

    def submit(self, form: Form, typed: Mapping[str, Typed], files: Sequence[Chosen] = (), button: str = "") -> Page:
        """Send a form, also one of a page that is gone."""
        if unknown := set(typed) - set(form.controls) - set(form.choices):
            raise KeyError(f"the form has no control {sorted(unknown)}")
        if form.method != "post":
            return self.open(form.action)
        controls = _brought(form, typed, button)
        if not form.multipart:
            body = "&".join(f"{quote_plus(name)}={quote_plus(_lines(text))}" for name, text in controls)
            headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
            return self._follow("POST", form.action, iter([body.encode()]), headers)
        boundary = f"----geckoformboundary{secrets.token_hex(16)}"
        pieces = list(_pieces(form, controls, files, boundary.encode()))
        size_bytes = sum(len(piece) if isinstance(piece, bytes) else piece.size_bytes for piece in pieces)
        headers = {
            "content-type": f"multipart/form-data; boundary={boundary}",
            "content-length": str(size_bytes),
        }
        return self._follow("POST", form.action, _stream(pieces), headers)

    def save(self, path: str, target: Path) -> int:
        """Save what lies at *path* as a file, and tell its size in bytes."""
        with self._client.stream("GET", path, headers=self._own_headers()) as answer, target.open("xb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_raw(_CHUNK_BYTES):
                file.write(chunk)
            return file.tell()

    def _own_headers(self) -> dict[str, str]:
        return {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}

    def _follow(self, method: str, path: str, body: Iterator[bytes] | None, headers: Mapping[str, str]) -> Page:
        for _ in range(_REDIRECTS):
            answer = self._ask(method, path, body, headers)
            if answer.status != HTTPStatus.SEE_OTHER:
                self.page = answer
                return answer
            # What stands behind the number sign is the browser's own business.
            method, path, body, headers = "GET", dict(answer.headers)["location"].partition("#")[0], None, {}
        raise RuntimeError("the pages send the browser round in circles")

    def _ask(self, method: str, path: str, body: Iterator[bytes] | None, headers: Mapping[str, str]) -> Page:
        self.requests.append((method, path))
        sent = {**headers, **self._own_headers()}
        if method == "POST":
            # The pages' referrer policy makes browsers say this much and no more.
            sent |= {"origin": "null", "sec-fetch-site": "same-origin"}
        answer = self._client.request(method, path, content=body, headers=sent)
        pairs = [(name.lower(), value) for name, value in answer.headers.multi_items()]
        for name, value in pairs:
            if name == "set-cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                self.cookies[cookie] = content
        self.cookies = {name: value for name, value in self.cookies.items() if value}
        return Page(path, answer.status_code, pairs, answer.content, parsed(answer.content))


def parsed(html: bytes) -> Element:
    """Read a page as browsers do (HTML Standard, 13.2)."""
    # The library's types leave open which kind of tree comes out; ours is the standard library's.
    parse = cast("Callable[..., Element]", html5lib.parse)  # pyright: ignore[reportUnknownMemberType]
    return parse(html, transport_encoding="utf-8", namespaceHTMLElements=False)


def unix_client(socket_path: str, host: str, seconds: float = 60) -> httpx.Client:
    """Make a client that reaches a site over its Unix socket."""
    transport = httpx.HTTPTransport(uds=socket_path)
    return httpx.Client(transport=transport, base_url=f"http://{host}", timeout=seconds, headers={})


def onion_client(socks_port: int, host: str, circuit: str, seconds: float = 300) -> httpx.Client:
    """Make a client that reaches an onion service through a tor on this machine; *circuit* names its own circuit."""
    proxy = f"socks5://{circuit}:x@127.0.0.1:{socks_port}"
    return httpx.Client(proxy=proxy, base_url=f"http://{host}", timeout=seconds, headers={})


def _form(element: Element, path: str) -> Form:
    controls: dict[str, str] = {}
    chosen: dict[str, list[str]] = {}
    choices: dict[str, list[str]] = {}
    file_controls: list[str] = []
    for control in element.iter():
        name = control.get("name", "")
        if control.tag == "textarea" and name:
            controls[name] = (control.text or "").removeprefix("\n")
        elif control.tag == "input" and control.get("type") == "file":
            file_controls.append(name)
        elif control.tag == "input" and control.get("type") in {"radio", "checkbox"}:
            choices.setdefault(name, []).append(control.get("value", ""))
            chosen.setdefault(name, []).extend([control.get("value", "")] * ("checked" in control.attrib))
        elif control.tag == "input" and name:
            controls[name] = control.get("value", "")
        elif control.tag == "select":
            options = list(control.iter("option"))
            choices[name] = [option.get("value", "") for option in options]
            selected = [option.get("value", "") for option in options if "selected" in option.attrib]
            chosen[name] = selected or choices[name][:1]
    buttons = [(_text(button), button.get("name", ""), button.get("value", "")) for button in element.iter("button")]
    return Form(
        action=element.get("action") or path,
        method=element.get("method", "get").lower(),
        multipart=element.get("enctype") == "multipart/form-data",
        controls=controls,
        chosen=chosen,
        choices=choices,
        file_controls=file_controls,
        buttons=[words for words, _, _ in buttons],
        named={words: (name, value) for words, name, value in buttons if name},
    )


def _brought(form: Form, typed: Mapping[str, Typed], button: str) -> list[tuple[str, str]]:
    """Give what the form sends, in the order of its kinds of controls."""
    pairs = [(name, typed.get(name, text)) for name, text in form.controls.items()]
    pairs += [(name, typed.get(name, codes)) for name, codes in form.chosen.items()]
    told = [(name, text) for name, value in pairs for text in ([value] if isinstance(value, str) else value)]
    return [*told, *([form.named[button]] if button in form.named else [])]


def _pieces(
    form: Form, controls: Sequence[tuple[str, str]], files: Sequence[Chosen], boundary: bytes
) -> Iterator[bytes | Chosen]:
    for name, text in controls:
        yield b'--%b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n' % (boundary, _escaped(name))
        yield _lines(text).encode() + b"\r\n"
    for control in form.file_controls:
        for chosen in files or (Chosen.of("", b""),):
            yield b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\nContent-Type: %b\r\n\r\n' % (
                boundary,
                _escaped(control),
                _escaped(chosen.name),
                chosen.media_type.encode(),
            )
            yield chosen
            yield b"\r\n"
    yield b"--%b--\r\n" % boundary


def _stream(pieces: Sequence[bytes | Chosen]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        while chunk := piece.file.read(_CHUNK_BYTES):
            yield chunk


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _escaped(name: str) -> bytes:
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22").encode()


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())
