"""The languages of the pages, read from the catalogues as translators write them (docs/adr/0005-catalogues.md).

A ``.po`` file is read at start, strictly, and handed to the standard library's gettext as the binary table it knows:
so nothing compiled lies in the repository, and no tool is needed where the server runs.
"""

import ast
import hashlib
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from hardening.canonical import canonical_json
from source_interface.errors import CatalogueError

SOURCE_CODE = "en"
# In the order in which they are offered, each by its own name.
_NAMES = {"en": "English", "uk": "Українська", "fr": "Français", "ar": "العربية"}
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "fa", "he", "ps", "ur"})
_OWN_DIGITS = {"ar": "٠١٢٣٤٥٦٧٨٩", "ckb": "٠١٢٣٤٥٦٧٨٩", "fa": "۰۱۲۳۴۵۶۷۸۹", "ur": "۰۱۲۳۴۵۶۷۸۹"}

_TEMPLATE = "source.pot"
_MO_MAGIC = 0x950412DE
_MO_HEADER_BYTES = 28


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the pages.

    Attributes:
        prefix: What stands before every path of its pages; empty for the language that the texts are written in.
        sha256: Of everything that it says: another word, another hash. Readers approve this (docs/specs/approval.md).
        progress: How much of it is translated.
    """

    code: str
    name: str
    prefix: str
    sha256: str
    progress: "Progress"
    words: NullTranslations = field(repr=False, compare=False)

    @property
    def direction(self) -> str:
        """The writing direction, as HTML calls it."""
        return "rtl" if self.code in _RIGHT_TO_LEFT else "ltr"

    @property
    def digits(self) -> dict[int, str]:
        """What to write for each digit in the language's own script; empty if it has none of its own."""
        return {ord(digit): own for digit, own in zip("0123456789", _OWN_DIGITS.get(self.code, ""), strict=False)}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a translation is.

    Attributes:
        messages: All that the pages can say.
        translated: Of them, those that are said in the language, and surely.
        fuzzy: Those whose translation is uncertain; the page says them in the source language.
    """

    messages: int
    translated: int
    fuzzy: int


def languages() -> tuple[Language, ...]:
    """Load every language that there is, the source language first.

    Raises:
        CatalogueError: A catalogue is not written as it should be.
    """
    return tuple(_language(code, name) for code, name in _NAMES.items())


def read_catalogue(text: str) -> dict[str, str]:
    """Read the text of a ``.po`` file: from each message to its translation, plural forms joined by NUL as in ``.mo``.

    Untranslated and uncertain (``fuzzy``) messages are left out, so the page shows them in the source language.

    Raises:
        CatalogueError: A line is neither a comment nor a part of an entry, or a message stands there twice.
    """
    catalogue: dict[str, str] = {}
    for entry in _entries(text):
        forms = [entry[key] for key in sorted(entry) if key.startswith("msgstr")]
        if not forms:
            raise CatalogueError("a message of the catalogue has no translation, not even an empty one")
        if "fuzzy" in entry or not all(forms):
            continue
        message = _key(entry)
        if message in catalogue:
            raise CatalogueError("a message stands twice in the catalogue")
        catalogue[message] = "\0".join(forms)
    return catalogue


def hash_of(catalogue: Mapping[str, str]) -> str:
    """Give the hash of all that a catalogue says; its header, under the empty message, says nothing to a source."""
    return hashlib.sha256(canonical_json({key: said for key, said in catalogue.items() if key})).hexdigest()


def _language(code: str, name: str) -> Language:
    text = _read(f"{code}.po" if code != SOURCE_CODE else _TEMPLATE)
    entries = list(_entries(text))
    messages = sorted(_key(entry) for entry in entries if entry["msgid"])
    if code == SOURCE_CODE:
        said = hashlib.sha256(canonical_json(messages)).hexdigest()
        return Language(code, name, "", said, Progress(len(messages), len(messages), 0), NullTranslations())
    catalogue = read_catalogue(text)
    translated = sum(message in catalogue for message in messages)
    progress = Progress(len(messages), translated, sum("fuzzy" in entry for entry in entries))
    words = GNUTranslations(BytesIO(_compiled(catalogue)))
    return Language(code, name, f"/{code}", hash_of(catalogue), progress, words)


def _read(name: str) -> str:
    return files("source_interface").joinpath("translations", name).read_text("utf-8")


def _key(entry: Mapping[str, str]) -> str:
    """Name a message as ``.mo`` does, its plural behind it."""
    return entry["msgid"] + (f"\0{entry['msgid_plural']}" if "msgid_plural" in entry else "")


def _entries(text: str) -> Iterator[dict[str, str]]:
    """Yield each entry as its keywords and strings."""
    entry: dict[str, str] = {}
    keyword = ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("#,") and "fuzzy" in stripped:
            entry["fuzzy"] = "yes"
        if not stripped and "msgid" in entry:
            yield entry
            entry = {}
        if not stripped or stripped.startswith("#"):
            continue
        if not stripped.startswith('"'):
            keyword, _, stripped = stripped.partition(" ")
            if keyword in entry or not keyword.startswith(("msgid", "msgstr")):
                raise CatalogueError(f"line {number} of the catalogue begins with no keyword that fits there")
            entry[keyword] = ""
        if keyword not in entry:
            raise CatalogueError(f"line {number} of the catalogue continues nothing")
        entry[keyword] += _string(stripped, number)
    if "msgid" in entry:
        yield entry


def _string(literal: str, number: int) -> str:
    # A string of a catalogue is written as in C; of what C allows we use what Python reads in the same way.
    if len(literal) < 2 or not literal.startswith('"') or not literal.endswith('"'):
        raise CatalogueError(f"line {number} of the catalogue holds no string in quotation marks")
    try:
        return str(ast.literal_eval(literal))
    except (SyntaxError, ValueError) as error:
        raise CatalogueError(f"line {number} of the catalogue holds a malformed string") from error


def _compiled(catalogue: Mapping[str, str]) -> bytes:
    """Write the table that gettext reads (GNU gettext manual, "The Format of GNU MO Files")."""
    messages = [(key.encode(), catalogue[key].encode()) for key in sorted(catalogue)]
    texts = bytearray()
    tables: list[list[int]] = [[], []]
    start = _MO_HEADER_BYTES + 16 * len(messages)
    for table, column in zip(tables, zip(*messages, strict=True), strict=True):
        for text in column:
            table += [len(text), start + len(texts)]
            texts += text + b"\0"
    header = (_MO_MAGIC, 0, len(messages), _MO_HEADER_BYTES, _MO_HEADER_BYTES + 8 * len(messages), 0, 0)
    return struct.pack(f"<{7 + 4 * len(messages)}I", *header, *tables[0], *tables[1]) + bytes(texts)
