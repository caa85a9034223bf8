"""Speak with a running tor over its control socket; the only module that knows the stem library."""

import logging
import re
import socket
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import stem
import stem.connection
import stem.control
import stem.socket
from stem.response.events import HSDescEvent, StatusEvent

from onion.circuits import checked
from onion.errors import ControlError
from onion.torrc import Option
from onion.watch import Bootstrap, Watch

_BOOTSTRAP = re.compile(r'PROGRESS=(\d{1,3})\b.*?SUMMARY="([^"]*)"', re.ASCII)
_RENDEZVOUS = "HS_SERVICE_REND"


class _Connection(stem.control.Controller):
    """Stem's connection without its own listener for signals, which only empties a cache that we do not have.

    That listener waits for the lock that `close` holds while it waits for the listener: whoever hung up right after a
    reload waited for ever.
    """

    def add_event_listener(
        self, listener: Callable[[HSDescEvent], None] | Callable[[StatusEvent], None], *events: str
    ) -> None:
        super().add_event_listener(listener, *(one for one in events if one != stem.control.EventType.SIGNAL))


class Controller:
    """An authenticated control connection, owned by whoever made it with `connect`."""

    def __init__(self, connection: stem.control.Controller) -> None:
        self._connection = connection

    @classmethod
    def connect(cls, path: Path) -> Self:
        """Open the control socket at *path* and prove with tor's cookie who we are.

        Raises:
            ControlError: Nobody answers there yet, or tor does not take the cookie.
        """
        # At its lower levels stem writes every answer to the log: circuits, addresses, everything (M12).
        logging.getLogger("stem").setLevel(logging.ERROR)
        _knock(path)
        try:
            connection = _Connection(stem.socket.ControlSocketFile(str(path)))
        except stem.ControllerError as error:
            raise ControlError("tor's control socket does not answer") from error
        # What is asked is to be answered by tor, and now: see `reload`.
        connection.set_caching(False)
        try:
            connection.authenticate()
        except (stem.ControllerError, stem.connection.AuthenticationFailure) as error:
            connection.close()
            raise ControlError("tor does not accept us at its control socket") from error
        return cls(connection)

    @property
    def alive(self) -> bool:
        """Tell whether tor still listens."""
        return self._connection.is_alive()

    def close(self) -> None:
        """Hang up; tor goes on."""
        self._connection.close()

    def listen(self, watch: Watch) -> None:
        """Tell *watch* from now on about the start, the descriptors, and the end of the connection.

        Raises:
            ControlError: Tor went away.
        """

        def descriptor(event: HSDescEvent) -> None:
            watch.hear_descriptor(str(event.action), event.address)

        def status(event: StatusEvent) -> None:
            if event.action == "BOOTSTRAP":
                percent = event.arguments.get("PROGRESS", "")
                watch.hear_bootstrap(Bootstrap(int(percent or 0), event.arguments.get("SUMMARY", "")))

        def state(_: stem.control.BaseController, new_state: str, __: float) -> None:
            if new_state == stem.control.State.CLOSED:
                watch.hear_end()

        self._connection.add_status_listener(state, spawn=False)
        try:
            self._connection.add_event_listener(descriptor, stem.control.EventType.HS_DESC)
            self._connection.add_event_listener(status, stem.control.EventType.STATUS_CLIENT)
        except stem.ControllerError as error:
            raise ControlError("tor does not tell us its events") from error
        watch.hear_bootstrap(self.bootstrap())

    def bootstrap(self) -> Bootstrap:
        """Ask how far tor has come into the network.

        Raises:
            ControlError: Tor went away or does not make sense.
        """
        found = _BOOTSTRAP.search(self._ask("status/bootstrap-phase"))
        if found is None:
            raise ControlError("tor does not say how far it has come")
        return Bootstrap(int(found[1]), found[2])

    def consensus_time(self) -> datetime:
        """Ask when the network's consensus began to hold: a check of this machine's clock that needs no time server.

        Raises:
            ControlError: Tor went away or has no consensus yet.
        """
        try:
            return datetime.fromisoformat(self._ask("consensus/valid-after")).replace(tzinfo=UTC)
        except ValueError as error:
            raise ControlError("tor does not say how old its consensus is") from error

    def socks_port(self) -> int:
        """Ask for the loopback port where a client-only tor listens.

        Raises:
            ControlError: It does not listen on a port.
        """
        listener = self._ask("net/listeners/socks").split(" ", maxsplit=1)[0].strip('"')
        port = listener.removeprefix("127.0.0.1:")
        if not port.isdigit():
            raise ControlError("this tor has no loopback port for clients")
        return int(port)

    def reload(self) -> None:
        """Let tor read its configuration and its key files again, and return when it has.

        Raises:
            ControlError: Tor went away, as it does when it cannot live with what it reads.
        """
        self._tell("SIGNAL RELOAD")
        # Tor answers before it acts; a question put after it is answered when it has acted.
        self._ask("version")

    def set_service(self, block: Iterable[Option]) -> None:
        """Put up the onion service that *block* describes, with introduction points of its own.

        Raises:
            ControlError: Tor refuses, or went away.
        """
        self._tell("SETCONF " + " ".join(f"{option.name}={_quote(option.value)}" for option in block))

    def drop_service(self) -> None:
        """Take down every onion service of this tor, together with its introduction points.

        Raises:
            ControlError: Tor refuses, or went away.
        """
        self._tell("RESETCONF HiddenServiceDir HiddenServicePort")

    def rendezvous_circuits(self) -> tuple[int, ...]:
        """Name the circuits on which visitors are connected to our service.

        Raises:
            ControlError: Tor went away.
        """
        try:
            circuits = self._connection.get_circuits()
        except stem.ControllerError as error:
            raise ControlError("tor does not name its circuits") from error
        return tuple(int(circuit.id) for circuit in circuits if circuit.purpose == _RENDEZVOUS)

    def close_circuit(self, circuit: int) -> bool:
        """Cut a circuit; tell whether it was still there.

        Raises:
            CircuitError: No circuit can have this number.
            ControlError: Tor went away.
        """
        return self._sent(f"CLOSECIRCUIT {checked(circuit)}")

    def close_rendezvous_circuits(self) -> int:
        """Cut every visitor's connection to our service; tell how many there were.

        Raises:
            ControlError: Tor went away.
        """
        return sum(self.close_circuit(circuit) for circuit in self.rendezvous_circuits())

    def _ask(self, question: str) -> str:
        try:
            return self._connection.get_info(question)
        except (stem.ControllerError, ValueError) as error:
            raise ControlError("tor does not answer a question") from error

    def _tell(self, command: str) -> None:
        if not self._sent(command):
            raise ControlError("tor refuses a command")

    def _sent(self, command: str) -> bool:
        try:
            return self._connection.msg(command).is_ok()
        except stem.ControllerError as error:
            raise ControlError("tor does not take a command") from error


def _knock(path: Path) -> None:
    # When nobody answers, stem forgets to close its socket.
    try:
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.connect(str(path))
    except OSError as error:
        raise ControlError("tor's control socket does not answer") from error


def _quote(value: str) -> str:
    # control-spec, 2.1.1: QuotedString. `Option` lets no backslash and no control character in.
    return '"' + value.replace('"', '\\"') + '"'
