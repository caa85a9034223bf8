"""Lynx, a browser of text alone, and somebody who acts by what it has shown her.

Text browsers send a `Secure` cookie over TLS alone; that an onion address is as good, Tor Browser knows and they do
not. So TLS ends before the house here.
"""

import os
import re
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import SHUT_RDWR, SHUT_WR, create_connection, socket
from typing import TextIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hardening.listeners import bind_loopback
from tests.source_interface.house import until

_WISHES = (
    "-nocolor",
    "-tna",
    "-number_fields",
    "-accept_all_cookies",
    "-assume_charset=utf-8",
    "-display_charset=utf-8",
)
_PIECE_BYTES = 64 * 1024
_STOPPING_SECONDS = 20


@dataclass(slots=True)
class Reader:
    """Somebody before lynx; `pages` is all that she has read."""

    keys: TextIO
    folder: Path
    pages: list[str] = field(default_factory=list)

    def look(self) -> str:
        """Read the page as lynx prints it: each link, field and button has its number before it."""
        printed, behind = (self.folder / f"page-{len(self.pages)}{end}" for end in ("", "-again"))
        for path in (printed, behind):
            self._hit("p", "^J", "^U", *str(path), "^J")
        # Keys are taken one by one: when the second is there, the first is whole.
        until(behind.exists, 20)
        text, _, _ = printed.read_text("utf-8").partition("\nReferences\n")
        self.pages.append(text)
        return text

    def press(self, words: str) -> str:
        """Follow the link, or press the button, that says this; read the page that comes."""
        self._go_to(rf"\[(\d+)\](?:\S*\) )?{_wrapped(words)}$")
        self._hit("^J")
        return self.look()

    def tick(self, question: str, answer: str) -> None:
        """Choose an answer among those below a question."""
        self._go_to(rf"^ *{_wrapped(question)}$.*?\[(\d+)\][(\[][ *][)\]] {_wrapped(answer)}$")
        self._hit("^J")

    def type(self, label: str, text: str) -> None:
        """Write into the field behind or below its label."""
        self._go_to(rf"^ *{_wrapped(label)}\s+\[(\d+)\]_+")
        self._hit("^J", *text, "^I")

    def _go_to(self, pattern: str) -> None:
        found = re.search(pattern, self.pages[-1], re.DOTALL | re.MULTILINE)
        assert found, f"nobody finds {pattern} in:\n{self.pages[-1]}"
        self._hit("^A", *["Down Arrow"] * (int(found[1]) - 1))

    def _hit(self, *keys: str) -> None:
        self.keys.write("".join(f"key {'<space>' if key == ' ' else key}\n" for key in keys))
        self.keys.flush()


def _wrapped(words: str) -> str:
    return r"\s+".join(map(re.escape, words.split()))


@contextmanager
def lynx(address: str, folder: Path) -> Iterator[Reader]:
    """Lend a reader who has opened the address; lynx takes her keys from a pipe, as from a keyboard."""
    pipe, settings = folder / "keys", folder / "lynx.cfg"
    os.mkfifo(pipe)
    settings.write_text("FORCE_SSL_PROMPT:YES\nINFOSECS:0\nMESSAGESECS:0\nALERTSECS:0\n", "utf-8")
    process = subprocess.Popen(
        ["/usr/bin/lynx", f"-cfg={settings}", *_WISHES, f"-cmd_script={pipe}", address],
        env={"HOME": str(folder), "TERM": "vt100", "LANG": "C.UTF-8", "COLUMNS": "80", "LINES": "400"},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with pipe.open("w", encoding="utf-8") as keys:
            yield Reader(keys, folder)
        # Without a keyboard behind its pipe it ends.
        process.wait(_STOPPING_SECONDS)
    finally:
        process.kill()
        process.wait()


class Tls:
    """A place before a server that speaks TLS, with a certificate that nobody vouches for."""

    def __init__(self, folder: Path) -> None:
        self._server = bind_loopback(0)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(_certificate(folder / "tls.pem"))
        self.host = f"127.0.0.1:{self._server.getsockname()[1]}"

    @contextmanager
    def before(self, host: str) -> Iterator[None]:
        """Stand before the server at *host*."""
        thread = threading.Thread(target=self._accept, args=(int(host.partition(":")[2]),))
        thread.start()
        try:
            yield
        finally:
            # A closed listener wakes nobody who waits in accept(); one that is shut down does.
            self._server.shutdown(SHUT_RDWR)
            thread.join()
            self._server.close()

    def _accept(self, port: int) -> None:
        with suppress(OSError):
            while True:
                visitor, _ = self._server.accept()
                with suppress(OSError), visitor, create_connection(("127.0.0.1", port)) as server:
                    _relay(self._context.wrap_socket(visitor, server_side=True), server)


def _relay(visitor: ssl.SSLSocket, server: socket) -> None:
    """Carry one connection; lynx asks for one thing at a time, and whatever it asks for is short."""
    with visitor:
        back = threading.Thread(target=_pump, args=(server, visitor))
        back.start()
        _pump(visitor, server)
        back.join()


def _pump(source: socket, target: socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            target.sendall(piece)
        target.shutdown(SHUT_WR)


def _certificate(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([]), datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encodings = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*encodings) + certificate.public_bytes(serialization.Encoding.PEM))
    return path
