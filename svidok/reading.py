"""Read small files that somebody hands to a command."""

from pathlib import Path

from svidok.errors import CommandError


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Read a file of at most *most_bytes*.

    Raises:
        CommandError: It is longer, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {_why(path, error)}") from error
    if len(content) > most_bytes:
        raise CommandError(f"{path} has at most {most_bytes} bytes")
    return content


def _why(path: Path, error: OSError) -> str:
    match error:
        case FileNotFoundError() if not path.parent.is_dir():
            return "its folder is missing"
        case FileNotFoundError():
            return "it is missing"
        case NotADirectoryError():
            return f"{path.parent} is not a folder"
        case IsADirectoryError():
            return "it is a folder, not a file"
        case PermissionError():
            return "it may not be read"
        case _:
            return (error.strerror or type(error).__name__).lower()
