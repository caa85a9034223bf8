"""Typed settings: one TOML file a drop, read once at start, refused whole when one line is wrong."""

from settings.errors import SettingsError
from settings.model import Alarms, Argon, Drop, Limits, Sessions, Settings, Stores
from settings.read import load, parse
from settings.write import describe, write

__all__ = [
    "Alarms",
    "Argon",
    "Drop",
    "Limits",
    "Sessions",
    "Settings",
    "SettingsError",
    "Stores",
    "describe",
    "load",
    "parse",
    "write",
]
