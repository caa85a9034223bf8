"""Hand a request's body on in the pieces in which it came.

h11 copies each piece four times on its way through, and where freed memory is overwritten (F10) every copy costs
three times as much: together a tenth of all that an upload takes.
"""

from typing import Self

from h11._receivebuffer import ReceiveBuffer


class PieceBuffer(ReceiveBuffer):
    """h11's own buffer, but what comes while it is empty is kept as it is, and leaves so if it is wanted whole."""

    def __init__(self) -> None:
        super().__init__()
        self._piece = b""

    def __iadd__(self, byteslike: bytes | bytearray) -> Self:
        if len(self):
            self._pour()
            self._data += byteslike
        else:
            self._piece = bytes(byteslike)
        return self

    def __len__(self) -> int:
        return len(self._piece) or len(self._data)

    def __bytes__(self) -> bytes:
        return self._piece or super().__bytes__()

    def maybe_extract_at_most(self, count: int) -> bytes | bytearray | None:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride]
        """Take up to *count* bytes of a body."""
        if self._piece and len(self._piece) <= count:
            piece, self._piece = self._piece, b""
            return piece
        self._pour()
        return super().maybe_extract_at_most(count)

    def maybe_extract_next_line(self) -> bytearray | None:
        """Take a line: the size of a chunk."""
        self._pour()
        return super().maybe_extract_next_line()

    def maybe_extract_lines(self) -> list[bytearray] | None:
        """Take the head of a request."""
        self._pour()
        return super().maybe_extract_lines()

    def is_next_line_obviously_invalid_request_line(self) -> bool:
        """Judge a head by its first byte."""
        self._pour()
        return super().is_next_line_obviously_invalid_request_line()

    def _pour(self) -> None:
        if self._piece:
            self._data += self._piece
            self._piece = b""
