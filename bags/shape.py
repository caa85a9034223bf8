"""Take values out of strict JSON so that each has the type and the form that its format gives it."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

from bags.errors import ContentError
from hardening.canonical import JSON, JsonError, strict_json

Fields: TypeAlias = "dict[str, JSON]"

ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
# The log's origin, as ledger keys are named, in the characters that a drop's name has.
DROP = re.compile(r"[A-Za-z0-9._/-]{1,100}", re.ASCII)


def whole(untrusted: bytes, limit_bytes: int, names: Sequence[str]) -> Fields:
    """Read canonical JSON that is an object with exactly these fields."""
    try:
        return fields(strict_json(untrusted, limit_bytes, canonical=True), names)
    except JsonError as error:
        raise ContentError(f"an index is canonical JSON: {error}") from error


def fields(value: JSON, names: Sequence[str]) -> Fields:
    """Return the object that *value* is, if it has exactly these fields."""
    if not isinstance(value, dict) or value.keys() != set(names):
        raise ContentError(f"an object has exactly the fields {', '.join(names)}")
    return value


def elements(value: JSON, lowest: int, highest: int) -> list[JSON]:
    """Return the list that *value* is, if its length lies between the two."""
    if not isinstance(value, list) or not lowest <= len(value) <= highest:
        raise ContentError(f"a list has {lowest} to {highest} elements")
    return value


def text(value: JSON, form: re.Pattern[str]) -> str:
    """Return the text that *value* is, if it has this form."""
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ContentError(f"a text has the form {form.pattern}")
    return value


def integer(value: JSON, lowest: int, highest: int) -> int:
    """Return the integer that *value* is, if it lies between the two."""
    # JSON's true is an int to Python.
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ContentError(f"an integer lies between {lowest} and {highest}")
    return value


def once_and_in_order(keys: Sequence[str]) -> None:
    """Return only if the keys ascend, so that one content has one form and nothing stands twice."""
    if any(earlier >= later for earlier, later in pairwise(keys)):
        raise ContentError("a list names each of its elements once, in order")
