"""Read a settings file into types that cannot be wrong; an unknown word is an error, never ignored."""

import tomllib
from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, cast

from settings.errors import SettingsError
from settings.model import Settings

# A settings file is a page of text; anything larger is something else.
LARGEST_BYTES = 64 * 1024


def load(path: Path) -> Settings:
    """Read the settings at *path*.

    Raises:
        SettingsError: The file is missing, unreadable, too large, or holds something that cannot be meant.
    """
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}") from error
    if len(text) > LARGEST_BYTES:
        raise SettingsError(f"{path} is larger than {LARGEST_BYTES} bytes")
    return parse(text)


def parse(text: bytes) -> Settings:
    """Parse the text of a settings file; what is left out takes its default.

    Raises:
        SettingsError: A section or name is unknown, or a value has the wrong type or is out of bounds.
    """
    try:
        tables = tomllib.loads(text.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"not a TOML file: {error}") from error
    known = {section.name: section for section in fields(Settings)}
    _refuse_unknown("section", tables, known)
    return Settings(**{name: _section(name, known[name].default_factory, table) for name, table in tables.items()})  # pyright: ignore[reportArgumentType]


def _section(section: str, kind: Any, table: object) -> Any:  # noqa: ANN401 - any of the dataclasses of `model`
    if not isinstance(table, dict):
        raise SettingsError(f"{section} is a section, not a value")
    known = {one.name: one for one in fields(kind)}
    values = cast("Mapping[str, object]", table)
    _refuse_unknown(f"name in [{section}]", values, known)
    for name, value in values.items():
        _check(f"{section}.{name}", known[name], value)
    return kind(**values)


def _refuse_unknown(what: str, found: Mapping[str, object], known: Mapping[str, object]) -> None:
    unknown = sorted(set(found) - set(known))
    if unknown:
        raise SettingsError(f"unknown {what}: {', '.join(unknown)}; known are {', '.join(known)}")


def _check(name: str, one: Field[Any], value: object) -> None:
    default: object = one.default
    wanted = type(default)
    # In Python a bool is an int; in a settings file it never is.
    if type(value) is not wanted:
        raise SettingsError(f"{name} is a {wanted.__name__}, not {value!r}")
    if isinstance(value, str) and any(ord(letter) < 0x20 for letter in value):
        raise SettingsError(f"{name} holds a control character")
    least, most = one.metadata["at_least"], one.metadata["at_most"]
    if isinstance(value, int) and least is not None and value < least:
        raise SettingsError(f"{name} is at least {least}, not {value}")
    if isinstance(value, int) and most is not None and value > most:
        raise SettingsError(f"{name} is at most {most}, not {value}")
