"""Name what the ledger records: bytes that arrived, bytes that were destroyed, and changes of the keyset."""

import re
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from hardening.canonical import JSON, JsonError, canonical_json, strict_json
from ledger.errors import EntryError
from ledger.merkle import leaf_hash

# Every sealed part fills 64 KiB at least; smaller classes would only tell small things apart.
SMALLEST_CLASS = 16
LARGEST_CLASS = 62
MAX_ENTRY_BYTES = 512

_VERSION = 1
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Received:
    """Sealed bytes with this hash and of about this size were durable on *day*."""

    ct_sha256: str
    size_class: int
    day: date

    def __post_init__(self) -> None:
        _check_hash(self.ct_sha256)
        if not SMALLEST_CLASS <= self.size_class <= LARGEST_CLASS:
            raise EntryError(f"a size class lies between {SMALLEST_CLASS} and {LARGEST_CLASS}")

    def format(self) -> bytes:
        """Write the entry in its one form."""
        return canonical_json(
            {
                "v": _VERSION,
                "kind": "received",
                "ct_sha256": self.ct_sha256,
                "size_class": self.size_class,
                "day": self.day.isoformat(),
            }
        )

    def leaf_hash(self) -> bytes:
        """Hash the entry into what the log publishes of it."""
        return leaf_hash(self.format())


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What an earlier leaf recorded was destroyed on *day*; the leaf's hash says all."""

    leaf: str
    day: date

    def __post_init__(self) -> None:
        _check_hash(self.leaf)

    def format(self) -> bytes:
        """Write the entry in its one form."""
        return canonical_json({"v": _VERSION, "kind": "destroyed", "leaf": self.leaf, "day": self.day.isoformat()})

    def leaf_hash(self) -> bytes:
        """Hash the entry into what the log publishes of it."""
        return leaf_hash(self.format())


@dataclass(frozen=True, slots=True)
class KeysetChanged:
    """From *day* on, the keyset with this hash said to whom parts are sealed."""

    keyset_sha256: str
    day: date

    def __post_init__(self) -> None:
        _check_hash(self.keyset_sha256)

    def format(self) -> bytes:
        """Write the entry in its one form."""
        return canonical_json(
            {"v": _VERSION, "kind": "keyset", "keyset_sha256": self.keyset_sha256, "day": self.day.isoformat()}
        )

    def leaf_hash(self) -> bytes:
        """Hash the entry into what the log publishes of it."""
        return leaf_hash(self.format())


Entry: TypeAlias = Received | Destroyed | KeysetChanged
"""All that the ledger records."""


def size_class(size_bytes: int) -> int:
    """Return the smallest exponent of two that holds *size_bytes*, so that a leaf tells no exact size.

    Raises:
        EntryError: The size is negative or beyond all reason.
    """
    exponent = max(SMALLEST_CLASS, (size_bytes - 1).bit_length())
    if size_bytes < 0 or exponent > LARGEST_CLASS:
        raise EntryError(f"a size lies between 0 and 2^{LARGEST_CLASS} bytes")
    return exponent


def parse_entry(untrusted: bytes) -> Entry:
    """Read one entry.

    Raises:
        EntryError: Not one that `format` would have written.
    """
    try:
        fields = strict_json(untrusted, MAX_ENTRY_BYTES, canonical=True)
    except JsonError as error:
        raise EntryError(f"an entry is canonical JSON: {error}") from error
    if not isinstance(fields, dict) or type(fields.get("v")) is not int or fields["v"] != _VERSION:
        raise EntryError(f"an entry has version {_VERSION}")
    match fields:
        case {"kind": "received", "ct_sha256": str(sealed), "size_class": size, "day": str(day)} if len(fields) == 5:
            return Received(sealed, _integer(size), parse_day(day))
        case {"kind": "destroyed", "leaf": str(leaf), "day": str(day)} if len(fields) == 4:
            return Destroyed(leaf, parse_day(day))
        case {"kind": "keyset", "keyset_sha256": str(keyset), "day": str(day)} if len(fields) == 4:
            return KeysetChanged(keyset, parse_day(day))
        case _:
            raise EntryError("an entry is of a known kind and has exactly its fields")


def parse_day(untrusted: str) -> date:
    """Read a day in its one written form, ``YYYY-MM-DD``.

    Raises:
        EntryError: There is no such day, or it is written in another way.
    """
    if not _DAY.fullmatch(untrusted):
        raise EntryError("a day has the form YYYY-MM-DD")
    try:
        return date.fromisoformat(untrusted)
    except ValueError as error:
        raise EntryError("there is no such day") from error


def _check_hash(untrusted: str) -> None:
    if not _HASH.fullmatch(untrusted):
        raise EntryError(f"a hash has 64 lower-case hexadecimal digits, not {len(untrusted)} characters")


def _integer(value: JSON) -> int:
    # JSON's true is an int to Python, but not to the ledger.
    if not isinstance(value, int) or isinstance(value, bool):
        raise EntryError("a size class is an integer")
    return value
