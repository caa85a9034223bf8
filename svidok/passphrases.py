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
    return _not_empty(getpass.getpass("passphrase: ")) if file is None else from_file(file)


def twice(file: Path | None) -> str:
    """Give a new passphrase; a person types it twice.

    Raises:
        CommandError: It is empty, or the two differ.
    """
    if file is not None:
        return from_file(file)
    first = _not_empty(getpass.getpass("a new passphrase: "))
    if first != getpass.getpass("again: "):
        raise CommandError("the two passphrases are not the same")
    return first


def from_file(file: Path) -> str:
    """Read a passphrase, which is the first and only line of *file*.

    Raises:
        CommandError: It is empty, too long, or no text.
    """
    with file.open("rb") as opened:
        content = opened.read(_LONGEST_BYTES + 1)
    if len(content) > _LONGEST_BYTES:
        raise CommandError(f"a passphrase has at most {_LONGEST_BYTES} bytes")
    try:
        return _not_empty(content.decode("utf-8").rstrip("\r\n"))
    except UnicodeDecodeError as error:
        raise CommandError("the passphrase in the file is not text in UTF-8") from error


def _not_empty(passphrase: str) -> str:
    if not passphrase:
        raise CommandError("the passphrase is empty")
    return passphrase
