"""Write JSON in the one way that can be hashed and signed, and read foreign JSON without trusting it."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from hardening.errors import HardeningError

MAX_DEPTH = 16
# RFC 7493, 2.2: beyond this, other languages silently read another number.
MAX_INTEGER = 2**53 - 1

JSON: TypeAlias = "bool | int | str | list[JSON] | dict[str, JSON] | None"
"""What `strict_json` gives: JSON without floating point numbers."""

Writable: TypeAlias = "bool | int | str | Sequence[Writable] | Mapping[str, Writable] | None"
"""What `canonical_json` takes: any mapping, a list or a tuple."""


class JsonError(HardeningError):
    """The bytes or the value are not JSON as we allow it."""


def canonical_json(value: Writable) -> bytes:
    """Write *value* in its only form: RFC 8785 (JCS) without floating point numbers.

    Raises:
        JsonError: *value* holds a float, an integer beyond 2^53 - 1, a key that is no text, a lone
            surrogate, or more than `MAX_DEPTH` levels.
    """
    try:
        return json.dumps(_ordered(value, 0), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        raise JsonError("text with half a surrogate pair has no UTF-8 form") from None


def strict_json(untrusted: bytes, limit_bytes: int, *, canonical: bool = False) -> JSON:
    """Read *untrusted* as one JSON value.

    Args:
        untrusted: UTF-8 without a byte order mark.
        limit_bytes: Anything longer is refused unread.
        canonical: Refuse also what `canonical_json` would have written in another way.

    Raises:
        JsonError: Not JSON, a key twice, a float, an integer beyond 2^53 - 1, a lone surrogate, more
            than `MAX_DEPTH` levels, something after the value, too long, or not canonical.
    """
    if len(untrusted) > limit_bytes:
        raise JsonError(f"this JSON may have {limit_bytes} bytes, not {len(untrusted)}")
    try:
        value: JSON = json.loads(
            untrusted.decode("utf-8", errors="strict"),
            object_pairs_hook=_no_key_twice,
            parse_float=_no_float,
            parse_int=_bounded,
            parse_constant=_no_float,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        # The parser's own message would quote the untrusted text; only its kind is kept.
        raise JsonError(f"these bytes are not JSON ({type(error).__name__})") from None
    written = canonical_json(value)
    if canonical and written != untrusted:
        raise JsonError("this JSON is not in its canonical form")
    return value


def _ordered(value: Writable, depth: int) -> JSON:
    """Check *value* and put its keys in the order of RFC 8785, 3.2.3: by UTF-16 code units."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise JsonError("an integer must lie within 2^53 - 1")
        return int(value)
    if depth == MAX_DEPTH:
        raise JsonError(f"JSON may be nested {MAX_DEPTH} deep, not deeper")
    if isinstance(value, Mapping):
        return {key: _ordered(value[key], depth + 1) for key in sorted(value, key=_utf16)}
    # To the type checker bytes are a sequence of integers; here they are a mistake.
    if not isinstance(value, (list, tuple)):
        raise JsonError(f"JSON has no {type(value).__name__}")
    return [_ordered(element, depth + 1) for element in value]


def _utf16(key: object) -> bytes:
    if not isinstance(key, str):
        raise JsonError(f"a JSON key is text, not {type(key).__name__}")
    return key.encode("utf-16-be")


def _no_key_twice(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JsonError("a key stands twice in one object")
    return members


def _no_float(_untrusted: str) -> int:
    raise JsonError("floating point numbers are not allowed")


def _bounded(untrusted: str) -> int:
    # 2^53 has 16 digits; the length comes first because int() of a long text is slow.
    if len(untrusted) > 17 or untrusted == "-0":
        raise JsonError("an integer must lie within 2^53 - 1 and zero has no sign")
    return int(untrusted)
