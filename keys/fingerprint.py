"""The only name of a key that we accept: its whole fingerprint."""

import re
from dataclasses import dataclass
from typing import Self

from keys.errors import FingerprintError

# Version 4 keys have 160 bits, later ones 256. Shorter names can be forged within hours (G4).
_FULL = re.compile(r"(?:[0-9A-F]{40}|[0-9A-F]{64})\Z")


@dataclass(frozen=True, slots=True, order=True)
class Fingerprint:
    """A full OpenPGP fingerprint in its one written form: upper-case digits without spaces."""

    digits: str

    def __post_init__(self) -> None:
        if _FULL.match(self.digits) is None:
            raise FingerprintError(f"a fingerprint has 40 or 64 hexadecimal digits, not {len(self.digits)} characters")

    def __str__(self) -> str:
        return self.digits

    @classmethod
    def parse(cls, untrusted_text: str) -> Self:
        """Read a fingerprint as people write it: in groups, in either case.

        Raises:
            FingerprintError: The text is anything but a full fingerprint.
        """
        if len(untrusted_text) > 128 or not untrusted_text.isascii():
            raise FingerprintError("a fingerprint has 40 or 64 hexadecimal digits")
        return cls("".join(untrusted_text.split()).upper())

    def grouped(self) -> str:
        """Return the digits in groups of four, to be read aloud and compared."""
        return " ".join(self.digits[start : start + 4] for start in range(0, len(self.digits), 4))
