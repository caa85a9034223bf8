"""Understand which bytes of a download are asked for: one range at most (RFC 9110, 14), and none of another file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from starlette.datastructures import Headers

from journalist_interface.errors import PreconditionError, RangeError

# Nineteen digits hold any size; a thousand ranges are refused before anything is looked up (P13).
_RANGE = re.compile(r"bytes=(?:([0-9]{1,19})-([0-9]{0,19})|-([0-9]{1,19}))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request for a download says.

    Attributes:
        first: The first byte; None for the last so many.
        last: The last byte, or how many of the last; None for all that follows.
    """

    first: int | None
    last: int | None

    @classmethod
    def of(cls, headers: Headers) -> Self | None:
        """Read the Range header, if there is one.

        Raises:
            RangeError: It is not one plain range.
        """
        ranges = headers.getlist("range")
        if not ranges:
            return None
        match = _RANGE.fullmatch(ranges[0]) if len(ranges) == 1 else None
        if match is None:
            raise RangeError("one range at a time is served")
        if match[3] is not None:
            return cls(None, int(match[3]))
        return cls(int(match[1]), int(match[2]) if match[2] else None)

    def within(self, size_bytes: int) -> tuple[int, int]:
        """Return the range in a file of this size as start and end, the end not included.

        Raises:
            RangeError: The file has no byte of it.
        """
        if self.first is None:
            start, end = max(size_bytes - (self.last or 0), 0), size_bytes
        else:
            start = self.first
            end = size_bytes if self.last is None else min(self.last + 1, size_bytes)
        if start >= end:
            raise RangeError("the download has no such range")
        return start, end


def asked_bytes(asked: Asked | None, headers: Headers, etag: str, size_bytes: int) -> tuple[int, int] | None:
    """Return what to send of the file, or None for all of it (RFC 9110, 13.2.2).

    Raises:
        PreconditionError: The asker began with another file.
        RangeError: The file has no byte of the range.
    """
    matches = headers.getlist("if-match")
    if matches and not _names(matches, etag):
        raise PreconditionError("the download is not the one that was begun")
    if asked is None or any(value != etag for value in headers.getlist("if-range")):
        # Strong comparison; a date never matches, as we tell none.
        return None
    return asked.within(size_bytes)


def is_unchanged(headers: Headers, etag: str) -> bool:
    """Say whether the asker has exactly this file already."""
    return _names(headers.getlist("if-none-match"), etag)


def _names(values: Sequence[str], etag: str) -> bool:
    return any(tag.strip() in {etag, "*"} for value in values for tag in value[:4096].split(","))
