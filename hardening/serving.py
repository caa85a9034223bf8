"""Serve an app over sockets that we opened ourselves, and end so that nothing is left of them."""

import asyncio
import functools
import signal
import threading
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from types import FrameType
from typing import Any, cast

import uvicorn

from hardening.circuits import circuit_id
from hardening.connections import Connection, Rules, trust_upload
from hardening.deadlines import ServingLimits
from hardening.framing import HeadLimits
from hardening.headers import App, RefusalPage
from hardening.listeners import Listener, ListenError, bind_loopback, bind_unix

__all__ = [
    "DropServer",
    "HeadLimits",
    "ListenError",
    "Listener",
    "ServingLimits",
    "bind_loopback",
    "bind_unix",
    "circuit_id",
    "serve",
    "trust_upload",
]

# Ours decide; uvicorn's own timer must not be sooner.
_NEVER_SECONDS = 24 * 3600
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def serve(app: App, listeners: Iterable[Listener], limits: ServingLimits, refusal: RefusalPage) -> None:
    """Serve until SIGTERM or SIGINT, as `DropServer.run` does."""
    await DropServer(app, listeners, limits, refusal).run()


class DropServer:
    """One app on its sockets."""

    def __init__(self, app: App, listeners: Iterable[Listener], limits: ServingLimits, refusal: RefusalPage) -> None:
        self._listeners = tuple(listeners)
        proxied = frozenset(_name(listener) for listener in self._listeners if listener.proxy_line)
        rules = Rules(limits, refusal, proxied)
        self._server = _Server(
            uvicorn.Config(
                cast("Any", app),
                http=cast("type[asyncio.Protocol]", functools.partial(Connection, rules)),
                loop="asyncio",
                ws="none",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=_NEVER_SECONDS,
                timeout_graceful_shutdown=limits.stop_seconds,
                h11_max_incomplete_event_size=limits.head.head_bytes + 1,
            )
        )

    async def run(self) -> None:
        """Serve until told to stop; then accept nothing more and let running requests end.

        The sockets' paths stay: they belong to whoever bound them, and a process started anew may take them over.

        After SIGTERM or SIGINT this returns as after `stop`, and the caller leaves the process.
        """
        try:
            await self._server.serve(sockets=[listener.socket for listener in self._listeners])
        finally:
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()

    def stop(self) -> None:
        """Ask a running server to end; may be called from any thread."""
        self._server.should_exit = True


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # uvicorn raises the signal again at the end, which kills the process before it has cleaned up.
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.should_exit = True


def _name(listener: Listener) -> object:
    """Name the socket as a connection's `sockname` does."""
    return listener.socket.getsockname()
