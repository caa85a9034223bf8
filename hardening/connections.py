"""Stand between a client and uvicorn's HTTP protocol, adding the strictness and the deadlines it lacks."""

import asyncio
import http
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from hardening.circuits import ProxyLineError, take_proxy_line
from hardening.deadlines import Deadlines, Phase, ServingLimits, Wire
from hardening.framing import FramingError, RequestGate
from hardening.headers import App, Message, Receive, RefusalPage, Scope, Send
from hardening.pieces import PieceBuffer

_TRUST = "svidok.trust"
_CLOSE = (b"connection", b"close")


def trust_upload(scope: MutableMapping[str, Any]) -> None:
    """Say that a request's session is good: from now on its upload is cut only when it stands still for long."""
    trust: Callable[[], None] | None = scope.get("extensions", {}).get(_TRUST)
    if trust is not None:
        trust()


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every connection of a server."""

    limits: ServingLimits
    refusal: RefusalPage
    proxied: frozenset[object]
    """The socket names on which tor's PROXY line is demanded."""


class Connection(H11Protocol):
    """One connection: what its client may send, and how long it may take.

    The order of its bytes: tor's PROXY line where it is demanded, then `RequestGate`, then h11. Everything is
    refused before a parser could see it differently.
    """

    def __init__(
        self,
        rules: Rules,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.conn._receive_buffer = PieceBuffer()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        self._rules = rules
        self._inner = cast("App", self.app)
        self.app = cast("Any", self._answer)
        self._gate = RequestGate(rules.limits.head)
        self._deadlines = Deadlines(rules.limits, self.loop.time())
        self._timer: asyncio.TimerHandle | None = None
        self._proxy_line_due = False
        self._waiting = b""
        self._requests = 0
        self._drained = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to count the time."""
        super().connection_made(transport)
        self.client = None
        self._proxy_line_due = transport.get_extra_info("sockname") in self._rules.proxied
        if len(self.connections) > self._rules.limits.connections:
            transport.abort()
            return
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was waiting."""
        if self._timer is not None:
            self._timer.cancel()
        self._waiting = b""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes as they come, in whatever pieces."""
        if self.transport.is_closing():
            return
        self._deadlines.came(len(data), self.loop.time())
        self._waiting += data
        if self._proxy_line_due and not self._took_proxy_line():
            return
        self._advance()

    def resume_writing(self) -> None:
        """Note that the client reads."""
        self._deadlines.taken(self.loop.time())
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Turn to the request that may already wait."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._enter(Phase.IDLE)
            self._advance()

    def send_400_response(self, msg: str) -> None:
        """Refuse what h11 refuses; *msg* is dropped, as it may quote the bytes."""
        del msg
        self._refuse(http.HTTPStatus.BAD_REQUEST)

    def shutdown(self) -> None:
        """Close when idle, or after the running request."""
        if self._answering:
            self.cycle.keep_alive = False
        else:
            self.transport.close()

    @property
    def _answering(self) -> bool:
        # uvicorn sets the cycle with the first request only, whatever its type says.
        return cast("object", self.cycle) is not None and not self.cycle.response_complete

    def _took_proxy_line(self) -> bool:
        try:
            taken = take_proxy_line(self._waiting)
        except ProxyLineError:
            # Fail closed, without a word: only tor may speak here.
            self.transport.abort()
            return False
        if taken is None:
            return False
        self.client, self._waiting = taken
        self._proxy_line_due = False
        return True

    def _advance(self) -> None:
        try:
            while self._waiting and not self.transport.is_closing():
                if self._gate.complete:
                    if self._answering:
                        break
                    self._gate.next_request()
                ready, self._waiting = self._gate.take(self._waiting)
                if ready:
                    self._pass_on(ready)
        except FramingError as error:
            self._refuse(http.HTTPStatus(error.status))
            return
        self._hold_back()
        self._enter(self._phase())

    def _pass_on(self, ready: bytes) -> None:
        answered_early = not self._answering and not self._gate.complete and self._requests > 0
        super().data_received(ready)
        if answered_early and not self._answering:
            self._drained += len(ready)
            if self._drained > self._rules.limits.drain_bytes:
                # Closing at once could lose the answer: whoever is still writing may not have read it yet.
                self._waiting = b""
                self.flow.pause_reading()

    def _hold_back(self) -> None:
        if not self._waiting:
            return
        # A client may send its next request a little early, and no more than that.
        if len(self._waiting) > self._rules.limits.drain_bytes:
            self.transport.abort()
            return
        self.flow.pause_reading()

    def _phase(self) -> Phase:
        if self._answering:
            return Phase.ANSWER if self._gate.complete else Phase.BODY
        if self._gate.complete or (self._gate.untouched and self._requests):
            return Phase.IDLE
        return Phase.HEAD if self._gate.in_head else Phase.DRAIN

    def _enter(self, phase: Phase) -> None:
        if phase is not self._deadlines.phase:
            self._deadlines.enter(phase, self.loop.time())
            self._look()

    def _look(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wire = Wire(
            paused=self.flow.read_paused and self._deadlines.phase is Phase.BODY,
            unsent_bytes=self.transport.get_write_buffer_size(),
            crowded=len(self.connections) >= self._rules.limits.crowd,
        )
        seconds = self._deadlines.look(self.loop.time(), wire)
        if seconds is None:
            self.transport.abort()
            return
        self._timer = self.loop.call_later(seconds, self._look)

    def _refuse(self, status: http.HTTPStatus) -> None:
        if self._answering:
            if self.cycle.response_started:
                self.transport.abort()
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        refusal = self._rules.refusal
        lines = [
            b"HTTP/1.1 %d %s" % (status.value, status.phrase.encode("ascii")),
            *(name + b": " + value for name, value in refusal.headers),
            b"content-length: %d" % len(refusal.body),
            b"connection: close",
        ]
        self._waiting = b""
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + refusal.body)
        self.transport.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._requests += 1
        last = self._requests >= self._rules.limits.requests
        scope.setdefault("extensions", {})[_TRUST] = self._trust

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), _CLOSE]}
            await send(message)

        await self._inner(scope, receive, send_last if last else send)

    def _trust(self) -> None:
        self._deadlines.trusted = True
