"""`svidok run DIR`: start the processes of a drop, say where it is, and stop everything on Ctrl-C."""

import argparse
import json
import signal
import socket
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from hardening.files import destroy
from hardening.process import SCRUBBING
from hardening.serving import bind_loopback, bind_unix
from settings import Settings
from svidok import isolation as separate
from svidok.children import Child, Children
from svidok.drop import open_drop
from svidok.errors import CommandError
from svidok.floors import check_floors, on_this_machine
from svidok.identity import Identity
from svidok.place import Place
from svidok.running import is_running
from svidok.safety import refuse_unsafe
from svidok.stores import refuse_old

_TICK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Wish:
    """How the drop is to run."""

    tor: str
    ports: tuple[int, int] | None
    proxy_line: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the drop's folder")
    parser.add_argument("--tor", choices=("public", "private", "off"), default="public", help="which Tor network")
    parser.add_argument(
        "--listen",
        nargs=2,
        type=int,
        metavar=("SOURCE", "JOURNALIST"),
        help="loopback ports as well; 0 is any free one",
    )
    parser.add_argument("--proxy-line", action="store_true", help="ask for tor's circuit line at the loopback ports")


def run(arguments: argparse.Namespace) -> int:
    """Run the drop until Ctrl-C or SIGTERM."""
    place, settings, identity = open_drop(arguments.folder)
    wish = Wish(arguments.tor, tuple(arguments.listen) if arguments.listen else None, arguments.proxy_line)
    return run_drop(place, settings, identity, wish)


def run_drop(
    place: Place,
    settings: Settings,
    identity: Identity,
    wish: Wish,
    ready: Callable[[], None] = lambda: None,
) -> int:
    """Run the drop until Ctrl-C or SIGTERM; call *ready* once when both services can be reached.

    Raises:
        CommandError: The machine, the keyset, the settings or an old store do not allow it.
    """
    check_floors(on_this_machine())
    if wish.tor == "public":
        refuse_unsafe(place, settings)
    refuse_old(place, settings)
    isolation = separate.find(place.root)
    isolation.say_what_is_missing()
    try:
        with ExitStack() as stack:
            stack.enter_context(_ends_in_order())
            sockets = stack.enter_context(_bound(place, isolation, wish))
            children = stack.enter_context(Children())
            for child in _children(place, isolation, wish, sockets):
                children.start(child)
            _tell(identity, wish, sockets)
            _watch(place, wish, children, ready)
    except KeyboardInterrupt:
        print("stopped; nothing was lost", flush=True)
        return 0


def _watch(place: Place, wish: Wish, children: Children, ready: Callable[[], None]) -> NoReturn:
    told = ""
    announced = False
    while True:
        refusing = children.tend()
        if refusing is not None:
            raise CommandError(f"the {refusing} process refuses to run; it said why above")
        states = _states(place) if wish.tor != "off" else {}
        line = ", ".join(f"{service} {state}" for service, state in states.items() if service != "client")
        if line and line != told:
            told = line
            print(f"onion services: {line}", flush=True)
        if not announced and _reachable(states, wish):
            announced = True
            ready()
        time.sleep(_TICK_SECONDS)


def _reachable(states: dict[str, str], wish: Wish) -> bool:
    return wish.tor == "off" or (states.get("source") == "ready" and states.get("reviewer") in ("ready", "down"))


@dataclass(frozen=True, slots=True)
class _Sockets:
    source: list[socket.socket]
    journalist: list[socket.socket]
    brokers: list[socket.socket]


@contextmanager
def _bound(place: Place, isolation: separate.Isolation, wish: Wish) -> Generator[_Sockets]:
    """Bind every socket before any process starts, so that no visitor ever meets a closed door."""
    owners = (
        (place.source_socket, separate.SOURCE, separate.KEEPER),
        (place.journalist_socket, separate.REVIEWER, separate.KEEPER),
        (place.source_broker, separate.KEEPER, separate.SOURCE),
        (place.reviewer_broker, separate.KEEPER, separate.REVIEWER),
    )
    if is_running(place):
        raise CommandError(f"the drop in {place.root} runs already, or is still ending")
    with ExitStack() as undoing:
        # Nobody may take what the keeper said in the last run for what it says in this one.
        destroy(place.alarms)
        for told in (place.services, place.network):
            destroy(told)
            undoing.callback(destroy, told)
        bound: list[socket.socket] = []
        for path, owner, group in owners:
            bound.append(undoing.enter_context(closing(bind_unix(path))))
            undoing.callback(destroy, path)
            isolation.give(path, owner, group, 0o660)
        ports = [undoing.enter_context(closing(bind_loopback(port))) for port in wish.ports or ()]
        yield _Sockets([bound[0], *ports[:1]], [bound[1], *ports[1:]], bound[2:])


def _children(place: Place, isolation: separate.Isolation, wish: Wish, sockets: _Sockets) -> Iterator[Child]:
    def child(name: str, user: str, listeners: list[socket.socket], *more: str) -> Child:
        descriptors = [one.fileno() for one in listeners]
        drop_to = isolation.user(user)
        arguments = [
            name,
            str(place.root),
            *(word for descriptor in descriptors for word in ("--fd", str(descriptor))),
            *(("--user", drop_to) if drop_to else ()),
            *("--tor", wish.tor),
            *more,
        ]
        return Child(name, arguments, descriptors, SCRUBBING)

    lined = ("--proxy-line",) if wish.proxy_line else ()
    # The keeper comes first: the others ask it, and it is the last to be stopped.
    yield child("keeper", separate.KEEPER, sockets.brokers)
    yield child("source", separate.SOURCE, sockets.source, *lined)
    yield child("journalist", separate.REVIEWER, sockets.journalist, *lined)


def _tell(identity: Identity, wish: Wish, sockets: _Sockets) -> None:
    if wish.tor != "off":
        network = "a private Tor network on this machine" if wish.tor == "private" else "the Tor network"
        print(f"starting onion services in {network}:")
        print(f"  sources    http://{identity.source_address}")
        print(f"  reviewers  http://{identity.reviewer_address} (needs a reviewer's key)")
    for name, listeners in (("sources", sockets.source), ("reviewers", sockets.journalist)):
        for one in listeners[1:]:
            print(f"  {name:<9}  http://127.0.0.1:{one.getsockname()[1]} (this machine only)")
    if wish.tor == "off" and wish.ports is None:
        ways = " and ".join(str(listeners[0].getsockname()) for listeners in (sockets.source, sockets.journalist))
        print(f"no tor was asked for: nobody can reach the drop but by its sockets, {ways}")
    print("Ctrl-C stops everything.", flush=True)


def _states(place: Place) -> dict[str, str]:
    try:
        return {str(name): str(state) for name, state in json.loads(place.services.read_bytes())["services"].items()}
    except FileNotFoundError:
        return {}


@contextmanager
def _ends_in_order() -> Generator[None]:
    """Let the first Ctrl-C or SIGTERM end the run; a second one must not end the stopping half-way."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def end(_number: int, _frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        print("stopping; what is under way may end first ...", flush=True)
        raise KeyboardInterrupt

    before = [(number, signal.signal(number, end)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
