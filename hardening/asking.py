"""Let two processes of one drop speak over a Unix socket: one line asked, one line answered, nothing kept.

A request is one line of printable ASCII; the answer is `ok`, with or without text behind it, or `error` and the
reason. Who may ask is decided by the mode and group of the socket.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

from hardening.errors import HardeningError

LONGEST_LINE = 4096
_LIMIT_SECONDS = 60.0

Answer = Callable[[str], Awaitable[str]]
"""Answers one request; raises `RefusedError` with a reason that the asker may read."""


class AskingError(HardeningError):
    """The other process did not answer as agreed."""


class RefusedError(HardeningError):
    """The other process understood and refused; the message is its reason."""


async def ask(path: Path, line: str, limit_seconds: float = _LIMIT_SECONDS) -> str:
    """Ask *line* at the socket at *path* and give the answer's text.

    Raises:
        RefusedError: The other side refused.
        AskingError: Nobody listens, nothing came in time, or the line cannot be asked.
    """
    request = _packed(line)
    try:
        async with asyncio.timeout(limit_seconds):
            reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_LINE)
            try:
                writer.write(request)
                await writer.drain()
                answer = (await reader.readline()).decode("ascii")
            finally:
                writer.close()
    except (OSError, ValueError, TimeoutError) as error:
        raise AskingError(f"the other process did not answer ({type(error).__name__})") from error
    verdict, _, text = answer.removesuffix("\n").partition(" ")
    if verdict == "error":
        raise RefusedError(text)
    if verdict != "ok" or not answer.endswith("\n"):
        raise AskingError("the other process broke off in its answer")
    return text


async def listen(listener: socket.socket, answer: Answer) -> asyncio.Server:
    """Answer at *listener*, a bound Unix socket that the server takes over, until it is closed."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_LIMIT_SECONDS):
                writer.write(await _answered(reader, answer))
                await writer.drain()
        except (OSError, TimeoutError):
            pass  # The asker went away; there is nobody to tell.
        finally:
            writer.close()

    # Not start_unix_server: from Python 3.13 on it removes the path at the end, and the path is not ours.
    return await asyncio.start_server(one, sock=listener, limit=LONGEST_LINE)


async def _answered(reader: asyncio.StreamReader, answer: Answer) -> bytes:
    try:
        untrusted = (await reader.readline()).decode("ascii")
    except ValueError:
        return b"error a request is one short line of ASCII\n"
    if not untrusted.endswith("\n") or not untrusted[:-1].isprintable():
        return b"error a request is one short line of ASCII\n"
    try:
        text = await answer(untrusted[:-1])
    except RefusedError as refused:
        return _packed(f"error {refused}")
    return _packed(f"ok {text}" if text else "ok")


def _packed(line: str) -> bytes:
    packed = line.encode("ascii", errors="backslashreplace")
    if not line.isprintable() or len(packed) >= LONGEST_LINE:
        raise AskingError("only a short line of printable characters can be said")
    return packed + b"\n"
