"""Sealed parts and programs that stand in for gpg, for the tests of sealing and opening."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from keys.gpg import Gpg
from keys.recipients import Recipients
from keys.sealing import PartLabel, Sealed, seal
from keys.trailer import Kind
from tests.keyring import DAY

PART_ID = "00112233445566778899aabbccddeeff"

Sealer = Callable[[bytes, str], tuple[Path, Sealed]]


def label(name: str = "нотатка.txt", kind: Kind = "file") -> PartLabel:
    return PartLabel(PART_ID, kind, name, "text/plain", DAY)


def make_sealer(folder: Path, recipients: Recipients, gpg: Gpg) -> Sealer:
    """Return something that seals bytes under a file name."""

    def sealer(content: bytes, file_name: str) -> tuple[Path, Sealed]:
        output = folder / file_name
        return output, seal(io.BytesIO(content), label(), recipients, output, gpg)

    return sealer


def stand_in(folder: Path, body: str) -> str:
    """Write a program that runs *body* with gpg's arguments in ``arguments`` and the status pipe in ``status``."""
    program = folder / "gpg-stand-in"
    program.write_text(
        f"#!{sys.executable} -I\n"
        "import os, signal, subprocess, sys, time\n"
        "arguments = sys.argv[1:]\n"
        "status = int(arguments[arguments.index('--status-fd') + 1])\n"
        "def real(given, **more):\n"
        "    return subprocess.run(['gpg', *given], pass_fds=(status,), check=False, **more).returncode\n"
        "def say(line):\n"
        "    os.write(status, f'[GNUPG:] {line}\\n'.encode())\n"
        f"{body}\n"
    )
    program.chmod(0o755)
    return str(program)


class Flow(io.RawIOBase):
    """A stream of a given length that is never in memory as a whole."""

    def __init__(self, size_bytes: int, block: bytes | None = None) -> None:
        super().__init__()
        self._left = size_bytes
        self._block = os.urandom(1024 * 1024) if block is None else block

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._block[: min(self._left, size, len(self._block))]
        self._left -= len(chunk)
        return chunk


class Cut(io.RawIOBase):
    """A stream that breaks after some bytes."""

    def __init__(self, size_bytes: int, error: BaseException) -> None:
        super().__init__()
        self._left = size_bytes
        self._error = error

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            raise self._error
        chunk = b"c" * min(self._left, size)
        self._left -= len(chunk)
        return chunk


def binary(stream: io.RawIOBase) -> BinaryIO:
    """Call *stream* what `seal` asks for: of a BinaryIO it uses ``read`` alone."""
    return cast("BinaryIO", stream)
