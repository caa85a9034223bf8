"""A place on a connection's way where what is sent can be held up: a network as slow as a test wants it."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hardening.listeners import bind_loopback

_PIECE_BYTES = 64 * 1024


class Dam:
    """Lets so many bytes of each connection through on their way to the server, then all when it is opened."""

    def __init__(self, let_through_bytes: int) -> None:
        self._let_through_bytes = let_through_bytes
        self._opened = threading.Event()
        self._server = bind_loopback(0)
        self._sockets: list[socket.socket] = [self._server]
        self.port = int(self._server.getsockname()[1])

    @contextmanager
    def before(self, port: int) -> Iterator[None]:
        """Stand before the server at *port*."""
        threading.Thread(target=self._accept, args=(port,), daemon=True).start()
        try:
            yield
        finally:
            self.open()
            for one in self._sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()

    def open(self) -> None:
        """Hold nothing up any more."""
        self._opened.set()

    def _accept(self, port: int) -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._server.accept()
                server = socket.create_connection(("127.0.0.1", port))
                self._sockets += [visitor, server]
                threading.Thread(target=self._to_server, args=(visitor, server), daemon=True).start()
                threading.Thread(target=_pump, args=(server, visitor), daemon=True).start()

    def _to_server(self, visitor: socket.socket, server: socket.socket) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while passed < self._let_through_bytes and (piece := visitor.recv(_PIECE_BYTES)):
                server.sendall(piece)
                passed += len(piece)
            if passed >= self._let_through_bytes:
                self._opened.wait()
            _pump(visitor, server)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
