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
        raise CommandError(f"{path.name} cannot be read ({type(error).__name__})") from error
    if len(content) > most_bytes:
        raise CommandError(f"{path.name} has at most {most_bytes} bytes")
    return content
