from collections.abc import Callable, Sequence
from typing import Final

from stem.response import ControlMessage
from stem.response.events import HSDescEvent, StatusEvent
from stem.socket import ControlSocketFile

class State:
    INIT: Final[str]
    RESET: Final[str]
    CLOSED: Final[str]

class EventType:
    HS_DESC: Final = "HS_DESC"
    SIGNAL: Final = "SIGNAL"
    STATUS_CLIENT: Final = "STATUS_CLIENT"

class CircuitEvent:
    id: str
    purpose: str
    hs_state: str | None

class BaseController:
    def msg(self, message: str) -> ControlMessage: ...
    def is_alive(self) -> bool: ...
    def close(self) -> None: ...
    def add_status_listener(
        self, callback: Callable[[BaseController, str, float], None], spawn: bool = True
    ) -> None: ...

class Controller(BaseController):
    def __init__(self, control_socket: ControlSocketFile) -> None: ...
    def set_caching(self, enabled: bool) -> None: ...
    def authenticate(self) -> None: ...
    def get_info(self, params: str) -> str: ...
    def get_circuits(self) -> Sequence[CircuitEvent]: ...
    def add_event_listener(
        self, listener: Callable[[HSDescEvent], None] | Callable[[StatusEvent], None], *events: str
    ) -> None: ...
