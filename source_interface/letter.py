"""Read a sending as it arrives: its token first, then its text, then its files, in the order in which browsers send."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from hardening.forms import FieldTooLongError, FormLimits, FormNames, Part, TooManyPartsError, declared_type, parts
from hardening.headers import RawHeaders
from source_interface.arriving import Arriving
from source_interface.errors import CodenameToldError, MisorderedError, NothingToSendError, OnlyEmptyFilesError
from source_interface.parts import SourceLimits
from source_interface.telling import without_codenames
from source_interface.uploads import Item, gathered

_NAMES = FormNames(single=frozenset({"once", "message"}), files=frozenset({"files"}))
_FIELDS = 2
# Counted here and not by the parser, which refuses before it has given us the text: so many more than the limit.
_SPARE_FILES = 200
# Judged after the text was read, so that it can be given back (D10): any length that the wire lets through.
_ANY_BYTES = 1 << 62
_MESSAGE_TYPE = "text/plain"


class Letter:
    """One sending on its way in; read it in the order of the methods.

    Attributes:
        text: What the source typed, as far as it is known, without any codename: to be shown to her again.
        codename_kept_out: The text held a codename, so it is not sent.
        names: Of the files that were given to be sealed, in their order.
        empty_names: The files that held nothing, so far.
        arriving: How far it is.
    """

    def __init__(self) -> None:
        self.text = ""
        self.codename_kept_out = False
        self.names: list[str] = []
        self.empty_names: list[str] = []
        self.arriving = Arriving()
        self._form: AsyncGenerator[Part] | None = None
        self._files_left = 0

    async def read_token(self, headers: RawHeaders, stream: AsyncIterator[bytes], limits: SourceLimits) -> str:
        """Begin to read, and give the form's one-time token.

        Raises:
            FormError: It is no form, or not ours.
        """
        allowed = FormLimits(
            body_bytes=limits.post_bytes,
            fields=_FIELDS,
            files=limits.files_per_post + _SPARE_FILES if limits.uploads else 0,
            field_characters=limits.message_characters,
        )
        self._files_left = limits.files_per_post
        content_type = declared_type(headers, FormLimits(body_bytes=_ANY_BYTES))
        self.arriving.announced_bytes = _announced(headers)
        self._form = parts(content_type, self.arriving.counted(stream), allowed, _NAMES)
        return await (await self._next("once")).text()

    async def read_text(self) -> None:
        """Read the text.

        Raises:
            FieldTooLongError: It is too long; `text` has all of it.
            FormError: The form is broken.
        """
        try:
            self.text = await (await self._next("message")).text()
        except FieldTooLongError as error:
            self.text = error.given.get("message")
            raise
        told = await asyncio.to_thread(without_codenames, self.text)
        self.codename_kept_out = told != self.text
        self.text = told

    async def items(self) -> AsyncGenerator[Item]:
        """Give what is to be sealed, piece by piece; when this ends by itself the whole form has arrived.

        Raises:
            NothingToSendError: There is nothing; the kind says why.
            FormError: The form is broken or carries too much.
        """
        nothing = True
        async for item in self._items():
            nothing = False
            yield item
        if nothing and self.codename_kept_out:
            raise CodenameToldError("the text held a codename, and there was nothing else")
        if nothing and self.empty_names:
            raise OnlyEmptyFilesError("there were only empty files")
        if nothing:
            raise NothingToSendError("there was no text and no file")

    async def skip(self) -> None:
        """Read the rest and forget it."""
        if self._form is not None:
            async for part in self._form:
                await part.skip()

    async def close(self) -> None:
        """Stop reading."""
        if self._form is not None:
            await self._form.aclose()

    async def _items(self) -> AsyncGenerator[Item]:
        if self.text.strip() and not self.codename_kept_out:
            yield Item("message", "", _MESSAGE_TYPE, self.text.encode())
        while (part := await self._file()) is not None:
            item = await gathered(part)
            if not item.beginning and not item.name:
                # The control in which no file was chosen.
                continue
            self._files_left -= 1
            if self._files_left < 0:
                raise TooManyPartsError("a sending has fewer files")
            if item.beginning:
                self.names.append(item.name)
                yield item
                self.arriving.whole_files += 1
            else:
                self.empty_names.append(item.name)

    async def _next(self, name: str) -> Part:
        part = await anext(self._form, None) if self._form is not None else None
        if part is None or part.name != name:
            raise MisorderedError("the form's parts come in the order of its controls")
        return part

    async def _file(self) -> Part | None:
        part = await anext(self._form, None) if self._form is not None else None
        if part is not None and part.name != "files":
            raise MisorderedError("text comes before files")
        return part


def _announced(headers: RawHeaders) -> int:
    """Tell how many bytes are to come; the server has refused every other way of writing that."""
    return next((int(value) for name, value in headers if name == b"content-length"), 0)
