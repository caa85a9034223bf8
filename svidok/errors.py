"""What a command can answer with."""


class CommandError(Exception):
    """The command cannot do what was asked; the message says why and what would help."""
