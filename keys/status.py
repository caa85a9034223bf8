"""What gpg said about what it did, on a pipe that nobody else can write to."""

from dataclasses import dataclass

from keys.errors import GpgFailedError

MOST_STATUS_BYTES = 1024 * 1024

_PREFIX = "[GNUPG:] "


@dataclass(frozen=True, slots=True)
class StatusLine:
    """One thing that gpg said on the pipe that only we and gpg hold."""

    keyword: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a gpg ended. Success is never any one of these alone: see the callers."""

    returncode: int
    status: tuple[StatusLine, ...]
    stdout: bytes

    def said(self, keyword: str) -> tuple[StatusLine, ...]:
        """Return the status lines that begin with *keyword*."""
        return tuple(line for line in self.status if line.keyword == keyword)


def status_lines(said: bytes) -> tuple[StatusLine, ...]:
    """Read what gpg said.

    Raises:
        GpgFailedError: More was said than any verdict needs, or something that gpg does not say.
    """
    if len(said) > MOST_STATUS_BYTES:
        raise GpgFailedError("gpg said more than any verdict needs")
    return tuple(_status_line(line) for line in said.split(b"\n") if line)


def _status_line(line: bytes) -> StatusLine:
    # Only gpg can write here and it escapes what comes from a message; anything else in the pipe is an attack (G3).
    text = line.decode("utf-8", "backslashreplace")
    if not text.startswith(_PREFIX):
        raise GpgFailedError("gpg's status pipe holds something that is no status line")
    keyword, *arguments = text.removeprefix(_PREFIX).split(" ")
    return StatusLine(keyword, tuple(arguments))
