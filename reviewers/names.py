"""Refuse display names that could pass for another's (P4)."""

import unicodedata

from reviewers.errors import DisplayNameError

LONGEST = 64

# Cyrillic and Greek letters that look like Latin ones, and what else is taken for one another. Where
# two letters fall together here without looking the same, a name more is refused: that does no harm.
_LOOKALIKES = str.maketrans(
    "авеёкмнопрстухѕіїјһԁԛԝзьґєαβγεζηικμνορτυχωϲ0i1|ıł5",
    "abeekmhonpctyxslljhdqw3breabyeznlkuvoptyxwcollllls",
)
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")


def display_name(untrusted: str) -> str:
    """Return the name in its one form.

    Raises:
        DisplayNameError: It is empty or too long, is not NFKC, holds something unseen, or mixes
            alphabets within one word.
    """
    if not 1 <= len(untrusted) <= LONGEST:
        raise DisplayNameError(f"a display name has 1 to {LONGEST} characters, not {len(untrusted)}")
    if untrusted != unicodedata.normalize("NFKC", untrusted):
        raise DisplayNameError("a display name is written in plain letters (NFKC)")
    if untrusted != " ".join(untrusted.split()):
        raise DisplayNameError("a display name has single spaces, and only between words")
    if not all(map(_is_seen, untrusted)):
        raise DisplayNameError("a display name has letters, digits, spaces and - . ' alone")
    if not skeleton(untrusted):
        raise DisplayNameError("a display name has a letter or a digit")
    if any(len(_scripts(word)) > 1 for word in untrusted.split()):
        raise DisplayNameError("a word of a display name is written in one alphabet")
    return untrusted


def skeleton(untrusted: str) -> str:
    """Return what is the same for all names that look alike: two reviewers never share it."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", untrusted).casefold())
    bare = "".join(
        character
        for character in unicodedata.normalize("NFKD", plain.translate(_LOOKALIKES))
        if unicodedata.category(character)[0] in "LN"
    )
    return bare.translate(_LOOKALIKES).replace("rn", "m").replace("vv", "w")


def _is_seen(character: str) -> bool:
    # Letters, their marks and digits; no controls, no marks of direction, no joiners, no emoji.
    return character in " -.'" or unicodedata.category(character) in {"Lu", "Ll", "Lo", "Lt", "Mn", "Mc", "Nd"}


def _scripts(word: str) -> set[str]:
    names = (unicodedata.name(character, "") for character in word if character.isalpha())
    return {script for name in names for script in _SCRIPTS if name.startswith(script)}
