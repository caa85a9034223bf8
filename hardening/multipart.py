"""Take a multipart body apart as it arrives, holding no more of it than was just fed.

The parsing is python-multipart's `MultipartParser`; this adds what it forgives: a body without its closing
boundary, bytes before the first and after the last boundary, endless padding, and parts without number.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState

from hardening.form_rules import (
    EmptyFormError,
    FilesRefusedError,
    FormLimits,
    FormNames,
    MalformedFormError,
    TooManyPartsError,
    UnfinishedFormError,
)
from hardening.part_headers import PartHead, part_head

_MAX_HEADERS = 8
_MAX_HEADER_BYTES = 4096
_MAX_PADDING_BYTES = 1024


class Mark(Enum):
    """What stands between parts."""

    PART_END = "the part is whole"


Event: TypeAlias = PartHead | bytes | Mark
"""A part begins, a piece of it, or its end."""


@dataclass(slots=True)
class _Tally:
    """What came so far, against what may come."""

    limits: FormLimits
    names: FormNames
    parts: int = 0
    fields: int = 0
    files: int = 0

    def begin_parts(self, number: int) -> None:
        self.parts += number
        # Empty file controls count here only: a page may have more of them than files may come.
        if self.parts > self.limits.fields + 2 * max(self.limits.files, 1):
            raise TooManyPartsError("the form has too many parts")

    def begin_field(self, name: str, seen: set[str]) -> None:
        self.fields += 1
        if self.fields > self.limits.fields:
            raise TooManyPartsError(f"a form has at most {self.limits.fields} fields")
        if name in self.names.repeated:
            return
        if name not in self.names.single:
            raise MalformedFormError("the form has a field that its page has not")
        if name in seen:
            raise MalformedFormError("the form has a field twice")
        seen.add(name)

    def begin_file(self) -> None:
        self.files += 1
        if self.limits.files == 0:
            raise FilesRefusedError("this form is closed for files")
        if self.files > self.limits.files:
            raise TooManyPartsError(f"a form has at most {self.limits.files} files")


class MultipartReader:
    """One multipart body: feed it, collect the events, and demand its end."""

    def __init__(self, boundary: bytes, limits: FormLimits, names: FormNames) -> None:
        self.events: deque[Event] = deque()
        self._opening = b"--" + boundary
        # With its CRLF in front, as if the body began after one: the closing boundary then looks the same everywhere.
        self._closing = b"\r\n--" + boundary + b"--"
        self._tally = _Tally(limits, names)
        self._seen: set[str] = set()
        self._start = b""
        self._tail = b"\r\n"
        self._delimiter = b"\r\n--" + boundary
        self._padding = 0
        self._after = b""
        self._over = False
        self._field = bytearray()
        self._value = bytearray()
        self._lines: list[tuple[bytes, bytes]] = []
        self._file_uncounted = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_count=_MAX_HEADERS,
            max_header_size=_MAX_HEADER_BYTES,
        )

    def feed(self, untrusted: bytes) -> None:
        """Take the next bytes of the body; what they mean is appended to `events`.

        Raises:
            FormError: The kind that says what is wrong; the reader is of no use afterwards.
        """
        if self._over:
            self._take_epilogue(untrusted)
            return
        if self._start != self._opening:
            untrusted = self._check_start(untrusted)
        # RFC 2046, 5.1.1: no line of a part begins with the boundary. The parser forgives such lines, at a
        # hundred times the cost of others, so they are counted as the parts that they pretend to be.
        self._tally.begin_parts(untrusted.count(self._delimiter))
        padded = self._parser.state is MultipartState.BOUNDARY_PADDING
        try:
            self._parser.write(untrusted)
        except FormParserError:
            # The parser's own message may quote a byte of the body.
            raise MalformedFormError("the body is not written as RFC 7578 says") from None
        if self._over:
            self._check_end(untrusted)
            return
        self._tail = (self._tail + untrusted[-len(self._closing) :])[-len(self._closing) :]
        self._padding = self._padding + len(untrusted) if padded else 0
        if self._padding > _MAX_PADDING_BYTES and self._parser.state is MultipartState.BOUNDARY_PADDING:
            raise MalformedFormError("a boundary is not followed by a desert")

    def finish(self) -> None:
        """Say that the body is over.

        Raises:
            EmptyFormError: It never began.
            UnfinishedFormError: Its closing boundary is missing (E1).
        """
        if not self._start:
            raise EmptyFormError("nothing was sent")
        if not self._over:
            raise UnfinishedFormError("the form's closing boundary is missing")

    def forget(self) -> None:
        """Let go of every byte now; the parser's calls back to here would keep them until the collector comes (F10)."""
        self._parser.callbacks = {}
        self._start = self._tail = self._after = b""
        self._lines = []
        self._field.clear()
        self._value.clear()
        self.events.clear()

    def _check_start(self, untrusted: bytes) -> bytes:
        # The parser skips any preamble after a line end; here the first byte is the boundary's (E3).
        seen = len(self._start)
        missing = len(self._opening) - seen
        self._start += untrusted[:missing]
        if not self._opening.startswith(self._start):
            raise MalformedFormError("the body does not begin with its boundary")
        return untrusted

    def _check_end(self, last: bytes) -> None:
        # The parser drops the rest of these bytes in silence, so it is looked at here, once for each body.
        window = self._tail + last
        place = window.find(self._closing)
        if place < 0:
            raise MalformedFormError("the closing boundary is not where it was found")
        self._take_epilogue(window[place + len(self._closing) :])

    def _take_epilogue(self, untrusted: bytes) -> None:
        self._after += untrusted[:3]
        if not b"\r\n".startswith(self._after):
            raise MalformedFormError("something follows the closing boundary")

    def _on_part_begin(self) -> None:
        self._lines = []

    def _on_header_field(self, buffer: bytes, start: int, end: int) -> None:
        self._field += buffer[start:end]

    def _on_header_value(self, buffer: bytes, start: int, end: int) -> None:
        self._value += buffer[start:end]

    def _on_header_end(self) -> None:
        self._lines.append((bytes(self._field), bytes(self._value)))
        self._field.clear()
        self._value.clear()

    def _on_headers_finished(self) -> None:
        head = part_head(self._lines)
        if head.filename is None:
            self._tally.begin_field(head.name, self._seen)
        elif head.name not in self._tally.names.files:
            raise MalformedFormError("the form has a file where its page has none")
        elif head.filename:
            self._tally.begin_file()
        # A file control left alone is sent as a nameless, empty file; one byte makes it a file.
        self._file_uncounted = head.filename == ""
        self.events.append(head)

    def _on_part_data(self, buffer: bytes, start: int, end: int) -> None:
        if self._file_uncounted:
            self._tally.begin_file()
            self._file_uncounted = False
        # The whole buffer is handed on as it is; any other slice is the one copy on this way.
        self.events.append(buffer[start:end])

    def _on_part_end(self) -> None:
        self.events.append(Mark.PART_END)

    def _on_end(self) -> None:
        self._over = True
