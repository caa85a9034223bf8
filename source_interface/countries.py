"""Name countries in the languages of the pages, and languages each by its own name."""

import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from typing import cast

from source_interface.languages import SOURCE_CODE

# In the order of its letters, which is not that of their numbers.
_UKRAINIAN = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"


def countries(language: str) -> tuple[tuple[str, str], ...]:
    """Give code and name of every country that has a name here, in the order of *language*."""
    named = [(code, names.get(language, names[SOURCE_CODE])) for code, names in _names()["countries"].items()]
    return tuple(sorted(named, key=lambda one: _order(one[1])))


def spoken() -> dict[str, str]:
    """Give code and own name of every language that people may be said to speak."""
    return cast("dict[str, str]", _names()["languages"])


@cache
def _names() -> dict[str, dict[str, dict[str, str]]]:
    text = files("source_interface").joinpath("names.toml").read_text("utf-8")
    return cast("dict[str, dict[str, dict[str, str]]]", tomllib.loads(text))


def _order(name: str) -> list[int]:
    plain = "".join(
        one if one in _UKRAINIAN else unicodedata.normalize("NFKD", one).encode("ascii", "ignore").decode() or one
        for one in name.casefold()
    )
    return [_UKRAINIAN.find(one) if one in _UKRAINIAN else ord(one) for one in plain]
