"""A browser without scripts that speaks raw HTTP over a Unix socket and finds its way by links and forms alone."""

import contextlib
import re
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urljoin
from xml.etree.ElementTree import Element

import html5lib

HOST = "desk.onion"
_SECONDS = 60

File = tuple[str, bytes]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def every(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    def get(self, name: str) -> str:
        (value,) = self.every(name)
        return value

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def words(self) -> str:
        """What a person reads, with single spaces."""
        return " ".join("".join(self.tree.itertext()).split())

    @property
    def tree(self) -> Element:
        return html5lib.parse(self.text, namespaceHTMLElements=False)

    @property
    def heading(self) -> str:
        return " ".join("".join(next(self.tree.iter("h1")).itertext()).split())

    def forms(self) -> list["Form"]:
        return [Form.of(element) for element in self.tree.iter("form")]

    def links(self) -> dict[str, str]:
        return {" ".join("".join(link.itertext()).split()): str(link.get("href")) for link in self.tree.iter("a")}

    def form(self, button: str) -> "Form":
        """The one form with a button of these words, ready to be pressed."""
        found = [form for form in self.forms() if button in form.buttons]
        assert len(found) == 1, (button, [list(form.buttons) for form in self.forms()])
        return found[0].pressed(button)


@dataclass(frozen=True, slots=True)
class Form:
    action: str
    method: str
    multipart: bool
    given: tuple[tuple[str, str], ...]
    boxes: Mapping[str, tuple[str, ...]]
    buttons: Mapping[str, str]

    @classmethod
    def of(cls, element: Element) -> "Form":
        given: list[tuple[str, str]] = []
        boxes: dict[str, tuple[str, ...]] = {}
        for control in [*element.iter("input"), *element.iter("textarea")]:
            name, kind = control.get("name", ""), control.get("type", "text")
            if kind == "checkbox":
                boxes[name] = (*boxes.get(name, ()), control.get("value", "on"))
            elif kind != "file":
                given.append((name, control.get("value") or control.text or ""))
        action = element.get("action", "")
        buttons = {"".join(one.itertext()).strip(): one.get("formaction") or action for one in element.iter("button")}
        multipart = element.get("enctype") == "multipart/form-data"
        return cls(action, element.get("method", "get"), multipart, tuple(given), boxes, buttons)

    def pressed(self, button: str) -> "Form":
        return Form(self.buttons[button], self.method, self.multipart, self.given, self.boxes, self.buttons)

    def filled(self, **typed: str) -> "Form":
        """The form with these texts typed; a name that the form has not is added, as only a forger would."""
        kept = [(name, value) for name, value in self.given if name not in typed]
        return Form(self.action, self.method, self.multipart, (*kept, *typed.items()), self.boxes, self.buttons)

    def ticked(self, name: str, values: Iterable[str]) -> "Form":
        wanted = tuple(values)
        assert set(wanted) <= set(self.boxes[name])
        more = tuple((name, value) for value in wanted)
        return Form(self.action, self.method, self.multipart, (*self.given, *more), self.boxes, self.buttons)

    def field(self, name: str) -> str:
        return dict(self.given)[name]


@dataclass
class Browser:
    """One person's browser, with her cookies."""

    path: Path
    cookies: dict[str, str] = field(default_factory=dict[str, str])
    headers: tuple[str, ...] = ("Sec-Fetch-Site: same-origin",)
    circuit: int | None = None

    def get(self, target: str, *headers: str, method: str = "GET") -> Answer:
        return self.ask(method, target, headers)

    def follow(self, answer: Answer) -> Answer:
        """Go where a form has led to, as browsers do after 303."""
        assert answer.status == 303, (answer.status, answer.text)
        return self.get(urljoin("/", answer.get("location")))

    def submit(self, form: Form, files: Sequence[tuple[str, File]] = ()) -> Answer:
        if form.method == "get":
            return self.get(f"{form.action}?{urlencode(form.given)}")
        if form.multipart:
            boundary = f"form{secrets.token_hex(8)}"
            body = multipart(form.given, files, boundary)
            return self.post(form.action, body, f"multipart/form-data; boundary={boundary}")
        return self.post(form.action, urlencode(form.given).encode(), "application/x-www-form-urlencoded")

    def press(self, answer: Answer, button: str, **typed: str) -> Answer:
        """Fill and send the form with this button, and go where it leads."""
        return self.follow(self.submit(answer.form(button).filled(**typed)))

    def post(self, target: str, body: bytes, media_type: str, *headers: str) -> Answer:
        more = (f"Content-Type: {media_type}", "Origin: null", *headers)
        return self.ask("POST", target, more, body)

    def ask(self, method: str, target: str, headers: Sequence[str] = (), body: bytes = b"") -> Answer:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}", *self.headers, *headers]
        if self.cookies:
            lines.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        came = b"" if self.circuit is None else proxy_line(self.circuit)
        answer = exchange(self.path, came + "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body, method)
        for cookie in answer.every("set-cookie"):
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer


def proxy_line(circuit: int) -> bytes:
    """Write what tor says first."""
    return b"PROXY TCP6 fc00:dead:beef:4dad::%x:%x ::1 1 80\r\n" % (circuit >> 16, circuit & 0xFFFF)


def exchange(path: Path, raw: bytes, method: str = "GET") -> Answer:
    """Send *raw* and read one answer to the end of the connection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_SECONDS)
        connection.connect(str(path))
        # A server that has heard enough may hang up; its answer is still to be read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(raw)
        received = b"".join(_received(connection))
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    told = dict(headers)
    if told.get("transfer-encoding") == "chunked":
        body = b"".join(_unchunked(body))
    if method != "HEAD" and "content-length" in told and told["content-length"] != str(len(body)):
        raise EOFError(f"{len(body)} bytes of {told['content-length']} came")
    return Answer(int(status_line.split()[1]), headers, body)


def multipart(given: Iterable[tuple[str, str]], files: Iterable[tuple[str, File]], boundary: str) -> bytes:
    """Write a form as browsers do."""
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value.encode() for name, value in given
    ]
    parts += [
        f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        for name, (file_name, content) in files
    ]
    mark = f"--{boundary}".encode()
    return b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def _received(connection: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            chunk = connection.recv(1 << 20)
        except ConnectionResetError:
            return
        if not chunk:
            return
        yield chunk


def _unchunked(body: bytes) -> Iterator[bytes]:
    while (match := re.match(rb"([0-9a-f]+)\r\n", body, re.IGNORECASE)) is not None:
        size = int(match[1], 16)
        yield body[match.end() : match.end() + size]
        body = body[match.end() + size + 2 :]
