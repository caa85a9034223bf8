"""Write a settings file that explains itself, and the page of the documentation from the same words."""

import json
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from hardening.files import write_whole
from settings.model import Settings


def write(settings: Settings, path: Path) -> None:
    """Write *settings* to *path*, every line with a comment that says what it is for."""
    write_whole(path, "\n".join(_toml(settings)).encode("utf-8"), mode=0o644)


def describe() -> str:
    """Give the table of all settings as Markdown; docs/settings.md is this text."""
    lines = ["# Settings", "", "`svidok.toml` in the drop's folder; what is left out takes its default.", ""]
    for section, table in _sections(Settings()):
        lines += [f"## [{section}]", "", "| setting | default | bounds | what it is for |", "|---|---|---|---|"]
        lines += [
            f"| `{one.name}` | `{_value(getattr(table, one.name))}` | {_bounds(one)} | {one.metadata['says']} |"
            for one in fields(table)
        ]
        lines.append("")
    return "\n".join(lines)


def _toml(settings: Settings) -> Iterator[str]:
    yield "# The settings of this drop. Restart it after a change: svidok run DIR"
    for section, table in _sections(settings):
        yield ""
        yield f"[{section}]"
        for one in fields(table):
            bounds = _bounds(one)
            yield f"# {one.metadata['says']}{f' ({bounds})' if bounds else ''}"
            yield f"{one.name} = {_value(getattr(table, one.name))}"
    yield ""


def _sections(settings: Settings) -> Iterator[tuple[str, Any]]:
    for section in fields(settings):
        yield section.name, getattr(settings, section.name)


def _value(value: object) -> str:
    # JSON's strings, whole numbers and booleans are TOML's, too.
    return json.dumps(value, ensure_ascii=False)


def _bounds(one: Field[Any]) -> str:
    least, most = one.metadata["at_least"], one.metadata["at_most"]
    if least is None and most is None:
        return ""
    if most is None:
        return f"{least} or more"
    return f"{least} to {most}"
