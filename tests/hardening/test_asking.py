"""One line asked, one line answered, and nothing else gets through."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hardening.asking import AskingError, RefusedError, ask, listen


async def echo(line: str) -> str:
    if line == "no":
        raise RefusedError("not today")
    return line.upper()


@asynccontextmanager
async def answering(path: Path) -> AsyncGenerator[Path]:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    server = await listen(listener, echo)
    try:
        yield path
    finally:
        server.close()


def test_an_answer_comes_back(tmp_path: Path) -> None:
    async def story() -> str:
        async with answering(tmp_path / "s") as path:
            return await ask(path, "close 41")

    assert asyncio.run(story()) == "CLOSE 41"


def test_a_refusal_says_why(tmp_path: Path) -> None:
    async def story() -> None:
        async with answering(tmp_path / "s") as path:
            await ask(path, "no")

    with pytest.raises(RefusedError, match="not today"):
        asyncio.run(story())


def test_nobody_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AskingError):
        asyncio.run(ask(tmp_path / "nobody", "close 41"))


@pytest.mark.parametrize("line", ["two\nlines", "x" * 5000, "bell\x07"])
def test_only_a_short_printable_line_is_asked(tmp_path: Path, line: str) -> None:
    with pytest.raises(AskingError):
        asyncio.run(ask(tmp_path / "s", line))


@pytest.mark.check("L4")
@pytest.mark.parametrize("sent", [b"x" * 10_000 + b"\n", b"\xff\n", b"a\x1b[2J\n", b"unfinished"])
def test_whatever_is_no_line_of_ours_is_refused_unread(tmp_path: Path, sent: bytes) -> None:
    async def story() -> bytes:
        async with answering(tmp_path / "s") as path:
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(sent)
            writer.write_eof()
            answer = await reader.readline()
            writer.close()
            return answer

    assert asyncio.run(story()).startswith(b"error")
