"""Show foreign text without letting it act on the terminal, and name files without letting it act on the disk."""

import re
import unicodedata
from collections.abc import Collection, Iterable

from hardening.canonical import Writable, canonical_json

_LONGEST_BYTES = 120

# Names that mean devices on Windows, where a court may unpack the folder; it does not mind spaces before the dot.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\..*)?", re.IGNORECASE)
_UNSAFE = re.compile(r'[<>:"/\\|?*]')

# Format characters (bidirectional overrides, zero width), controls, lone surrogates, private use, unassigned, and the
# two separators that some programs break lines at.
_INVISIBLE = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks that show as nothing (Unicode, Default_Ignorable_Code_Point), and a blank that is a symbol.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)


def shown(untrusted: str, *, lines: bool = False) -> str:
    """Write *untrusted* so that a terminal shows it and does nothing else (Q13).

    Args:
        untrusted: Anything.
        lines: Keep line breaks and tabs, for messages.
    """
    # Browsers send the lines of a form with a carriage return.
    text = untrusted.replace("\r\n", "\n") if lines else untrusted
    return "".join(_shown(character, lines=lines) for character in text)


def safe_names(untrusted: Iterable[tuple[str, str]], reserved: Collection[str] = ()) -> dict[str, str]:
    """Give every part a file name that is safe in one folder on any system (Q6).

    Args:
        untrusted: Part ids, and the names that the source's browser gave.
        reserved: Names of ours in the same folder.

    Returns:
        A name by part id: unique also where letter case and normal form do not count.
    """
    taken = {_folded(name) for name in reserved}
    names: dict[str, str] = {}
    for part_id, name in untrusted:
        safe = _safe(name) or part_id[:8]
        candidate, count = safe, 1
        while _folded(candidate) in taken:
            count += 1
            stem, dot, ending = safe.rpartition(".")
            candidate = f"{stem}-{count}{dot}{ending}" if stem else f"{safe}-{count}"
        taken.add(_folded(candidate))
        names[part_id] = candidate
    return names


def escaped_json(untrusted: Writable) -> bytes:
    """Write JSON that may be looked at in a terminal: letters stay, all that acts is escaped."""
    written = canonical_json(untrusted).decode()
    # Outside of its texts JSON has printable ASCII alone, so whatever is escaped here stands in a text.
    return "".join(_json_escape(each) if _acts(each) else each for each in written).encode()


def _acts(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE or _IGNORABLE.match(character) is not None


def _shown(character: str, *, lines: bool) -> str:
    if (lines and character in "\n\t") or not _acts(character):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def _safe(name: str) -> str:
    # A browser may give a whole path; only its last step can be meant.
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(each for each in unicodedata.normalize("NFC", last) if not _acts(each))
    cleaned = _UNSAFE.sub("_", visible).lstrip(" .~-").rstrip(" .~")
    if _RESERVED.fullmatch(cleaned):
        cleaned = f"_{cleaned}"
    return _shortened(cleaned)


def _shortened(name: str) -> str:
    if len(name.encode()) <= _LONGEST_BYTES:
        return name
    stem, dot, ending = name.rpartition(".")
    if not stem or len(ending.encode()) > 16:
        stem, dot, ending = name, "", ""
    room = _LONGEST_BYTES - len((dot + ending).encode())
    return stem.encode()[:room].decode("utf-8", errors="ignore").rstrip(" .") + dot + ending


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
