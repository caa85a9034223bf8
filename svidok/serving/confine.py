"""What every process of a drop gives up before it serves: core dumps, other users' files, the network."""

import argparse
import asyncio
import importlib
import logging
import socket
import sys
from collections.abc import Collection
from pathlib import Path

from hardening.listeners import Listener
from hardening.parent import end_with_parent
from hardening.process import Reach, drop_to, forbid_ip_sockets, landlock, no_core_dumps, not_dumpable, runtime

_log = logging.getLogger(__name__)

# Libraries load these on first use, when their folder may no longer be within reach.
_LOADED_LATE = (
    "anyio._backends._asyncio",
    "encodings.idna",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "uvicorn.lifespan.on",
    "uvicorn.loops.asyncio",
    "uvicorn.protocols.http.h11_impl",
)


def preload() -> None:
    """Load what libraries would load later."""
    for name in _LOADED_LATE:
        importlib.import_module(name)
    # The loop's own helpers (selectors, the thread pool) are loaded with the first loop.
    asyncio.new_event_loop().close()


def become(arguments: argparse.Namespace) -> None:
    """Become this process's system user, if there is one, end when `svidok run` does, leave nothing to a debugger.

    Raises:
        ProcessError: One of these cannot be had.
    """
    no_core_dumps()
    if arguments.user:
        drop_to(arguments.user)
    end_with_parent(arguments.parent)
    not_dumpable()


def confine(reach: Reach) -> None:
    """Keep from now on to *reach*, to this program and to Unix sockets, children included; cannot be undone."""
    if landlock(runtime(), Reach(read=_program()), reach) == 0:
        _log.warning("this kernel has no Landlock: only the user's rights keep this process from other files")
    forbid_ip_sockets()


def _program() -> tuple[Path, ...]:
    """The folders of our own packages that this process has loaded; pages and word lists lie in them.

    Not the folder above: in a clone of the repository, a drop for trying out may lie there.
    """
    root = Path(__file__).parents[2]
    loaded = (Path(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None)))
    return tuple(
        {
            root / file.relative_to(root).parts[0]
            for file in loaded
            if file.parent.is_relative_to(root) and (root / file.relative_to(root).parts[0] / "__init__.py").exists()
        }
    )


def listeners(arguments: argparse.Namespace) -> tuple[Listener, ...]:
    """Take the inherited sockets; the first is the Unix socket, which tor alone uses when there is a tor."""
    found = [socket.socket(fileno=descriptor) for descriptor in arguments.fd]
    return tuple(
        Listener(one, proxy_line=arguments.tor != "off" if one.family == socket.AF_UNIX else arguments.proxy_line)
        for one in found
    )


def hosts(address: str, sockets: Collection[Listener]) -> frozenset[str]:
    """Name what a request's Host may say: the onion address, and loopback where we listen there."""
    ports = [one.socket.getsockname()[1] for one in sockets if one.socket.family == socket.AF_INET]
    names = {f"{host}:{port}" for port in ports for host in ("127.0.0.1", "localhost")}
    # A request over the Unix socket itself, without tor before it, has no better name to give.
    local = {"localhost"} if any(_is_bare(one) for one in sockets) else set[str]()
    return frozenset({address} | names | local)


def _is_bare(listener: Listener) -> bool:
    return listener.socket.family == socket.AF_UNIX and not listener.proxy_line
