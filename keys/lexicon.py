"""Word lists: write numbers in words, and find the numbers again however the words were typed."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType

_SUFFIX = ".txt"


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """One word list: a digit alphabet whose digits are words.

    Attributes:
        name: The list's name, for ever: it enters every check word.
        words: In the list's order; the place of a word is the digit it stands for.
        positions: From the folded form of a word back to its place.
        prefix_free: No word begins with another one, so words can be told apart without spaces.
    """

    name: str
    words: tuple[str, ...]
    positions: Mapping[str, int]
    prefix_free: bool

    def spell(self, number: int, count: int) -> tuple[str, ...]:
        """Write *number* in *count* words, the most significant first."""
        spelt: list[str] = []
        for _ in range(count):
            number, position = divmod(number, len(self.words))
            spelt.append(self.words[position])
        return tuple(reversed(spelt))

    def words_for(self, limit: int) -> int:
        """Return how many words every number below *limit* fits in."""
        count = 1
        while len(self.words) ** count < limit:
            count += 1
        return count

    def read(self, words: Sequence[str]) -> "Reading":
        """Find the places of folded *words*, mending lost and added spaces where only one meaning is possible."""
        positions: list[int] = []
        start = 0
        while start < len(words):
            for width, candidates in self._meanings(words, start):
                if candidates:
                    positions += candidates
                    start += width
                    break
            else:
                return Reading(tuple(positions), complete=False)
        return Reading(tuple(positions), complete=True)

    def _meanings(self, words: Sequence[str], start: int) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """List what may stand at *start*: a word, a word torn in two, or several run together."""
        return (
            (1, self._one("".join(words[start : start + 1]))),
            (2, self._one("".join(words[start : start + 2]))),
            (1, self._run_together(words[start])),
        )

    def _one(self, word: str) -> tuple[int, ...]:
        position = self.positions.get(word)
        return () if position is None else (position,)

    def _run_together(self, letters: str) -> tuple[int, ...]:
        """Cut *letters* into words, if that can be done in one way only."""
        positions: list[int] = []
        start = 0
        while self.prefix_free and start < len(letters):
            ends = (end for end in range(start + 1, len(letters) + 1) if letters[start:end] in self.positions)
            end = next(ends, None)
            if end is None:
                return ()
            positions.append(self.positions[letters[start:end]])
            start = end
        return tuple(positions)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a list made of some words: their places, up to the first word it does not know."""

    positions: tuple[int, ...]
    complete: bool


@cache
def lexicons() -> Mapping[str, Lexicon]:
    """Load every list in ``keys/words``, by name; a process that locks its files away calls this before."""
    found = sorted(entry.name for entry in files("keys.words").iterdir() if entry.name.endswith(_SUFFIX))
    return MappingProxyType({name.removesuffix(_SUFFIX): _load(name) for name in found})


def lexicon(name: str, words: Sequence[str]) -> Lexicon:
    """Make a list of *words*.

    Raises:
        ValueError: Two words are the same once folded, or one would fall apart.
    """
    folded = [fold(word) for word in words]
    if any(len(parts) != 1 or any(map(str.isnumeric, parts[0])) for parts in folded):
        raise ValueError(f"a word of the list {name} is not made of letters alone")
    positions = {parts[0]: position for position, parts in enumerate(folded)}
    if len(positions) != len(words):
        raise ValueError(f"the list {name} has a word twice")
    ordered = sorted(positions)
    prefix_free = not any(later.startswith(word) for word, later in pairwise(ordered))
    return Lexicon(name, tuple(words), MappingProxyType(positions), prefix_free)


def fold(untrusted: str) -> list[str]:
    """Split *untrusted* into words, in the one form in which they are compared.

    Full-width letters and capitals become plain (NFKC, case folding), what cannot be seen goes, and everything that
    is no letter, mark or digit is a gap: spaces of any kind, hyphens, commas, quotation marks.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", untrusted).casefold())
    return "".join(_seen(character) for character in plain).split()


def _seen(character: str) -> str:
    category = unicodedata.category(character)
    # Cf: zero-width spaces and joiners, soft hyphens, marks of direction: pasting adds them unseen.
    if category == "Cf":
        return ""
    return character if category[0] in "LMN" else " "


def _load(file_name: str) -> Lexicon:
    text = files("keys.words").joinpath(file_name).read_text("utf-8")
    return lexicon(file_name.removesuffix(_SUFFIX), text.split())
