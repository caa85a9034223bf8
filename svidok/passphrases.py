"""Ask for a passphrase at the terminal, or take it from a file."""

import getpass
from pathlib import Path

from svidok.errors import CommandError

_LONGEST_BYTES = 1024


def once(file: Path | None) -> str:
    """Give the passphrase of something that exists.

    Raises:
        CommandError: It is empty.
    """
    return _not_empty(getpass.getpass("passphrase: ") if file is None else _read(file))


def twice(file: Path | None) -> str:
    """Give a new passphrase; a person types it twice.

    Raises:
        CommandError: It is empty, or the two differ.
    """
    if file is not None:
        return _not_empty(_read(file))
    first = _not_empty(getpass.getpass("a new passphrase: "))
    if first != getpass.getpass("again: "):
        raise CommandError("the two passphrases are not the same")
    return first


def _read(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(_LONGEST_BYTES).decode("utf-8").rstrip("\r\n")


def _not_empty(passphrase: str) -> str:
    if not passphrase:
        raise CommandError("the passphrase is empty")
    return passphrase
