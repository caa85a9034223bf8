"""What is remembered of a reviewer between two pages: sealed in the session, gone when it ends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from hardening.canonical import JSON, canonical_json, strict_json

_LARGEST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """What became of the last return bag.

    Attributes:
        already: It had been taken in before.
        replies: How many were new.
        receipts: How many imports it told of that were not known.
        undelivered: How many replies were to sources who have gone.
        unknown: How many imports were of parts that are not here.
    """

    already: bool
    replies: int
    receipts: int
    undelivered: int
    unknown: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One reviewer's visit.

    Attributes:
        notice: What the next page says first.
        returned: What the page of return bags says, until the visit ends.
    """

    reviewer_id: str
    notice: str = ""
    returned: Returned | None = None

    def pack(self) -> bytes:
        """Write the visit for its session."""
        back = self.returned
        return canonical_json(
            {
                "reviewer": self.reviewer_id,
                "notice": self.notice,
                "returned": [int(back.already), back.replies, back.receipts, back.undelivered, back.unknown]
                if back
                else None,
            }
        )


def unpack(packed: bytes) -> Desk:
    """Read what `Desk.pack` wrote; only this process writes it, so it is what it was."""
    told: Mapping[str, JSON] = cast("Mapping[str, JSON]", strict_json(packed, _LARGEST_BYTES))
    back = cast("list[int] | None", told["returned"])
    return Desk(
        reviewer_id=cast("str", told["reviewer"]),
        notice=cast("str", told["notice"]),
        returned=Returned(
            already=bool(back[0]), replies=back[1], receipts=back[2], undelivered=back[3], unknown=back[4]
        )
        if back
        else None,
    )
