"""Read a form while it arrives: files pass through in pieces, text comes back exactly, nothing touches the disk.

A body counts as received only when its closing boundary came (E1). Invalid UTF-8 in text and names becomes
U+FFFD; everything else is kept as it was sent.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import unquote_to_bytes

from hardening.form_rules import (
    EmptyFormError,
    Fields,
    FieldTooLongError,
    FilesRefusedError,
    FormError,
    FormLimits,
    FormNames,
    FormTooLargeError,
    MalformedFormError,
    TooManyPartsError,
    UnfinishedFormError,
    UnsupportedFormError,
)
from hardening.multipart import Mark, MultipartReader
from hardening.part_headers import PartHead, boundary, declared_type, is_urlencoded

__all__ = [
    "EmptyFormError",
    "FieldTooLongError",
    "Fields",
    "FilesRefusedError",
    "FormError",
    "FormLimits",
    "FormNames",
    "FormTooLargeError",
    "MalformedFormError",
    "Part",
    "TooManyPartsError",
    "UnfinishedFormError",
    "UnsupportedFormError",
    "declared_type",
    "fields",
    "parts",
]

# Small network pieces are gathered: each piece handed on costs its reader a turn between threads.
_BATCH_BYTES = 256 * 1024
_STRAY_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


async def parts(
    content_type: str, stream: AsyncIterator[bytes], limits: FormLimits, names: FormNames
) -> AsyncGenerator["Part", None]:
    """Yield the parts of a multipart form in the order in which they arrive.

    A part is read before the next one is asked for; what is left of it then is skipped. Only when the loop
    ends by itself has the whole form arrived. Errors of *stream* pass through.

    Raises:
        FormError: The kind that says what is wrong, also while a part is being read. Whatever was made of
            earlier parts is not to be kept.
    """
    reader = MultipartReader(boundary(content_type), limits, names)
    body = _Body(reader, stream, limits)
    try:
        while (head := await body.next_head()) is not None:
            part = Part(head, body)
            yield part
            await part.skip()
    finally:
        reader.forget()


async def fields(content_type: str, stream: AsyncIterator[bytes], limits: FormLimits, names: FormNames) -> Fields:
    """Read a form that is text alone, multipart or URL-encoded.

    Raises:
        FieldTooLongError: A text is too long; the whole form is in its `given`.
        FormError: Anything else that is wrong. A file is refused whatever *names* says.
    """
    if is_urlencoded(content_type):
        return _short_enough(_urlencoded(await _small_body(stream, limits), limits, names), limits)
    text_only = FormNames(single=names.single, repeated=names.repeated)
    pairs = [(part.name, await part.whole_text()) async for part in parts(content_type, stream, limits, text_only)]
    return _short_enough(Fields(tuple(pairs)), limits)


class Part:
    """One part of a form, as it arrives."""

    def __init__(self, head: PartHead, body: "_Body") -> None:
        self.name = head.name
        self.filename = head.filename
        self.media_type = head.media_type
        self._body = body
        self._text_wanted = head.filename is None
        self._over = False

    @property
    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Give the part's bytes in pieces of at most 512 KiB, once."""
        while not self._over:
            chunk = await self._body.next_chunk()
            if chunk is None:
                self._over = True
                return
            if self._text_wanted:
                self._body.count_text(len(chunk))
            yield chunk

    async def text(self) -> str:
        """Read the part as text.

        Raises:
            FieldTooLongError: Too long; all of it is in `given`, and the form can be read on.
            FormTooLargeError: The form's text as a whole is too much.
            UnfinishedFormError: The body stopped before the part was over.
        """
        text = await self.whole_text()
        _short_enough(Fields(((self.name, text),)), self._body.limits)
        return text

    async def whole_text(self) -> str:
        """Read the part as text that is bounded by the form's total alone."""
        self._text_wanted = True
        return b"".join([chunk async for chunk in self.chunks]).decode("utf-8", "replace")

    async def skip(self) -> None:
        """Read what is left of the part, and forget it."""
        async for _ in self.chunks:
            pass


class _Body:
    """The bytes of one form on their way from the network to whoever reads its parts."""

    def __init__(self, reader: MultipartReader, stream: AsyncIterator[bytes], limits: FormLimits) -> None:
        self.limits = limits
        self._reader = reader
        self._stream = stream
        self._received = 0
        self._text = 0
        self._ended = False
        self._fault: FormError | None = None

    async def next_head(self) -> PartHead | None:
        """Wait for the next part; None after the closing boundary and the end of the stream."""
        while not self._reader.events:
            if self._ended and self._fault is None:
                return None
            await self._read()
        event = self._reader.events.popleft()
        if not isinstance(event, PartHead):
            raise TypeError("the part before was not read to its end")
        return event

    async def next_chunk(self) -> bytes | None:
        """Wait for the next piece of the part that has begun; None at its end."""
        while not self._reader.events:
            await self._read()
        event = self._reader.events.popleft()
        if event is Mark.PART_END:
            return None
        if not isinstance(event, bytes):
            raise TypeError("the part was read beyond its end")
        return event

    def count_text(self, size_bytes: int) -> None:
        """Add to the text of the whole form."""
        self._text += size_bytes
        if self._text > self.limits.text_bytes:
            raise FormTooLargeError(f"the text of a form may have {self.limits.text_bytes} bytes")

    async def _read(self) -> None:
        # What came whole before the fault is handed on first: it may be a text that has to be given back (E8).
        if self._fault is not None:
            raise self._fault
        batch: list[bytes] = []
        size = 0
        async for piece in self._stream:
            size += len(piece)
            if self._received + size > self.limits.body_bytes:
                self._fault = FormTooLargeError(f"a form may have {self.limits.body_bytes} bytes")
                break
            if piece:
                batch.append(piece)
            if size >= _BATCH_BYTES:
                break
        else:
            self._ended = True
        self._received += size
        try:
            if batch:
                self._reader.feed(batch[0] if len(batch) == 1 else b"".join(batch))
            if self._ended:
                self._reader.finish()
        except FormError as error:
            self._fault = self._fault or error


async def _small_body(stream: AsyncIterator[bytes], limits: FormLimits) -> bytes:
    body = bytearray()
    async for piece in stream:
        body += piece
        if len(body) > limits.small_bytes:
            # 400 and not 413: a browser sends long text as multipart, so this is no page of ours (E7).
            raise MalformedFormError(f"a form that is not multipart has at most {limits.small_bytes} bytes")
    if not body:
        raise EmptyFormError("nothing was sent")
    return bytes(body)


def _urlencoded(untrusted: bytes, limits: FormLimits, names: FormNames) -> Fields:
    if untrusted.count(b"&") >= limits.small_fields:
        raise TooManyPartsError(f"a form that is not multipart has at most {limits.small_fields} fields")
    if _STRAY_PERCENT.search(untrusted):
        raise MalformedFormError("a percent sign is followed by two hexadecimal digits")
    pairs: list[tuple[str, str]] = []
    seen: set[str] = set()
    for pair in untrusted.split(b"&"):
        encoded_name, equals, encoded_text = pair.partition(b"=")
        name = _decoded(encoded_name)
        if not equals or name not in names.single | names.repeated:
            raise MalformedFormError("the form has a field that its page has not")
        if name in seen and name in names.single:
            raise MalformedFormError("the form has a field twice")
        seen.add(name)
        pairs.append((name, _decoded(encoded_text)))
    return Fields(tuple(pairs))


def _decoded(encoded: bytes) -> str:
    return unquote_to_bytes(encoded.replace(b"+", b" ")).decode("utf-8", "replace")


def _short_enough(given: Fields, limits: FormLimits) -> Fields:
    for name, text in given.pairs:
        if len(text) - text.count("\r\n") > limits.field_characters:
            raise FieldTooLongError(f"a text has at most {limits.field_characters} characters", name, given)
    return given
