"""What a command can answer with."""


class CommandError(Exception):
    """The command cannot do what was asked; the message says why and what would help."""


def plain(error: OSError) -> str:
    """Say what the system refused, and about which file."""
    said = (error.strerror or type(error).__name__).lower()
    return said if error.filename is None else f"{error.filename}: {said}"
