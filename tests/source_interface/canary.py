"""A word that stands in everything a source says, and all the disguises in which it could lie about."""

import base64
import json
import quopri
import re
import secrets
import zlib
from dataclasses import dataclass, field
from urllib.parse import quote

# How a stream of zlib or gzip begins.
_PACKED = re.compile(rb"\x78[\x01\x5e\x9c\xda]|\x1f\x8b\x08")
_UNPACKED_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Canary:
    """One word in plain letters, and the same in Cyrillic ones, which more encodings change."""

    plain: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def cyrillic(self) -> str:
        """The same word with a letter of another alphabet for each digit."""
        return "".join(chr(0x0430 + int(digit, 16)) for digit in self.plain)

    @property
    def word(self) -> str:
        """What is to be said."""
        return f"{self.plain} {self.cyrillic}"

    def disguises(self) -> dict[str, bytes]:
        """Give what to look for, by the name of the encoding."""
        # Half of it: encodings that break lines break words.
        plain, cyrillic = self.plain[:16], self.cyrillic[:16]
        raw = {"plain": plain.encode(), "utf-8": cyrillic.encode()}
        for name in ("utf-16-le", "utf-16-be", "utf-32-le", "cp1251"):
            raw[name] = cyrillic.encode(name)
        raw |= {f"{name} reversed": content[::-1] for name, content in raw.items()}
        raw |= {"plain utf-16": plain.encode("utf-16-le"), "hex": plain.encode().hex().encode()}
        raw |= {"quoted-printable": quopri.encodestring(cyrillic.encode())[:36], "url": quote(cyrillic).encode()}
        raw |= {"json": json.dumps(cyrillic).strip('"').encode()}
        for shift in range(3):
            # The outer letters share their bits with what stands beside.
            coded = base64.b64encode(b"x" * shift + plain.encode())[4:-4]
            raw |= {f"base64 {shift}": coded, f"base64 url {shift}": coded.translate(bytes.maketrans(b"+/", b"-_"))}
        return raw

    def found(self, content: bytes) -> list[str]:
        """Name the disguises in which the word is in *content*, also where that is packed."""
        looked_for = self.disguises()
        names = [name for name, disguise in looked_for.items() if disguise in content]
        for start in _PACKED.finditer(content):
            unpacked = _unpacked(content[start.start() : start.start() + _UNPACKED_BYTES])
            names += [f"packed {name}" for name, disguise in looked_for.items() if disguise in unpacked]
        return names


def _unpacked(content: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=47).decompress(content, _UNPACKED_BYTES)
    except zlib.error:
        return b""
