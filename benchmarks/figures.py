"""What a measurement says, and how its noise is kept out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

__all__ = ["Figure", "Size", "median", "middle_ratio"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value and what it may be at most, or at least.

    Attributes:
        claim: What is claimed, in words.
        value: What was measured.
        unit: Of both.
        bound: Of the value; None for a figure that is told and not judged.
        at_least: The bound is the least the value may be.
        note: How it was measured, and what else came out.
    """

    claim: str
    value: float
    unit: str
    bound: float | None
    note: str
    at_least: bool = False

    @property
    def holds(self) -> bool:
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done: all of it, or a slice that shows that everything runs.

    Attributes:
        submissions: One after the other.
        derivations: Beginnings, and Argon2id alone.
        uploads: Size in bytes and rounds.
        small_bytes: One memory measurement.
        large_bytes: The other.
        sources: At once.
        each: Submissions of each of them.
        stored: Submissions in the store that is paged through.
        pages: Read from each store.
        journeys: Played from end to end.
    """

    submissions: int
    derivations: int
    uploads: Sequence[tuple[int, int]]
    small_bytes: int
    large_bytes: int
    sources: int
    each: int
    stored: int
    pages: int
    journeys: int


def middle_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Compare by the median of the rounds' ratios: both sides of a round met the same noise."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))
