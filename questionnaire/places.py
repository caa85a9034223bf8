"""The countries of the world and their first-level regions, by their ISO codes, in the languages of the form.

What the lists are made from, and what was decided about them, is in ``questionnaire/places/README.md``.
"""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final, TypeAlias, TypedDict

Names: TypeAlias = tuple[tuple[str, str], ...]
"""Codes with their names, in the order in which a reader of the language looks for them."""

_SUFFIX: Final = ".json"
# Stands in for a language that has no file, and for names that a language has not.
_FULL: Final = "en"
# Letters that Unicode has in another order. Hamza and madda are folded away, as Arabic lists do.
_ALPHABETS: Final = {
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "ar": "ءابةتثجحخدذرزسشصضطظعغفقكلمنهوىي",
}


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """The places in one language.

    Attributes:
        regions: By country; a country without regions is not there.
    """

    countries: Names
    regions: Mapping[str, Names]


class _File(TypedDict):
    """What a file has: names by code, those of regions by country; all in English, elsewhere what differs."""

    countries: dict[str, str]
    regions: dict[str, dict[str, str]]


@cache
def load() -> Mapping[str, Gazetteer]:
    """Read every list, by language; a process that locks its files away calls this before."""
    folder = files("questionnaire").joinpath("places")
    found = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(_SUFFIX))
    told: dict[str, _File] = {
        name.removesuffix(_SUFFIX): json.loads(folder.joinpath(name).read_text("utf-8")) for name in found
    }
    return MappingProxyType({language: _gazetteer(language, told[_FULL], own) for language, own in told.items()})


def countries(language: str) -> Names:
    """List the countries, sorted for readers of *language*; in English where there is no such list."""
    return _in(language).countries


def regions(country: str, language: str) -> Names:
    """List the regions of *country*, sorted for readers of *language*; none of what is no country."""
    return _in(language).regions.get(country, ())


def is_country(code: str) -> bool:
    """Say whether there is a country with this code."""
    return any(code == known for known, _ in _in(_FULL).countries)


def is_region(country: str, code: str) -> bool:
    """Say whether *country* has a region with this code."""
    return any(code == known for known, _ in regions(country, _FULL))


def sorting_key(name: str, language: str) -> tuple[tuple[int, int], ...]:
    """Give what names are sorted by.

    Letters count in the order of the language's alphabet, then those of other scripts, each without the marks above
    and below it; spaces, hyphens, apostrophes and capitals do not count.
    """
    alphabet = _ALPHABETS.get(language, "")
    return tuple(place for letter in name.casefold() for place in _places_of(letter, alphabet))


def _places_of(letter: str, alphabet: str) -> tuple[tuple[int, int], ...]:
    """Find *letter* itself before its marks are taken off: in Ukrainian й is no и."""
    if letter in alphabet:
        return ((0, alphabet.index(letter)),)
    plain = [one for one in unicodedata.normalize("NFKD", letter) if one.isalnum()]
    return tuple((0, alphabet.index(one)) if one in alphabet else (1, ord(one)) for one in plain)


def _in(language: str) -> Gazetteer:
    known = load()
    return known.get(language, known[_FULL])


def _gazetteer(language: str, full: _File, own: _File) -> Gazetteer:
    by_country = {
        country: _sorted(names | own["regions"].get(country, {}), language)
        for country, names in full["regions"].items()
    }
    return Gazetteer(_sorted(own["countries"], language), MappingProxyType(by_country))


def _sorted(names: Mapping[str, str], language: str) -> Names:
    return tuple(sorted(names.items(), key=lambda one: (sorting_key(one[1], language), one[0])))
