"""A web process for onion tests: tells each visitor the pseudo-address that tor announced, or holds the stream."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        announced = self.rfile.readline(200).decode("ascii")
        client = announced.split(" ")[2] if announced.startswith("PROXY TCP6 ") else ""
        request = self.rfile.readline(200)
        if request.startswith(b"GET /hold "):
            self.wfile.write(b"held")
            self.rfile.read()
            return
        while self.rfile.readline(1000).strip():
            pass
        body = json.dumps({"client": client}).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep silent: tests cut streams all the time."""


@contextmanager
def backend(path: Path) -> Iterator[Path]:
    """Serve on the Unix socket at *path*."""
    with _Server(str(path), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield path
        finally:
            server.shutdown()
            thread.join()
