"""Take typed values out of a JSON object that somebody else wrote."""

import base64
import binascii
import re
from datetime import date

from hardening.canonical import JSON
from keys.errors import KeysetError
from keys.fingerprint import Fingerprint

_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z")


class Fields:
    """A JSON object whose members are taken by name and type.

    Each method raises ``KeysetError`` if the member is missing or of another type.
    """

    def __init__(self, untrusted: JSON) -> None:
        if not isinstance(untrusted, dict):
            raise KeysetError("there must be a JSON object")
        self._members = untrusted

    def integer(self, name: str) -> int:
        """Take an integer; true and false are none."""
        member = self._member(name)
        if not isinstance(member, int) or isinstance(member, bool):
            raise KeysetError(f"{name} must be an integer")
        return member

    def truth(self, name: str) -> bool:
        """Take true or false."""
        member = self._member(name)
        if not isinstance(member, bool):
            raise KeysetError(f"{name} must be true or false")
        return member

    def text(self, name: str) -> str:
        """Take a text."""
        return _text(self._member(name), name)

    def text_or_none(self, name: str) -> str | None:
        """Take a text or null."""
        return None if self._member(name) is None else self.text(name)

    def day(self, name: str) -> date:
        """Take a date written as year-month-day."""
        text = self.text(name)
        try:
            # fromisoformat also takes forms that we never write.
            return date.fromisoformat(text if _DATE.match(text) else "")
        except ValueError:
            raise KeysetError(f"{name} must be a date like 2026-03-04") from None

    def fingerprint(self, name: str) -> Fingerprint:
        """Take a fingerprint in its one written form."""
        return Fingerprint(self.text(name))

    def content(self, name: str, most_bytes: int) -> bytes:
        """Take bytes written in base64."""
        try:
            content = base64.b64decode(self.text(name), validate=True)
        except (binascii.Error, ValueError):
            raise KeysetError(f"{name} must be base64") from None
        if len(content) > most_bytes:
            raise KeysetError(f"{name} has at most {most_bytes} bytes, not {len(content)}")
        return content

    def inner(self, name: str) -> "Fields":
        """Take an object."""
        return Fields(self._member(name))

    def each(self, name: str, most: int) -> list["Fields"]:
        """Take a list of at most *most* objects."""
        return [Fields(entry) for entry in self._list(name, most)]

    def fingerprints(self, name: str, most: int) -> tuple[Fingerprint, ...]:
        """Take a list of at most *most* fingerprints."""
        return tuple(Fingerprint(_text(entry, name)) for entry in self._list(name, most))

    def _member(self, name: str) -> JSON:
        if name not in self._members:
            raise KeysetError(f"{name} is missing")
        return self._members[name]

    def _list(self, name: str, most: int) -> list[JSON]:
        member = self._member(name)
        if not isinstance(member, list) or len(member) > most:
            raise KeysetError(f"{name} must be a list of at most {most}")
        return member


def _text(member: JSON, name: str) -> str:
    if not isinstance(member, str):
        raise KeysetError(f"{name} must be text")
    return member
