"""Draw the two words by which reviewers call a source that they must not be able to name."""

from collections.abc import Callable, Sequence


def draw_designation(words: Sequence[str], randbelow: Callable[[int], int]) -> str:
    """Draw two words; they say nothing of the codename, which is drawn apart from them."""
    return " ".join(words[randbelow(len(words))] for _ in range(2))


def plain_designation(untrusted: str) -> str:
    """Write what somebody typed into a search the way designations are stored: lower case, single spaces."""
    return " ".join(untrusted[:64].lower().split())
