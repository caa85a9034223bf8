"""Read who helps in a country: one TOML file a country, refused whole when one line of it could mislead somebody."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import cast

from questionnaire.places import is_country
from source_interface.errors import HelpError
from source_interface.languages import SOURCE_CODE

WHAT = (
    *("emergency", "police", "ambulance", "fire", "domestic-violence", "sexual-violence", "child", "crisis", "legal"),
    *("shelter", "other"),
)
"""What an entry may be for; ``help_what.html`` has the words."""
LANGUAGES = ("en", "uk", "fr", "ar")
"""What an entry's own words may be written in."""

# All of a country has to fit into one page (B9).
_LARGEST_BYTES = 16 * 1024
_MOST_ENTRIES = 16
_MOST_CHARACTERS = 200
_ALWAYS = "always"
_FILE = re.compile(r"([a-z]{2})\.toml", re.ASCII)
_NUMBER = re.compile(r"[0-9+*#][0-9 ()+*#/-]{1,31}", re.ASCII)
_LINK = re.compile(r"://|\bwww\.|\.onion\b", re.ASCII | re.IGNORECASE)
# Spaces that French puts before a colon; to Python they are not printable.
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})


@dataclass(frozen=True, slots=True)
class Wording:
    """The same words in several languages; none at all, or in English at least."""

    by_language: Mapping[str, str] = field(default_factory=dict[str, str])

    def in_language(self, code: str) -> str:
        """Give the words in this language, in English where there are none; empty if nothing is said."""
        return self.by_language.get(code) or self.by_language.get(SOURCE_CODE, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Helper:
    """Somebody who helps.

    Attributes:
        name: Empty: what it is for says enough.
        languages: Codes of those spoken; empty if that is not known.
        always: By day and by night; `hours` is empty then.
        cost: ``free``, ``paid``, or empty if that is not known.
        verified_by: Who has asked there whether this is right; never shown to sources.
        hide_after: The last day on which that counts.
    """

    what: str
    name: Wording
    number: str
    address: str
    languages: tuple[str, ...]
    always: bool
    hours: Wording
    cost: str
    note: Wording
    verified_by: str
    verified_on: date | None
    hide_after: date | None

    def stale(self, day: date) -> bool:
        """Tell whether what is said here has become too old to be relied on."""
        return self.hide_after is not None and day > self.hide_after

    def verified(self, day: date) -> bool:
        """Tell whether somebody vouches for it on *day*."""
        return bool(self.verified_by) and not self.stale(day)


@dataclass(frozen=True, slots=True)
class HelpBook:
    """Who helps where.

    Attributes:
        by_country: Under codes in small letters.
        shows_unverified: Whether sources see what nobody vouches for, marked as that: for trying out alone.
    """

    by_country: Mapping[str, tuple[Helper, ...]] = field(default_factory=dict[str, tuple[Helper, ...]])
    shows_unverified: bool = False

    def shown(self, country: str, day: date) -> tuple[Helper, ...]:
        """Give what sources may see of *country* on *day*."""
        helpers = self.by_country[country]
        return helpers if self.shows_unverified else tuple(one for one in helpers if one.verified(day))


def help_book(own: Path, *, evaluation: bool) -> HelpBook:
    """Read what is shipped; a file that the drop has of its own in the folder *own* replaces that of its country.

    Raises:
        HelpError: A file cannot be read, or a field of it cannot be meant.
    """
    return HelpBook({**shipped(), **owned(own)}, shows_unverified=evaluation)


def shipped() -> dict[str, tuple[Helper, ...]]:
    """Read what comes with the program: numbers that everybody knows, verified by nobody."""
    return _read(files("source_interface").joinpath("helplines").iterdir())


def owned(folder: Path) -> dict[str, tuple[Helper, ...]]:
    """Read what a drop has of its own; nothing if there is no such folder.

    Raises:
        HelpError: A file cannot be read, or a field of it cannot be meant.
    """
    try:
        return _read(folder.iterdir() if folder.exists() else ())
    except OSError as error:
        raise HelpError(f"{folder} cannot be read: {error.strerror}") from error


def parse(name: str, untrusted_content: bytes) -> tuple[Helper, ...]:
    """Read the file *name* of one country.

    Raises:
        HelpError: The message names the file, and the entry and field that cannot be meant.
    """
    if len(untrusted_content) > _LARGEST_BYTES:
        raise HelpError(f"{name}: a country has at most {_LARGEST_BYTES} bytes")
    try:
        told = tomllib.loads(untrusted_content.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise HelpError(f"{name}: not a TOML file: {error}") from error
    entries = told.get("entry")
    if set(told) != {"entry"} or not isinstance(entries, list):
        raise HelpError(f"{name}: a country is a list of [[entry]] and nothing else")
    if len(cast("list[object]", entries)) > _MOST_ENTRIES:
        raise HelpError(f"{name}: a country has at most {_MOST_ENTRIES} entries")
    return tuple(
        _Table(f"{name}: entry {number}", entry).helper()
        for number, entry in enumerate(cast("list[object]", entries), 1)
    )


@cache
def spoken() -> dict[str, str]:
    """Give code and own name of every language that people may be said to speak."""
    return cast("dict[str, str]", tomllib.loads(files("source_interface").joinpath("spoken.toml").read_text("utf-8")))


def _read(found: Iterable[Traversable]) -> dict[str, tuple[Helper, ...]]:
    read: dict[str, tuple[Helper, ...]] = {}
    for file in sorted(found, key=lambda file: file.name):
        if not file.name.endswith(".toml"):
            continue
        country = _FILE.fullmatch(file.name)
        if country is None or not is_country(country[1].upper()):
            raise HelpError(f"{file.name}: a file is called as its country: ua.toml, with a code of ISO 3166-1")
        with file.open("rb") as opened:
            read[country[1]] = parse(file.name, opened.read(_LARGEST_BYTES + 1))
    return read


class _Table:
    """One entry as it stands in the file; each field is taken out once, so that what is left is unknown."""

    def __init__(self, where: str, told: object) -> None:
        self._where = where
        if not isinstance(told, dict):
            raise HelpError(f"{where}: an entry is a table")
        self._left = dict(cast("Mapping[str, object]", told))

    def helper(self) -> Helper:
        """Take everything out."""
        hours = self._left.pop("hours", {})
        helper = Helper(
            what=self._one_of("what", WHAT),
            name=self._wording("name", self._left.pop("name", {})),
            number=self._text("number"),
            address=self._text("address"),
            languages=self._languages(),
            always=hours == _ALWAYS,
            hours=self._wording("hours", {} if hours == _ALWAYS else hours),
            cost=self._one_of("cost", ("free", "paid", "")),
            note=self._wording("note", self._left.pop("note", {})),
            verified_by=self._text("verified_by"),
            verified_on=self._day("verified_on"),
            hide_after=self._day("hide_after"),
        )
        if self._left:
            raise self._wrong(min(self._left), "there is no such field")
        self._check(helper)
        return helper

    def _check(self, helper: Helper) -> None:
        if not helper.number and not helper.address:
            raise self._wrong("number", "an entry has a number, an address, or both")
        if helper.number and not _NUMBER.fullmatch(helper.number):
            raise self._wrong("number", "a number has 2 to 32 digits and signs that can be dialled")
        days = (helper.verified_on, helper.hide_after)
        if helper.verified_by and None in days:
            raise self._wrong("verified_by", "whoever has verified something says verified_on and hide_after")
        if helper.verified_on is not None and not helper.verified_by:
            raise self._wrong("verified_on", "somebody has verified it: verified_by is missing")
        if helper.verified_on and helper.hide_after and helper.hide_after <= helper.verified_on:
            raise self._wrong("hide_after", "it lies after verified_on")

    def _one_of(self, name: str, known: tuple[str, ...]) -> str:
        text = self._text(name)
        if text not in known:
            raise self._wrong(name, f"it is one of {', '.join(filter(None, known))}")
        return text

    def _text(self, name: str) -> str:
        return self._plain(name, self._left.pop(name, ""))

    def _plain(self, name: str, value: object) -> str:
        if not isinstance(value, str):
            raise self._wrong(name, "it is a text")
        if len(value) > _MOST_CHARACTERS or not value.translate(_SPACES).isprintable():
            raise self._wrong(name, f"it is one line of at most {_MOST_CHARACTERS} visible characters")
        if _LINK.search(value):
            raise self._wrong(name, "it never leads to another site: whoever follows a link is seen there")
        return value.strip()

    def _wording(self, name: str, value: object) -> Wording:
        if not isinstance(value, dict):
            raise self._wrong(name, "it is a table with a text for each language")
        told = cast("Mapping[str, object]", value)
        if unknown := sorted(set(told) - set(LANGUAGES)):
            raise self._wrong(f"{name}.{unknown[0]}", f"the languages are {', '.join(LANGUAGES)}")
        texts = {code: self._plain(f"{name}.{code}", text) for code, text in told.items()}
        if texts and not texts.get(SOURCE_CODE):
            raise self._wrong(f"{name}.{SOURCE_CODE}", "English is what the other languages fall back to")
        return Wording(texts)

    def _languages(self) -> tuple[str, ...]:
        told = self._left.pop("languages", [])
        if not isinstance(told, list):
            raise self._wrong("languages", "it is a list of codes")
        codes = tuple(str(code) for code in cast("list[object]", told))
        if unknown := sorted(set(codes) - set(spoken())):
            raise self._wrong("languages", f"{unknown[0]!r} is not one of {', '.join(spoken())}")
        return codes

    def _day(self, name: str) -> date | None:
        day = self._left.pop(name, None)
        if day is not None and (not isinstance(day, date) or isinstance(day, datetime)):
            raise self._wrong(name, "it is a day, as in 2026-03-04, without quotation marks")
        return day

    def _wrong(self, name: str, says: str) -> HelpError:
        return HelpError(f"{self._where}: {name}: {says}")
