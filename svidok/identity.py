"""Who a drop is: its log's public key and its onion addresses, made once, pinned by workstations."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hardening.canonical import JsonError, Writable, canonical_json, strict_json
from hardening.files import write_whole
from ledger.errors import LedgerError
from ledger.note import VerifierKey
from svidok.errors import CommandError, plain

LARGEST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Identity:
    """What `public/drop.json` says; whoever pins it knows this drop again."""

    log: VerifierKey
    source_address: str
    reviewer_address: str
    evaluation: bool

    @property
    def origin(self) -> str:
        """The neutral random name under which the log signs; it says nothing about who runs the drop."""
        return self.log.name

    def write(self, path: Path) -> None:
        """Leave the identity at *path*, for anybody to read."""
        told: dict[str, Writable] = {
            "v": 1,
            "log": str(self.log),
            "source_address": self.source_address,
            "reviewer_address": self.reviewer_address,
            "evaluation": self.evaluation,
        }
        write_whole(path, canonical_json(told), mode=0o644)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the identity of a drop.

        Raises:
            CommandError: There is none, or it is not what `write` leaves.
        """
        try:
            told = strict_json(path.read_bytes()[: LARGEST_BYTES + 1], LARGEST_BYTES, canonical=True)
        except OSError as error:
            # The path stands in an OSError's own words, too.
            raise CommandError(f"cannot read who this drop is from {plain(error)}") from error
        except JsonError as error:
            raise CommandError(f"cannot read who this drop is from {path}: {error}") from error
        match told:
            case {
                "v": 1,
                "log": str(log),
                "source_address": str(source),
                "reviewer_address": str(reviewer),
                "evaluation": bool(evaluation),
            }:
                return cls(_verifier(log), source, reviewer, evaluation)
            case _:
                raise CommandError(f"{path} is of another version of this program")


def new_origin() -> str:
    """Draw the neutral name of a new log."""
    return f"log-{secrets.token_hex(8)}"


def _verifier(text: str) -> VerifierKey:
    try:
        return VerifierKey.parse(text)
    except LedgerError as error:
        raise CommandError(f"the log key of this drop is malformed: {error}") from error
