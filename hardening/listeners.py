"""Open the sockets that a web process is reached through, so that nobody else on the machine can (D9)."""

import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from hardening.errors import HardeningError

_MAX_PATH_BYTES = 107
_BACKLOG = 1024


class ListenError(HardeningError):
    """A socket cannot be opened where it would be safe."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket, and whether tor's PROXY line is demanded from whoever connects to it."""

    socket: socket.socket
    proxy_line: bool = False


def bind_unix(path: Path, mode: int = 0o660) -> socket.socket:
    """Bind a Unix socket; a socket that a dead process left at *path* is replaced.

    Args:
        path: Its folder must exist and give no right to others.
        mode: Set before anybody can connect. The owner and group are the caller's, or the
            folder's group where the folder hands its group on.

    Raises:
        ListenError: The folder is open to others, something else lies at *path*, or somebody listens there.
    """
    _check_folder(path.parent)
    if len(os.fsencode(path)) > _MAX_PATH_BYTES:
        raise ListenError(f"the path of a Unix socket has at most {_MAX_PATH_BYTES} bytes")
    _remove_dead_socket(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # The socket is born without rights and gets them by chmod, as a umask is the whole process's.
    before = os.umask(0o777)
    try:
        bound.bind(os.fspath(path))
    except OSError as error:
        bound.close()
        raise ListenError("the Unix socket cannot be bound") from error
    finally:
        os.umask(before)
    path.chmod(mode)
    bound.listen(_BACKLOG)
    return bound


def bind_loopback(port: int) -> socket.socket:
    """Bind a port that only this machine reaches, for evaluation drops and tests; 0 takes a free one."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", port))
        bound.listen(_BACKLOG)
    except OverflowError as error:
        bound.close()
        raise ListenError(f"{port} is no port: ports are 0 to 65535") from error
    except OSError as error:
        bound.close()
        why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise ListenError(f"port {port} on the loopback address {why}") from error
    return bound


def _check_folder(folder: Path) -> None:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        raise ListenError("the folder of the socket does not exist") from None
    if not stat.S_ISDIR(status.st_mode) or stat.S_IMODE(status.st_mode) & stat.S_IRWXO:
        raise ListenError(f"the folder of the socket gives others rights (mode {stat.S_IMODE(status.st_mode):o})")


def _remove_dead_socket(path: Path) -> None:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(status.st_mode):
        raise ListenError("something that is no socket lies where the socket shall be")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(os.fspath(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    raise ListenError("another process listens on this socket")
