"""Show foreign text without letting it act on the terminal, and name files without letting it act on the disk."""

import re
import unicodedata
from collections.abc import Iterable

_LONGEST_BYTES = 120

# Names that mean devices on Windows, where a court may unpack the folder.
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?\Z")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')

# Format characters (bidirectional overrides, zero width), controls, lone surrogates, private use: Cf, Cc, Cs, Co, Cn.
_INVISIBLE = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


def shown(untrusted: str, *, lines: bool = False) -> str:
    """Write *untrusted* so that a terminal shows it and does nothing else (Q13).

    Args:
        untrusted: Anything.
        lines: Keep line feeds and tabs, for messages.
    """
    return "".join(_shown(character, lines=lines) for character in untrusted)


def safe_names(untrusted: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Give every part a file name that is safe in one folder on any system (Q6).

    Args:
        untrusted: Part ids, and the names that the source's browser gave.

    Returns:
        A name by part id: unique also where letter case and normal form do not count.
    """
    taken: set[str] = set()
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


def _shown(character: str, *, lines: bool) -> str:
    if lines and character in "\n\t":
        return character
    if unicodedata.category(character) in _INVISIBLE:
        code = ord(character)
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def _safe(name: str) -> str:
    # A browser may give a whole path; only its last step can be meant.
    last = re.split(r"[/\\]", name)[-1]
    visible = "".join(
        each for each in unicodedata.normalize("NFC", last) if unicodedata.category(each) not in _INVISIBLE
    )
    cleaned = _UNSAFE.sub("_", visible).strip(" .~").lstrip("-")
    if _RESERVED.match(cleaned):
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
    return unicodedata.normalize("NFKC", name).casefold()
